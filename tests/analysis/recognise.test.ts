import { afterAll, describe, expect, it } from 'vitest'
import { judging } from '../../src/analysis/recognise.js'
import type { Judged } from '../../src/analysis/judge.js'
import { judgeRuns } from '../../src/analysis/verdict.js'
import { VerdictCode } from '../../src/core/result.js'
import { Canonicalizer } from '../../src/models/network/symmetry.js'
import { canonicalizerOf } from '../../src/models/model.js'
import { auerStudy } from '../helpers/auer.js'
import { points, threeClasses } from '../helpers/problems.js'
import { hasAddon } from '../helpers/proofs.js'
import { resolveConfig } from '../../src/study/config.js'
import { setUp, type Setup } from '../../src/study/setup.js'
import { requestOf } from '../../src/study/run.js'
import { seeded } from '../helpers/enclosures.js'
import type { RunBlock } from '../../src/runs/table.js'

const opened: Setup[] = []
afterAll(() => opened.forEach(s => s.dispose()))

interface Case {
  readonly label: string
  readonly model: object
  readonly more?: object
}
const classes = { columns: threeClasses(60, 10), target: 'k', standardize: true }
const ridge = { ridge: 1e-3, penalizeBias: true, loss: 'logistic' }
const cases: readonly Case[] = [
  { label: 'logistic regression', model: { hidden: [], loss: 'logistic' } },
  { label: 'logistic regression, f32', model: { hidden: [], loss: 'logistic' }, more: { precision: 'f32' } },
  { label: 'brier', model: { hidden: [], loss: 'brier', ridge: 0.01 } },
  { label: '4-2-1 tanh', model: { hidden: [2], ...ridge } },
  { label: '4-2-1 tanh, f32', model: { hidden: [2], ...ridge }, more: { precision: 'f32' } },
  { label: '4-2-1 tanh by lbfgs', model: { hidden: [2], ...ridge }, more: { optimizer: 'lbfgs' } },
  { label: '4-2-1 softplus', model: { hidden: [2], activation: 'softplus', ...ridge } },
  // What is added to all classes is left open: by all parameters, or by the biases.
  { label: 'softmax', model: { hidden: [], loss: 'softmax' }, more: { data: classes } },
  { label: 'softmax with ridge', model: { hidden: [], loss: 'softmax', ridge: 0.01 }, more: { data: classes } },
  {
    label: '2-2-3 softmax with logistic units',
    model: { hidden: [2], activation: 'logistic', loss: 'softmax', ridge: 0.01 },
    more: { data: classes }
  },
  // Flips that the biases above take up.
  { label: '4-2-1 logistic units', model: { hidden: [2], activation: 'logistic', loss: 'logistic', ridge: 0.01 } },
  {
    label: 'an objective whose parameters may change places, one of them with a bound',
    model: {
      objective: '(a*b - 1)^2 + (a + b - 3)^2 + (c - 1)^2 * (c + 2)^2',
      parameters: {
        a: { init: { uniform: 4 } },
        b: { init: { uniform: 4 } },
        c: { init: { uniform: [-3, 3] }, bounds: [-4, 5] }
      },
      symmetry: [[['a'], ['b']]]
    },
    more: { data: undefined }
  },
  {
    label: 'a formula that is not linear',
    model: {
      formula: 'a / (1 + exp(-(b + c * `Petal.Length`)))',
      parameters: { a: { init: { uniform: [1, 4] } }, b: { init: { uniform: 4 } }, c: { init: { uniform: [0, 2] } } },
      loss: 'squared'
    },
    more: { data: { builtin: 'iris2', target: 'Petal.Width' } }
  },
  {
    label: 'an objective with four minima',
    model: {
      objective: '(a^2+b-11)^2 + (a+b^2-7)^2',
      parameters: { a: { init: { uniform: 5 } }, b: { init: { uniform: 5 } } }
    },
    more: { data: undefined }
  },
  { label: '4-3-2-1 tanh', model: { hidden: [3, 2], ...ridge, ridge: 0.01 } }
]
/** Without symmetries; some have one loss. */
const manyMinima: Case = { label: 'brier with 64 minima', model: auerStudy(6).model, more: { data: auerStudy(6).data } }

async function open({ model, more }: Case): Promise<{ setup: Setup; runs: RunBlock }> {
  const count = 120
  const config = resolveConfig(
    {
      data: { builtin: 'iris2', standardize: true },
      model,
      starts: { count, seed: 5, init: { normal: 2 } },
      engine: 'cpu',
      ...more
    },
    'test'
  )
  const setup = await setUp(config, { threads: 1 })
  opened.push(setup)
  for await (const runs of setup.objective.minimise({
    ...requestOf(setup, { first: 0, count: count }, {}),
    blockRuns: count
  }))
    if (runs.count === count) return { setup, runs }
  throw new Error('the runs were to come in one block')
}

const P = (setup: Setup): number => setup.objective.parameters

const pick = (runs: RunBlock, which: readonly number[], n: number) => ({
  theta: Float64Array.from(which.flatMap(i => [...runs.theta.subarray(i * n, (i + 1) * n)])),
  loss: Float64Array.from(which, i => runs.loss[i]),
  gradientNorm: Float64Array.from(which, i => runs.gradientNorm[i]),
  status: Uint8Array.from(which, i => runs.status[i])
})

