/** Every field of a study as a flag. A flag overrides the field of the file. */
import { existsSync } from 'node:fs'
import { InputError } from '../core/errors.js'
import { knownNames } from '../core/names.js'
import { activations, losses } from '../models/types.js'
import { optimizerNames, optimizers, optionsOf } from '../optimizers/registry.js'
import { builtins } from '../data/builtin.js'
import type { Flag, Flags, FlagTable } from './command.js'

/** Numbers stay text until `numberFlag` has looked at them. */
const text = (value: string, describe: string): Flag => ({ type: 'string', requiresArg: true, describe, value })
const flag = (describe: string): Flag => ({ type: 'boolean', describe })

export const dataOptions: FlagTable = {
  data: text('FILE', `CSV file or built-in data set (${Object.keys(builtins).join(', ')})`),
  generate: text(
    'rows:200,inputs:3',
    'two normal classes; further pairs: overlap:0.1 (error rate of the best rule), seed:1'
  ),
  target: text('COLUMN', 'column to predict'),
  features: text('A,B', 'input columns, comma-separated; default: all others'),
  numeric: text('A,B', 'columns that must hold numbers, comma-separated'),
  weights: text('COLUMN', 'column of row weights'),
  offset: text('COLUMN', 'column added to z'),
  standardize: flag('subtract the mean, divide by the population standard deviation'),
  'test-fraction': text('0.3', 'share of rows held out'),
  'test-seed': text('N', 'seed of the split'),
  'test-csv': text('FILE', 'CSV file of held-out rows')
}

export const modelOptions: FlagTable = {
  hidden: text('5,3', 'units of the hidden layers; none: a generalised linear model'),
  activation: text('NAME', activations.join(', ')),
  loss: text('NAME', losses.join(', ')),
  bias: flag('biases (use --no-bias for none)'),
  ridge: text('NUMBER', 'ridge penalty on the weights'),
  'penalize-bias': flag('ridge on biases too')
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, c => `-${c.toLowerCase()}`)

/** Options of all optimisers by name; what one means, and whose it is. */
const optimizerFields = [...new Set(Object.values(optimizers).flatMap(o => Object.keys(optionsOf(o))))]
function optimizerFlag(name: string): Flag {
  const owners = optimizerNames.filter(o => Object.hasOwn(optionsOf(optimizers[o]), name))
  const option = optionsOf(optimizers[owners[0]])[name]
  const describe = `${option.meaning} (${owners.join(', ')})`
  return option.kind === 'boolean' ? flag(describe) : text(option.kind === 'number' ? 'NUMBER' : 'NAME', describe)
}

export const runOptions: FlagTable = {
  starts: text('N', 'number of starts'),
  seed: text('N', 'seed of starts and mini-batches'),
  init: text('normal:1', 'where starts lie: normal:S, uniform:A, glorot or he'),
  steps: text('N', 'budget of steps per run'),
  gradient: text('1e-8', 'a run has converged when max |g| is at most this')
}

export const optimizerOptions: FlagTable = {
  optimizer: text('NAME', `${optimizerNames.join(', ')}; default: newton, above 256 parameters lbfgs`),
  ...Object.fromEntries(optimizerFields.map(name => [kebab(name), optimizerFlag(name)]))
}

export const machineOptions: FlagTable = {
  engine: text('NAME', 'auto, cpu, webgpu, tensorflow, reference'),
  device: text(
    'NAME',
    'of the engine: gpu, cpu or wasm for tensorflow, an adapter for webgpu; default: the best that runs'
  ),
  precision: text('f64|f32', 'of the search; default: the best of the engine'),
  threads: text('N', 'threads; default: all cores'),
  lanes: { ...text('N', 'lanes over all threads; never changes a result'), alias: 'batch' }
}

export const jsonFlag: FlagTable = { json: flag('print the result alone, as JSON') }

export const outputOptions: FlagTable = {
  name: text('TEXT', 'what to call the study'),
  out: text('DIR', 'directory for the results'),
  force: flag('replace an existing directory'),
  quiet: flag('no progress'),
  ...jsonFlag
}

/** Flags of `contrast` alone. */
export const contrastOptions: FlagTable = {
  'glm-ridge': text('NUMBER', 'ridge of the models without hidden layer; --ridge is that of the networks')
}

/** The flags of commands that run a study, by heading. */
export const studyFlags: Readonly<Record<string, FlagTable>> = {
  Data: dataOptions,
  Model: modelOptions,
  Starts: runOptions,
  Optimiser: optimizerOptions,
  Machine: machineOptions,
  Output: outputOptions
}

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

function chosenOptimizer(flags: Flags, fromFile: unknown): unknown {
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
        optimizer: chosenOptimizer(flags, file['optimizer']),
        engine: flags['engine'],
        device: flags['device'],
        precision: flags['precision']
      },
      false
    )
  }
}
