/** What two saved studies have in common: data, starts, losses. */
import type { Comparison } from '../../core/comparisonResult.js'
import type { Rows } from '../../data/types.js'
import type { Saved } from '../record.js'
import type { Setup } from '../setup.js'

/** Names of fields that differ and begin with one of these. */
export const differing = (changed: Comparison['changed'], names: readonly string[]): string[] =>
  changed.map(c => c.field).filter(field => names.some(name => field === name || field.startsWith(`${name}.`)))

/** What decides where starts lie, beside rows and columns. */
export const startFields = [
  'starts',
  'model.hidden',
  'model.bias',
  'model.formula',
  'model.objective',
  'model.parameters',
  'data.standardize'
]
/** What decides what the loss is a sum of. */
const lossFields = ['model.loss', 'model.ridge', 'model.penalizeBias', 'model.firth', 'model.objective']

const same = (a: ArrayLike<number> | undefined, b: ArrayLike<number> | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.length === b.length && Array.from(a).every((v, i) => v === b[i]))

/** Whether rows have the same targets, weights and trials, so that scores on them are of one kind. */
const sameTargets = (a: Rows | undefined, b: Rows | undefined): boolean =>
  a === b ||
  (a !== undefined && b !== undefined && same(a.y, b.y) && same(a.weight, b.weight) && same(a.trials, b.trials))

/** Which data of the two studies are the same. */
export interface Sameness {
  /** Training and held-out rows with their targets. */
  readonly rows: boolean
  /** Rows and inputs. */
  readonly inputs: boolean
}

export function sameness(a: Setup, b: Setup): Sameness {
  const [x, y] = [a.data, b.data]
  const rows =
    x.target === y.target &&
    sameTargets(x, y) &&
    sameTargets(x.test, y.test) &&
    same(x.preprocessing.heldOut, y.preprocessing.heldOut)
  return { rows, inputs: rows && same(x.x, y.x) && same(x.offset, y.offset) }
}

/** "x and y differ" */
export const why = (fields: readonly string[]): string =>
  `${fields.join(', ')} ${fields.length === 1 ? 'differs' : 'differ'}`

/** Fields whose values differ. */
export const changes = (
  a: ReadonlyMap<string, string>,
  b: ReadonlyMap<string, string>
): { field: string; a: string | null; b: string | null }[] =>
  [...new Set([...a.keys(), ...b.keys()])]
    .filter(field => a.get(field) !== b.get(field))
    .map(field => ({ field, a: a.get(field) ?? null, b: b.get(field) ?? null }))

/** Fields that differ and make the losses two kinds. */
export function lossDifferences(changed: Comparison['changed'], a: Saved, b: Saved): string[] {
  // A ridge falls on the columns that were asked for.
  const ridged = a.config.model.ridge > 0 || b.config.model.ridge > 0
  return differing(changed, [...lossFields, ...(ridged ? ['data.standardize'] : [])])
}

/** What cannot be said of losses and scores, in sentences; `losses`: what makes the losses two kinds. */
export function incomparable(data: Sameness, losses: readonly string[]): string[] {
  if (!data.rows) return ['Losses and scores are of other rows or targets, so neither is called better than the other.']
  if (losses.length === 0) return []
  return [
    `Losses are not of one kind, since ${why(losses)}; scores are compared, and the best of several is that by each one’s own loss.`
  ]
}
