// GPUs that fail: what had begun goes on elsewhere, nothing that was delivered is lost or comes twice, and the report says so.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cpuEntry } from '../../../src/engines/cpu/index.js'
import { webgpuEntry, type WebgpuOptions } from '../../../src/engines/webgpu/index.js'
import type { Engine, EngineEntry, RunBlock, RunRequest } from '../../../src/engines/types.js'
import { parameterCount } from '../../../src/models/model.js'
import { candidates, collect } from '../../helpers/engines.js'
import { makeProblem, points } from '../../helpers/problems.js'
import { childrenOf } from '../../helpers/processes.js'
import { givenStarts, methods, randomStarts, rule } from '../../helpers/runs.js'
import { expectSame } from '../../helpers/tolerance.js'

const present = candidates.some(c => c.name === 'webgpu' && c.label.includes('SwiftShader'))
const gpuName = 'SwiftShader'
const problem = makeProblem({ loss: 'logistic', hidden: [3], inputs: 2, rows: 19, ridge: 0.0625, penalizeBias: true })
const P = parameterCount(problem.model)
const count = 400
const request = (label: string, extra: Partial<RunRequest> = {}): RunRequest => ({
  ...rule(
    methods.find(m => m.label === label)!,
    problem,
    'f32'
  ),
  starts: randomStarts(count),
  stop: { steps: 12, gradient: 0.05 },
  lanes: 64,
  blockRuns: 10,
  ...extra
})
const numbers = Array.from({ length: count }, (_, i) => i)

const load = (options: Partial<WebgpuOptions>): Promise<Engine> =>
  webgpuEntry.load({
    precision: 'f32',
    open: [gpuName],
    fallback: () => cpuEntry.load({ precision: 'f32' }),
    ...options
  })

async function runsOf(engine: Engine, what: RunRequest): Promise<RunBlock> {
  const objective = await engine.prepare(problem)
  try {
    return await collect(objective, what)
  } finally {
    objective.dispose()
  }
}

