// The run loop of every engine: each optimiser agrees with `reference` step by step, runs stop for the reason they should,
// traces hold the path, and an abort ends the work.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stream, sharedStart, shuffle } from '../../src/core/rng.js'
import { Status } from '../../src/core/status.js'
import { referenceEntry } from '../../src/engines/reference/index.js'
import type { Engine, Objective, Precision, RunBlock, RunRequest, Starts } from '../../src/engines/types.js'
import { parameterCount } from '../../src/models/model.js'
import type { Network, Problem } from '../../src/models/types.js'
import { candidates, collect } from '../helpers/engines.js'
import { oracle } from '../helpers/hyperdual.js'
import { part, slow } from '../helpers/length.js'
import { makeProblem, points } from '../helpers/problems.js'
import { givenStarts, methods, randomStarts, rule, stay, type Method } from '../helpers/runs.js'
import { epsOf, expectAllClose, expectClose, expectSame, printWorst, tolerance } from '../helpers/tolerance.js'

printWorst()

const network = { activation: 'tanh', hidden: [3], rows: 12, inputs: 2, ridge: 0.0625, penalizeBias: true } as const
const problems: { label: string; problem: Problem<Network> }[] = [
  {
    label: 'logistic regression',
    problem: makeProblem({ loss: 'logistic', rows: 12, ridge: 0.0625, penalizeBias: true })
  },
  { label: 'a tanh network', problem: makeProblem({ ...network, loss: 'logistic', weighted: true, shifted: true }) },
  { label: 'softmax regression', problem: makeProblem({ ...network, loss: 'softmax', hidden: [] }) },
  {
    label: 'two hidden layers',
    problem: makeProblem({ ...network, loss: 'squared', activation: 'softplus', hidden: [2, 3] })
  }
]
const stepCounts = [1, 2, 3, 4]
const runs = 4

/** Runs of exactly `steps` steps. */
const limited = (
  method: Method,
  problem: Problem<Network>,
  precision: Precision,
  starts: Starts,
  steps: number
): RunRequest => ({
  ...rule(method, problem, precision),
  starts,
  stop: { steps, gradient: 0 },
  trace: true
})

const largest = (values: ArrayLike<number>): number => Array.from(values).reduce((m, v) => Math.max(m, Math.abs(v)), 0)

/** Points and traces of the reference after each of `stepCounts`, with how far relative changes of the input carry. */
interface Expected {
  readonly theta: Float64Array[]
  readonly traces: readonly Float64Array[]
  readonly statuses: Uint8Array[]
  /** [count of steps]: largest change of a parameter, or of a trace entry, per relative change of data and start. */
  readonly growth: { theta: number; trace: number }[]
  /** Largest row sum of |H| at the starts, over the ridge, which bounds the curvature of the convex models from below. */
  readonly condition: number
}

/**
 * The reference's path, and its condition: inputs and starts are changed by relative amounts of `nudge` with signs that
 * differ from number to number; rounding in an engine acts like such a change, `operations` of them at eps.
 */
const nudge = 2 ** -24
async function referencePath(
  method: Method,
  problem: Problem<Network>,
  precision: Precision,
  theta0: Float64Array
): Promise<Expected> {
  const engine = await referenceEntry.load({ precision: 'f64' })
  const run = async (p: Problem<Network>, start: Float64Array, steps: number): Promise<RunBlock> =>
    collect(await engine.prepare(p), limited(method, p, precision, givenStarts(start, runs), steps))
  const nudged = (values: Float64Array, k: number): Float64Array =>
    values.map((v, i) => v * (1 + ((i * 7 + k * 3) % 5 < 2 ? nudge : -nudge)))
  const theta: Float64Array[] = []
  const statuses: Uint8Array[] = []
  const growth: { theta: number; trace: number }[] = []
  let traces: readonly Float64Array[] = []
  for (const steps of stepCounts) {
    const base = await run(problem, theta0, steps)
    theta.push(base.theta)
    statuses.push(base.status)
    traces = base.traces!
    let top = { theta: largest(base.theta), trace: largest(base.traces!.flatMap(t => [...t])) }
    for (let k = 0; k < 3; k++) {
      const other = await run({ ...problem, x: nudged(problem.x, k) }, nudged(theta0, k + 1), steps)
      const moved = (a: Float64Array, b: Float64Array): number => largest(a.map((v, i) => v - b[i])) / nudge
      top = {
        theta: Math.max(top.theta, moved(base.theta, other.theta)),
        trace: Math.max(top.trace, ...base.traces!.map((t, i) => moved(t, other.traces![i])))
      }
    }
    growth.push(top)
  }
  const P = parameterCount(problem.model)
  const { H } = await (await engine.prepare(problem)).evaluate(theta0, { H: true })
  const rows = Array.from({ length: runs * P }, (_, i) =>
    H!.subarray(i * P, (i + 1) * P).reduce((s, v) => s + Math.abs(v), 0)
  )
  return { theta, traces, statuses, growth, condition: largest(rows) / problem.model.ridge }
}

