/** Rows held out for testing. */
import { InputError } from '../core/errors.js'
import { Stream, shuffle } from '../core/rng.js'
import type { Rows } from './types.js'

/**
 * Seeded split; within each class where the target has classes, so that both parts have all of them.
 * @returns places of the rows of both parts, ascending
 */
export function splitRows(
  all: Rows,
  classes: boolean,
  { fraction, seed }: { readonly fraction: number; readonly seed: number }
): { train: number[]; test: number[] } {
  const order = [...shuffle(all.rows, seed, Stream.split, 0, 0)]
  const strata = new Map<number, number[]>()
  for (const i of order) {
    const key = classes ? (all.y[i] > 0.5 ? Math.round(all.y[i]) : 0) : 0
    const members = strata.get(key)
    if (members) members.push(i)
    else strata.set(key, [i])
  }
  const test = [...strata.values()].flatMap(members => members.slice(0, Math.round(fraction * members.length)))
  const held = new Set(test)
  const train = order.filter(i => !held.has(i))
  if (test.length === 0 || train.length === 0)
    throw new InputError(
      `data.test.fraction ${fraction} of ${all.rows} rows leaves one part empty; change the fraction.`
    )
  const ascending = (a: number, b: number): number => a - b
  return { train: train.sort(ascending), test: test.sort(ascending) }
}

/** The rows at the places given. */
/** Rows `which` of an array of several numbers a row. */
function picked(values: Float64Array, rows: number, which: readonly number[]): Float64Array {
  const width = values.length / rows
  const out = new Float64Array(which.length * width)
  which.forEach((i, n) => out.set(values.subarray(i * width, (i + 1) * width), n * width))
  return out
}

export function take(rows: Rows, which: readonly number[]): Rows {
  const D = rows.x.length / rows.rows
  const x = new Float64Array(which.length * D)
  which.forEach((i, n) => x.set(rows.x.subarray(i * D, (i + 1) * D), n * D))
  const pick = (v: Float64Array): Float64Array => Float64Array.from(which, i => v[i])
  return {
    rows: which.length,
    x,
    y: picked(rows.y, rows.rows, which),
    ...(rows.weight ? { weight: pick(rows.weight) } : {}),
    ...(rows.offset ? { offset: pick(rows.offset) } : {}),
    ...(rows.trials ? { trials: pick(rows.trials) } : {}),
    numbers: Float64Array.from(which, i => rows.numbers?.[i] ?? i + 1)
  }
}
