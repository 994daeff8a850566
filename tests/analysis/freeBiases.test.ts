// relu networks with a ridge on the weights alone: units that go out while their biases are free, units that are split in two, and ends of flat
// valleys at kinks. What is said of points is held against values of f around them.
import { describe, expect, it } from 'vitest'
import { judgeRuns } from '../../src/analysis/verdict.js'
import { verdicts } from '../../src/core/result.js'
import { Status } from '../../src/core/status.js'
import { evaluatorOf } from '../../src/engines/reference/evaluator.js'
import { resolveConfig } from '../../src/study/config.js'
import { requestOf } from '../../src/study/run.js'
import { setUp, type Setup } from '../../src/study/setup.js'
import { seeded } from '../helpers/judge.js'
import { searchAround } from '../helpers/search.js'
import { tolerance } from '../helpers/tolerance.js'

const next = seeded(77)
const normal = (): number => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next())

interface Case {
  readonly columns: Readonly<Record<string, readonly number[]>>
  readonly loss: string
  readonly ridge: number
  readonly n: number
}

const cases = Array.from({ length: 12 }, (_, n): Case => {
  const rows = 5 + (n % 8)
  const inputs = Array.from({ length: 1 + (n % 2) }, () => Array.from({ length: rows }, normal))
  const loss = n % 3 === 0 ? 'logistic' : 'squared'
  const raw = inputs[0].map(v => Math.abs(v) + 0.5 * normal())
  const middle = [...raw].sort((a, b) => a - b)[rows >> 1]
  const y = loss === 'squared' ? raw : raw.map(v => (v >= middle ? 1 : 0))
  const columns = { ...Object.fromEntries(inputs.map((v, d) => [`x${d}`, v])), y }
  return { columns, loss, ridge: [0.1, 0.01, 0.03][n % 3], n }
})

const setUpFor = ({ columns, loss, ridge, n }: Case, hidden: number): Promise<Setup> => {
  const data = { columns, target: 'y', numeric: Object.keys(columns).filter(name => name !== 'y') }
  const model = { hidden: [hidden], activation: 'relu', loss, ridge }
  const raw = { data, model, starts: { count: 30, seed: 1 + n }, engine: 'cpu' }
  return setUp(resolveConfig(raw, 'the test'), { threads: 1 })
}

/** A unit's bias and weights, and what leaves it. */
interface Unit {
  readonly incoming: readonly number[]
  readonly outgoing: number
}
interface Parts {
  readonly units: readonly Unit[]
  readonly constant: number
}

function partsOf(theta: Float64Array, hidden: number): Parts {
  const stride = (theta.length - 1 - hidden) / hidden
  const last = hidden * stride
  const units = Array.from({ length: hidden }, (_, k) => ({
    incoming: [...theta.subarray(k * stride, (k + 1) * stride)],
    outgoing: theta[last + 1 + k]
  }))
  return { units, constant: theta[last] }
}
const pointOf = ({ units, constant }: Parts): number[] => [
  ...units.flatMap(({ incoming }) => incoming),
  constant,
  ...units.map(({ outgoing }) => outgoing)
]

/** Ends with a verdict of a network of so many units, one for each loss. */
async function endsOf(of: Case, hidden: number): Promise<Parts[]> {
  const setup = await setUpFor(of, hidden)
  const P = setup.objective.parameters
  const found = new Map<string, Parts>()
  for await (const block of setup.objective.minimise(requestOf(setup, { first: 0, count: 30 }))) {
    const judged = await judgeRuns(setup.judge, block.theta, block, block.count)
    judged.loss.forEach((loss, i) => {
      if (!['minimum', 'degenerate'].includes(verdicts[judged.verdict[i]])) return
      found.set(loss.toPrecision(8), partsOf(judged.theta.slice(i * P, (i + 1) * P), hidden))
    })
  }
  setup.dispose()
  return [...found.values()].slice(0, 6)
}

/** Units that are out or nearly, but for their biases, where these are small, too. */
function isOut(theta: Float64Array, k: number, hidden: number, bias: number): boolean {
  const stride = (theta.length - 1 - hidden) / hidden
  const own = [...theta.subarray(k * stride + 1, (k + 1) * stride), theta[hidden * stride + 1 + k]]
  return own.every(v => Math.abs(v) <= 1e-6) && Math.abs(theta[k * stride]) <= bias
}

/** How far f falls, by values alone, where unit k alone is given a length of `radius`, with its bias at any kink. */
function fallByUnit(setup: Setup, theta: Float64Array, k: number, hidden: number, radius: number): number {
  const evaluator = evaluatorOf(setup.problem)
  const { x, rows } = setup.problem
  const stride = (theta.length - 1 - hidden) / hidden
  const [inputs, out] = [stride - 1, hidden * stride + 1 + k]
  const f = (at: Float64Array): number => evaluator.evaluate(at)
  let least = Infinity
  const angles = inputs === 1 ? 2 : 60
  for (let t = 0; t < angles; t++) {
    const angle = (t * 2 * Math.PI) / angles
    const w = [Math.cos(angle), Math.sin(angle)].slice(0, inputs)
    for (let i = 0; i < rows; i++) {
      const bias = -w.reduce((sum, v, d) => sum + v * x[i * inputs + d], 0)
      const at = theta.slice()
      ;[bias, ...w].forEach((v, d) => (at[k * stride + d] = radius * v))
      // Of three values the parabola through them tells where f is least.
      const [low, mid, high] = [-radius, 0, radius].map(v => f(at.with(out, v)))
      least = Math.min(least, f(at.with(out, (0.5 * radius * (low - high)) / (low - 2 * mid + high))))
    }
  }
  return f(theta) - least
}

