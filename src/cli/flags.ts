/** Every field of a study as a flag. A flag overrides the field of the file. */
import { existsSync } from 'node:fs'
import type { Options } from 'yargs'
import { InputError } from '../core/errors.js'
import { knownNames } from '../core/names.js'
import { activations, losses } from '../models/types.js'
import { optimizerNames, optimizers } from '../optimizers/registry.js'
import { builtins } from '../data/builtin.js'

const text = (describe: string): Options => ({ type: 'string', requiresArg: true, describe })
const number = (describe: string): Options => ({ type: 'string', requiresArg: true, describe })
const flag = (describe: string): Options => ({ type: 'boolean', describe })

export const dataOptions: Record<string, Options> = {
  data: text(`CSV file or built-in data set (${Object.keys(builtins).join(', ')})`),
  generate: text('two normal classes, e.g. rows:200,inputs:3,overlap:0.1,seed:1; overlap: error rate of the best rule'),
  target: text('column to predict'),
  features: text('input columns, comma-separated; default: all others'),
  numeric: text('columns that must hold numbers, comma-separated'),
  weights: text('column of row weights'),
  offset: text('column added to z'),
  standardize: flag('subtract the mean, divide by the population standard deviation'),
  'test-fraction': number('share of rows held out'),
  'test-seed': number('seed of the split'),
  'test-csv': text('CSV file of held-out rows')
}

export const modelOptions: Record<string, Options> = {
  hidden: text('units of the hidden layers, e.g. 5,3; none: a generalised linear model'),
  activation: text(activations.join(', ')),
  loss: text(losses.join(', ')),
  bias: flag('biases (use --no-bias for none)'),
  ridge: number('ridge penalty on the weights'),
  'penalize-bias': flag('ridge on biases too')
}

/** Options of the optimisers as flags, e.g. --learning-rate. */
const optimizerFields: readonly string[] = [
  ...new Set(Object.values(optimizers).flatMap(o => Object.keys(o.options))),
  'batchSize',
  'order'
]
const kebab = (name: string): string => name.replace(/[A-Z]/g, c => `-${c.toLowerCase()}`)

export const runOptions: Record<string, Options> = {
  starts: number('number of starts'),
  seed: number('seed of starts and mini-batches'),
  init: text('normal:S, uniform:A, glorot or he'),
  optimizer: text(optimizerNames.join(', ')),
  ...Object.fromEntries(
    optimizerFields.map(name => [
      kebab(name),
      name === 'nesterov' ? flag(`option ${name} of the optimizer`) : text(`option ${name} of the optimizer`)
    ])
  ),
  steps: number('budget of steps per run'),
  gradient: number('a run has converged when max |g| is at most this'),
  engine: text('auto, cpu, webgpu, tensorflow, reference'),
  device: text('of the engine: gpu, cpu or wasm for tensorflow, an adapter for webgpu; default: the best that runs'),
  precision: text('f64 or f32; default: the best of the engine'),
  threads: number('threads; default: all cores'),
  batch: number('lanes over all threads; never changes a result')
}

export const outputOptions: Record<string, Options> = {
  name: text('what to call the study'),
  out: text('directory for the results'),
  force: flag('replace an existing directory'),
  quiet: flag('no progress'),
  json: flag('print the result alone, as JSON')
}

/** What yargs hands over: numbers stay text until `numberFlag` has looked at them. */
export type Flags = Readonly<Record<string, string | number | boolean | undefined>>

const list = (value: unknown): string[] | undefined =>
  typeof value === 'string'
    ? value
        .split(',')
        .map(v => v.trim())
        .filter(v => v !== '')
    : undefined

/** A flag's number. @throws InputError for anything else */
export function numberFlag(flags: Flags, name: string): number | undefined {
  const value = flags[name]
  if (value === undefined) return undefined
  const n = typeof value === 'number' ? value : Number(value)
  if (String(value).trim() === '' || !Number.isFinite(n))
    throw new InputError(`--${name} is "${String(value)}"; give a number.`)
  return n
}

/** A flag's positive whole number. */
export function countFlag(flags: Flags, name: string): number | undefined {
  const n = numberFlag(flags, name)
  if (n !== undefined && !(Number.isInteger(n) && n >= 1))
    throw new InputError(`--${name} is ${n}; give a whole number of at least 1.`)
  return n
}

function hiddenFlag(value: unknown): number[] | undefined {
  const parts = list(value)
  if (parts?.length === 1 && parts[0] === 'none') return []
  return parts?.map(part => {
    const n = Number(part)
    if (!Number.isInteger(n) || n < 1)
      throw new InputError(`--hidden is "${String(value)}"; give units per layer such as 5 or 5,3, or none.`)
    return n
  })
}

