// Searches in f32 that are finished in f64: the end points of f64, whatever the lanes, and never more steps than there are.
import { describe, expect, it } from 'vitest'
import { resolveConfig } from '../../src/study/config.js'
import { requestOf } from '../../src/study/run.js'
import { setUp, type Setup } from '../../src/study/setup.js'
import { Status } from '../../src/core/status.js'
import { judging } from '../../src/analysis/recognise.js'
import { seeded } from '../helpers/enclosures.js'
import { study } from '../../src/index.js'
import { engines } from '../../src/engines/registry.js'
import type { RunRequest } from '../../src/engines/types.js'

const engine = 'cpu'
const hasIt = (await engines.find(e => e.name === engine)!.available()).ok
const raw = (optimizer: string, precision: string): Record<string, unknown> => ({
  data: { builtin: 'iris2', standardize: true },
  model: { hidden: [3], loss: 'logistic', ridge: 0.01, penalizeBias: true },
  starts: { count: 400 },
  optimizer,
  precision,
  engine
})

interface Ends {
  readonly theta: Float64Array
  readonly loss: Float64Array
  readonly gradientNorm: Float64Array
  readonly steps: Uint32Array
  readonly status: Uint8Array
}

async function ends({ objective, config, ...setup }: Setup, extra: Partial<RunRequest> = {}): Promise<Ends> {
  const { count } = config.starts
  const P = objective.parameters
  const out = {
    theta: new Float64Array(count * P),
    loss: new Float64Array(count),
    gradientNorm: new Float64Array(count),
    steps: new Uint32Array(count),
    status: new Uint8Array(count)
  }
  const request = requestOf({ objective, config, ...setup }, { first: 0, count }, extra)
  for await (const block of objective.minimise(request))
    for (let i = 0; i < block.count; i++) {
      const to = block.start[i]
      out.theta.set(block.theta.subarray(i * P, (i + 1) * P), to * P)
      for (const name of ['loss', 'gradientNorm', 'steps', 'status'] as const) out[name][to] = block[name][i]
    }
  return out
}

