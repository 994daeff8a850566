// NIST's Statistical Reference Datasets for non-linear regression: public data, formulas and certified values
// (https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml).
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { StationaryPoint } from '../../src/core/result.js'
import { study } from '../../src/study/study.js'
import { csv } from './files.js'

export interface NistSet {
  readonly name: string
  readonly formula: string
  readonly parameters: readonly {
    readonly name: string
    readonly start1: number
    readonly start2: number
    readonly value: number
    readonly deviation: number
  }[]
  /** Residual sum of squares. */
  readonly sum: number
  readonly data: Readonly<Record<string, readonly number[]>>
}

export const nistSets = JSON.parse(
  readFileSync(new URL('../fixtures/nistNonlinear.json', import.meta.url), 'utf8')
) as readonly NistSet[]

const relative = (actual: number, expected: number): number => Math.abs(actual - expected) / Math.abs(expected)

/** Groups of parameters that may change places, and parameters of which only the square matters, up to the sign of another. */
const exchanged: Readonly<Record<string, readonly (readonly number[])[]>> = {
  Lanczos: [
    [0, 1, 2, 3, 4, 5],
    [0, 1, 4, 5, 2, 3],
    [2, 3, 0, 1, 4, 5],
    [2, 3, 4, 5, 0, 1],
    [4, 5, 0, 1, 2, 3],
    [4, 5, 2, 3, 0, 1]
  ]
}
const onlySquares: Readonly<Record<string, readonly number[]>> = { Gauss: [4, 7], Eckerle: [0, 1] }

/** The images of a point under what the formula does not tell apart. */
function* images({ name }: NistSet, { parameters, expectedStandardErrors }: StationaryPoint) {
  const family = name.replace(/\d+$/, '')
  const squares = onlySquares[family] ?? []
  for (const order of exchanged[family] ?? [[...parameters.keys()]])
    yield {
      values: order.map(k => (squares.includes(k) ? Math.abs(parameters[k]) : parameters[k])),
      deviations: order.map(k => expectedStandardErrors?.[k] ?? NaN)
    }
}

/**
 * From starts within a factor of ten of NIST's start 1 or 2 the certified parameters, their deviations and the sum of squares are those
 * of a minimum.
 */
export async function expectCertified(set: NistSet, which: 'start1' | 'start2', count: number): Promise<void> {
  const { data, formula, name } = set
  const columns = Object.keys(data)
  const rows = data['y'].map((_, i) => columns.map(column => data[column][i]))
  const parameters = Object.fromEntries(
    set.parameters.map(p => {
      const ends = [p[which] / 10, p[which] * 10]
      const range: [number, number] = [Math.min(...ends), Math.max(...ends)]
      return [p.name, { init: { logUniform: range } }]
    })
  )
  const summary = await study({
    data: { csv: csv(`nist-${name}.csv`, columns, rows), target: 'y' },
    model: { formula, parameters, loss: 'squared' },
    starts: { count },
    engine: 'cpu'
  })
  // Lanczos1 is generated to 14 digits, so its residuals are those of rounding.
  const rounding = name === 'Lanczos1'
  const found = summary.minima.some(m =>
    [...images(set, m)].some(
      ({ values, deviations }) =>
        set.parameters.every((p, k) => relative(values[k], p.value) <= 1e-9) &&
        set.parameters.every((p, k) => relative(deviations[k], p.deviation) <= (rounding ? 1e-2 : 1e-6)) &&
        relative(2 * m.loss * rows.length, set.sum) <= (rounding ? 1e-2 : 1e-9)
    )
  )
  expect(found, `${name}, ${which}: ${summary.minima.length} minima`).toBe(true)
}
