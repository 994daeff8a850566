/** The grid of `bench convergence`: data sets × models × optimisers × engines × seeds, checked and with every default filled in. */
import { createHash } from 'node:crypto'
import { availableParallelism, cpus } from 'node:os'
import * as z from 'zod'
import { InputError } from '../../core/errors.js'
import { knownNames } from '../../core/names.js'
import { readConfigFile, resolveConfig, type StudyConfig } from '../../study/config.js'
import { version } from '../../core/version.js'

const mapping = z.record(z.string(), z.unknown())
const schema = z.strictObject({
  data: z.record(z.string(), mapping).refine(d => Object.keys(d).length > 0, 'name at least one data set'),
  models: z
    .record(z.string(), mapping.and(z.object({ data: z.array(z.string()).optional() })))
    .refine(m => Object.keys(m).length > 0, 'name at least one model'),
  optimizers: z
    .record(z.string(), z.union([z.string(), mapping]))
    .refine(o => Object.keys(o).length > 0, 'name at least one optimizer'),
  engines: z.array(z.string()).min(1).default(['auto']),
  precision: z.enum(['f64', 'f32']).default('f64'),
  seeds: z.array(z.number().int().nonnegative()).min(1).default([1]),
  starts: z.number().int().min(2).max(100000).default(100),
  init: z.unknown().optional(),
  gradient: z.number().positive().default(1e-8),
  steps: z.record(z.string(), z.number().int().positive()).default({}),
  targets: z.array(z.number().positive()).min(1).default([1e-1, 1e-2, 1e-4, 1e-6, 1e-8])
})
export type Grid = z.infer<typeof schema>

/** Convex and non-convex models on the same rows; ends in a minute or two on two cores. */
export const defaultGrid: Grid = schema.parse({
  data: {
    iris2: { builtin: 'iris2', standardize: true },
    endometrial: { builtin: 'endometrial', standardize: true },
    xor: { builtin: 'xor' }
  },
  models: {
    'logistic, ridge 0.01': { data: ['iris2', 'endometrial'], loss: 'logistic', ridge: 0.01, penalizeBias: true },
    logistic: { data: ['iris2'], loss: 'logistic' },
    brier: { data: ['iris2'], loss: 'brier' },
    'brier, ridge 0.001': { data: ['iris2', 'endometrial'], loss: 'brier', ridge: 0.001, penalizeBias: true },
    '4-3-1 tanh, ridge 0.001': {
      ...{ data: ['iris2'], hidden: [3], activation: 'tanh', loss: 'logistic' },
      ...{ ridge: 0.001, penalizeBias: true }
    },
    '4-3-1 tanh': { data: ['iris2'], hidden: [3], activation: 'tanh', loss: 'logistic' },
    '4-5-1 tanh, ridge 0.01': { data: ['iris2'], hidden: [5], activation: 'tanh', loss: 'logistic', ridge: 0.01 },
    '2-2-1 tanh, ridge 0.01': {
      ...{ data: ['xor'], hidden: [2], activation: 'tanh', loss: 'logistic' },
      ...{ ridge: 0.01, penalizeBias: true }
    }
  },
  optimizers: {
    gd: { gd: { learningRate: 0.5 } },
    'heavy ball': { momentum: { learningRate: 0.1, momentum: 0.9 } },
    nesterov: { momentum: { learningRate: 0.1, momentum: 0.9, nesterov: true } },
    adam: { adam: { learningRate: 0.05 } },
    lbfgs: 'lbfgs',
    newton: 'newton'
  },
  seeds: [1, 2],
  steps: { gd: 5000, 'heavy ball': 5000, nesterov: 5000, adam: 5000 }
})

/** @throws InputError in one sentence: the field, what is allowed */
export function readGrid(path: string): Grid {
  const raw = readConfigFile(path)
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? ''
    throw new InputError(`Unknown field "${key}" in ${path}; ${knownNames(key, Object.keys(schema.shape))}.`)
  }
  const where = issue.path.map(String).join('.') || 'the grid'
  throw new InputError(
    `${where} in ${path}: ${issue.message.replace(/^Invalid input: /, '')}; the fields are ${Object.keys(schema.shape).join(', ')}.`
  )
}

/** A data set with a model: what has minima. */
export interface GridProblem {
  readonly data: string
  readonly model: string
  /** Of a search for its minima with Newton's method. */
  readonly config: StudyConfig
  readonly key: string
}

/** One optimiser on one problem from one seed's starts. */
export interface GridCell {
  readonly problem: GridProblem
  readonly optimizer: string
  readonly engine: string
  readonly seed: number
  readonly config: StudyConfig
  readonly targets: readonly number[]
  readonly key: string
}

/** Starts from which the minima of a problem are looked for before anything is measured. */
export const searchStarts = 400

/** Of what is stored of a cell and a problem. */
export const resultVersion = 2

/** Seconds of another machine or version are other results. */
const keyOf = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify([version, resultVersion, cpus()[0]?.model, availableParallelism(), value]))
    .digest('hex')
    .slice(0, 16)

/** Problems and cells in the order in which they run. @throws InputError for a model, optimiser or engine that is none */
export function cellsOf(grid: Grid, source: string): { problems: GridProblem[]; cells: GridCell[] } {
  const problems: GridProblem[] = []
  const cells: GridCell[] = []
  for (const [data, dataConfig] of Object.entries(grid.data))
    for (const [model, { data: only, ...modelConfig }] of Object.entries(grid.models)) {
      const unknown = only?.find(name => !Object.hasOwn(grid.data, name))
      if (unknown !== undefined)
        throw new InputError(
          `models.${model}.data in ${source} names "${unknown}"; ${knownNames(unknown, Object.keys(grid.data))}.`
        )
      if (only && !only.includes(data)) continue
      const study = (seed: number, count: number, rest: object): StudyConfig =>
        resolveConfig(
          {
            data: dataConfig,
            model: modelConfig,
            starts: { count, seed, ...(grid.init === undefined ? {} : { init: grid.init }) },
            ...rest
          },
          source
        )
      const search = study(grid.seeds[0], searchStarts, { optimizer: 'newton' })
      const problem = { data, model, config: search, key: keyOf(search) }
      problems.push(problem)
      for (const engine of grid.engines)
        for (const [optimizer, optimizerConfig] of Object.entries(grid.optimizers))
          for (const seed of grid.seeds) {
            const steps = grid.steps[optimizer]
            const config = study(seed, grid.starts, {
              optimizer: optimizerConfig,
              stop: { gradient: grid.gradient, ...(steps === undefined ? {} : { steps }) },
              engine,
              precision: grid.precision
            })
            const targets = [...grid.targets].sort((a, b) => b - a)
            cells.push({
              problem,
              optimizer,
              engine,
              seed,
              config,
              targets,
              key: keyOf([problem.key, config, targets])
            })
          }
    }
  const loose = Object.keys(grid.steps).find(name => !Object.hasOwn(grid.optimizers, name))
  if (loose !== undefined)
    throw new InputError(`steps in ${source} names "${loose}"; ${knownNames(loose, Object.keys(grid.optimizers))}.`)
  return { problems, cells }
}