function initFlag(value: unknown): unknown {
  if (typeof value !== 'string') return undefined
  if (value === 'glorot' || value === 'he') return value
  const [kind = '', size = '1'] = value.split(':')
  if ((kind !== 'normal' && kind !== 'uniform') || !Number.isFinite(Number(size)))
    throw new InputError(
      `--init is "${value}"; give normal:1, uniform:3, glorot or he (${knownNames(kind, ['normal', 'uniform', 'glorot', 'he'])}).`
    )
  return { [kind]: Number(size) }
}

function optimizerFlag(flags: Flags, fromFile: unknown): unknown {
  const given: Record<string, unknown> = {}
  for (const name of optimizerFields) {
    const value = flags[kebab(name)]
    if (value === undefined) continue
    given[name] =
      typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value
  }
  const named = flags['optimizer']
  if (Object.keys(given).length === 0) return named ?? fromFile
  if (named !== undefined) return { [String(named)]: given }
  if (typeof fromFile === 'string') return { [fromFile]: given }
  const [entry] = Object.entries((fromFile ?? {}) as Record<string, unknown>)
  if (!entry)
    throw new InputError(
      `--${kebab(Object.keys(given)[0])} belongs to an optimizer; name it with --optimizer ${optimizerNames.join(' | ')}.`
    )
  return { [entry[0]]: { ...(entry[1] as object | null), ...given } }
}

/** rows:200,inputs:3 → {rows: 200, inputs: 3}; what the names and numbers may be, the schema knows. */
function generateFlag(value: unknown): Record<string, unknown> {
  return Object.fromEntries(
    (list(value) ?? []).map(part => {
      const [name = '', number = ''] = part.split(':')
      if (number.trim() === '' || !Number.isFinite(Number(number)))
        throw new InputError(
          `--generate is "${String(value)}"; give pairs such as rows:200,inputs:3,overlap:0.1,seed:1.`
        )
      return [name, Number(number)]
    })
  )
}

function dataFlag(flags: Flags): Record<string, unknown> {
  const named = flags['data']
  const generated = flags['generate']
  if (named !== undefined && generated !== undefined)
    throw new InputError('--data and --generate both name the data; give one of them.')
  if (generated !== undefined) return { generate: generateFlag(generated), csv: undefined, builtin: undefined }
  if (named === undefined) return {}
  const name = String(named)
  if (Object.hasOwn(builtins, name) && !existsSync(name)) return { builtin: name, csv: undefined, generate: undefined }
  return { csv: name, builtin: undefined, generate: undefined }
}

const without = (fields: Record<string, unknown>, drop: boolean): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => drop || value !== undefined))

/** The raw study: the file's fields with those of the flags over them. Unset flags change nothing. */
export function mergeFlags(file: Readonly<Record<string, unknown>>, flags: Flags): Record<string, unknown> {
  const part = (name: string): Record<string, unknown> => (file[name] ?? {}) as Record<string, unknown>
  const fraction = numberFlag(flags, 'test-fraction')
  const testSeed = numberFlag(flags, 'test-seed')
  const test =
    flags['test-csv'] !== undefined
      ? { csv: flags['test-csv'] }
      : fraction !== undefined || testSeed !== undefined
        ? without({ ...(part('data')['test'] as object | undefined), fraction, seed: testSeed }, false)
        : undefined
  const data = {
    ...part('data'),
    ...dataFlag(flags),
    ...without(
      {
        target: flags['target'],
        features: list(flags['features']),
        numeric: list(flags['numeric']),
        weights: flags['weights'],
        offset: flags['offset'],
        standardize: flags['standardize'],
        test
      },
      false
    )
  }
  const model = {
    ...part('model'),
    ...without(
      {
        hidden: hiddenFlag(flags['hidden']),
        activation: flags['activation'],
        loss: flags['loss'],
        bias: flags['bias'],
        ridge: numberFlag(flags, 'ridge'),
        penalizeBias: flags['penalize-bias']
      },
      false
    )
  }
  const starts = {
    ...part('starts'),
    ...without(
      { count: numberFlag(flags, 'starts'), seed: numberFlag(flags, 'seed'), init: initFlag(flags['init']) },
      false
    )
  }
  const stop = {
    ...part('stop'),
    ...without({ steps: numberFlag(flags, 'steps'), gradient: numberFlag(flags, 'gradient') }, false)
  }
  return {
    ...file,
    data: without(data, false),
    model,
    starts,
    stop,
    ...without(
      {
        name: flags['name'],
        optimizer: optimizerFlag(flags, file['optimizer']),
        engine: flags['engine'],
        device: flags['device'],
        precision: flags['precision']
      },
      false
    )
  }
}
