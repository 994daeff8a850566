// Networks with several outputs whose minima are known: linear autoencoders and encoders of one-hot patterns.
import { describe, expect, it } from 'vitest'
import { study } from '../helpers/study.js'
import { csv } from '../helpers/files.js'
import { expectClose } from '../helpers/tolerance.js'

describe('a linear autoencoder', () => {
  // Eight rows ±√(4 λ) e_k: mean 0 and covariance diag(4, 3, 2, 1).
  const path = csv(
    'axes.csv',
    ['a', 'b', 'c', 'd'],
    [4, 3, 2, 1].flatMap((v, k) => [1, -1].map(s => [0, 1, 2, 3].map(d => (d === k ? s * Math.sqrt(4 * v) : 0))))
  )
  const columns = ['a', 'b', 'c', 'd']
  const config = {
    data: { csv: path, target: columns, features: columns },
    model: { hidden: [2], activation: 'identity', loss: 'squared', bias: false },
    starts: { count: 60, seed: 2 },
    engine: 'cpu'
  }

  it('has one valley, the best subspace’s, that GL(2) explains (Baldi and Hornik 1989)', async () => {
    const summary = await study(config)
    expect(summary.verdicts.degenerate).toBe(60)
    expect(summary.minima).toEqual([])
    expect(summary.degenerate).toHaveLength(1)
    const [valley] = summary.degenerate
    // Half of the variance that is left: ½ (2 + 1).
    expectClose(valley.loss, 1.5, 1e-12, 'loss')
    expect(valley.nullity).toBe(4)
    expect(valley.nullityExplained).toBe(4)
    expect(valley.names[0]).toBe('h1.1:a')
    expect(valley.names.at(-1)).toBe('d:h1.2')
  })
})

describe('all stationary points of a linear autoencoder', () => {
  const columns = ['a', 'b', 'c', 'd']
  const variances = [4, 3, 2, 1]
  const path = csv(
    'variances.csv',
    columns,
    variances.flatMap((v, k) => [1, -1].map(s => columns.map((_, d) => (d === k ? s * Math.sqrt(4 * v) : 0))))
  )
  it.each([0.3, 1])('are saddles but for the best subspace, one for each of the others (starts of %d)', async size => {
    const summary = await study({
      data: { csv: path, target: columns, features: columns },
      model: { hidden: [2], activation: 'identity', loss: 'squared', bias: false },
      starts: { count: 200, seed: 2, init: { normal: size } },
      optimizer: 'stationary',
      engine: 'cpu'
    })
    expect(summary.minima).toEqual([])
    for (const valley of summary.degenerate) {
      expectClose(valley.loss, 1.5, 1e-12, 'loss')
      expect([valley.nullity, valley.nullityExplained]).toEqual([4, 4])
    }
    expect(summary.degenerate.length).toBeLessThanOrEqual(1)
    // A critical subspace leaves out the variances of some axes: at most two are kept (Baldi and Hornik 1989).
    const left = new Map<number, number>()
    for (let kept = 0; kept < 16; kept++) {
      const axes = variances.filter((_, k) => (kept >> k) & 1)
      if (axes.length > 2) continue
      const loss = variances.reduce((s, v) => s + v, 0) / 2 - axes.reduce((s, v) => s + v, 0) / 2
      left.set(loss, (left.get(loss) ?? 0) + 1)
    }
    expect(summary.saddles.length).toBeGreaterThan(4)
    const met = new Map<number, number>()
    for (const { loss, index } of summary.saddles) {
      const known = [...left.keys()].find(l => Math.abs(l - loss) <= 1e-10)
      expect(known, `loss ${loss}`).toBeDefined()
      expect(loss).toBeGreaterThan(1.75)
      expect(index).toBeGreaterThan(0)
      met.set(known!, (met.get(known!) ?? 0) + 1)
    }
    // No more of them than there are subspaces.
    for (const [loss, n] of met) expect(n, `loss ${loss}`).toBeLessThanOrEqual(left.get(loss)!)
  })
})

describe('encoders', () => {
  const patterns = (n: number): string =>
    csv(
      `encoder${n}.csv`,
      Array.from({ length: n }, (_, k) => `x${k + 1}`),
      Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, k) => (i === k ? 1 : 0)))
    )
  it.each([
    [4, 2],
    [8, 3]
  ])('%i-%i with a ridge reproduce their patterns from nearly every start', async (n, h) => {
    const columns = Array.from({ length: n }, (_, k) => `x${k + 1}`)
    const summary = await study({
      data: { csv: patterns(n), target: columns, features: columns },
      model: { hidden: [h], activation: 'tanh', loss: 'logistic', ridge: 1e-4 },
      starts: { count: 20, seed: 4, init: { normal: 1 } },
      optimizer: 'lbfgs',
      engine: 'cpu'
    })
    expect(summary.problem.outputs).toBe(n)
    // Every output of every row counts.
    expect(summary.metrics.train.accuracy?.max).toBe(1)
    expect(summary.metrics.train.accuracy?.median).toBe(1)
  })
})
