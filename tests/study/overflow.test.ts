// Starts at which an exponential overflows are no reason to fail a run of a model that has a minimiser.
import { expect, it } from 'vitest'
import { study } from '../helpers/study.js'
import { normals } from '../helpers/problems.js'

const n = 24
const counts = Array.from({ length: n }, (_, i) => (i * 7) % 5)
const targets = {
  poisson: counts,
  gamma: counts.map(y => y + 0.5),
  cloglog: counts.map(y => Number(y > 2))
}
const kinds = Object.keys(targets) as (keyof typeof targets)[]
const optimizers = ['newton', 'lbfgs', 'gd', 'momentum', 'adam', 'stationary']
const noise = normals(n, 5)

it.each(kinds.flatMap(loss => optimizers.map(optimizer => [loss, optimizer] as const)))(
  '%s, %s: every run arrives, from usual and wide starts on a column of thousands',
  async (loss, optimizer) => {
    const x = counts.map((_, i) => 2000 + 37 * i)
    for (const init of [{}, { init: { normal: 10 } }]) {
      const raw = { data: { columns: { y: targets[loss], x }, target: 'y' }, model: { hidden: [], loss }, optimizer }
      const { verdicts, minima } = await study({ ...raw, starts: { count: 40, ...init }, engine: 'cpu' })
      expect(verdicts.minimum).toBe(40)
      expect(minima.length).toBe(1)
      expect(minima[0].share).toBe(1)
    }
  }
)

it.each(kinds)('%s: no unit of a column makes runs fail', async loss => {
  for (const optimizer of ['newton', 'lbfgs'])
    for (const unit of [1, 1e6, 1e12, 1e30, 1e150]) {
      const x = [...noise].map(v => unit * (v + 3))
      const { verdicts } = await study({
        data: { columns: { y: targets[loss], x }, target: 'y' },
        model: { hidden: [], loss },
        optimizer,
        starts: { count: 40 },
        engine: 'cpu'
      })
      expect(verdicts, `${optimizer}, ${unit}`).toMatchObject({ minimum: 40 })
    }
})

it.each(kinds)('%s: the level of an offset column goes into the intercept', async loss => {
  const fit = async (level: number) =>
    study({
      data: {
        columns: { y: targets[loss], x: [...noise], t: [...normals(n, 6)].map(v => v + level) },
        target: 'y',
        offset: 't'
      },
      model: { hidden: [], loss },
      starts: { count: 20 },
      engine: 'cpu'
    })
  const plain = await fit(0)
  for (const level of [-44882, 44882, 1e7]) {
    const { verdicts, minima } = await fit(level)
    expect(verdicts.minimum).toBe(20)
    const [a, b] = minima[0].parameters
    const [a0, b0] = plain.minima[0].parameters
    // The column itself is rounded to eps·level.
    const tol = 100 * Number.EPSILON * Math.abs(level)
    expect(Math.abs(a - (a0 - level))).toBeLessThan(tol)
    expect(Math.abs(b - b0)).toBeLessThan(tol)
  }
})

it('an offset that spreads over thousands still has its minimiser', async () => {
  const t = counts.map((_, i) => 1000 * i)
  const { verdicts } = await study({
    data: { columns: { y: targets.poisson, x: [...noise], t }, target: 'y', offset: 't' },
    model: { hidden: [], loss: 'poisson' },
    starts: { count: 10 },
    engine: 'cpu'
  })
  expect(verdicts.failed).toBe(0)
})

it('where nothing is finite, names the column', async () => {
  const { verdicts, failure } = await study({
    data: { columns: { y: targets.poisson, x: [...noise], t: counts.map(v => v + 44882) }, target: 'y', offset: 't' },
    model: { hidden: [], loss: 'poisson', bias: false },
    starts: { count: 10 },
    engine: 'cpu'
  })
  expect(verdicts.failed).toBe(10)
  expect(failure).toMatch(/^the offset column "t" reaches from 44882 to 44886, .*; .*bias$/)
})

it('share is of all runs', async () => {
  const { minima, degenerate, saddles, starts } = await study({
    data: { builtin: 'iris2' },
    model: { hidden: [2], loss: 'brier', ridge: 1e-3 },
    optimizer: { adam: {} },
    stop: { steps: 300 },
    starts: { count: 60 },
    engine: 'cpu'
  })
  const points = [...minima, ...degenerate, ...saddles]
  expect(points.length).toBeGreaterThan(0)
  for (const { count, share, shareInterval } of points) {
    expect(share).toBe(count / starts)
    expect(shareInterval[0]).toBeLessThanOrEqual(share)
    expect(shareInterval[1]).toBeGreaterThanOrEqual(share)
  }
})
