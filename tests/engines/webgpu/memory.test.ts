// What a batch takes of a GPU's memory is what the sum of its terms says, and any number of starts streams through it.
import { describe, expect, it, vi } from 'vitest'
import { Batch } from '../../../src/engines/webgpu/core/batch.js'
import type { Gpu } from '../../../src/engines/webgpu/core/device.js'
import { LocalObjective } from '../../../src/engines/webgpu/core/objective.js'
import { Plan } from '../../../src/engines/webgpu/core/plan.js'
import { WholeSupply, type Supply } from '../../../src/engines/webgpu/core/supply.js'
import type { RunRequest } from '../../../src/engines/types.js'
import { Rule } from '../../../src/language/rule.js'
import { onSoftwareGpu } from '../../helpers/localGpu.js'
import { makeProblem, points } from '../../helpers/problems.js'
import { givenStarts, methods, randomStarts, rule, stay } from '../../helpers/runs.js'

let gpu: Gpu
onSoftwareGpu(opened => (gpu = opened))

/** Buffers with a place for each start of the queue or each result, not for each lane. */
const ofPlaces = ['numbers', 'queue numbers', 'queue', 'points', 'results']

interface Made {
  readonly label: string
  readonly bytes: number
}

/** All buffers of a batch of so many lanes, as they were asked for. */
async function buffersOf(plan: Plan, lanes: number): Promise<{ made: Made[]; places: number }> {
  const made: Made[] = []
  const { device } = gpu
  const create = device.createBuffer.bind(device)
  device.createBuffer = descriptor => {
    made.push({ label: descriptor.label ?? '', bytes: descriptor.size })
    return create(descriptor)
  }
  try {
    const batch = await Batch.create(plan, lanes)
    batch.dispose()
    return { made, places: batch.places }
  } finally {
    device.createBuffer = create
  }
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0)

/** Every operation on matrices that a rule can have. */
function eigen(): RunRequest['program'] {
  const r = new Rule('eigen', 'H')
  const { values } = r.eigh(r.H, r.scale)
  return r.compile({ point: r.x, loss: r.f, gradientNorm: r.maxAbs(values) })
}

describe('memory of a batch', () => {
  const few = makeProblem({ loss: 'logistic', hidden: [3], inputs: 2, rows: 19 })
  const many = makeProblem({ loss: 'softmax', hidden: [4], inputs: 3, rows: 1500 })
  const given = givenStarts(points(few, 5), 5)
  const cases: { name: string; problem: typeof few; extra?: Partial<RunRequest>; spare?: boolean }[] = [
    ...methods.map(method => ({ name: method.label, problem: few, extra: rule(method, few, 'f32') })),
    { name: 'gd on chunks of rows', problem: many, extra: rule(methods[0], many, 'f32') },
    { name: 'newton on chunks of rows', problem: many, extra: rule(methods.at(-1)!, many, 'f32') },
    // Sums over the few rows of a mini-batch need no chunks.
    { name: 'mini-batches of many rows', problem: many, extra: rule(methods[1], many, 'f32'), spare: true },
    { name: 'eigen-decompositions', problem: few, extra: { program: eigen() } },
    { name: 'given starts', problem: few, extra: { program: stay(), starts: given } },
    { name: 'paths', problem: few, extra: { program: stay(), trace: true } }
  ]
  it.each(cases)('is the sum of its terms: $name', async ({ problem, extra, spare }) => {
    const request = { program: stay(), starts: randomStarts(9), stop: { steps: 3, gradient: 0 }, ...extra }
    const plan = await Plan.make(gpu, problem, request)
    const [small, large] = [await buffersOf(plan, 128), await buffersOf(plan, 448)]
    const lanes = 448 - 128
    const places = large.places - small.places
    expect(places).toBeGreaterThan(0)
    const grown = total(large.made.map(b => b.bytes)) - total(small.made.map(b => b.bytes))
    const sum = lanes * total(Object.values(plan.laneTerms())) + places * plan.placeBytes
    if (spare) expect(grown).toBeLessThanOrEqual(sum)
    else expect(grown).toBe(sum)
    const byLanes = large.made.map((b, i) => (ofPlaces.includes(b.label) ? 0 : b.bytes - small.made[i].bytes))
    expect(Math.max(...byLanes)).toBe(lanes * plan.largestPerLane())
  })
})

