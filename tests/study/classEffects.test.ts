// Average effects on the probabilities of classes, held against finite differences of the probabilities in the user's own columns and
// against the information matrix written out.
import { describe, expect, it } from 'vitest'
import { study } from '../helpers/study.js'
import { randomNumbers } from '../helpers/tables.js'

const rows = 200
const random = randomNumbers(11)
const dose = Array.from({ length: rows }, () => 50 + 20 * random())
const site = Array.from({ length: rows }, () => ['a', 'b', 'c'][Math.floor(3 * random())])
const response = dose.map((d, i) => {
  const score = 0.1 * (d - 60) + (site[i] === 'b' ? 0.8 : site[i] === 'c' ? -0.5 : 0) + 3 * (random() - 0.5)
  return score < -0.5 ? 'low' : score < 0.7 ? 'middle' : 'high'
})
const weight = dose.map((_, i) => 1 + (i % 3))

/** Columns of a row: 1, dose, whether b, whether c. */
const design = (d: number, s: string): number[] => [1, d, s === 'b' ? 1 : 0, s === 'c' ? 1 : 0]
const x = dose.map((d, i) => design(d, site[i]))

function probabilities(beta: readonly number[], row: readonly number[]): number[] {
  const z = [0, ...[0, 1].map(k => row.reduce((sum, v, j) => sum + v * beta[4 * k + j], 0))]
  const top = Math.max(...z)
  const e = z.map(v => Math.exp(v - top))
  const total = e.reduce((a, b) => a + b, 0)
  return e.map(v => v / total)
}
const total = weight.reduce((a, b) => a + b, 0)
const mean = (of: (i: number) => number): number => weight.reduce((sum, w, i) => sum + w * of(i), 0) / total

/** Effect on the probability of class c, by differences. */
const effect = (beta: readonly number[], column: number, c: number): number => {
  const p = (d: number, s: string): number => probabilities(beta, design(d, s))[c]
  const h = 1e-3
  if (column === 1) return mean(i => (p(dose[i] + h, site[i]) - p(dose[i] - h, site[i])) / (2 * h))
  return mean(i => p(dose[i], column === 2 ? 'b' : 'c') - p(dose[i], 'a'))
}

/** The inverse of a symmetric positive definite matrix [n, n], by Gauss and Jordan. */
function invert(matrix: Float64Array, n: number): Float64Array {
  const a = matrix.slice()
  const out = Float64Array.from(a, (_, i) => (i % (n + 1) === 0 ? 1 : 0))
  for (let k = 0; k < n; k++) {
    const pivot = a[k * n + k]
    for (const m of [a, out]) for (let j = 0; j < n; j++) m[k * n + j] /= pivot
    for (let i = 0; i < n; i++) {
      const by = a[i * n + k]
      if (i !== k) for (const m of [a, out]) for (let j = 0; j < n; j++) m[i * n + j] -= by * m[k * n + j]
    }
  }
  return out
}

describe('average effects on the probabilities of classes', () => {
  it('are those of the probabilities, with the errors of the delta method', async () => {
    const { minima } = await study({
      data: { columns: { dose, site, response, weight }, target: 'response', weights: 'weight' },
      model: { loss: 'softmax' },
      starts: { count: 5 }
    })
    const { names, estimates, marginalEffects } = minima[0].inference!
    expect(names).toHaveLength(8)
    const size = 8
    const information = new Float64Array(size * size)
    x.forEach((row, i) => {
      const p = probabilities(estimates, row)
      for (let k = 0; k < 2; k++)
        for (let l = 0; l < 2; l++) {
          const share = weight[i] * ((k === l ? p[k + 1] : 0) - p[k + 1] * p[l + 1])
          for (let a = 0; a < 4; a++)
            for (let b = 0; b < 4; b++) information[(4 * k + a) * size + 4 * l + b] += share * row[a] * row[b]
        }
    })
    const covariance = invert(information, size)
    const { names: effects, estimates: found, standardErrors, kinds } = marginalEffects!
    expect(effects).toHaveLength(9)
    let at = 0
    for (const column of [1, 2, 3]) {
      let sum = 0
      for (const c of [0, 1, 2]) {
        const here = effect(estimates, column, c)
        const gradient = estimates.map((b, q) => {
          const h = 1e-5 * Math.max(1, Math.abs(b))
          const moved = (by: number): number[] => estimates.map((v, r) => (r === q ? v + by : v))
          return (effect(moved(h), column, c) - effect(moved(-h), column, c)) / (2 * h)
        })
        const variance = gradient.reduce(
          (v, a, q) => v + gradient.reduce((u, b, r) => u + a * b * covariance[q * size + r], 0),
          0
        )
        expect(kinds[at]).toBe(column === 1 ? 'derivative' : 'difference')
        // Central differences leave errors of the second order in steps of 1e-3 and 1e-5.
        expect(Math.abs(found[at] - here)).toBeLessThan(1e-7)
        expect(Math.abs(standardErrors[at] - Math.sqrt(variance))).toBeLessThan(1e-5 * Math.sqrt(variance))
        sum += found[at]
        at++
      }
      // What one class gains the others lose.
      expect(Math.abs(sum)).toBeLessThan(64 * Number.EPSILON)
    }
  })
})