const cache = new Map<string, Promise<Expected>>()

describe.each(candidates)('$label', candidate => {
  const { precision } = candidate
  let engine: Engine
  beforeAll(async () => {
    engine = await candidate.open(2)
  })
  afterAll(() => engine.dispose())

  const paths = problems.flatMap(({ label, problem }) => methods.map(method => ({ label, problem, method })))
  it.each(slow(candidate) ? part(paths, 4) : paths)(
    'on $label, $method.label agrees with the reference after every step',
    async ({ label, problem, method }) => {
      const theta0 = points(problem, runs, 21, 0.5)
      const key = `${label} ${method.label} ${precision}`
      const expected = await (cache.get(key) ??
        cache.set(key, referencePath(method, problem, precision, theta0)).get(key)!)
      const objective = await engine.prepare(problem)
      for (const [n, steps] of stepCounts.entries()) {
        const got = await collect(objective, limited(method, problem, precision, givenStarts(theta0, runs), steps))
        // Every step rounds a sum over the rows and one over the parameters, of which errors of both signs pile up as a root.
        // Newton's step is that of H + μI with μ ≥ 4·eps·P·‖H‖.
        const P = parameterCount(problem.model)
        const floor = method.label === 'newton' ? P * expected.condition : 0
        const operations = steps * (Math.sqrt(problem.rows + P) + floor)
        const near = (size: number): number => tolerance(precision, operations, size)
        expect([...got.steps]).toEqual(Array.from({ length: runs }, () => steps))
        expectSame(got.status, expected.statuses[n], `status after ${steps} steps`)
        const what = `${method.label} after ${steps} steps`
        expectAllClose(got.theta, expected.theta[n], near(expected.growth[n].theta), what, `θ, ${method.label}`)
        if (steps < stepCounts[stepCounts.length - 1]) continue
        got.traces!.forEach((trace, r) =>
          expectAllClose(trace, expected.traces[r], near(expected.growth[n].trace), `trace of run ${r}`, 'traces')
        )
      }
      objective.dispose()
    }
  )

  describe('stops', () => {
    const problem = makeProblem({ loss: 'logistic', rows: 20, ridge: 0.125, penalizeBias: true })
    const P = parameterCount(problem.model)
    const gd = methods[0]
    const withObjective = async <T>(of: Problem<Network>, use: (objective: Objective) => Promise<T>): Promise<T> => {
      const objective = await engine.prepare(of)
      try {
        return await use(objective)
      } finally {
        objective.dispose()
      }
    }
    const minimise = (of: Problem<Network>, request: RunRequest): Promise<RunBlock> =>
      withObjective(of, o => collect(o, request))

    it('with `converged` at the first point whose gradient is small enough, and not before', async () => {
      // Wherever the tolerance lies; a small one takes hundreds of steps.
      const tight = { steps: 4000, gradient: precision === 'f64' ? 1e-9 : slow(candidate) ? 3e-3 : 1e-4 }
      for (const method of methods.filter(m => !m.label.includes('batch'))) {
        const block = await minimise(problem, {
          ...rule(method, problem, precision),
          starts: randomStarts(5),
          stop: tight,
          trace: true
        })
        expect([...block.status], method.label).toEqual(new Array(5).fill(Status.converged))
        block.traces!.forEach((trace, r) => {
          const norms = trace.filter((_, i) => i % 2 === 1)
          expect(norms.findIndex(v => v <= tight.gradient)).toBe(block.steps[r] - 1)
        })
      }
    })

    it('with `budget` after exactly as many steps as are allowed', async () => {
      for (const steps of [1, 7]) {
        const block = await minimise(problem, {
          ...rule(gd, problem, precision),
          starts: randomStarts(20),
          stop: { steps, gradient: 0 }
        })
        expect([...block.status]).toEqual(new Array(20).fill(Status.budget))
        expect([...block.steps]).toEqual(new Array(20).fill(steps))
      }
    })

    it('with `failed` where f or g is not finite, at once', async () => {
      const theta = points(problem, 3)
      theta[P] = NaN
      const block = await minimise(problem, {
        ...rule(gd, problem, precision),
        starts: givenStarts(theta, 3),
        stop: { steps: 5, gradient: 0 }
      })
      expect([...block.status]).toEqual([Status.budget, Status.failed, Status.budget])
      expect([...block.steps]).toEqual([5, 1, 5])
      expect(Number.isFinite(block.loss[1]) && Number.isFinite(block.gradientNorm[1])).toBe(false)
    })

    it('not with `failed` where steps are too long: they are shortened before anything overflows', async () => {
      const steep = makeProblem({ loss: 'squared', rows: 6 })
      const block = await minimise(steep, {
        ...rule({ label: '', optimizer: { gd: { learningRate: 1e6 } } }, steep, precision),
        starts: randomStarts(3),
        stop: { steps: 300, gradient: 0 }
      })
      expect([...block.status]).toEqual(new Array(3).fill(Status.budget))
      for (let r = 0; r < 3; r++)
        expect(Number.isFinite(block.loss[r]) && Number.isFinite(block.gradientNorm[r])).toBe(true)
    })

    it('with `stalled` when no progress is possible at this precision', async () => {
      for (const name of ['lbfgs', 'newton']) {
        const method = { label: name, optimizer: name }
        const block = await minimise(problem, {
          ...rule(method, problem, precision),
          starts: randomStarts(6),
          stop: { steps: 400, gradient: 0 }
        })
        for (let r = 0; r < 6; r++) {
          const exactlyThere = block.gradientNorm[r] === 0 && block.status[r] === Status.converged
          expect(exactlyThere || block.status[r] === Status.stalled, `${name}: run ${r}`).toBe(true)
          expectClose(
            block.gradientNorm[r],
            0,
            tolerance(precision, 4, 1),
            `${name}: gradient of run ${r}`,
            'stalled gradient'
          )
        }
      }
    })

    it('in the order failed, converged, stalled, budget when several hold', async () => {
      const bad = Float64Array.from({ length: P }, () => NaN)
      const request = (gradient: number, theta: Float64Array): RunRequest => ({
        ...rule(gd, problem, precision),
        starts: givenStarts(theta, 1),
        stop: { steps: 1, gradient }
      })
      expect((await minimise(problem, request(1e9, bad))).status[0]).toBe(Status.failed)
      expect((await minimise(problem, request(1e9, new Float64Array(P)))).status[0]).toBe(Status.converged)
    })

    it('a run on mini-batches only at the end of an epoch, on the values of all rows', async () => {
      for (const size of [1, 6, 7, 20, 50]) {
        const block = await minimise(problem, {
          ...rule({ label: '', optimizer: { gd: { batchSize: size } } }, problem, precision),
          starts: randomStarts(3),
          stop: { steps: 100, gradient: 1e9 }
        })
        expect([...block.steps], `batches of ${size}`).toEqual(new Array(3).fill(Math.ceil(20 / Math.min(size, 20))))
        expect([...block.status]).toEqual(new Array(3).fill(Status.converged))
        for (let r = 0; r < 3; r++) {
          const exact = oracle(problem, block.theta.subarray(r * P, (r + 1) * P))
          const near = tolerance(precision, Math.sqrt(problem.rows), exact.magnitude.f + exact.magnitude.g)
          expectClose(block.loss[r], exact.f, near, 'loss on all rows', 'loss after an epoch')
          expectClose(block.gradientNorm[r], largest(exact.g), near, 'gradient on all rows', 'gradient after an epoch')
        }
      }
    })

    it('a run on mini-batches at the end of its budget, in the middle of an epoch, on all rows too', async () => {
      const block = await minimise(problem, {
        ...rule({ label: '', optimizer: { gd: { batchSize: 3 } } }, problem, precision),
        starts: randomStarts(3),
        stop: { steps: 4, gradient: 1e9 }
      })
      expect([...block.steps]).toEqual([4, 4, 4])
      expect([...block.status]).toEqual(new Array(3).fill(Status.converged))
    })

    it('nothing when there is nothing to run', async () => {
      const none = { ...rule(gd, problem, precision), starts: randomStarts(0), stop: { steps: 5, gradient: 0 } }
      expect((await minimise(problem, none)).count).toBe(0)
      const aborted = new AbortController()
      aborted.abort()
      const request = { ...none, starts: randomStarts(9), signal: aborted.signal }
      expect((await minimise(problem, request)).count).toBe(0)
    })

    it('the work on an abort, and what was delivered is what it would have been', async () => {
      const count = 600
      const request: RunRequest = {
        ...rule(gd, problem, precision),
        starts: randomStarts(count),
        stop: { steps: 3, gradient: 0 },
        blockRuns: 4
      }
      await withObjective(problem, async objective => {
        const whole = await collect(objective, request)
        const abort = new AbortController()
        let delivered = 0
        for await (const block of objective.minimise({ ...request, signal: abort.signal })) {
          abort.abort()
          delivered += block.count
          for (let i = 0; i < block.count; i++) {
            const r = block.start[i]
            expectSame(block.theta.subarray(i * P, (i + 1) * P), whole.theta.subarray(r * P, (r + 1) * P), `run ${r}`)
          }
        }
        expect(delivered).toBeGreaterThan(0)
        expect(delivered).toBeLessThan(count)
        // Leaving the loop ends the work as well, and the objective can be used again.
        for await (const block of objective.minimise(request)) {
          expect(block.count).toBeLessThanOrEqual(4)
          break
        }
        expectSame((await collect(objective, request)).theta, whole.theta, 'after leaving the loop')
      })
    })

    it('two batches that run at the same time on one objective, each as if alone', async () => {
      await withObjective(problem, async objective => {
        const request = (first: number): RunRequest => ({
          ...rule(methods[9], problem, precision),
          starts: randomStarts(40, first),
          stop: { steps: 6, gradient: 0 },
          blockRuns: 5
        })
        const [a, b] = await Promise.all([collect(objective, request(0)), collect(objective, request(1000))])
        expectSame(a.theta, (await collect(objective, request(0))).theta, 'first batch')
        expectSame(b.theta, (await collect(objective, request(1000))).theta, 'second batch')
      })
    })
  })

  describe('traces', () => {
    const problem = makeProblem({ loss: 'brier', hidden: [2], rows: 9, ridge: 0.0625 })
    const P = parameterCount(problem.model)

    it('hold loss and gradient norm of every step, from the start to the end point', async () => {
      const objective = await engine.prepare(problem)
      for (const method of slow(candidate) ? part(methods, 4) : methods) {
        const request = limited(method, problem, precision, randomStarts(5), 7)
        const { traces, steps, loss, gradientNorm } = await collect(objective, request)
        traces!.forEach((trace, r) => {
          expect(trace.length).toBe(2 * steps[r])
          expectSame(trace.subarray(trace.length - 2), [loss[r], gradientNorm[r]], `end of the trace of run ${r}`)
        })
        const without = await collect(objective, { ...request, trace: false })
        expect(without.traces).toBeUndefined()
        expectSame(without.loss, loss, 'loss without a trace')
      }
      objective.dispose()
    })

    // Without movement the trace is f and max |g| at θ0 over the rows of each mini-batch. The large ones are of several tiles.
    it.each([
      { order: 'run', rows: 9, size: 4, runs: 3, steps: 7 },
      { order: 'shared', rows: 9, size: 4, runs: 3, steps: 7 },
      { order: 'run', rows: 700, size: 300, runs: 2, steps: 2 }
    ] as const)(
      'on mini-batches ($order, $size of $rows rows) are over the rows that the contract names',
      async ({ order, rows: N, size, runs, steps }) => {
        const problem = makeProblem({ loss: 'brier', hidden: [2], rows: N, ridge: 0.0625 })
        const objective = await engine.prepare(problem)
        const theta = points(problem, runs)
        const batch = { size, order, seed: 2 ** 32 * 3 + 1 }
        const stop = { steps, gradient: 0 }
        const request = { program: stay(), starts: givenStarts(theta, runs), stop, batch, trace: true }
        const { traces } = await collect(objective, request)
        for (let r = 0; r < runs; r++)
          for (let step = 0; step < steps; step++) {
            const epoch = Math.floor(step / 3)
            const rows = shuffle(N, batch.seed, Stream.batches, order === 'shared' ? sharedStart : r, epoch)
            const at = step % 3
            // At the end of an epoch, and of the budget, all rows count.
            const whole = at === 2 || step === steps - 1
            const used = whole ? rows : rows.subarray(at * size, Math.min(N, (at + 1) * size))
            const pick = (values: Float64Array, width: number): Float64Array =>
              Float64Array.from(Array.from(used).flatMap(i => [...values.subarray(i * width, (i + 1) * width)]))
            const own = { ...problem, rows: used.length, x: pick(problem.x, 2), y: pick(problem.y, 1) }
            const exact = oracle(own, theta.subarray(r * P, (r + 1) * P))
            const near = tolerance(precision, Math.sqrt(N), exact.magnitude.f + exact.magnitude.g)
            const [f, g] = traces![r].subarray(2 * step)
            expectClose(f, exact.f, near, `f of run ${r}, step ${step}`, 'f of a mini-batch')
            expectClose(g, largest(exact.g), near, `max |g| of run ${r}, step ${step}`, 'g of a mini-batch')
          }
        objective.dispose()
      }
    )

    it('on weighted mini-batches are means over the weights of the batch', async () => {
      const weighted = makeProblem({ loss: 'squared', rows: 4, weighted: true, bias: false, inputs: 1 })
      const objective = await engine.prepare({ ...weighted, weight: Float64Array.of(1, 2, 4, 0.5) })
      const batch = { size: 1, order: 'run' as const, seed: 5 }
      const stop = { steps: 3, gradient: 0 }
      const starts = givenStarts(Float64Array.of(0.5), 1)
      const { traces } = await collect(objective, { program: stay(), starts, stop, batch, trace: true })
      const rows = shuffle(4, 5, Stream.batches, 0, 0)
      for (let step = 0; step < 2; step++) {
        // One row: its weight does not matter.
        const i = rows[step]
        const f = 0.5 * (0.5 * weighted.x[i] - weighted.y[i]) ** 2
        expectClose(traces![0][2 * step], f, tolerance(precision, 4, f + 1), `step ${step}`)
      }
      objective.dispose()
    })

    it('on mini-batches whose rows weigh nothing are those of the ridge alone', async () => {
      const weighted = makeProblem({ loss: 'squared', rows: 4, weighted: true, bias: false, inputs: 1, ridge: 0.5 })
      const objective = await engine.prepare({ ...weighted, weight: Float64Array.of(1, 0, 1, 0) })
      const batch = { size: 1, order: 'run' as const, seed: 5 }
      const stop = { steps: 3, gradient: 0 }
      const starts = givenStarts(Float64Array.of(0.5), 1)
      const { traces } = await collect(objective, { program: stay(), starts, stop, batch, trace: true })
      const rows = shuffle(4, 5, Stream.batches, 0, 0)
      for (let step = 0; step < 2; step++) {
        if (rows[step] % 2 === 0) continue
        expectSame(traces![0].subarray(2 * step, 2 * step + 2), [0.0625, 0.25], `step ${step}`)
      }
      expect(rows.subarray(0, 2).some(i => i % 2 === 1)).toBe(true)
      objective.dispose()
    })
  })

  it('compares the gradient with the tolerance as it was given, without rounding it', async () => {
    const problem = makeProblem({ loss: 'squared', rows: 1, inputs: 1, bias: false })
    const one: Problem<Network> = { ...problem, x: Float64Array.of(1), y: Float64Array.of(0) }
    const objective = await engine.prepare(one)
    const at = async (gradient: number): Promise<number> =>
      (
        await collect(objective, {
          program: stay(),
          starts: givenStarts(Float64Array.of(0.5), 1),
          stop: { steps: 1, gradient }
        })
      ).status[0]
    expect(await at(0.5)).toBe(Status.converged)
    expect(await at(0.5 * (1 - epsOf.f64))).toBe(Status.budget)
    objective.dispose()
  })
})