/** What is stored of run n of a judged block, bit for bit. */
const stored = (j: Judged, n: number, width: number): number[] => [
  j.verdict[n],
  j.loss[n],
  j.gradientNorm[n],
  j.index[n],
  j.nullity[n],
  j.precision[n],
  ...j.theta.subarray(n * width, (n + 1) * width)
]

/** Judges the runs in blocks of the given sizes, in the given order; rows in the order of the runs. */
async function inBlocks(
  setup: Setup,
  runs: RunBlock,
  order: readonly number[],
  size: number,
  most?: number
): Promise<number[][]> {
  const n = P(setup)
  const judge = judging(setup.judge, setup.model, most)
  const rows: number[][] = []
  for (let from = 0; from < order.length; from += size) {
    const which = order.slice(from, from + size)
    const { theta, ...found } = pick(runs, which, n)
    const { end, ends } = await judge.judgeRuns(theta, found, which.length)
    which.forEach((i, k) => (rows[i] = stored(ends, end[k], n)))
  }
  return rows
}

describe.runIf(hasAddon)('recognition', () => {
  it.each([...cases, manyMinima])('gives the same bits whatever was known before: $label', async testCase => {
    const { setup, runs } = await open(testCase)
    const all = Array.from({ length: runs.count }, (_, i) => i)
    const once = await inBlocks(setup, runs, all, runs.count)
    const random = seeded(3)
    const shuffled = all.map(i => ({ i, key: random() })).sort((a, b) => a.key - b.key)
    expect(await inBlocks(setup, runs, all.slice().reverse(), 7)).toEqual(once)
    expect(
      await inBlocks(
        setup,
        runs,
        shuffled.map(s => s.i),
        32
      )
    ).toEqual(once)
    // With room for few of them.
    for (const most of [0, 1, 3]) expect(await inBlocks(setup, runs, all, 50, most)).toEqual(once)
    // Each by itself, by one who knows nothing.
    for (const i of all.slice(0, 30)) expect((await inBlocks(setup, runs, [i], 1))[i]).toEqual(once[i])
  })

  it.each(cases)('says what judging by eigenvalues says, and stores copies of few points: $label', async testCase => {
    const { setup, runs } = await open(testCase)
    const n = P(setup)
    const { end, ends: quick } = await judging(setup.judge, setup.model).judgeRuns(runs.theta, runs, runs.count)
    const slow = await judgeRuns(setup.judge, runs.theta, runs, runs.count)
    expect(Array.from(end, e => quick.verdict[e])).toEqual([...slow.verdict])
    const canonicalizer = canonicalizerOf(setup.model)
    const distinct = new Set<string>()
    let minima = 0
    for (let i = 0; i < runs.count; i++) {
      const e = end[i]
      if (quick.verdict[e] !== VerdictCode.minimum) continue
      minima++
      for (let p = 0; p < n; p++) {
        const exact = slow.theta[i * n + p]
        expect(Math.abs(quick.theta[e * n + p] - exact)).toBeLessThanOrEqual(1e-7 * Math.max(1, Math.abs(exact)))
      }
      expect(Math.abs(quick.loss[e] - slow.loss[i])).toBeLessThanOrEqual(1e-12)
      const canonical = new Float64Array(n)
      canonicalizer.canonicalize(quick.theta, canonical, e * n)
      // Flips that biases take up are not exact.
      distinct.add([...canonical].map(v => v.toPrecision(12)).join())
    }
    expect(minima).toBeGreaterThan(0)
    const slowDistinct = new Set(
      [...slow.verdict].flatMap((v, i) => (v === VerdictCode.minimum ? [slow.loss[i].toPrecision(9)] : []))
    )
    expect(distinct.size).toBeLessThanOrEqual(2 * slowDistinct.size)
    // Nearly all of them without an eigen-decomposition.
    expect(quick.steps).toBeLessThan(slow.steps / 2)
  })
})

describe('copies', () => {
  it.each(['tanh', 'logistic', 'softplus', 'relu'] as const)(
    'are restored by the element that was taken: %s',
    activation => {
      for (const hidden of [[3], [4, 3], [2, 3, 2]]) {
        const network = {
          kind: 'network' as const,
          inputs: 2,
          hidden,
          outputs: 1,
          activation,
          loss: 'squared' as const,
          bias: true,
          ridge: 0,
          penalizeBias: false
        }
        const canonicalizer = new Canonicalizer(network)
        const n = canonicalizer.parameters
        const theta = points({ model: network, rows: 1, x: new Float64Array(2), y: new Float64Array(1) }, 20, 8)
        for (let i = 0; i < 20; i++) {
          const canonical = new Float64Array(n)
          canonicalizer.canonicalize(theta, canonical, i * n)
          const back = new Float64Array(n)
          canonicalizer.restore(canonical, back)
          back.forEach((v, p) => {
            const exact = theta[i * n + p]
            if (activation === 'logistic') expect(Math.abs(v - exact)).toBeLessThanOrEqual(64 * Number.EPSILON)
            else expect(v === exact).toBe(true)
          })
        }
      }
    }
  )
})
