// Non-linear regressions whose minima a search by brute force knows: where z is linear in one parameter, the least loss for each value of
// the other is a closed form, and its minima on a fine grid are those of the whole.
import { describe, expect, it } from 'vitest'
import { normals } from '../helpers/problems.js'
import { study } from '../helpers/study.js'

const N = 24

interface Family {
  readonly name: string
  readonly formula: string
  readonly shape: (b: number, x: number) => number
  readonly truth: readonly [number, number]
  readonly range: readonly [number, number]
}

const families: readonly Family[] = [
  {
    name: 'Michaelis and Menten',
    formula: 'a*x/(b + x)',
    shape: (b, x) => x / (b + x),
    truth: [3, 1.5],
    range: [0.05, 20]
  },
  { name: 'decay', formula: 'a*exp(-b*x)', shape: (b, x) => Math.exp(-b * x), truth: [2, 0.8], range: [0.02, 8] },
  {
    name: 'growth',
    formula: 'a/(1 + exp(b - x))',
    shape: (b, x) => 1 / (1 + Math.exp(b - x)),
    truth: [2.5, 2],
    range: [-4, 8]
  },
  {
    name: 'a sine of unknown frequency',
    formula: 'a*sin(b*x)',
    shape: (b, x) => Math.sin(b * x),
    truth: [1.5, 2.2],
    range: [0.4, 5]
  }
]

/** Minima [b, loss] in the range: of ½ mean (a φ_i − y_i)² with the best a for each b of a grid, refined by golden sections. */
function profileMinima({ shape, range: [low, high] }: Family, x: readonly number[], y: readonly number[]) {
  const loss = (b: number): number => {
    const phi = x.map(v => shape(b, v))
    const dot = (u: readonly number[], v: readonly number[]): number => u.reduce((s, w, i) => s + w * v[i], 0)
    const a = dot(phi, y) / dot(phi, phi)
    return phi.reduce((s, p, i) => s + (a * p - y[i]) ** 2, 0) / (2 * x.length)
  }
  const cells = 4000
  const at = (k: number): number => low + ((high - low) * k) / cells
  const values = Array.from({ length: cells + 1 }, (_, k) => loss(at(k)))
  return [...values.keys()]
    .filter(k => k > 0 && k < cells && values[k] < values[k - 1] && values[k] < values[k + 1])
    .map(k => {
      let [l, h] = [at(k - 1), at(k + 1)]
      for (let n = 0; n < 60; n++) {
        const [p, q] = [h - 0.618 * (h - l), l + 0.618 * (h - l)]
        if (loss(p) < loss(q)) h = q
        else l = p
      }
      return [(l + h) / 2, loss((l + h) / 2)] as const
    })
}

describe.each(families)('$name', family => {
  it.each([1, 2, 3])('seed %i: the minima are those of the search by brute force', async seed => {
    const x = Array.from({ length: N }, (_, i) => 0.25 * (i + 1))
    const noise = normals(N, 900 + seed)
    const [a, b] = family.truth
    const y = x.map((v, i) => a * family.shape(b, v) + 0.2 * noise[i])
    const known = profileMinima(family, x, y)
    const [low, high] = family.range
    const { minima } = await study({
      data: { columns: { y, x }, target: 'y' },
      model: {
        formula: family.formula,
        parameters: { a: { init: { uniform: [-4, 4] } }, b: { init: { uniform: [low, high] } } }
      },
      starts: { count: 600 },
      engine: 'cpu'
    })
    expect(known.length).toBeGreaterThan(0)
    const inside = minima.filter(m => m.parameters[1] > low && m.parameters[1] < high)
    expect(inside).toHaveLength(known.length)
    for (const [at, loss] of known) {
      // The grid's search is as exact as the root of a rounding of the loss.
      const near = inside.filter(m => Math.abs(m.parameters[1] - at) < 1e-5 * Math.max(1, Math.abs(at)))
      expect(near, `b = ${at}`).toHaveLength(1)
      expect(Math.abs(near[0].loss - loss)).toBeLessThan(1e-12)
    }
  })
})
