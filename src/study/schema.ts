/**
 * The schema of a study's configuration: what each field takes, what it means, and which flag sets it. The type StudyInput, the JSON
 * Schema for editors, the flags and the table of fields in docs/reference.md are made of it (scripts/schema.ts).
 */
import * as z from 'zod'
import { levelMeasures } from '../core/multiplicityResult.js'
import { activations, defaultActivation } from '../models/activations.js'
import { lossParameterNames } from '../models/losses/choice.js'
import { losses, lossTable } from '../models/losses/index.js'
import { optimizerNames, optimizers, optionsOf } from '../optimizers/registry.js'
import type { OptimizerOption } from '../optimizers/types.js'
import { dataSchema } from './dataSchema.js'
import { factsOf, field, type FieldFacts } from './fields.js'
import { formulaFields } from './formulaConfig.js'

type JsonSchema = Readonly<Record<string, unknown>>

/** One of several things by its name, or with what belongs to it below the name. */
const named = (entries: readonly (readonly [string, JsonSchema])[], alone: readonly string[]): JsonSchema => ({
  anyOf: [
    { enum: [...alone] },
    ...entries.map(([name, below]) => ({
      type: 'object',
      properties: { [name]: below },
      required: [name],
      additionalProperties: false
    }))
  ]
})

function optionSchema(option: OptimizerOption): JsonSchema {
  const { meaning } = option
  const low = option.kind === 'number' && option.default < option.min
  // A default out of bounds stands for none.
  const facts = { description: meaning, ...(low ? {} : { default: option.default }) }
  switch (option.kind) {
    case 'boolean':
      return { type: 'boolean', ...facts }
    case 'choice':
      return { enum: [...option.choices], ...facts }
    case 'number':
      return {
        type: option.integer ? 'integer' : 'number',
        [option.exclusiveMin ? 'exclusiveMinimum' : 'minimum']: option.min,
        maximum: option.max,
        ...facts
      }
    default:
      return option satisfies never
  }
}

const optimizerFacts = named(
  optimizerNames.map(name => [
    name,
    {
      type: 'object',
      description: `the options of ${name}`,
      properties: Object.fromEntries(
        Object.entries(optionsOf(optimizers[name])).map(([key, option]) => [key, optionSchema(option)])
      ),
      additionalProperties: false
    }
  ]),
  optimizerNames
)

const lossFacts = named(
  losses
    .filter(name => lossTable[name].parameters.length > 0)
    .map(name => [
      name,
      {
        type: 'object',
        description: `the parameters of ${name}`,
        properties: Object.fromEntries(
          lossTable[name].parameters.map(p => [
            p.name,
            { type: 'number', exclusiveMinimum: p.above, maximum: p.most, description: p.meaning }
          ])
        ),
        required: lossTable[name].parameters.map(p => p.name),
        additionalProperties: false
      }
    ]),
  losses.filter(name => lossTable[name].parameters.length === 0)
)

/** Ridges chosen from the data, from so strong that nothing is left to almost none. */
export const pathWord = 'path'
/** Ridges of a path at most. */
export const mostRidges = 500

const positive = z.number().int().positive()
const seed = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)

