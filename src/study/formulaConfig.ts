/** The parts of a study that belong to a model which the user wrote as an expression: their schema, and the model itself. */
import * as z from 'zod'
import { InputError } from '../core/errors.js'
import { nearestName } from '../core/names.js'
import { namesIn } from '../language/formula/build.js'
import { functions, namedConstants, parse } from '../language/formula/parse.js'
import type { Expression, FreeParameter, ParameterInit } from '../models/expression/types.js'
import { isScalar } from '../models/losses/index.js'
import type { Init, Loss } from '../models/types.js'
import { field } from './fields.js'

const range = z.tuple([z.number(), z.number()])
export const parameterSchema = z.strictObject({
  init: z
    .union([
      z.strictObject({
        uniform: z.union([z.number().nonnegative(), range]).describe('A for ±A, or [lower end, upper end]')
      }),
      z.strictObject({
        normal: z.union([z.number().nonnegative(), range]).describe('standard deviation, or [mean, standard deviation]')
      }),
      z.strictObject({ logUniform: range.describe('[lower end, upper end] of one sign, uniform in the logarithm') })
    ])
    .optional()
    .describe('where starts lie; without it uniform between the bounds, else as `starts.init` says'),
  bounds: z
    .tuple([z.number().nullable(), z.number().nullable()])
    .optional()
    .describe('[least, largest] value, null for none'),
  fixed: z.number().optional().describe('value of a parameter that is not fitted')
})
export type ParameterConfig = z.output<typeof parameterSchema>

/** Fields of `model` for a formula or an objective. */
export const formulaFields = {
  formula: field(z.string().optional(), 'z as an expression of columns and parameters, in place of a network', {
    value: 'TEXT',
    see: '[Own models](#own-models)'
  }),
  objective: field(z.string().optional(), 'what is minimised itself, as an expression of parameters, without data', {
    value: 'TEXT'
  }),
  parameters: field(
    z.record(z.string(), parameterSchema).optional(),
    'parameters of the formula by name, with init, bounds or a fixed value each',
    { value: '{a: {init: {normal: 1}}}' }
  ),
  symmetry: field(
    z.array(z.array(z.array(z.string()).min(1)).min(2)).optional(),
    'groups of parameters that may change places',
    { value: '[[[a,b],[c,d]]]' }
  )
}

export interface FormulaModel {
  readonly formula?: string | undefined
  readonly objective?: string | undefined
  readonly parameters?: Readonly<Record<string, ParameterConfig>> | undefined
  readonly symmetry?: readonly (readonly (readonly string[])[])[] | undefined
}

const plainName = /^[\p{L}_][\p{L}\p{N}_.]*$/u

/**
 * Checks what can be told before the data are read.
 * @throws InputError in one sentence
 */
