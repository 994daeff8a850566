/** What is crossed with what: levels of starts, orders and resamples, and the convex model beside. */
import type { Levels } from '../../analysis/variance.js'
import { InputError } from '../../core/errors.js'
import { knownNames } from '../../core/names.js'
import { shownValue } from '../../core/printable.js'
import { resamplingKinds, type Resampling } from '../../core/resampling.js'
import { convexTwin } from '../../models/losses/index.js'
import { convexity, networkOf } from '../../models/model.js'
import { optimizers } from '../../optimizers/registry.js'
import type { StudyConfig } from '../config.js'
import type { StudyInput } from '../input.js'
import type { Setup } from '../setup.js'

/** What goes into the analysis of why runs differ: a study, of which `starts.count` starts (100 unless given) are crossed. */
export interface VarianceInput extends StudyInput {
  /** What is crossed. */
  readonly variance?: {
    /** Orders of mini-batches; 20 where the optimiser takes mini-batches, else 1. */
    readonly orders?: number
    /** Resamples of the rows; default 1: the rows as given. */
    readonly resamples?: number
    /** How rows are resampled: `bootstrap`, `poisson`, or `split:0.3`, which leaves that share out. */
    readonly resampling?: string
  }
}

/** Runs have the place (start · orders + order) · resamples + resample. */
export interface Design {
  readonly levels: Levels
  readonly how: Resampling
  /** How rows are resampled, as it was asked for, and in words. */
  readonly given: string
  readonly words: string
}

/** What the configuration says nothing of. */
export const defaults = { starts: 100, orders: 20, held: 0.3 } as const
/** Numbers held of all runs at most: their parameters, or their predictions for some rows. */
const mostNumbers = 2 ** 28

export type Raw = Readonly<Record<string, unknown>>

function wholeOf(raw: Raw, name: string, source: string): number | undefined {
  const value = raw[name]
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1)
    throw new InputError(`variance.${name} in ${source} is ${shownValue(value)}; give a whole number of at least 1.`)
  return value
}

/** bootstrap, poisson, or split:0.3 */
export function resamplingOf(value: unknown, rows: number, seed: number, source: string): Omit<Design, 'levels'> {
  const known = resamplingKinds.filter(kind => kind !== 'folds')
  const given = String(value ?? known[0])
  const [named, share = String(defaults.held)] = given.split(':')
  const kind = known.find(k => k === named)
  if (kind === undefined)
    throw new InputError(
      `variance.resampling in ${source} is ${shownValue(value)}; ${knownNames(named, known)}, such as split:0.3.`
    )
  if (kind !== 'split') return { how: { kind, seed }, given, words: kind }
  const held = Math.round(Number(share) * rows)
  if (!(held >= 1 && held < rows))
    throw new InputError(
      `variance.resampling in ${source} is ${shownValue(value)}, which leaves out ${held} of ${rows} rows; give a share such as split:0.3.`
    )
  return { how: { kind, held, seed }, given, words: `split, ${held} of ${rows} rows left out` }
}

/** @throws InputError for fields that there are not, and for orders of a method that has none */
export function levelsOf(variance: Raw, config: StudyConfig, source: string): Levels {
  const known = ['orders', 'resamples', 'resampling']
  for (const name of Object.keys(variance))
    if (!known.includes(name))
      throw new InputError(`Unknown field "${name}" under variance in ${source}; ${knownNames(name, known)}.`)
  const { optimizer } = config
  if (config.starts.file !== undefined)
    throw new InputError(
      `starts.file in ${source} does not go with an analysis of variance, which draws starts at random; remove it.`
    )
  if (config.starts.design !== 'random')
    throw new InputError(
      `starts.design in ${source} is ${config.starts.design}, and an analysis of variance draws starts at random; remove it.`
    )
  const orders = wholeOf(variance, 'orders', source)
  const batches = optimizer !== null && optimizer.batch !== null
  if (!batches && orders !== undefined && orders > 1) {
    const stochastic = Object.keys(optimizers).filter(name => optimizers[name].stochastic)
    throw new InputError(
      `variance.orders in ${source} is ${orders}, but without mini-batches a run has no order; give --batch-size with --optimizer ${stochastic.join(' | ')}, or leave out --orders.`
    )
  }
  return [config.starts.count, orders ?? (batches ? defaults.orders : 1), wholeOf(variance, 'resamples', source) ?? 1]
}

/** The model without hidden layer and with a convex loss; undefined where the model is convex, or no network. */
export function twinOf(config: StudyConfig, setup: Setup): StudyConfig | undefined {
  if (!networkOf(setup.model) || convexity(setup.model).model) return undefined
  const { activation, bias, ridge, penalizeBias, firth } = config.model
  const loss = convexTwin(setup.model.loss)
  const own = loss === setup.model.loss ? config.model.loss : loss
  const model = {
    hidden: [],
    activation,
    bias,
    ridge,
    penalizeBias,
    firth,
    ...(own === undefined ? {} : { loss: own })
  }
  // Newton or L-BFGS by the size of the network, not by that of its twin.
  return { ...config, model }
}

/** @throws InputError where the runs take more memory than is held of them */
export function checkSize(levels: Levels, P: number): void {
  const runs = levels.reduce((a, b) => a * b)
  if (runs < 2)
    throw new InputError('The design has one run, which does not vary; give more --starts, --orders or --resamples.')
  if (runs * P > mostNumbers)
    throw new InputError(
      `${levels.join(' × ')} runs of ${P} parameters are more than are compared at once; give fewer starts, orders or resamples.`
    )
}