export const schema = z.strictObject({
  name: field(z.string().optional(), 'what to call the study', { value: 'TEXT', absent: 'from the model' }),
  data: field(dataSchema.prefault({}), 'the table, and how it is read'),
  model: field(
    z
      .strictObject({
        hidden: field(
          z.array(positive.max(4096)).max(8).default([]),
          'units of the hidden layers; none: a generalised linear model',
          { value: '5,3' }
        ),
        activation: field(
          z.enum(activations).default(defaultActivation),
          `of the hidden units: ${activations.join(', ')}`
        ),
        loss: field(
          z.union([z.enum(losses), z.record(z.string(), z.unknown())]).optional(),
          `what is minimised over the rows: ${losses.join(', ')}`,
          {
            example: ['--loss', ...lossParameterNames.map(name => `--${name}`)],
            absent: 'by the target: two labels `logistic`, more `softmax`, numbers `squared`',
            see: '[Losses](#losses)',
            json: lossFacts
          }
        ),
        bias: field(z.boolean().default(true), 'biases (use --no-bias for none)', {
          flag: 'bias',
          example: ['--no-bias']
        }),
        ridge: field(
          z
            .union([
              z.number().nonnegative(),
              z.literal(pathWord),
              z.strictObject({ [pathWord]: z.number().int().min(2).max(mostRidges) }),
              z.array(z.number().positive()).min(2).max(mostRidges)
            ])
            .default(0),
          'adds (ridge/2) Σ θ² over the weights; path (49 values, path:100 so many), or a list: without one, and beside it the minimiser against such ridges',
          { value: 'NUMBER' }
        ),
        penalizeBias: field(z.boolean().default(false), 'ridge on biases too'),
        firth: field(
          z.boolean().default(false),
          'Firth’s penalty, −½ log det of the expected information over the total weight: logistic, probit, cloglog and poisson without hidden layer, on cpu and reference'
        ),
        ...formulaFields
      })
      .prefault({}),
    'a network or generalised linear model, or one of your own'
  ),
  starts: field(
    z
      .strictObject({
        count: field(positive.max(2 ** 40).default(1000), 'number of starts', { flag: 'starts', value: 'N' }),
        seed: field(seed.default(1), 'seed of starts and mini-batches', { value: 'N' }),
        init: field(
          z
            .union([
              z.strictObject({ normal: z.number().nonnegative() }),
              z.strictObject({ uniform: z.number().nonnegative() }),
              z.enum(['glorot', 'he'])
            ])
            .default({ normal: 1 }),
          'where starts lie: normal of standard deviation S, uniform on ±A, glorot or he',
          { value: 'normal:1' }
        ),
        design: field(
          z.enum(['random', 'sobol']).default('random'),
          'how starts are drawn from the init: one by one at random, or as a scrambled Sobol sequence, which fills the space more evenly',
          { value: 'random|sobol' }
        ),
        file: field(
          z.string().min(1).optional(),
          'starts of your own: CSV or Parquet with a column for each parameter, named as in the summary; all rows unless `count` says fewer',
          { flag: 'starts-file', value: 'FILE', absent: 'random starts' }
        ),
        hash: field(z.string().optional(), 'what the starts of the file are expected to be, as study.json has it', {
          flag: null
        })
      })
      .prefault({}),
    'where the runs start'
  ),
  optimizer: field(
    z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
    `what the runs follow: ${optimizerNames.join(', ')}, alone or with options`,
    {
      absent: '`newton`, of formulas with data `gaussNewton`; above 256 parameters `lbfgs`',
      see: '[Optimisers](#optimisers)',
      json: optimizerFacts
    }
  ),
  stop: field(
    z
      .strictObject({
        steps: field(positive.optional(), 'budget of steps per run', { value: 'N', absent: 'by the optimiser' }),
        gradient: field(
          z.number().positive().default(1e-8),
          'a run has converged when max |g| is at most this, in standardised coordinates',
          { value: '1e-8' }
        ),
        unseen: field(
          z.number().positive().lt(1).optional(),
          'the study ends by itself when a further run that ends in a minimum ends in one not seen so far with at most this probability, with 95 % confidence; it looks each time that its starts have doubled',
          { value: 'P' }
        )
      })
      .prefault({}),
    'when runs stop, and the study'
  ),
  keep: field(
    z.enum(['all', 'end', 'none']).optional(),
    'parameters of every run as found and certified, as certified, or of the points that runs end at, once each',
    { value: 'all|end|none', absent: '`all`; above a million starts `end`' }
  ),
  multiplicity: field(
    z
      .strictObject({
        epsilon: field(
          z.array(z.number().nonnegative()).min(1).max(20).default([0, 0.01, 0.02, 0.05, 0.1]),
          'predictions are compared of the runs, and of the minima, that are at most so much worse than the best, for each ε of the list',
          { flag: 'within', value: '0,0.05' }
        ),
        of: field(
          z.enum(levelMeasures).default('error'),
          'whether ε is of the training error (1 − accuracy; where the response is a number, 1 − deviance explained) or of the loss that is minimised',
          { flag: 'within-of', value: levelMeasures.join('|') }
        )
      })
      .prefault({}),
    'how far the predictions of good runs differ'
  ),
  resampling: field(
    z
      .strictObject({
        bootstrap: field(
          z.number().int().min(40).max(1e6).optional(),
          'resamples of the rows, with replacement, over which the best minimum is followed: standard errors and intervals of its parameters, and of predictions',
          { value: 'N' }
        ),
        folds: field(
          z.number().int().min(2).max(1e6).optional(),
          'parts of the rows, of which each is predicted by the model fitted to the others: the loss and scores of cross-validation',
          { value: 'K' }
        ),
        repeats: field(positive.max(10000).default(1), 'divisions of the rows into such parts', { value: 'N' }),
        starts: field(
          positive.max(1e6).optional(),
          'starts on each resample and each part, of which the lowest loss counts',
          { flag: 'refits', value: 'N', absent: '10; of convex models 1' }
        )
      })
      .prefault({}),
    'what the fit owes to the rows: bootstrap and cross-validation'
  ),
  judge: field(
    z
      .union([
        z.enum(['all', 'sample', 'best']),
        z.strictObject({ sample: z.number().positive().max(1) }),
        z.strictObject({ best: z.number().positive().max(1) })
      ])
      .optional(),
    'which runs are judged: all, a sample, or those with the lowest losses of each part of the runs (starts 0 to 255, 256 to 511, 512 to 1023 …); sample:0.05 for a twentieth of them, a tenth unless told otherwise',
    { value: 'all|sample:X|best:X', absent: 'all' }
  ),
  engine: field(
    z.enum(['auto', 'cpu', 'webgpu', 'tensorflow', 'reference']).default('auto'),
    'what computes the runs: auto, cpu, webgpu, tensorflow, reference',
    { see: '[Engines](engines.md#engines)' }
  ),
  device: field(z.string().optional(), 'of the engine: gpu, cpu or wasm for tensorflow, an adapter for webgpu', {
    absent: 'the best that runs'
  }),
  precision: field(
    z.enum(['f64', 'f32', 'mixed']).optional(),
    'of the search; mixed: in f32 until its rounding matters, then in f64; end points are judged in f64',
    {
      value: 'f64|f32|mixed',
      absent: '`f32` on `webgpu` and `tensorflow`, else `f64`'
    }
  )
})