describe.runIf(hasIt)('mixed precision', () => {
  it.each(['newton', 'lbfgs'])('comes with %s to the minima of f64, to as many digits', async optimizer => {
    const mixed = await study(raw(optimizer, 'mixed'))
    const exact = await study(raw(optimizer, 'f64'))
    expect(mixed.engine.precision).toBe('mixed')
    expect(mixed.verdicts.minimum).toBeGreaterThanOrEqual(0.99 * exact.verdicts.minimum)
    const losses = new Set(exact.minima.map(m => m.loss))
    // Minima are proved and rounded correctly, so that they are the same to the last digit.
    for (const { loss, count } of mixed.minima) if (count > 2) expect(losses.has(loss)).toBe(true)
    expect(mixed.minima[0].loss).toBe(exact.minima[0].loss)
    expect(Math.abs(mixed.minima[0].count - exact.minima[0].count)).toBeLessThan(0.02 * mixed.starts)
  })

  it.each([
    { label: 'a ridge on all', ridge: 0.02, penalizeBias: true, activation: 'tanh' },
    { label: 'a ridge on weights, logistic units', ridge: 0.02, penalizeBias: false, activation: 'logistic' },
    { label: 'no ridge', ridge: 0, penalizeBias: false, activation: 'tanh' }
  ])('says of random tables what f64 says: $label', async ({ label: _, ...model }) => {
    const random = seeded(41)
    for (let table = 0; table < 2; table++) {
      const rows = Array.from({ length: 24 }, () => ({
        a: 2 * random() - 1,
        b: 2 * random() - 1,
        y: +(random() < 0.5)
      }))
      const config = (precision: string): object => ({
        data: { rows, target: 'y' },
        model: { hidden: [2], loss: 'logistic', ...model },
        starts: { count: 150, seed: table },
        optimizer: table % 2 === 0 ? 'lbfgs' : 'newton',
        precision,
        engine
      })
      const mixed = await study(config('mixed'))
      const exact = await study(config('f64'))
      const losses = (of: typeof mixed): Set<number> =>
        new Set(of.minima.filter(m => m.proof?.status === 'proved').map(m => m.loss))
      const [found, known] = [losses(mixed), losses(exact)]
      for (const m of mixed.minima) if (found.has(m.loss) && m.count > 7) expect(known).toContain(m.loss)
      for (const m of exact.minima) if (known.has(m.loss) && m.count > 7) expect(found).toContain(m.loss)
      for (const verdict of ['minimum', 'degenerate', 'diverging', 'saddle', 'unfinished'] as const)
        expect(
          Math.abs(mixed.verdicts[verdict] - exact.verdicts[verdict]),
          `${verdict} of table ${table}`
        ).toBeLessThanOrEqual(15)
    }
  })

  it('leaves runs that rounding holds up in f32 enough steps to end in f64', async () => {
    const random = seeded(5)
    const minima = { mixed: 0, f64: 0 }
    for (let table = 0; table < 3; table++) {
      const rows = Array.from({ length: 30 }, () => ({ x: 100 * random() - 50, z: 1e3 * random(), y: 10 * random() }))
      for (const precision of ['mixed', 'f64'] as const) {
        const { verdicts } = await study({
          data: { rows, target: 'y' },
          model: { hidden: [3], activation: 'softplus', loss: 'squared', ridge: 1e-4, penalizeBias: true },
          starts: { count: 60 },
          optimizer: 'newton',
          precision,
          engine
        })
        minima[precision] += verdicts.minimum
      }
    }
    expect(minima.f64).toBeGreaterThan(20)
    expect(minima.mixed).toBeGreaterThan(0.75 * minima.f64)
  })

  it.each(['newton', 'lbfgs'])('gives the same bits with %s whatever was proved before', async optimizer => {
    // Boxes too small for where f32 rounds.
    const model = { hidden: [4], loss: 'logistic', ridge: 1e-3, penalizeBias: true }
    const config = resolveConfig({ ...raw(optimizer, 'mixed'), model, starts: { count: 120 } }, 'the test')
    const found: Ends[] = []
    for (const blockRuns of [120, 11, 1]) {
      const setup = await setUp(config, { threads: 1 })
      found.push(await ends(setup, { blockRuns }))
      setup.dispose()
    }
    expect(found[1]).toEqual(found[0])
    expect(found[2]).toEqual(found[0])
  })

  it('says of blocks whose runs were settled what judging them anew says', async () => {
    const config = resolveConfig(raw('lbfgs', 'mixed'), 'the test')
    const setup = await setUp(config, { threads: 1 })
    const P = setup.objective.parameters
    let blocks = 0
    for await (const block of setup.objective.minimise(requestOf(setup, { first: 0, count: 400 }, { blockRuns: 50 }))) {
      const { theta, loss, gradientNorm, status, count } = block
      const anew = await judging(setup.judge, setup.model).judgeRuns(
        theta.slice(),
        { loss, gradientNorm, status },
        count
      )
      const { end, ends } = await setup.judgeRuns(theta, block, count)
      for (let i = 0; i < count; i++) {
        const [a, b] = [end[i], anew.end[i]]
        for (const name of ['verdict', 'loss', 'gradientNorm', 'index', 'nullity', 'precision'] as const)
          expect(ends[name][a]).toBe(anew.ends[name][b])
        expect(ends.theta.slice(a * P, (a + 1) * P)).toEqual(anew.ends.theta.slice(b * P, (b + 1) * P))
      }
      blocks++
    }
    expect(blocks).toBeGreaterThan(3)
    setup.dispose()
  })

  it('meets the test of convergence in f64, with the same bits for any lanes and threads', async () => {
    const config = resolveConfig(raw('newton', 'mixed'), 'the test')
    const one = await setUp(config, { threads: 1 })
    const two = await setUp(config, { threads: 2 })
    const a = await ends(one)
    const b = await ends(two, { lanes: 40, blockRuns: 7 })
    expect(b).toEqual(a)
    const { g } = await one.certifier.objective.evaluate(a.theta, { g: true })
    const P = one.objective.parameters
    for (let i = 0; i < config.starts.count; i++) {
      expect(a.status[i]).toBe(Status.converged)
      const norm = g!.subarray(i * P, (i + 1) * P).reduce((m, v) => Math.max(m, Math.abs(v)), 0)
      expect(norm).toBeLessThanOrEqual(1.001 * config.stop.gradient)
      // Sums over rows may be taken in another order.
      expect(Math.abs(a.gradientNorm[i] - norm)).toBeLessThan(1e3 * Number.EPSILON)
    }
    for (const s of [one, two]) s.dispose()
  })

  it.each([1, 4, 12, 15, 16])('takes no more than %i steps where there are no more', async steps => {
    const setup = await setUp(resolveConfig({ ...raw('newton', 'mixed'), stop: { steps } }, 'the test'), { threads: 1 })
    const found = await ends(setup)
    const { f } = await setup.certifier.objective.evaluate(found.theta, {})
    found.steps.forEach((n, i) => {
      expect(n).toBeLessThanOrEqual(steps)
      if (found.status[i] === Status.budget) expect(n).toBe(steps)
      expect(Math.abs(found.loss[i] - f[i])).toBeLessThanOrEqual(8 * Number.EPSILON * f[i])
    })
    expect(found.status).toContain(Status.budget)
    setup.dispose()
  })

  it('begins again in f64 where f32 fails', async () => {
    // Rates of e^100 do not fit into single precision.
    const rows = { x: [0, 1, 2, 3, 4], y: [1, 3, 2, 5, 4] }
    const table = Object.entries({
      data: { rows: rows.x.map((x, i) => ({ x, y: rows.y[i] })), target: 'y' }
    })
    const config = {
      ...Object.fromEntries(table),
      model: { loss: 'poisson' },
      starts: { count: 50, init: { normal: 100 } },
      engine
    }
    const { verdicts } = await study({ ...config, precision: 'mixed' } as never)
    expect(verdicts.minimum).toBe(50)
  })

  it('is refused for mini-batches', async () => {
    const optimizer = { adam: { batchSize: 10 } }
    await expect(study({ ...raw('adam', 'mixed'), optimizer })).rejects.toThrow(/same rows at every step/)
  })
})
