// Several GPUs: how starts are dealt among them, and that runs do not depend on it. Two processes on one software GPU stand for two.
import { describe, expect, it } from 'vitest'
import { parseList } from '../../../src/engines/webgpu/host/adapters.js'
import { Deal } from '../../../src/engines/webgpu/host/deal.js'
import { webgpuEntry, type WebgpuOptions } from '../../../src/engines/webgpu/index.js'
import { Growth, Pace, lanesThatFit, timedLanes } from '../../../src/engines/webgpu/core/pace.js'
import { RemoteSupply, WholeSupply } from '../../../src/engines/webgpu/core/supply.js'
import type { Engine } from '../../../src/engines/types.js'
import { candidates, collect } from '../../helpers/engines.js'
import { makeProblem } from '../../helpers/problems.js'
import { methods, randomStarts, rule } from '../../helpers/runs.js'
import { expectSame } from '../../helpers/tolerance.js'

const starts = (ranges: Float64Array): number[] =>
  Array.from({ length: ranges.length / 2 }, (_, i) => i).flatMap(i =>
    Array.from({ length: ranges[2 * i + 1] }, (_, k) => ranges[2 * i] + k)
  )

describe('dealing starts', () => {
  it('gives every start to one device, in shares that shrink towards the end', () => {
    const deal = new Deal<string>(1000)
    const seen: number[] = []
    const shares: number[] = []
    for (let turn = 0; deal.left > 0; turn++) {
      const dealt = starts(deal.deal(turn % 2 === 0 ? 'a' : 'b', 1000, 2).ranges)
      seen.push(...dealt)
      shares.push(dealt.length)
    }
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    expect(shares.slice(0, 3)).toEqual([250, 188, 141])
    expect(shares.every((n, i) => i === 0 || n <= shares[i - 1])).toBe(true)
    expect(new Deal<string>(0).deal('a', 5, 1)).toEqual({ ranges: new Float64Array(0), end: true })
  })
  it('takes back what a device had and did not deliver, once', () => {
    const deal = new Deal<string>(100)
    expect(deal.deal('a', 10, 1).end).toBe(false)
    deal.done('a', [0, 1, 2, 5])
    expect(deal.release('a')).toBe(6)
    expect(deal.left).toBe(96)
    expect(starts(deal.deal('b', 8, 1).ranges)).toEqual([3, 4, 6, 7, 8, 9, 10, 11])
    expect(deal.release('a')).toBe(0)
    expect(starts(deal.deal('b', 1000, 1).ranges).length).toBe(88)
    expect(deal.deal('b', 1, 1).end).toBe(true)
  })
})

