/** The optimisers by name, and the one place where options given by a user become complete. */
import { InputError } from '../core/errors.js'
import { knownNames } from '../core/names.js'
import { shownValue } from '../core/printable.js'
import { adam } from './adam.js'
import { gaussNewton } from './gaussNewton.js'
import { gd } from './gd.js'
import { lbfgs } from './lbfgs.js'
import { momentum } from './momentum.js'
import { newton } from './newton.js'
import { stationary } from './stationary.js'
import type { OptimizerDefinition, OptimizerOption, ResolvedOptimizer } from './types.js'

export const optimizers: Readonly<Record<string, OptimizerDefinition>> = {
  gd,
  momentum,
  adam,
  lbfgs,
  newton,
  gaussNewton,
  stationary
}
export const optimizerNames = Object.keys(optimizers)

const batchOptions: Readonly<Record<string, OptimizerOption>> = {
  batchSize: {
    kind: 'number',
    default: 0,
    min: 1,
    max: 1e9,
    integer: true,
    meaning: 'rows per mini-batch; all rows when not given'
  },
  order: {
    kind: 'choice',
    default: 'run',
    choices: ['run', 'shared'],
    meaning: 'whether each run has its own order of mini-batches or all share one'
  }
}

/** Options that an optimiser takes, mini-batches included where it can use them. */
export function optionsOf(definition: OptimizerDefinition): Readonly<Record<string, OptimizerOption>> {
  return definition.stochastic ? { ...definition.options, ...batchOptions } : definition.options
}

function checked(optimizer: string, name: string, option: OptimizerOption, value: unknown): number | boolean | string {
  const where = `Option ${name} of optimizer ${optimizer} is ${shownValue(value)}`
  switch (option.kind) {
    case 'boolean':
      if (typeof value !== 'boolean') throw new InputError(`${where}; give true or false.`)
      return value
    case 'choice':
      if (typeof value !== 'string' || !option.choices.includes(value))
        throw new InputError(`${where}; give one of ${option.choices.join(', ')}.`)
      return value
    case 'number': {
      const low = option.exclusiveMin ? `above ${option.min}` : `at least ${option.min}`
      const kind = option.integer ? 'a whole number' : 'a number'
      const fits =
        typeof value === 'number' &&
        (option.exclusiveMin ? value > option.min : value >= option.min) &&
        value <= option.max &&
        (!option.integer || Number.isInteger(value))
      if (!fits) throw new InputError(`${where}; give ${kind} ${low} and at most ${option.max}.`)
      return value
    }
    default:
      return option satisfies never
  }
}

/**
 * Completes `newton` or `{adam: {learningRate: 0.01}}` with every default.
 * @throws InputError for an unknown optimiser or option (with the nearest known name) and for values out of range.
 */
export function resolveOptimizer(raw: string | Readonly<Record<string, unknown>>): ResolvedOptimizer {
  const entries: [string, unknown][] = typeof raw === 'string' ? [[raw, {}]] : Object.entries(raw)
  const [entry] = entries
  if (!entry || entries.length !== 1)
    throw new InputError(`optimizer must name one of ${optimizerNames.join(', ')}, with its options below it.`)
  const [name, given] = entry
  const definition = Object.hasOwn(optimizers, name) ? optimizers[name] : undefined
  if (!definition) throw new InputError(`There is no optimizer "${name}"; ${knownNames(name, optimizerNames)}.`)
  if (given !== null && typeof given !== 'object')
    throw new InputError(`The options of optimizer ${name} must be a mapping, e.g. {${name}: {}}.`)
  const known = optionsOf(definition)
  const options: Record<string, number | boolean | string> = {}
  for (const [key, option] of Object.entries(definition.options)) options[key] = option.default
  let size: number | null = null
  let order: 'run' | 'shared' = 'run'
  for (const [key, value] of Object.entries(given ?? {})) {
    const option = Object.hasOwn(known, key) ? known[key] : undefined
    if (!option) {
      const names = Object.keys(known)
      const why = Object.hasOwn(batchOptions, key) ? ' (it needs exact values on all rows)' : ''
      throw new InputError(`Optimizer ${name} has no option "${key}"${why}; ${knownNames(key, names)}.`)
    }
    const good = checked(name, key, option, value)
    if (key === 'batchSize') size = Number(good)
    else if (key === 'order') order = good === 'shared' ? 'shared' : 'run'
    else options[key] = good
  }
  return { name, options, batch: size === null ? null : { size, order } }
}
