/** The configuration of a study: its schema, defaults resolved once, and errors that name the field. */
import { closeSync, openSync, readSync } from 'node:fs'
import { dirname } from 'node:path'
import type { z } from 'zod'
import { parseYaml } from '../core/yaml.js'
import { InputError } from '../core/errors.js'
import type { LevelMeasure } from '../core/multiplicityResult.js'
import { knownNames } from '../core/names.js'
import { shown, shownValue } from '../core/printable.js'
import { builtins } from '../data/builtin.js'
import type { DataConfig } from '../data/types.js'
import type { SearchPrecision } from '../engines/types.js'
import type { Activation } from '../models/activations.js'
import { lossName, resolveLoss, type LossChoice } from '../models/losses/choice.js'
import { convexity, hasGaussNewton, lossIsConvex, parameterCount } from '../models/model.js'
import type { Init, Model } from '../models/types.js'
import type { Keep } from '../runs/table.js'
import { openedPath, openedPaths } from './dataPaths.js'
import { plainData } from './dataSchema.js'
import { checkFormulaModel, type FormulaModel } from './formulaConfig.js'
import { optimizers, resolveOptimizer } from '../optimizers/registry.js'
import type { ResolvedOptimizer } from '../optimizers/types.js'
import { schema, type pathWord } from './schema.js'

/** A study with every default filled in; plain data. `model.loss` is open until the data are read. */
export interface StudyConfig {
  readonly name?: string
  readonly data: DataConfig
  readonly model: {
    readonly hidden: readonly number[]
    readonly activation: Activation
    readonly loss?: LossChoice
    readonly bias: boolean
    /** 0 beside a path. */
    readonly ridge: number
    /** Ridges that the minimiser is followed over: their values, or chosen from the data. */
    readonly ridgePath?: RidgePath
    readonly penalizeBias: boolean
    readonly firth: boolean
  } & FormulaModel
  readonly starts: {
    /** 0: as many as `file` has. */
    readonly count: number
    readonly seed: number
    readonly init: Init
    /** Numbers at random, or evenly spread over all parameters together. */
    readonly design: 'random' | 'sobol'
    /** Table of starts in place of random ones, and the hash of its numbers. */
    readonly file?: string
    readonly hash?: string
  }
  /** null: newton while P ≤ 256, lbfgs above. */
  readonly optimizer: ResolvedOptimizer | null
  readonly stop: { readonly steps: number | null; readonly gradient: number; readonly unseen?: number }
  /** Absent: by the number of starts. */
  readonly keep?: Keep
  /** Level sets in which predictions are compared: ascending ε, of the training error or the loss. */
  readonly multiplicity: { readonly epsilon: readonly number[]; readonly of: LevelMeasure }
  /** What is done on resampled rows beside the study: nothing unless a number is given. */
  readonly resampling: {
    readonly bootstrap?: number
    readonly folds?: number
    readonly repeats: number
    readonly starts?: number
  }
  /** Which runs are judged, or what share of them; absent: all. */
  readonly judge?: 'all' | 'sample' | 'best' | { readonly sample: number } | { readonly best: number }
  readonly engine: 'auto' | 'cpu' | 'webgpu' | 'tensorflow' | 'reference'
  /** One of the engine's devices, by name; absent: the best that can run. */
  readonly device?: string
  /** Absent: the best of the engine that `auto` takes; for a named engine f64, or f32 where it has no other. */
  readonly precision?: SearchPrecision
}

/** Ridges chosen from the data, 49 or so many, or as given. */
export type RidgePath = typeof pathWord | { readonly [pathWord]: number } | readonly number[]

type Node = z.core.$ZodType
/** Field names that the schema knows at a path. */
function fieldsAt(path: readonly PropertyKey[]): string[] {
  let nodes: Node[] = [schema]
  const open = (node: Node): Node[] => {
    const def = node._zod.def as { type: string; innerType?: Node; options?: Node[] }
    if (def.innerType) return open(def.innerType)
    if (def.type === 'union' && def.options) return def.options.flatMap(open)
    return [node]
  }
  for (const key of path) {
    nodes = nodes.flatMap(open).flatMap(node => {
      const def = node._zod.def as { shape?: Record<string, Node>; valueType?: Node }
      const child = def.shape?.[String(key)] ?? def.valueType
      return child ? [child] : []
    })
  }
  const names = nodes.flatMap(open).flatMap(node => Object.keys((node._zod.def as { shape?: object }).shape ?? {}))
  return [...new Set(names)]
}

const pathText = (path: readonly PropertyKey[]): string => path.map(String).join('.') || 'the study'

const kinds: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list, such as [5, 3]',
  object: 'a mapping',
  record: 'a mapping'
}

/** What a schema node takes, in words: one of several values, or mappings by their fields. */
function alternatives(node: Node): string[] {
  const def = node._zod.def as {
    type: string
    innerType?: Node
    options?: Node[]
    entries?: Record<string, string>
    shape?: Record<string, Node>
  }
  if (def.innerType) return alternatives(def.innerType)
  if (def.options) return def.options.flatMap(alternatives)
  if (def.entries) return Object.values(def.entries)
  if (def.shape) return [`{${Object.keys(def.shape).join(': …, ')}: …}`]
  return [kinds[def.type] ?? def.type]
}