export interface Field {
  /** Such as `model.ridge`. */
  readonly path: string
  readonly meaning: string
  readonly facts: FieldFacts
  /** Name of the flag that sets it, where there is one. */
  readonly flag: string | undefined
  readonly isBoolean: boolean
}

/** A schema without what makes it optional. */
function inner(node: z.core.$ZodType): z.core.$ZodType {
  const { innerType } = node._zod.def as { innerType?: z.core.$ZodType }
  return innerType ? inner(innerType) : node
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, c => `-${c.toLowerCase()}`)

function fieldsBelow(node: z.core.$ZodType, path: string): Field[] {
  const { shape } = inner(node)._zod.def as { shape?: Readonly<Record<string, z.core.$ZodType>> }
  return Object.entries(shape ?? {}).flatMap(([name, child]) => {
    const said = factsOf(child)
    // Fields without a meaning of their own belong to a value that is given whole.
    if (!said) return []
    const at = path === '' ? name : `${path}.${name}`
    const below = fieldsBelow(child, at)
    if (below.length > 0) return below
    const { meaning, ...facts } = said
    const flag = facts.flag === undefined ? kebab(name) : (facts.flag ?? undefined)
    const isBoolean = (inner(child)._zod.def as { type: string }).type === 'boolean'
    return [{ path: at, meaning, facts, flag, isBoolean }]
  })
}

/** Every field of a study that holds a value, in the order of the schema. */
export const fields: readonly Field[] = fieldsBelow(schema, '')
