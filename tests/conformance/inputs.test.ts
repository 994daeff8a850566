// What differs between the runs of one request: inputs of the program, penalties of the runs' own, coordinates that are held. Engines
// without them say so.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Rule } from '../../src/language/rule.js'
import type { Engine, RunInputs, RunRequest } from '../../src/engines/types.js'
import { engines } from '../../src/engines/registry.js'
import type { Network, Problem } from '../../src/models/types.js'
import { newton } from '../../src/optimizers/newton.js'
import { resolveOptimizer } from '../../src/optimizers/registry.js'
import { resampledWeights, rowCounts } from '../../src/core/resampling.js'
import { expressionOf, formulaProblem, free } from '../helpers/formulas.js'
import { candidates, collect } from '../helpers/engines.js'
import { part, slow } from '../helpers/length.js'
import { makeProblem, points } from '../helpers/problems.js'
import { epsOf, expectAllClose, expectSame } from '../helpers/tolerance.js'
import { layoutOf } from '../../src/models/model.js'

/** Gradient descent with a step length and a direction's weights from the run. */
function descent() {
  const r = new Rule('descent', 'g')
  const rate = r.scalarInput('rate', 0.25)
  const weights = r.vectorInput('weights', 1)
  r.next(r.x, r.sub(r.x, r.mul(rate, r.mul(weights, r.g))))
  return r.compile({ point: r.x, loss: r.f, gradientNorm: r.maxAbs(r.g) })
}
const problem = makeProblem({ loss: 'logistic', hidden: [2], inputs: 2, rows: 9, ridge: 0.125, seed: 31 })
const convex = makeProblem({ loss: 'logistic', inputs: 2, rows: 40, seed: 7, ridge: 0.0625, penalizeBias: true })
const count = 37

const withRows: readonly Problem[] = [
  problem,
  makeProblem({ loss: 'logistic', inputs: 2, rows: 9, weighted: true, seed: 8, ridge: 0.125, penalizeBias: true }),
  makeProblem({ loss: 'softmax', hidden: [2], inputs: 2, rows: 11, ridge: 0.25, penalizeBias: true, seed: 12 }),
  makeProblem({ loss: 'squared', hidden: [2, 2], inputs: 1, rows: 13, outputs: 2, ridge: 0.25, penalizeBias: true }),
  formulaProblem(expressionOf('a + b * x + where(x < 0.5, w, 0) * a', [free('a'), free('b')]), {
    rows: 12,
    weighted: true
  }),
  formulaProblem(expressionOf('a + b * x', [free('a'), free('b')]), { rows: 70, loss: 'logistic' })
]
const resamplings = [
  { how: { kind: 'bootstrap', seed: 4 }, numbers: Float64Array.from({ length: count }, (_, i) => i - 1) },
  { how: { kind: 'poisson', seed: 4 }, numbers: Float64Array.from({ length: count }, (_, i) => 2 ** 33 + (i % 7)) },
  { how: { kind: 'folds', folds: 3, seed: 4 }, numbers: Float64Array.from({ length: count }, (_, i) => i) },
  { how: { kind: 'split', held: 2, seed: 4 }, numbers: Float64Array.from({ length: count }, (_, i) => i) }
] as const

/** Resamples that have a row 8 times or more, 4 to 7 times and less often, in which engines count the times in bits. */
function frequent() {
  const how = { kind: 'poisson', seed: 4 } as const
  const first = (low: number, high: number): number => {
    for (let number = 0; ; number++) {
      const most = Math.max(...rowCounts(how, number, problem.rows))
      if (most >= low && most <= high) return number
    }
  }
  const chosen = [first(8, 99), first(4, 7), first(0, 2)]
  return {
    kind: how.kind,
    n: 'often',
    how,
    numbers: Float64Array.from({ length: count }, (_, i) => chosen[i % 3]),
    on: problem
  }
}

it('inputs are named once and set by no rule', () => {
  const r = new Rule('twice', 'g')
  const rate = r.scalarInput('rate')
  expect(() => r.scalarInput('rate')).toThrow(/declared twice/)
  expect(() => r.next(rate as never, r.f)).toThrow(/not a state/)
})

const able = await Promise.all(
  engines.map(async entry => [entry.name, await entry.supports(problem, { inputs: true })] as const)
)
const support = new Map(able)

