// How close two computed numbers must be. A tolerance is eps(precision) × operations × magnitude × `safety`; a NaN never
// passes, and what is infinite on one side must be infinite on the other.
import { afterAll, expect } from 'vitest'
import type { Precision } from '../../src/engines/types.js'

export const epsOf = { f64: 2 ** -52, f32: 2 ** -23 } as const
/** Smallest normal number: results below it may be flushed to zero. */
export const tinyOf = { f64: 2 ** -1022, f32: 2 ** -126 } as const
/** Largest finite number. */
export const hugeOf = { f64: Number.MAX_VALUE, f32: 2 ** 128 * (1 - 2 ** -24) } as const

/** What a rounding analysis that counts operations leaves out: correlated roundings, elementary functions of a few ulp. */
export const safety = 4

/** Bound of the rounding error of `operations` operations on numbers whose absolute values sum to `magnitude`. */
export const tolerance = (precision: Precision, operations: number, magnitude: number): number =>
  epsOf[precision] * operations * magnitude * safety + tinyOf[precision]

const worst = new Map<string, { share: number; what: string }>()

/** Prints, after the tests of the file, the largest error of each kind as a share of its tolerance. */
export function printWorst(): void {
  // Files of one worker share the module.
  worst.clear()
  afterAll(() => {
    const lines = [...worst].map(([kind, { share, what }]) => `  ${kind}: ${share.toPrecision(2)} (${what})`)
    if (lines.length > 0) console.info(`Largest error / tolerance:\n${lines.join('\n')}`)
  })
}

/** Fails unless |actual − expected| ≤ tol, or both are the same infinity. `kind` groups the errors that `printWorst` prints. */
export function expectClose(actual: number, expected: number, tol: number, what: string, kind?: string): void {
  if (Number.isNaN(expected) || Number.isNaN(tol))
    expect.fail(`${what}: nothing to compare with (${expected} ± ${tol})`)
  if (!Number.isFinite(expected) || !Number.isFinite(actual)) {
    if (actual !== expected) expect.fail(`${what}: ${actual}, expected ${expected}`)
    return
  }
  const error = Math.abs(actual - expected)
  if (!(error <= tol)) expect.fail(`${what}: ${actual}, expected ${expected} within ${tol}, error ${error}`)
  if (kind === undefined || tol === 0) return
  const share = error / tol
  if (!((worst.get(kind)?.share ?? -1) >= share)) worst.set(kind, { share, what })
}

/** Element by element; `tol` may depend on the index. Lengths must agree. */
export function expectAllClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tol: number | ((index: number) => number),
  what: string,
  kind?: string
): void {
  if (actual.length !== expected.length) expect.fail(`${what}: ${actual.length} numbers, expected ${expected.length}`)
  for (let i = 0; i < expected.length; i++)
    expectClose(actual[i], expected[i], typeof tol === 'number' ? tol : tol(i), `${what}[${i}]`, kind)
}

/** Bit for bit, save that every NaN equals every other. */
export function expectSame(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  if (actual.length !== expected.length) expect.fail(`${what}: ${actual.length} numbers, expected ${expected.length}`)
  for (let i = 0; i < expected.length; i++)
    if (!Object.is(actual[i], expected[i])) expect.fail(`${what}[${i}]: ${actual[i]}, expected ${expected[i]} exactly`)
}
