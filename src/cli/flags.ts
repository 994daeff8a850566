/** Every field of a study as a flag. A flag overrides the field of the file. */
import { InputError } from '../core/errors.js'
import { knownNames } from '../core/names.js'
import { quoted } from '../core/printable.js'
import { lossParameterMeaning, lossParameterNames } from '../models/losses/choice.js'
import { losses } from '../models/losses/index.js'
import { mostRidges, pathWord } from '../study/schema.js'
import { optimizerNames, optimizers, optionsOf } from '../optimizers/registry.js'
import type { Flag, Flags, FlagTable } from './command.js'
import { dataOptions, mergeData } from './dataFlags.js'
import { fieldFlags, flag, given, listFlag, numberFlag, text, yamlFlag } from './flagValues.js'

export { dataOptions } from './dataFlags.js'
export { countFlag, numberFlag } from './flagValues.js'

export const modelOptions: FlagTable = {
  ...fieldFlags('model'),
  ...Object.fromEntries(lossParameterNames.map(name => [name, text('X', lossParameterMeaning(name))]))
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

export const runOptions: FlagTable = fieldFlags('starts', 'stop')

export const optimizerOptions: FlagTable = {
  ...fieldFlags('optimizer'),
  ...Object.fromEntries(optimizerFields.map(name => [kebab(name), optimizerFlag(name)]))
}

export const machineOptions: FlagTable = {
  ...fieldFlags('engine', 'device', 'precision'),
  threads: text('N', 'threads; default: all cores'),
  lanes: { ...text('N', 'lanes over all threads; never changes a result'), alias: 'batch' }
}

export const jsonFlag: FlagTable = { json: flag('print the result alone, as JSON') }

export const outputOptions: FlagTable = {
  ...fieldFlags('name', 'keep', 'multiplicity', 'judge'),
  out: text('DIR', 'directory for the results'),
  force: flag('replace an existing directory'),
  exponentiate: flag('e to the power of coefficients: odds ratios, rate ratios'),
  quiet: flag('no progress'),
  ...jsonFlag
}

/** Flags of `contrast` alone. */
export const contrastOptions: FlagTable = {
  'glm-ridge': text('NUMBER', 'ridge of the models without hidden layer; --ridge is that of the networks')
}

/** What `variance` crosses with the starts. */
export const varianceOptions: FlagTable = {
  orders: text('N', 'orders of mini-batches; default: 20 where there are mini-batches'),
  resamples: text('N', 'resamples of the rows; default: 1, the rows as they are'),
  resampling: text('KIND', 'bootstrap, poisson, or split:0.3 to leave out a share of the rows; default: bootstrap')
}

/** Flags of one study, that a contrast does not have. */
export const resumeOptions: FlagTable = {
  shard: {
    type: 'string',
    describe:
      'one of N pieces, such as 3/64; without a number, the array variable of SLURM, PBS, SGE, Kubernetes or GNU parallel gives it',
    value: 'I/N'
  },
  resume: text('DIR', 'go on with the study in DIR; with --starts, up to so many')
}

/** The flags of commands that run a study, by heading. */
export const studyFlags: Readonly<Record<string, FlagTable>> = {
  Data: dataOptions,
  Model: modelOptions,
  Starts: runOptions,
  Optimiser: optimizerOptions,
  Machine: machineOptions,
  Resampling: fieldFlags('resampling'),
  Output: outputOptions
}

function hiddenFlag(flags: Flags): number[] | undefined {
  const value = flags['hidden']
  const parts = listFlag(flags, 'hidden')
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

function judgeFlag(value: unknown): unknown {
  if (typeof value !== 'string' || ['all', 'sample', 'best'].includes(value)) return value
  const [kind = '', share = ''] = value.split(':')
  if ((kind !== 'sample' && kind !== 'best') || share.trim() === '' || !Number.isFinite(Number(share)))
    throw new InputError(`--judge is ${quoted(value)}; give all, sample or best, or a share such as sample:0.05.`)
  return { [kind]: Number(share) }
}

function chosenOptimizer(flags: Flags, fromFile: unknown): unknown {
  const options: Record<string, unknown> = {}
  for (const name of optimizerFields) {
    const value = flags[kebab(name)]
    if (value === undefined) continue
    options[name] =
      typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value
  }
  const named = flags['optimizer']
  if (Object.keys(options).length === 0) return named ?? fromFile
  if (named !== undefined) return { [String(named)]: options }
  if (typeof fromFile === 'string') return { [fromFile]: options }
  const [entry] = Object.entries((fromFile ?? {}) as Record<string, unknown>)
  if (!entry)
    throw new InputError(
      `--${kebab(Object.keys(options)[0])} belongs to an optimizer; name it with --optimizer ${optimizerNames.join(' | ')}.`
    )
  return { [entry[0]]: { ...(entry[1] as object | null), ...options } }
}

/** The loss of the flags, or of the file, with the parameters of the flags. */
function lossFlag(flags: Flags, fromFile: unknown): unknown {
  const parameters = given(Object.fromEntries(lossParameterNames.map(name => [name, numberFlag(flags, name)])))
  const named = flags['loss']
  const [first] = Object.keys(parameters)
  if (first === undefined) return named
  const [name, values] =
    named !== undefined
      ? [named, {}]
      : typeof fromFile === 'string'
        ? [fromFile, {}]
        : (Object.entries((fromFile ?? {}) as Record<string, object>)[0] ?? [undefined, {}])
  if (name === undefined)
    throw new InputError(`--${first} belongs to a loss; name it with --loss ${losses.join(' | ')}.`)
  return { [String(name)]: { ...values, ...parameters } }
}

/** One ridge, several between commas, or the word for a path. */
function ridgeFlag(flags: Flags): unknown {
  const items = listFlag(flags, 'ridge')
  if (items === undefined || items.length === 1) {
    const text = String(flags['ridge'])
    if (text.split(':')[0] !== pathWord) return numberFlag(flags, 'ridge')
    if (text === pathWord) return pathWord
    const number = /^\d+$/.exec(text.slice(pathWord.length + 1))?.[0]
    if (number === undefined || Number(number) < 2 || Number(number) > mostRidges)
      throw new InputError(
        `--ridge is ${quoted(text)}; after ${pathWord}: give a whole number of ridges from 2 to ${mostRidges}, such as ${pathWord}:100, or ${pathWord} alone.`
      )
    return { [pathWord]: Number(number) }
  }
  return items.map(item => {
    const n = Number(item)
    if (!(n > 0 && Number.isFinite(n)))
      throw new InputError(`--ridge has ${quoted(item)} in its list; give numbers above 0, or ${pathWord}.`)
    return n
  })
}

/** ε of level sets between commas. */
function withinFlag(flags: Flags): number[] | undefined {
  return listFlag(flags, 'within')?.map(item => {
    const n = Number(item)
    if (!(n >= 0 && Number.isFinite(n)))
      throw new InputError(`--within has ${quoted(item)} in its list; give numbers of at least 0, such as 0,0.01,0.05.`)
    return n
  })
}

/** The raw study: the file's fields with those of the flags over them. Unset flags change nothing. */
export function mergeFlags(file: Readonly<Record<string, unknown>>, flags: Flags): Record<string, unknown> {
  const part = (name: string): Record<string, unknown> => (file[name] ?? {}) as Record<string, unknown>
  const model = {
    ...part('model'),
    ...given({
      hidden: hiddenFlag(flags),
      activation: flags['activation'],
      loss: lossFlag(flags, part('model')['loss']),
      bias: flags['bias'],
      ridge: ridgeFlag(flags),
      penalizeBias: flags['penalize-bias'],
      firth: flags['firth'],
      formula: flags['formula'],
      objective: flags['objective'],
      parameters: yamlFlag(flags, 'parameters'),
      symmetry: yamlFlag(flags, 'symmetry')
    })
  }
  const starts = {
    ...part('starts'),
    ...given({
      count: numberFlag(flags, 'starts'),
      seed: numberFlag(flags, 'seed'),
      init: initFlag(flags['init']),
      design: flags['design'],
      file: flags['starts-file']
    })
  }
  const multiplicity = {
    ...part('multiplicity'),
    ...given({ epsilon: withinFlag(flags), of: flags['within-of'] })
  }
  const resampling = {
    ...part('resampling'),
    ...given({
      bootstrap: numberFlag(flags, 'bootstrap'),
      folds: numberFlag(flags, 'folds'),
      repeats: numberFlag(flags, 'repeats'),
      starts: numberFlag(flags, 'refits')
    })
  }
  const stop = {
    ...part('stop'),
    ...given({
      steps: numberFlag(flags, 'steps'),
      gradient: numberFlag(flags, 'gradient'),
      unseen: numberFlag(flags, 'unseen')
    })
  }
  return {
    ...file,
    data: mergeData(part('data'), flags),
    model,
    starts,
    stop,
    multiplicity,
    resampling,
    ...given({
      name: flags['name'],
      optimizer: chosenOptimizer(flags, file['optimizer']),
      engine: flags['engine'],
      device: flags['device'],
      precision: flags['precision'],
      keep: flags['keep'],
      judge: judgeFlag(flags['judge'])
    })
  }
}