describe('supplies', () => {
  it('a whole one gives all starts, those that came back first', () => {
    const supply = new WholeSupply(10)
    expect(supply.take(4)).toEqual([0, 1, 2, 3])
    supply.giveBack([1, 3])
    expect(supply.take(4)).toEqual([1, 3, 4, 5])
    expect(supply.stock).toBe(4)
    expect(supply.take(9)).toEqual([6, 7, 8, 9])
    expect(supply.ended).toBe(true)
  })
  it('a remote one asks ahead of need, for one lot at a time', async () => {
    const asked: number[] = []
    let next = 0
    const supply = new RemoteSupply(count => {
      asked.push(count)
      const n = Math.min(count, 50, 120 - next)
      next += n
      return Promise.resolve({ ranges: Float64Array.of(next - n, n), end: next === 120 })
    })
    await supply.wait()
    const got: number[] = []
    while (supply.stock > 0 || !supply.ended) {
      got.push(...supply.take(30))
      await supply.wait()
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(got).toEqual(Array.from({ length: 120 }, (_, i) => i))
    expect(asked[0]).toBe(64)
    expect(asked.slice(1).every(n => n === 60)).toBe(true)
  })
})

describe('lanes by memory', () => {
  const limits = { maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 28 }
  it('the sum of all terms fits into the largest buffer, and the largest buffer of lanes into a binding', () => {
    expect(lanesThatFit(limits, { a: 600, b: 336 }, 0, 22, 1)).toBe(2 ** 20)
    expect(lanesThatFit(limits, { a: 600, b: 336 }, 2 ** 29, 22, 1)).toBe(2 ** 19)
    expect(lanesThatFit(limits, { a: 8 }, 0, 0, 1024)).toBe(2 ** 18)
    expect(lanesThatFit(limits, { a: 8 }, 0, 0, 1)).toBe(65535 * 64)
    expect(lanesThatFit(limits, { a: 2 ** 40 }, 0, 0, 1)).toBe(64)
  })
})

describe('lanes of a kernel that is timed alone', () => {
  const large = { maxBufferSize: 2 ** 32, maxStorageBufferBindingSize: 2 ** 31 }
  it('leave room for the sums of chunks of rows and for matrices', () => {
    const problem = makeProblem({ loss: 'logistic', inputs: 30, hidden: [16], rows: 10_000 })
    const P = 30 * 16 + 16 + 16 + 1
    // Sixteen chunks of f and g.
    expect(timedLanes(large, problem, 'gradient', 2 ** 20)).toBe(64 * Math.floor(2 ** 31 / (16 * 4 * (1 + P)) / 64))
    expect(timedLanes(large, problem, 'hessian', 2 ** 20)).toBe(64 * Math.floor(2 ** 31 / (16 * P * P) / 64))
    expect(timedLanes(large, problem, 'gradient', 1024)).toBe(1024)
    expect(timedLanes({ ...large, maxStorageBufferBindingSize: 1 }, problem, 'eigh', 1024)).toBe(64)
  })
})

describe('rounds of a submit', () => {
  /** Milliseconds of the submits when a round takes `round`. */
  const submits = (round: number, most = 1e6): number[] => {
    const pace = new Pace()
    return Array.from({ length: 30 }, () => {
      const rounds = pace.rounds(most)
      pace.note(rounds, rounds * round)
      return rounds * round
    })
  }
  it.each([0.1, 0.5, 2, 7, 20])('take 5 to 50 ms when a round takes %f ms', round => {
    for (const milliseconds of submits(round).slice(10)) {
      expect(milliseconds).toBeGreaterThanOrEqual(5)
      expect(milliseconds).toBeLessThanOrEqual(50)
    }
  })
  it('are one when a round takes longer, and no more than can be of use', () => {
    expect(submits(80).slice(10)).toEqual(new Array(20).fill(80))
    expect(Math.max(...submits(0.1, 12))).toBeCloseTo(1.2, 12)
  })
  it('follow a change of the round', () => {
    const pace = new Pace()
    for (let k = 0; k < 20; k++) pace.note(pace.rounds(1e6), 20)
    for (let k = 0; k < 20; k++) {
      const rounds = pace.rounds(1e6)
      pace.note(rounds, 4 * rounds)
    }
    expect(pace.rounds(1e6)).toBe(5)
  })
})

describe('lanes by time', () => {
  it('grow while that gives more per millisecond, and stay where it does not', () => {
    const growth = new Growth(2 ** 20, false)
    expect(growth.first(1e6, 16384)).toBe(16384)
    expect(growth.next(16384, 0.3, 1e6)).toBe(65536)
    // Four times the lanes in less than twice the time.
    expect(growth.next(65536, 0.5, 1e6)).toBe(262144)
    // No more per millisecond than before.
    expect(growth.next(262144, 2, 1e6)).toBeUndefined()
    expect(growth.next(262144, 0.1, 1e6)).toBeUndefined()
  })
  it('do not grow beyond the starts, or when a submit would take too long', () => {
    expect(new Growth(2 ** 20, false).next(16384, 0.3, 100)).toBeUndefined()
    expect(new Growth(2 ** 20, false).next(16384, 6, 1e6)).toBeUndefined()
    expect(new Growth(2 ** 20, false).first(100, 16384)).toBe(128)
  })
  it('shrink when a round takes too long', () => {
    expect(new Growth(2 ** 20, false).next(4096, 400, 1e6)).toBe(192)
    expect(new Growth(2 ** 20, false).next(64, 400, 1e6)).toBeUndefined()
  })
  it('stay when they were asked for, unless memory runs out', () => {
    const growth = new Growth(2 ** 20, true)
    expect(growth.next(4096, 0.1, 1e6)).toBeUndefined()
    expect(growth.next(4096, 400, 1e6)).toBeUndefined()
    expect(growth.halved(4096)).toBe(2048)
    expect(growth.halved(64)).toBeUndefined()
  })
})

it('reads the list of GPUs from the words of Dawn', () => {
  const message =
    "Error: no suitable backends found\nAvailable adapters:\n * backend: 'vulkan', name: 'NVIDIA H200'\n * backend: 'opengl', name: 'Mesa Intel(R) UHD (it's one)'"
  expect(parseList(message)).toEqual([
    { backend: 'vulkan', name: 'NVIDIA H200' },
    { backend: 'opengl', name: "Mesa Intel(R) UHD (it's one)" }
  ])
})

describe.runIf(candidates.some(c => c.name === 'webgpu' && c.label.includes('SwiftShader')))('two GPUs', () => {
  const problem = makeProblem({ loss: 'logistic', hidden: [3], inputs: 2, rows: 19, ridge: 0.0625 })
  const open = (names: readonly string[]): Promise<Engine> =>
    webgpuEntry.load({ precision: 'f32', open: names } as WebgpuOptions)

  it('give the runs of one, bit by bit', async () => {
    const [one, two] = await Promise.all([open(['SwiftShader']), open(['SwiftShader', 'SwiftShader'])])
    try {
      expect(two.device).toMatch(/^2 × /)
      for (const label of ['lbfgs, memory 2', 'adam, mini-batches']) {
        const request = {
          ...rule(
            methods.find(m => m.label === label)!,
            problem,
            'f32'
          ),
          starts: randomStarts(300, 2 ** 33),
          stop: { steps: 11, gradient: 0.05 },
          blockRuns: 16,
          trace: true
        }
        const [a, b] = [
          await collect(await one.prepare(problem), request),
          await collect(await two.prepare(problem), request)
        ]
        for (const part of ['start', 'theta', 'loss', 'gradientNorm', 'steps', 'status'] as const)
          expectSame(b[part], a[part], `${label}: ${part}`)
        b.traces!.forEach((trace, r) => expectSame(trace, a.traces![r], `${label}: trace ${r}`))
      }
    } finally {
      one.dispose()
      two.dispose()
    }
  })

  it('`all` opens every one that computes in hardware, or else all that there are', async () => {
    const devices = (await webgpuEntry.devices?.()) ?? []
    const hardware = devices.filter(d => d.support.ok && !d.support.software)
    const engine = await webgpuEntry.load({ precision: 'f32', device: 'all' })
    try {
      expect(engine.device.split(', ').length).toBe((hardware.length > 0 ? hardware : devices).length)
    } finally {
      engine.dispose()
    }
  })
})
