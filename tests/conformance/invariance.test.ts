// A run's result does not depend on its neighbours: bit for bit the same for any number of threads and lanes, any size of blocks,
// any part of the starts, and beside runs that fail.
import { afterAll, describe, expect, it } from 'vitest'
import type { Engine, RunBlock, RunRequest } from '../../src/engines/types.js'
import { startPoint, parameterCount } from '../../src/models/model.js'
import { candidates, collect } from '../helpers/engines.js'
import { long, slow } from '../helpers/length.js'
import { makeProblem } from '../helpers/problems.js'
import { givenStarts, methods, randomStarts, rule } from '../helpers/runs.js'
import { expectSame } from '../helpers/tolerance.js'

const problem = makeProblem({
  loss: 'logistic',
  hidden: [4],
  inputs: 3,
  rows: 23,
  ridge: 0.03125,
  weighted: true,
  seed: 17
})
const P = parameterCount(problem.model)
const count = 75
/** Methods of each kind, for engines that are slow here. */
const few = ['gd, mini-batches', 'adam, shared mini-batches', 'lbfgs, memory 2', 'newton']
const seed = 3

/** Runs `from` … of `whole` are those of `part`, save for their numbers where starts were given. */
function expectRuns(part: RunBlock, whole: RunBlock, from: number, what: string): void {
  const slice = <T extends Float64Array | Uint32Array | Uint8Array>(values: T, width: number) =>
    values.subarray(from * width, (from + part.count) * width)
  expectSame(part.theta, slice(whole.theta, P), `${what}: θ`)
  expectSame(part.loss, slice(whole.loss, 1), `${what}: loss`)
  expectSame(part.gradientNorm, slice(whole.gradientNorm, 1), `${what}: gradient norm`)
  expectSame(part.steps, slice(whole.steps, 1), `${what}: steps`)
  expectSame(part.status, slice(whole.status, 1), `${what}: status`)
  part.traces!.forEach((trace, i) => expectSame(trace, whole.traces![from + i], `${what}: trace ${i}`))
}

describe.each(candidates)('$label', candidate => {
  const engines = new Map<number, Promise<Engine>>()
  const withThreads = (threads: number): Promise<Engine> =>
    engines.get(threads) ?? engines.set(threads, candidate.open(threads)).get(threads)!
  afterAll(async () => {
    for (const engine of engines.values()) (await engine).dispose()
  })

  it.each(slow(candidate) ? methods.filter(m => few.includes(m.label)) : methods)('$label', async method => {
    // Runs end after different numbers of steps, so that lanes are refilled at different times.
    const request = (extra: Partial<RunRequest>): RunRequest => ({
      ...rule(method, problem, candidate.precision),
      starts: randomStarts(count, 0, seed),
      stop: { steps: 14, gradient: 0.08 },
      trace: true,
      ...extra
    })
    const run = async (threads: number, extra: Partial<RunRequest>): Promise<RunBlock> => {
      const objective = await (await withThreads(threads)).prepare(problem)
      try {
        return await collect(objective, request(extra))
      } finally {
        objective.dispose()
      }
    }
    const whole = await run(1, {})
    expect([...whole.start]).toEqual(Array.from({ length: count }, (_, i) => i))
    expect(new Set(whole.steps).size, 'runs end after different numbers of steps').toBeGreaterThan(1)

    if (!slow(candidate)) expectRuns(await run(1, {}), whole, 0, 'once more')
    for (const threads of slow(candidate) ? [2] : [2, 5])
      expectRuns(await run(threads, {}), whole, 0, `${threads} threads`)
    // One lane at a time costs a software GPU a round trip for every step of every run.
    for (const lanes of slow(candidate) ? [33] : long ? [1, 3, 16, 33, 200] : [3, 33, 200]) {
      const threads = lanes % 2 === 1 ? 2 : 1
      expectRuns(await run(threads, { lanes }), whole, 0, `${lanes} lanes on ${threads} threads`)
    }
    for (const blockRuns of slow(candidate) ? [7] : [1, 7, 75])
      expectRuns(await run(2, { blockRuns }), whole, 0, `blocks of ${blockRuns}`)
    for (const [first, some] of slow(candidate)
      ? [[30, 17]]
      : [
          [74, 1],
          [30, 17],
          [1, 74]
        ]) {
      const part = await run(2, { starts: randomStarts(some, first, seed) })
      expect(part.start[0]).toBe(first)
      expectRuns(part, whole, first, `starts ${first} … ${first + some - 1}`)
    }
    // Neighbours that fail, and starts given as points: mini-batches belong to the number of a run, so these stand at their place.
    const theta = new Float64Array(count * P)
    for (let r = 0; r < count; r++)
      theta.set(r % 3 === 1 ? new Float64Array(P).fill(NaN) : startPoint(problem.model, { normal: 1 }, seed, r), r * P)
    const beside = await run(2, { starts: givenStarts(theta, count), lanes: 24 })
    for (let r = 0; r < count; r++) {
      if (r % 3 === 1) continue
      expectSame(
        beside.theta.subarray(r * P, (r + 1) * P),
        whole.theta.subarray(r * P, (r + 1) * P),
        `beside NaN: ${r}`
      )
      expect(beside.status[r]).toBe(whole.status[r])
    }
  })

  it('evaluations do not depend on threads, neighbours or place', async () => {
    const R = 41
    const theta = new Float64Array(R * P)
    for (let r = 0; r < R; r++) theta.set(startPoint(problem.model, { normal: 1 }, seed, r), r * P)
    const at = async (threads: number, points: Float64Array) => {
      const objective = await (await withThreads(threads)).prepare(problem)
      const { f, g, H } = await objective.evaluate(points, { g: true, H: true })
      const { values } = await objective.score(points)
      objective.dispose()
      return { f, g: g!, H: H!, values }
    }
    const whole = await at(1, theta)
    for (const threads of [2, 5]) {
      const other = await at(threads, theta)
      for (const part of ['f', 'g', 'H', 'values'] as const)
        expectSame(other[part], whole[part], `${part} on ${threads} threads`)
    }
    const spoilt = Float64Array.from(theta)
    for (let r = 0; r < R; r += 2) spoilt.fill(NaN, r * P, (r + 1) * P)
    const beside = await at(2, spoilt)
    const alone = await at(1, theta.subarray(R * P - 2 * P, R * P - P))
    for (const part of ['f', 'g', 'H', 'values'] as const) {
      const width = whole[part].length / R
      const row = (values: Float64Array, r: number): Float64Array => values.subarray(r * width, (r + 1) * width)
      for (let r = 1; r < R; r += 2)
        expectSame(row(beside[part], r), row(whole[part], r), `${part} of point ${r} beside NaN`)
      expectSame(alone[part], row(whole[part], R - 2), `${part} alone`)
    }
  })
})