export function checkFormulaModel(
  model: FormulaModel & {
    readonly hidden: readonly number[]
    readonly ridge: number
    readonly firth: boolean
    readonly loss?: Loss | undefined
  }
): void {
  const { formula, objective, parameters } = model
  const text = formula ?? objective
  if (text === undefined) {
    const extra = parameters !== undefined ? 'parameters' : model.symmetry !== undefined ? 'symmetry' : undefined
    if (extra !== undefined)
      throw new InputError(`model.${extra} belongs to a formula; give model.formula or model.objective beside it.`)
    return
  }
  if (formula !== undefined && objective !== undefined)
    throw new InputError('model has both a formula and an objective; give a formula for data, or an objective without.')
  const what = formula !== undefined ? 'formula' : 'objective'
  if (model.hidden.length > 0) throw new InputError(`model.hidden does not go with a ${what}; remove one of the two.`)
  if (model.firth) throw new InputError(`model.firth does not go with a ${what}; remove one of the two.`)
  if (model.ridge > 0)
    throw new InputError(
      `model.ridge does not go with a ${what}; remove it${objective ? ', or write it into the objective' : ''}.`
    )
  if (model.loss !== undefined && !isScalar(model.loss))
    throw new InputError(`The ${model.loss} loss needs several outputs, but a formula has one; choose another loss.`)
  if (objective !== undefined && model.loss !== undefined)
    throw new InputError('model.loss does not go with an objective, which is minimised as it is; remove it.')
  const names = Object.keys(parameters ?? {})
  if (!parameters || names.length === 0)
    throw new InputError(
      `model.parameters is missing; list the parameters of the ${what}, such as {a: {init: {uniform: [0, 10]}}}.`
    )
  const used = new Set(namesIn(parse(text)))
  for (const name of names) {
    if (Object.hasOwn(namedConstants, name) || Object.hasOwn(functions, name))
      throw new InputError(`A parameter cannot be called ${name}, which has a meaning of its own; rename it.`)
    if (!plainName.test(name) && !/^[^`]+$/.test(name))
      throw new InputError(`The parameter name "${name}" cannot be written in a formula; rename it.`)
    if (!used.has(name)) {
      const nearest = nearestName(name, [...used])
      throw new InputError(
        `The parameter ${name} does not occur in the ${what}${nearest === undefined ? '' : ` (nearest name: ${nearest})`}; remove it or mend the ${what}.`
      )
    }
    checkParameter(name, parameters[name])
  }
  if (names.every(name => parameters[name].fixed !== undefined))
    throw new InputError(`All parameters of the ${what} are fixed; leave at least one free.`)
}

function checkParameter(name: string, { init, bounds, fixed }: ParameterConfig): void {
  const at = `model.parameters.${name}`
  if (fixed !== undefined && (init !== undefined || bounds !== undefined))
    throw new InputError(`${at} is fixed and has ${init ? 'an init' : 'bounds'}; remove one of the two.`)
  const [low, high] = bounds ?? [null, null]
  if (low !== null && high !== null && !(low < high))
    throw new InputError(`${at}.bounds are [${low}, ${high}]; the first must be below the second (null for none).`)
  if (!init) return
  if ('logUniform' in init) {
    const [a, b] = init.logUniform
    if (!(a * b > 0 && a <= b))
      throw new InputError(
        `${at}.init.logUniform is [${a}, ${b}]; give two numbers of one sign in ascending order, neither of them 0.`
      )
  }
  if ('uniform' in init && Array.isArray(init.uniform) && !(init.uniform[0] <= init.uniform[1]))
    throw new InputError(`${at}.init.uniform is [${init.uniform.join(', ')}]; give two numbers in ascending order.`)
  if ('normal' in init && Array.isArray(init.normal) && !(init.normal[1] >= 0))
    throw new InputError(
      `${at}.init.normal is [${init.normal.join(', ')}]; give a mean and a standard deviation of at least 0.`
    )
}

function initOf(name: string, config: ParameterConfig, fallback: Init): ParameterInit {
  const { init, bounds } = config
  if (init) {
    if ('logUniform' in init) return { kind: 'logUniform', low: init.logUniform[0], high: init.logUniform[1] }
    if ('uniform' in init) {
      const [low, high] = typeof init.uniform === 'number' ? [-init.uniform, init.uniform] : init.uniform
      return { kind: 'uniform', low, high }
    }
    const [mean, deviation] = typeof init.normal === 'number' ? [0, init.normal] : init.normal
    return { kind: 'normal', mean, deviation }
  }
  if (bounds && bounds[0] !== null && bounds[1] !== null) return { kind: 'uniform', low: bounds[0], high: bounds[1] }
  if (typeof fallback === 'string')
    throw new InputError(
      `starts.init is ${fallback}, which is for networks; give normal or uniform, or an init for parameter ${name}.`
    )
  return 'normal' in fallback
    ? { kind: 'normal', mean: 0, deviation: fallback.normal }
    : { kind: 'uniform', low: -fallback.uniform, high: fallback.uniform }
}

/** A power of two near the size of what a parameter starts as. */
function scaleOf(init: ParameterInit): number {
  const size =
    init.kind === 'logUniform'
      ? Math.sqrt(Math.abs(init.low)) * Math.sqrt(Math.abs(init.high))
      : init.kind === 'normal'
        ? init.deviation || Math.abs(init.mean)
        : 0.5 * (init.high - init.low) || Math.abs(init.high)
  return size > 0 && Number.isFinite(size) ? 2 ** Math.round(Math.log2(size)) : 1
}

/**
 * The model of a study, in inner coordinates.
 * @param init of the study's starts, for parameters without their own
 * @param columns of the data; none for an objective
 */
export function expressionModel(model: FormulaModel, init: Init, columns: readonly string[]): Expression {
  const parameters: FreeParameter[] = []
  const fixed: { name: string; value: number }[] = []
  for (const [name, config] of Object.entries(model.parameters ?? {})) {
    if (config.fixed !== undefined) {
      fixed.push({ name, value: config.fixed })
      continue
    }
    const own = initOf(name, config, init)
    const [lower, upper] = config.bounds ?? [null, null]
    parameters.push({ name, init: own, lower, upper, scale: scaleOf(own) })
  }
  const symmetry = (model.symmetry ?? []).map(groups => groupsOf(groups, parameters))
  return {
    formula: model.formula ?? model.objective ?? '',
    objective: model.objective !== undefined,
    columns,
    parameters,
    fixed,
    symmetry,
    coordinates: 'inner'
  }
}

/** Numbers of the parameters of exchangeable groups; parameters that may change places get one scale. */
function groupsOf(groups: readonly (readonly string[])[], parameters: FreeParameter[]): number[][] {
  const seen = new Set<string>()
  const numbers = groups.map(group =>
    group.map(name => {
      const k = parameters.findIndex(p => p.name === name)
      const names = parameters.map(p => p.name)
      if (k < 0)
        throw new InputError(
          `model.symmetry names ${name}, which is no free parameter; did you mean ${nearestName(name, names)}? Known: ${names.join(', ')}.`
        )
      if (seen.has(name)) throw new InputError(`model.symmetry names ${name} twice; name each parameter once.`)
      seen.add(name)
      return k
    })
  )
  const size = numbers[0].length
  if (numbers.some(group => group.length !== size))
    throw new InputError('The groups of model.symmetry differ in length; give groups such as [[a, b], [c, d]].')
  for (let i = 0; i < size; i++) {
    const members = numbers.map(group => parameters[group[i]])
    const [first] = members
    if (members.some(p => p.lower !== first.lower || p.upper !== first.upper))
      throw new InputError(
        `Parameters ${members.map(p => p.name).join(' and ')} may change places but have different bounds; give them the same.`
      )
    const scale = Math.max(...members.map(p => p.scale))
    for (const group of numbers) parameters[group[i]] = { ...parameters[group[i]], scale }
  }
  return numbers
}

/** Columns of the data that a formula uses: its names that are no parameters. */
export function formulaColumns(model: FormulaModel): string[] {
  const parameters = new Set(Object.keys(model.parameters ?? {}))
  return namesIn(parse(model.formula ?? model.objective ?? '')).filter(name => !parameters.has(name))
}
