// Copies of one point of a network of linear units: however a layer is mixed, and the next one undoes it, the valley is the same, and so are the
// numbers of its flat directions.
import { describe, expect, it } from 'vitest'
import { balanced } from '../../src/analysis/balance.js'
import { mixingRank } from '../../src/analysis/flat.js'
import { judgeRuns } from '../../src/analysis/verdict.js'
import { verdicts } from '../../src/core/result.js'
import { Status } from '../../src/core/status.js'
import { shiftDirections } from '../../src/models/network/shift.js'
import { layers } from '../../src/models/network/network.js'
import { outputs } from '../../src/models/outputs.js'
import type { Network } from '../../src/models/types.js'
import { resolveConfig } from '../../src/study/config.js'
import { requestOf } from '../../src/study/run.js'
import { setUp } from '../../src/study/setup.js'
import { seeded } from '../helpers/judge.js'
import { expectAllClose } from '../helpers/tolerance.js'

const next = seeded(108)
const normal = (): number => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next())
const whole = (n: number): number => Math.floor(n * next())

/** A copy of θ [P] after some elementary mixings of units, of factors up to 2 ^ ±`most`. */
function mixed(network: Network, theta: Float64Array, most: number): Float64Array {
  const out = theta.slice()
  const all = layers(network)
  for (let t = 0; t < 6; t++) {
    const l = whole(all.length - 1)
    const [layer, above] = [all[l], all[l + 1]]
    const [i, j] = [whole(layer.units), whole(layer.units)]
    const incoming = (k: number, d: number): number => layer.at + k * layer.stride + d
    const outgoing = (q: number, k: number): number => above.at + q * above.stride + 1 + k
    const factor = 2 ** (most * (2 * next() - 1))
    for (let d = 0; d < layer.stride; d++)
      if (i === j) out[incoming(i, d)] *= factor
      else out[incoming(i, d)] += factor * out[incoming(j, d)]
    for (let q = 0; q < above.units; q++)
      if (i === j) out[outgoing(q, i)] /= factor
      else out[outgoing(q, j)] -= factor * out[outgoing(q, i)]
  }
  return out
}

const cases = Array.from({ length: 10 }, (_, n) => {
  const rows = 16 + whole(12)
  const inputs = Array.from({ length: 2 + (n % 3) }, () => Array.from({ length: rows }, normal))
  const y = inputs[0].map((v, i) => (n % 2 === 0 ? 'abc'[i < 3 ? i : whole(3)] : v - inputs[1][i] + normal()))
  const columns = { ...Object.fromEntries(inputs.map((v, d) => [`x${d}`, v])), y }
  const hidden = n % 5 === 4 ? [2, 3] : [1 + whole(4)]
  return { n, columns, hidden, loss: n % 2 === 0 ? 'softmax' : 'squared' }
})

describe('networks of linear units', () => {
  it.each(cases)('%#: have as many flat directions at every copy of a point', async ({ n, columns, hidden, loss }) => {
    const raw = {
      data: { columns, target: 'y' },
      model: { hidden, activation: 'identity', loss },
      starts: { count: 8, seed: 1 + n },
      engine: 'cpu'
    }
    const setup = await setUp(resolveConfig(raw, 'the test'), { threads: 1 })
    const { judge, objective } = setup
    const network = judge.network!.model
    const P = objective.parameters
    let seen = 0
    for await (const block of objective.minimise(requestOf(setup, { first: 0, count: 8 }))) {
      const judged = await judgeRuns(judge, block.theta, block, block.count)
      for (let i = 0; i < block.count; i++) {
        if (verdicts[judged.verdict[i]] !== 'degenerate') continue
        const theta = judged.theta.slice(i * P, (i + 1) * P)
        const copies = Array.from({ length: 12 }, (_, k) => mixed(network, theta, k))
        for (const copy of copies.slice(0, 6)) {
          const back = balanced(network, copy, judge.scale)
          const [own, other] = [copy, back].map(at => outputs(judge.network!, at))
          expectAllClose(other, own, 1e-9, 'outputs')
        }
        const points = Float64Array.from(copies.flatMap(copy => [...copy]))
        const { f, g } = await objective.evaluate(points, { g: true })
        const gradientNorm = Float64Array.from(copies, (_, k) =>
          g!.subarray(k * P, (k + 1) * P).reduce((m, v) => Math.max(m, Math.abs(v)), 0)
        )
        const status = new Uint8Array(copies.length).fill(Status.converged)
        const again = await judgeRuns(judge, points, { loss: f, gradientNorm, status }, copies.length)
        copies.forEach((_, k) => {
          if (verdicts[again.verdict[k]] !== 'degenerate') return
          seen++
          expect(again.nullity[k], `copy ${k} of start ${block.start[i]}`).toBe(judged.nullity[i])
        })
      }
    }
    setup.dispose()
    // Copies far out are left open where rounding hides their slopes, and so are ways to infinity.
    if (loss === 'squared') expect(seen).toBeGreaterThan(40)
  })

  it('count no shift of all classes among the mixings', () => {
    for (let repeat = 0; repeat < 20; repeat++) {
      const network: Network = {
        kind: 'network',
        inputs: 2,
        hidden: [3],
        outputs: 3,
        activation: 'identity',
        loss: 'softmax',
        bias: true,
        ridge: 0,
        penalizeBias: false
      }
      const theta = Float64Array.from({ length: 21 }, normal)
      const shifted = theta.slice()
      for (const direction of shiftDirections(network)) {
        const by = normal()
        direction.forEach((v, p) => (shifted[p] += by * v))
      }
      // Of 21, 4 are shifts, and 6 are what two contrasts of classes are on two inputs and a constant.
      expect(mixingRank(network, theta)).toBe(11)
      expect(mixingRank(network, shifted)).toBe(11)
    }
  })
})