describe.runIf(present)('a GPU that fails', () => {
  let healthy: Engine
  let cpu: Engine
  beforeAll(async () => {
    healthy = await load({})
    cpu = await (cpuEntry satisfies EngineEntry).load({ precision: 'f32' })
  })
  afterAll(() => {
    healthy.dispose()
    cpu.dispose()
  })

  /** Runs `what` on an engine that fails; each run must be that of the GPU or that of the cpu engine. @returns how many were the GPU's */
  async function expectTakenOver(options: Partial<WebgpuOptions>, what: RunRequest, note: RegExp): Promise<number> {
    const onGpu = await runsOf(healthy, what)
    const onCpu = await runsOf(cpu, what)
    const failing = await load(options)
    try {
      const got = await runsOf(failing, what)
      expect([...got.start]).toEqual(numbers)
      let same = 0
      for (let r = 0; r < count; r++) {
        const at = (block: RunBlock): Float64Array => block.theta.subarray(r * P, (r + 1) * P)
        const isGpu = at(got).every((v, p) => Object.is(v, at(onGpu)[p])) && got.steps[r] === onGpu.steps[r]
        if (isGpu) same++
        else expectSame(at(got), at(onCpu), `run ${r}, which the processor took over`)
      }
      const notes = failing.notes ?? []
      expect(notes[0]).toMatch(note)
      expect(notes[1]).toMatch(/^No GPU was left, so that the cpu engine went on \(f32\)\.$/)
      expect(notes).toHaveLength(2)
      // The engine goes on to work, without the GPU.
      const objective = await failing.prepare(problem)
      const theta = points(problem, 3)
      const exact = await (await cpu.prepare(problem)).evaluate(theta, { g: true })
      expectSame((await objective.evaluate(theta, { g: true })).g!, exact.g!, 'g after the fault')
      return same
    } finally {
      failing.dispose()
    }
  }

  it('by hanging is ended, and the cpu engine finishes what was not delivered', async () => {
    const same = await expectTakenOver(
      { faults: [{ hangAfter: 20 }], patienceMilliseconds: 8000 },
      request('gd'),
      /^The process that holds the GPU was ended because its device did not answer for 8 s\. \d+ runs that it had begun were run again elsewhere\.$/
    )
    expect(same).toBeGreaterThan(0)
    expect(same).toBeLessThan(count)
  })

  it('by the end of its process hands over, and the sentence has no warnings of drivers in it', async () => {
    const others = childrenOf(process.pid)
    const failing = await load({})
    const own = childrenOf(process.pid).filter(pid => !others.includes(pid))
    try {
      expect(own).toHaveLength(1)
      const objective = await failing.prepare(problem)
      const starts: number[] = []
      for await (const block of objective.minimise(request('gd'))) {
        if (starts.length === 0) process.kill(own[0], 'SIGKILL')
        starts.push(...block.start)
      }
      expect(starts.sort((a, b) => a - b)).toEqual(numbers)
      // Whatever had been delivered by then.
      await expect(objective.evaluate(points(problem, 2), { g: true })).resolves.toBeDefined()
      expect(failing.notes![0]).toMatch(
        /^The process that holds the GPU ended with signal SIGKILL\.( \d+ runs? that it had begun (was|were) run again elsewhere\.)?$/
      )
    } finally {
      failing.dispose()
    }
  })

  it('by being lost hands over, mini-batches of the same rows included', async () => {
    const same = await expectTakenOver(
      { faults: [{ loseAfter: 20 }] },
      request('adam, mini-batches'),
      /^The GPU .*SwiftShader.* was lost \(.*\)\. \d+ runs that it had begun were run again elsewhere\.$/
    )
    expect(same).toBeGreaterThan(0)
    expect(same).toBeLessThan(count)
  })

  it('by being lost hands over what runs bring of their own', async () => {
    const inputs = {
      ridge: Float64Array.from({ length: count * P }, (_, k) => (k % 5) / 8),
      draws: { order: Float64Array.from(numbers, i => 7 * i) },
      rows: { how: { kind: 'bootstrap', seed: 3 }, numbers: Float64Array.from(numbers, i => i % 9) }
    } as const
    const what = request('adam, mini-batches', { inputs })
    expect(await expectTakenOver({ faults: [{ loseAfter: 20 }] }, what, /was lost/)).toBeLessThan(count)
  })

  it('by being lost hands over given starts', async () => {
    const theta = points(problem, count)
    const what = request('gd, mini-batches', { starts: givenStarts(theta, count) })
    expect(await expectTakenOver({ faults: [{ loseAfter: 1 }] }, what, /was lost/)).toBeLessThan(count)
  })

  it('beside another one leaves the rest to that: every run is as if nothing had happened', async () => {
    for (const what of [request('gd'), request('adam, shared mini-batches')]) {
      const whole = await runsOf(healthy, what)
      const pair = await load({ open: [gpuName, gpuName], faults: [{ loseAfter: 0 }] })
      try {
        // One that is late gets no runs when the other is quick; the next time it is not.
        while (pair.notes!.length === 0) {
          const got = await runsOf(pair, what)
          expect([...got.start]).toEqual(numbers)
          expectSame(got.theta, whole.theta, 'θ')
          expectSame(got.steps, whole.steps, 'steps')
        }
        expect(pair.notes).toHaveLength(1)
        expect(pair.notes![0]).toMatch(/was lost/)
      } finally {
        pair.dispose()
      }
    }
  })

  it('by having too little memory runs fewer lanes, which changes no run', async () => {
    // 256 lanes of a Hessian do not fit, 64 do.
    const mostBytes = 4 * P * P * 100
    const what = { ...request('newton'), lanes: 256 }
    let lanes: number[] = []
    const all = (busy: number, steps: number): void => void lanes.push(busy, steps)
    const whole = await runsOf(healthy, { ...what, onOccupancy: all })
    const small = await load({ faults: [{ mostBytes }] })
    try {
      const got = await runsOf(small, { ...what, onOccupancy: all })
      expectSame(got.theta, whole.theta, 'θ')
      expect([...got.start]).toEqual(numbers)
      expect(small.notes).toEqual([])
      // The same work in another number of lane-steps.
      const [busy, steps, busySmall, stepsSmall] = lanes
      expect(busySmall).toBe(busy)
      expect(steps % 256).toBe(0)
      expect(stepsSmall % 64).toBe(0)
      expect(stepsSmall % 256 !== 0 || stepsSmall < steps).toBe(true)
      lanes = []
      // Evaluations too are cut into parts that fit.
      const theta = points(problem, 150)
      const [a, b] = await Promise.all(
        [healthy, small].map(async engine => (await engine.prepare(problem)).evaluate(theta, { H: true }))
      )
      expectSame(b.H!, a.H!, 'H in parts')
    } finally {
      small.dispose()
    }
  })

  it('by having no memory at all is given up', async () => {
    const none = await load({ faults: [{ mostBytes: 256 }] })
    try {
      const got = await runsOf(none, request('gd'))
      expectSame(got.theta, (await runsOf(cpu, request('gd'))).theta, 'θ')
      expect(none.notes![0]).toMatch(/^The GPU .* has too little memory/)
    } finally {
      none.dispose()
    }
  })

  it('with nothing to take over says what happened to it', async () => {
    const alone = await load({ faults: [{ loseAfter: 0 }], fallback: undefined as never })
    try {
      await expect(runsOf(alone, request('gd'))).rejects.toThrow(/^The GPU .* was lost/)
    } finally {
      alone.dispose()
    }
  })
})
