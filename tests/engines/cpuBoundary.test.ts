// Results of many points through the cpu engine's boundary: every number of parameters around the width of a block and every
// number of points around a lane group, and arrays of the caller's that are written again.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadAddon } from '../../src/engines/cpu/addon.js'
import { cpuEntry } from '../../src/engines/cpu/index.js'
import { referenceEntry } from '../../src/engines/reference/index.js'
import type { Engine, EngineOptions, Evaluation, Precision } from '../../src/engines/types.js'
import { Spare } from '../../src/core/spare.js'
import { scoreNames } from '../../src/models/scores.js'
import { parameterCount } from '../../src/models/model.js'
import { makeProblem, points } from '../helpers/problems.js'

const bytes = (values: Float64Array): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength)
const needs = { g: true, H: true }

describe.each<Precision>(['f64', 'f32'])('%s', precision => {
  let engine: Engine
  beforeAll(async () => {
    engine = await cpuEntry.load({ precision, threads: 2 })
  })
  afterAll(() => engine.dispose())

  it.each([1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 70])('%i parameters: a point alone and among others', async P => {
    const problem = makeProblem({ loss: 'logistic', rows: 5, inputs: P, hidden: [], bias: false })
    expect(parameterCount(problem.model)).toBe(P)
    const objective = await engine.prepare(problem)
    const count = 37
    const theta = points(problem, count)
    const all = await objective.evaluate(theta, needs)
    for (const r of [0, 1, 15, 16, 31, 32, 36]) {
      const alone = await objective.evaluate(theta.slice(r * P, (r + 1) * P), needs)
      expect(all.f[r]).toBe(alone.f[0])
      expect(all.g!.slice(r * P, (r + 1) * P)).toEqual(alone.g)
      expect(Buffer.compare(bytes(all.H!.slice(r * P * P, (r + 1) * P * P)), bytes(alone.H!))).toBe(0)
    }
    let asymmetric = 0
    for (let r = 0; r < count; r++)
      for (let p = 0; p < P; p++)
        for (let q = 0; q < P; q++) if (!(all.H![(r * P + p) * P + q] === all.H![(r * P + q) * P + p])) asymmetric++
    expect(asymmetric).toBe(0)
    objective.dispose()
  })

  it('gives the same whatever the threads, also to calls at the same time, on every instruction set', async () => {
    const found = loadAddon()
    if ('reason' in found) throw new Error(found.reason)
    const problem = makeProblem({ loss: 'logistic', rows: 9, inputs: 4, hidden: [3] })
    for (const { id, lanes64, lanes32 } of found.addon.targets().filter(t => t.usable)) {
      const lanes = precision === 'f64' ? lanes64 : lanes32
      const counts = [1, lanes - 1, lanes + 1, 2 * lanes, 9 * lanes + 5]
      const on = async (threads: number): Promise<Evaluation[]> => {
        const loaded = await cpuEntry.load({ precision, threads, target: id } as EngineOptions)
        const objective = await loaded.prepare(problem)
        const all = await Promise.all(counts.map(R => objective.evaluate(points(problem, R), needs)))
        objective.dispose()
        loaded.dispose()
        return all
      }
      const one = await on(1)
      for (const threads of [2, 3, 8])
        (await on(threads)).forEach(({ f, g, H }, k) => {
          expect(Buffer.compare(bytes(f), bytes(one[k].f))).toBe(0)
          expect(Buffer.compare(bytes(g!), bytes(one[k].g!))).toBe(0)
          expect(Buffer.compare(bytes(H!), bytes(one[k].H!))).toBe(0)
        })
    }
  })

  it("writes into the caller's arrays, and refuses those of another length", async () => {
    const problem = makeProblem({ loss: 'logistic', rows: 6, inputs: 3, hidden: [2] })
    const objective = await engine.prepare(problem)
    const P = objective.parameters
    const theta = points(problem, 5)
    const fresh = await objective.evaluate(theta, needs)
    const nan = (n: number): Float64Array => new Float64Array(n).fill(NaN)
    const out: Evaluation = { f: nan(5), g: nan(5 * P), H: nan(5 * P * P) }
    const again = await objective.evaluate(theta, needs, out)
    expect([again.f, again.g, again.H]).toEqual([fresh.f, fresh.g, fresh.H])
    expect(again.f).toBe(out.f)
    expect(again.H).toBe(out.H)
    await expect(objective.evaluate(theta.slice(0, P), needs, out)).rejects.toThrow(/wrong length/)
    objective.dispose()
  })

  it.each([1, 2])(
    '%i outputs: scores of a point alone and among others, with rows that are the same',
    async outputs => {
      const drawn = makeProblem({ loss: 'logistic', rows: 30, inputs: 3, hidden: [2], outputs })
      // Rows 20 … 29 are rows 0 … 9 again, so that their outputs are equal.
      const x = drawn.x.slice()
      x.copyWithin(60, 0, 30)
      const problem = { ...drawn, x }
      const objective = await engine.prepare(problem)
      const P = objective.parameters
      const distinct = points(problem, 5)
      // Points that come again and again, one whose outputs are all equal, and one whose outputs are no numbers.
      const order = Array.from({ length: 75 }, (_, r) =>
        r < 20 ? 0 : r < 30 ? r % 5 : r < 40 ? 5 : r < 60 ? 1 : r % 7
      )
      const theta = new Float64Array(order.length * P)
      order.forEach((k, r) =>
        theta.set(k < 5 ? distinct.subarray(k * P, (k + 1) * P) : new Float64Array(P).fill(k === 5 ? 0 : NaN), r * P)
      )
      const spare = new Spare()
      const { values, classCounts } = await objective.score(theta, undefined, spare)
      const M = values.length / order.length
      const counts = new Float64Array(classCounts.length)
      for (let r = 0; r < order.length; r++) {
        const alone = await objective.score(theta.slice(r * P, (r + 1) * P))
        expect(values.slice(r * M, (r + 1) * M)).toEqual(alone.values)
        alone.classCounts.forEach((n, i) => (counts[i] += n))
      }
      expect(classCounts).toEqual(counts)
      const reference = await (await referenceEntry.load({ precision: 'f64' })).prepare(problem)
      const area = scoreNames('logistic').indexOf('auc')
      const wanted = (await reference.score(theta)).values
      order.forEach((_, r) => {
        // Both add the weights in the same order; of outputs that differ in the last digits of f32 the order is another.
        if (precision === 'f64') expect(values[r * M + area]).toBe(wanted[r * M + area])
      })
      spare.give({ values })
      expect((await objective.score(theta, undefined, spare)).values.buffer).toBe(values.buffer)
      objective.dispose()
    }
  )
})