describe.each(candidates)('$label', candidate => {
  const takes = support.get(candidate.name)
  let engine: Engine
  beforeAll(async () => {
    engine = await candidate.open(2)
  })
  afterAll(() => engine.dispose())

  const P = points(problem, 1).length
  const starts = points(problem, count, 3)
  async function run(inputs: RunInputs | undefined, over: Partial<RunRequest> = {}, on: Problem = problem) {
    const objective = await engine.prepare(on)
    const request: RunRequest = {
      program: descent(),
      starts: { kind: 'given', theta: starts, count },
      stop: { steps: 12, gradient: 0 },
      ...(inputs ? { inputs } : {}),
      ...over
    }
    const block = await collect(objective, request)
    objective.dispose()
    return block
  }

  if (!takes?.ok) {
    it('says that it has none, in one sentence', async () => {
      expect(takes?.reason).toMatch(/^The \w+ engine takes no inputs .*; use --engine cpu\.$/)
      await expect(run({ program: { rate: new Float64Array(count).fill(1) } })).rejects.toThrow(takes?.reason)
    })
    return
  }

  it('gives every run the inputs at the place of its start, whatever the lanes', async () => {
    const rate = Float64Array.from({ length: count }, (_, i) => (1 + (i % 5)) / 16)
    const weights = Float64Array.from({ length: count * P }, (_, k) => (k % 3) / 2)
    const all = await run({ program: { rate, weights } }, { lanes: 16 })
    expectSame((await run({ program: { rate, weights } }, { lanes: 1 })).theta, all.theta, 'one lane')
    for (const i of [0, 4, 36]) {
      const alone = await run(
        { program: { rate: rate.slice(i, i + 1), weights: weights.slice(i * P, (i + 1) * P) } },
        { starts: { kind: 'given', theta: starts.slice(i * P, (i + 1) * P), count: 1 } }
      )
      expectSame(alone.theta, all.theta.slice(i * P, (i + 1) * P), `start ${i}`)
    }
    // Where the weight is 0 nothing moves, and an input that is not brought has the value of its declaration.
    for (let k = 0; k < count * P; k++) if (weights[k] === 0) expect(all.theta[k]).toBe(starts[k])
    const same = await run({ program: { rate: new Float64Array(count).fill(0.25) } })
    expectSame((await run(undefined)).theta, same.theta, 'default')
  })

  it('refuses inputs that the program does not have, and wrong sizes', async () => {
    await expect(run({ program: { speed: new Float64Array(count) } })).rejects.toThrow(/no input speed/)
    await expect(run({ program: { rate: new Float64Array(count - 1) } })).rejects.toThrow(/not 37/)
    await expect(run({ free: new Uint8Array(3) })).rejects.toThrow(/inputs?/)
  })

  it('adds a penalty of the run’s own, as if it were the problem’s', async () => {
    const Q = points(convex, 1).length
    const ridge = Float64Array.from({ length: count * Q }, (_, k) => (k % 4) / 8)
    const context = { eps: epsOf[candidate.precision], parameters: Q }
    const program = newton.build(resolveOptimizer('newton').options, context)
    const theta = points(convex, count, 5)
    const over = { program, starts: { kind: 'given', theta, count }, stop: { steps: 200, gradient: 0 } } as const
    const { theta: found } = await run({ ridge }, over, convex)
    for (const i of [0, 1, 17, 36]) {
      const penalty = Float64Array.from({ length: Q }, (_, p) => 0.0625 + ridge[i * Q + p])
      const own = await run(undefined, over, { ...convex, penalty })
      // The minimiser moves by rounding of the gradient over the curvature, which is at least the ridge.
      const tol = (64 * epsOf[candidate.precision] * 40) / 0.0625
      expectAllClose(found.slice(i * Q, (i + 1) * Q), own.theta.slice(0, Q), tol, `start ${i}`)
    }
  })

  it('holds coordinates where they are and minimises over the others', async () => {
    const Q = points(convex, 1).length
    const free = Uint8Array.from({ length: count * Q }, (_, k) => (k % Q === Math.floor(k / Q) % Q ? 0 : 1))
    const program = newton.build(resolveOptimizer('newton').options, {
      eps: epsOf[candidate.precision],
      parameters: Q
    })
    const theta = points(convex, count, 5)
    const over = { program, starts: { kind: 'given', theta, count }, stop: { steps: 200, gradient: 0 } } as const
    const found = await run({ free }, over, convex)
    const objective = await engine.prepare(convex)
    const { g } = await objective.evaluate(found.theta, { g: true })
    objective.dispose()
    const gradientTol = 64 * epsOf[candidate.precision] * 40
    for (let k = 0; k < count * Q; k++)
      if (free[k] === 0) expect(found.theta[k], `coordinate ${k}`).toBe(theta[k])
      else expectAllClose([g![k]], [0], gradientTol, `gradient ${k}`)
    // What is held has its slope still.
    expect(Math.max(...g!.filter((_, k) => free[k] === 0).map(Math.abs))).toBeGreaterThan(0.01)
  })

  it('leaves out rows that a run does not have, even where a formula is not defined on them', async () => {
    const plain = formulaProblem(expressionOf('b * sqrt(x - a)', [free('a'), free('b')]), { rows: 12 })
    const on = { ...plain, x: plain.x.map((_, k) => (k === 0 ? -4 : 2 + k / 8)) }
    const how = { kind: 'folds', folds: 3, seed: 4 } as const
    const numbers = Float64Array.from({ length: count }, (_, i) => i)
    const request = {
      starts: { kind: 'given', theta: points(on, count, 5), count },
      stop: { steps: 3, gradient: 0 }
    } as const
    const all = await run({ rows: { how, numbers } }, request, on)
    const without = numbers.filter(i => rowCounts(how, i, on.rows)[0] === 0)
    expect(without.length).toBeGreaterThan(0)
    for (const i of numbers) {
      const own = await run(undefined, request, { ...on, weight: resampledWeights(how, i, on.rows, undefined) })
      expect(Number.isFinite(all.loss[i]), `run ${i}`).toBe(without.includes(i))
      expect(Number.isFinite(own.loss[i]), `run ${i} alone`).toBe(without.includes(i))
      if (!without.includes(i)) continue
      const tol = 2 ** 16 * epsOf[candidate.precision]
      expectAllClose(all.theta.slice(2 * i, 2 * i + 2), own.theta.slice(2 * i, 2 * i + 2), tol, `run ${i}`)
    }
  })

  const drawings = resamplings.flatMap(({ how, numbers }) =>
    withRows.map((on, n) => ({ kind: how.kind, n, how, numbers, on }))
  )
  it.each([...(slow(candidate) ? part(drawings, 2) : drawings), frequent()])(
    'draws rows of a run’s own: $kind, problem $n',
    async ({ how, numbers, on }) => {
      const Q = points(on, 1).length
      const theta = points(on, count, 5)
      const context = { eps: epsOf[candidate.precision], parameters: Q }
      const program = newton.build(resolveOptimizer('newton').options, context)
      for (const over of [
        { program, stop: { steps: 3, gradient: 0 } },
        { batch: { size: 4, order: 'run', seed: 3 } }
      ] as const) {
        const request = { starts: { kind: 'given', theta, count }, ...over } as const
        const all = await run({ rows: { how, numbers } }, { ...request, lanes: 32 }, on)
        const narrow = await run({ rows: { how, numbers } }, { ...request, lanes: 3 }, on)
        expectSame(narrow.theta, all.theta, 'three lanes')
        for (const i of [0, 5, 28, 36]) {
          const weight = resampledWeights(how, numbers[i], on.rows, on.weight)
          const own = await run(undefined, request, { ...on, weight })
          const label = `${on.model.loss} ${layoutOf(on.model).hidden.join()} ${numbers[i]}`
          // The same rows in the same order; the shares are rounded once more. Few steps, so rounding is all that differs.
          const tol = 2 ** 16 * epsOf[candidate.precision]
          const here = [i * Q, (i + 1) * Q] as const
          expectAllClose(all.theta.slice(...here), own.theta.slice(...here), tol, label)
          expectAllClose([all.loss[i]], [own.loss[i]], tol, label)
        }
      }
    }
  )

  it('draws starts and mini-batches by numbers of their own', async () => {
    const random = { kind: 'random', seed: 5, first: 100, count: 12, init: { normal: 1 } } as const
    const over = { starts: random, batch: { size: 4, order: 'run', seed: 3 } } as const
    const some = (value: number) => new Float64Array(12).fill(value)
    const plain = await run(undefined, over)
    const same = await run({ draws: { start: some(103), order: some(103) } }, over)
    for (let i = 0; i < 12; i++)
      expectSame(same.theta.slice(i * P, (i + 1) * P), plain.theta.slice(3 * P, 4 * P), `run ${i}`)
    expect([...same.start]).toEqual([...plain.start])
    const started = await run({ draws: { start: some(103) } }, over)
    expectSame(started.theta.slice(3 * P, 4 * P), plain.theta.slice(3 * P, 4 * P), 'its own order')
    expect(started.theta[4 * P]).not.toBe(plain.theta[3 * P])
    const formula = withRows.at(-1)!
    const drawn = await run({ draws: { start: some(3) } }, { starts: { ...random, first: 0 } }, formula)
    const numbered = await run(undefined, { starts: { ...random, first: 0 } }, formula)
    const Q = points(formula, 1).length
    expectSame(drawn.theta.slice(0, Q), numbered.theta.slice(3 * Q, 4 * Q), 'formula')
  })

  it('draws no rows beside Firth’s penalty, in one sentence', async () => {
    const firth: Problem<Network> = {
      ...convex,
      model: { ...convex.model, ridge: 0, firth: true },
      penalty: undefined
    } as never
    const entry = engines.find(e => e.name === candidate.name)!
    const can = await entry.supports(firth, { inputs: 'rows' })
    expect(can.ok ? 'ok' : can.reason).toMatch(
      /^The \w+ engine draws no rows for single runs beside Firth’s penalty; remove firth\.$/
    )
  })

  it('does the same on mini-batches', async () => {
    const ridge = new Float64Array(count * P).fill(0.5)
    const free = Uint8Array.from({ length: count * P }, (_, k) => (k % P === 0 ? 0 : 1))
    const batch = { size: 4, order: 'run', seed: 3 } as const
    const found = await run({ ridge, free }, { batch })
    const own = await run(undefined, { batch }, { ...problem, penalty: Float64Array.from(penalties(P)) })
    for (let i = 0; i < count; i++) expect(found.theta[i * P]).toBe(starts[i * P])
    // The other coordinates see the held one through the network only.
    expect(found.theta[1]).not.toBe(own.theta[1])
  })
})

const penalties = (P: number): number[] => new Array<number>(P).fill(0.5)