/** The schema nodes at a path, optional and default ones opened. */
function nodesAt(path: readonly PropertyKey[]): Node[] {
  const open = (node: Node): Node[] => {
    const { innerType } = node._zod.def as { innerType?: Node }
    return innerType ? open(innerType) : [node]
  }
  let nodes: Node[] = [schema]
  for (const key of path)
    nodes = nodes.flatMap(open).flatMap(node => {
      const def = node._zod.def as { shape?: Record<string, Node>; valueType?: Node }
      const child = def.shape?.[String(key)] ?? def.valueType
      return child ? [child] : []
    })
  return nodes
}

/** What is allowed instead, as the end of a sentence. */
function remedy(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case 'too_small': {
      if (issue.origin === 'array') return `give at least ${issue.minimum}`
      return `give a number ${issue.inclusive ? 'of at least' : 'above'} ${issue.minimum}`
    }
    case 'too_big': {
      if (issue.origin === 'array') return `give at most ${issue.maximum}`
      return `give a number ${issue.inclusive ? 'of at most' : 'below'} ${issue.maximum}`
    }
    case 'invalid_type':
      if (issue.expected === 'number' && typeof value === 'number') return 'give a finite number'
      return `give ${kinds[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return knownNames(String(value), issue.values.map(String))
    case 'invalid_union': {
      const allowed = nodesAt(issue.path).flatMap(alternatives)
      return typeof value === 'string' ? knownNames(value, allowed) : `give one of ${allowed.join(', ')}`
    }
    default:
      return issue.message
  }
}

function sentence(issue: z.core.$ZodIssue, raw: unknown, source: string): string {
  let value: unknown = raw
  for (const key of issue.path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key]
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? ''
    const where = issue.path.length > 0 ? ` under ${pathText(issue.path)}` : ''
    return `Unknown field "${key}"${where} in ${source}; ${knownNames(key, fieldsAt(issue.path))}.`
  }
  if (issue.code === 'invalid_union') {
    // A field that one alternative knows and refuses says more than that the others are different.
    const inner = issue.errors.flat()
    const close =
      inner.find(e => e.path.length > 0 && (value as Record<PropertyKey, unknown> | null)?.[e.path[0]] !== undefined) ??
      (fieldsAt(issue.path).some(name => Object.hasOwn(Object(value) as object, name))
        ? undefined
        : inner.find(e => e.code === 'unrecognized_keys'))
    if (close) return sentence({ ...close, path: [...issue.path, ...close.path] }, raw, source)
  }
  const got = value === undefined ? 'is missing' : `is ${shownValue(value)}`
  return `${pathText(issue.path)} in ${source} ${got}; ${remedy(issue, value)}.`
}

/** @throws InputError for a field that there is not */
export function checkFields(raw: unknown, source: string): void {
  const unknown = schema.safeParse(raw).error?.issues.find(issue => issue.code === 'unrecognized_keys')
  if (unknown) throw new InputError(sentence(unknown, raw, source))
}

/**
 * Checks a raw study and fills in every default.
 * @param source what to call it in messages: a file name or "the command line"
 * @throws InputError in one sentence: the field, its value, what is allowed
 */
export function resolveConfig(raw: unknown, source: string): StudyConfig {
  const result = schema.safeParse(raw)
  if (!result.success) {
    // A misspelt name explains other complaints, so it goes first.
    checkFields(raw, source)
    throw new InputError(sentence(result.error.issues[0], raw, source))
  }
  const { optimizer, stop, data, ...rest } = result.data
  const resolved = optimizer === undefined ? null : resolveOptimizer(optimizer)
  const loss = rest.model.loss === undefined ? undefined : resolveLoss(rest.model.loss, source)
  if (loss !== undefined) rest.model.loss = loss
  checkFormulaModel({
    ...rest.model,
    ridge: typeof rest.model.ridge === 'number' ? rest.model.ridge : 0,
    loss: lossName(loss)
  })
  const { ridge, ...model } = rest.model
  const path = typeof ridge === 'number' ? undefined : ridge
  if (path !== undefined) checkPath(rest.model)
  const { steps, gradient, unseen } = stop
  const precision = rest.precision ?? (rest.engine === 'auto' ? undefined : inSingle(rest.engine) ? 'f32' : 'f64')
  // A file of starts has as many as it has rows.
  const given = (raw as { starts?: { count?: unknown } | null }).starts?.count
  const { file, design } = rest.starts
  if (file !== undefined && design !== 'random')
    throw new InputError(
      `starts.design in ${source} is ${design}, and starts.file says where the runs start; leave one of them.`
    )
  const starts = file !== undefined && given === undefined ? { ...rest.starts, count: 0 } : rest.starts
  return {
    ...(JSON.parse(
      JSON.stringify({
        ...rest,
        starts,
        multiplicity: { ...rest.multiplicity, epsilon: ascending(rest.multiplicity.epsilon) },
        model: { ...model, ridge: path === undefined ? ridge : 0, ...(path === undefined ? {} : { ridgePath: path }) }
      })
    ) as Omit<StudyConfig, 'optimizer' | 'stop' | 'precision' | 'data'>),
    data: plainData(data),
    ...(precision === undefined ? {} : { precision }),
    optimizer: resolved,
    stop: { steps: steps ?? null, gradient, ...(unseen === undefined ? {} : { unseen }) }
  }
}

/** Distinct numbers, the smallest first. */
const ascending = (values: readonly number[]): number[] => [...new Set(values)].sort((a, b) => a - b)

/** @throws InputError where a path of ridges has no meaning */
function checkPath(model: { firth: boolean; formula?: unknown; objective?: unknown }): void {
  if (model.firth)
    throw new InputError('A path of ridges does not go with Firth’s penalty; set ridge to 0, or firth to false.')
  if (model.formula !== undefined || model.objective !== undefined)
    throw new InputError('A path of ridges is for networks; a formula has no ridge, so remove it.')
}

/** Whether an engine computes in f32 only. */
export const inSingle = (engine: StudyConfig['engine']): boolean => engine === 'webgpu' || engine === 'tensorflow'

/** Parameters up to which Newton is the default. */
export const newtonLimit = 256

/** The optimiser where none is given. A linear formula has no curvature of its own, and one of a loss that is not convex may need it. */
function defaultOptimizer(model: Model): string {
  if (parameterCount(model) > newtonLimit) return 'lbfgs'
  return hasGaussNewton(model) && lossIsConvex(model) && !convexity(model).model ? 'gaussNewton' : 'newton'
}

/**
 * The optimiser and budget of a study once the model is known.
 * @throws InputError for an optimiser that the model has no matrix for
 */
export function resolveForModel(config: StudyConfig, model: Model): { optimizer: ResolvedOptimizer; steps: number } {
  const optimizer = config.optimizer ?? resolveOptimizer(defaultOptimizer(model))
  if (optimizers[optimizer.name].curvature === 'gaussNewton' && !hasGaussNewton(model))
    throw new InputError(`The optimizer ${optimizer.name} is for formulas with data; take newton.`)
  return { optimizer, steps: config.stop.steps ?? optimizers[optimizer.name].steps }
}

/** In the first line of a study.json. */
export const studyFormat = 'manystart/study'

/** Bytes of a study file: a list of a hundred thousand columns fits. */
const largestFile = 4e6
/** Lists and mappings within each other; the parser takes the square of their number in time. */
const deepest = 100

/** The text of a file, which may be a pipe. @throws when it is too large: what never ends is left after so many bytes */
function readText(path: string): string {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(largestFile + 1)
    let count = 0
    for (let n = 1; n > 0 && count <= largestFile; count += n)
      n = readSync(file, bytes, count, bytes.length - count, null)
    if (count > largestFile) throw new Error('too large')
    return bytes.toString('utf8', 0, count)
  } finally {
    closeSync(file)
  }
}

/** Whether more than `deepest` brackets are open at a time, or dashes begin a line. */
function tooDeep(text: string): boolean {
  let open = 0
  for (const bracket of text.matchAll(/[[\]{}]/g)) {
    open = Math.max(0, open + ('[{'.includes(bracket[0]) ? 1 : -1))
    if (open > deepest) return true
  }
  return new RegExp(`^([ \\t]*[-?:]){${deepest}}`, 'm').test(text)
}

/** Reads study.yaml or study.json as plain data. @throws InputError when it cannot be read or parsed. */
export function readConfigFile(path: string): Record<string, unknown> {
  let text: string
  try {
    text = readText(path)
  } catch {
    const data = Object.hasOwn(builtins, path) ? ` For the built-in data, give --data ${path}.` : ''
    throw new InputError(
      `The study file ${path} cannot be read; give the path of a YAML or JSON file of at most 4 MB.${data}`
    )
  }
  if (tooDeep(text))
    throw new InputError(
      `${shown(path)} nests lists or mappings more than ${deepest} deep; a study takes a few levels.`
    )
  let value: unknown
  try {
    value = parseYaml(text, 100, path)
  } catch (error) {
    if (error instanceof InputError) throw error
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new InputError(`${path} is neither YAML nor JSON: ${(why ?? '').replace(/[:.]?$/, '')}.`)
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new InputError(`${path} must hold a mapping with fields such as data, model and starts.`)
  // The study.json of a finished study keeps its configuration apart.
  const { format, config, dataHash } = value as {
    format?: unknown
    config?: { data?: DataConfig; starts?: { file?: string } }
    dataHash?: unknown
  }
  if (format !== studyFormat || !config) return value as Record<string, unknown>
  // A study that was made tells where its data lie, and whether they are still the same.
  const data = {
    ...openedPaths(config.data ?? {}, dirname(path)),
    ...(typeof dataHash === 'string' ? { hash: dataHash } : {})
  }
  const { file } = config.starts ?? {}
  const starts = file === undefined ? {} : { starts: { ...config.starts, file: openedPath(file, dirname(path)) } }
  return { ...config, data, ...starts }
}