it('a model of which no batch fits is refused in one sentence', async () => {
  const [wide, deep] = [1100, 700].map(inputs => makeProblem({ loss: 'logistic', inputs, rows: 5 }))
  const newton = (problem: typeof wide): RunRequest => ({
    ...rule(methods.at(-1)!, problem, 'f32'),
    starts: randomStarts(2),
    stop: { steps: 3, gradient: 0 }
  })
  await expect(Plan.make(gpu, wide, newton(wide))).rejects.toThrow(
    /^The webgpu engine takes Hessians of up to 1024 parameters and the model has 1101; use lbfgs or --engine cpu\.$/
  )
  const limits = { ...gpu.limits, maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 26 }
  const small = Object.assign(Object.create(gpu) as Gpu, { limits })
  await expect(Plan.make(small, deep, newton(deep))).rejects.toThrow(
    /^64 runs of newton with 701 parameters on 5 rows need an array of 120 MiB, and the GPU .* takes at most 64 MiB; .*\.$/
  )
})

it('slow runs are handed over before a block is full', async () => {
  const local = new LocalObjective(gpu, makeProblem({ loss: 'squared', inputs: 1, rows: 2 }))
  const count = 640
  const request = { program: stay(), starts: randomStarts(count), stop: { steps: 1, gradient: 0 }, lanes: 64 }
  const sizes = async (): Promise<number[]> => {
    const blocks: number[] = []
    for await (const block of local.minimise(request, new WholeSupply(count), {})) blocks.push(block.count)
    return blocks
  }
  let hours = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => 3.6e6 * hours)
  try {
    // No time passes.
    expect(await sizes()).toEqual([count])
    // An hour passes with every look at the clock.
    clock.mockImplementation(() => 3.6e6 * hours++)
    const blocks = await sizes()
    expect(total(blocks)).toBe(count)
    expect(Math.max(...blocks)).toBeLessThan(count)
  } finally {
    clock.mockRestore()
  }
})

it('a million starts stream through: each comes back once, and few are held at a time', async () => {
  const count = 1_000_000
  const blockRuns = 4096
  const local = new LocalObjective(gpu, makeProblem({ loss: 'squared', inputs: 1, rows: 2, bias: false }))
  const whole = new WholeSupply(count)
  let held = 0
  let mostHeld = 0
  const supply: Supply = {
    take(wanted) {
      const taken = whole.take(wanted)
      held += taken.length
      mostHeld = Math.max(mostHeld, held)
      return taken
    },
    giveBack(starts) {
      held -= starts.length
      whole.giveBack(starts)
    },
    get ended() {
      return whole.ended
    },
    get stock() {
      return whole.stock
    },
    wait: () => whole.wait()
  }
  const lanes = 8192
  const first = 2 ** 40
  const request = {
    program: stay(),
    starts: { kind: 'random' as const, seed: 3, first, count, init: { uniform: 1 } },
    stop: { steps: 1, gradient: 0 },
    lanes,
    blockRuns
  }
  const seen = new Uint8Array(count)
  for await (const block of local.minimise(request, supply, {})) {
    held -= block.count
    for (const start of block.start) seen[start - first]++
  }
  expect(held).toBe(0)
  // In lanes, in the queue of up to four places a lane, in two submits of results, and in a block that is not full.
  expect(mostHeld).toBeLessThanOrEqual(lanes * (1 + 4 + 2 * 4) + blockRuns)
  expect(seen.every(n => n === 1)).toBe(true)
}, 120_000)

it('more starts than a call takes arguments can come back', () => {
  const supply = new WholeSupply(2 ** 20)
  const taken = supply.take(2 ** 20)
  supply.giveBack(taken)
  expect(supply.stock).toBe(2 ** 20)
  expect(supply.take(3)).toEqual([0, 1, 2])
})