/** Judges runs that stopped at points, and holds verdicts against values around them. Returns how many were left open, and how many not. */
async function expectTrue(of: Case, hidden: number, points: readonly Parts[]): Promise<{ open: number; told: number }> {
  const setup = await setUpFor(of, hidden)
  const P = setup.objective.parameters
  const theta = Float64Array.from(points.flatMap(pointOf))
  const { f, g } = await setup.objective.evaluate(theta, { g: true })
  const gradientNorm = Float64Array.from(points, (_, i) =>
    g!.subarray(i * P, (i + 1) * P).reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  )
  const status = new Uint8Array(points.length).fill(Status.converged)
  const judged = await judgeRuns(setup.judge, theta, { loss: f, gradientNorm, status }, points.length)
  const evaluator = evaluatorOf(setup.problem)
  let open = 0
  points.forEach((_, i) => {
    const verdict = verdicts[judged.verdict[i]]
    if (verdict === 'unfinished') {
      open++
      return
    }
    const at = judged.theta.slice(i * P, (i + 1) * P)
    const what = `case ${of.n}, point ${i} is ${verdict}: ${[...at].join(' ')}`
    const noise = tolerance('f64', 100, Math.max(1, judged.loss[i]))
    const isSaddle = verdict === 'saddle'
    const units = Array.from({ length: hidden }, (_, k) => k)
    const falls = units
      .filter(k => isOut(at, k, hidden, isSaddle ? 1e-6 : 1e-9))
      .map(k => fallByUnit(setup, at, k, hidden, 1e-2))
    const own = (theta: Float64Array): number => evaluator.evaluate(theta)
    falls.push(own(at) - searchAround(own, at, isSaddle ? 1e-2 : 1e-9, next, 600))
    if (isSaddle) expect(Math.max(...falls), what).toBeGreaterThan(noise)
    else expect(Math.max(...falls), what).toBeLessThanOrEqual(noise)
  })
  setup.dispose()
  return { open, told: points.length - open }
}

describe('with a ridge on the weights alone', () => {
  it('a unit of which next to nothing is left is judged by where it may lead', async () => {
    const total = { open: 0, told: 0 }
    for (const of of cases) {
      const inputs = Object.keys(of.columns).length - 1
      const points = (await endsOf(of, 2)).flatMap(({ units, constant }) =>
        [2e-8, 1e-7, 1e-7, 1e-7, 2e-7, 2e-7].map(size => {
          const little = (): number => size * normal()
          const unit = { incoming: Array.from({ length: 1 + inputs }, little), outgoing: little() }
          return { units: [...units, unit], constant }
        })
      )
      const { open, told } = await expectTrue(of, 3, points)
      total.open += open
      total.told += told
    }
    expect(total.told).toBeGreaterThan(40)
    expect(total.open).toBeLessThan(total.told / 4)
  })

  it('a unit that is split in two, unevenly, is where it was', async () => {
    let seen = 0
    for (const of of cases) {
      const points = (await endsOf(of, 2)).flatMap(({ units, constant }) =>
        [2e-4, 0.3].map(angle => {
          const part = ({ incoming, outgoing }: Unit, share: number): Unit => ({
            incoming: incoming.map(v => share * v),
            outgoing: share * outgoing
          })
          const [first, ...rest] = units
          return { units: [part(first, Math.cos(angle)), ...rest, part(first, Math.sin(angle))], constant }
        })
      )
      seen += (await expectTrue(of, 3, points)).told
    }
    expect(seen).toBeGreaterThan(40)
  })

  it('a flat valley ends in no saddle where a row meets its kink', async () => {
    let seen = 0
    for (const of of cases) {
      const setup = await setUpFor(of, 2)
      const { x, rows } = setup.problem
      const points = (await endsOf(of, 2)).flatMap(({ units, constant }) =>
        units.flatMap((unit, k): Parts[] => {
          const [bias, ...w] = unit.incoming
          const lines = Array.from({ length: rows }, (_, i) =>
            w.reduce((sum, v, d) => sum + v * x[i * w.length + d], bias)
          )
          const least = Math.min(...lines)
          // Awake on all rows, a unit is a line, of which a part of the constant is as well the output's.
          if (!(least > 0) || w.every(v => v === 0)) return []
          return [1e-8, 1e-8, 3e-8, 3e-8].map(left => {
            const shift = least - left
            const moved = { incoming: [bias - shift, ...w], outgoing: unit.outgoing }
            const near = (v: number): number => v + 1e-7 * normal()
            return partsOf(
              Float64Array.from(
                pointOf({ units: units.with(k, moved), constant: constant + shift * unit.outgoing }),
                near
              ),
              2
            )
          })
        })
      )
      setup.dispose()
      if (points.length > 0) seen += (await expectTrue(of, 2, points)).told
    }
    expect(seen).toBeGreaterThan(10)
  })
})
