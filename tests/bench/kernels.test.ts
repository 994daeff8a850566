// `bench kernels`: the shape that scripts read, operation counts by hand, and that a wrong kernel scores nothing.
import { describe, expect, it } from 'vitest'
import { benchKernels, type KernelOptions } from '../../src/bench/kernels/kernels.js'
import { parseGpus } from '../../src/bench/machine.js'
import {
  kernelNames,
  recordKey,
  type KernelName,
  type KernelRecord,
  type KernelResults
} from '../../src/bench/kernels/records.js'
import { gradientFlops, hessianFlops, pointsFor, problemOfSize, smallSizes } from '../../src/bench/kernels/sizes.js'
import { occupancyInBatches } from '../../src/bench/kernels/studies.js'
import { kernelText, ratioTable } from '../../src/bench/kernels/tables.js'
import { engines } from '../../src/engines/registry.js'
import { referenceEntry } from '../../src/engines/reference/index.js'
import type { DeviceEntry, Engine, EngineEntry, Objective } from '../../src/engines/types.js'
import type { Network, Problem } from '../../src/models/types.js'

const options = (given: Partial<KernelOptions>): KernelOptions => ({
  engines: [referenceEntry],
  kernels: kernelNames,
  sizes: smallSizes,
  threads: [1],
  secondsPerKernel: 0.005,
  studyScale: 0.01,
  ...given
})

/** The reference engine with one part of its results changed. */
function broken(change: (objective: Objective) => Partial<Objective>): EngineEntry {
  return {
    ...referenceEntry,
    async load(o) {
      const engine = await referenceEntry.load(o)
      const wrong: Engine = {
        name: engine.name,
        precision: engine.precision,
        device: engine.device,
        threads: engine.threads,
        async prepare(problem) {
          const good = await engine.prepare(problem)
          return {
            problem: good.problem,
            parameters: good.parameters,
            evaluate: (t, n) => good.evaluate(t, n),
            score: (t, d) => good.score(t, d),
            minimise: r => good.minimise(r),
            dispose: () => good.dispose(),
            ...change(good)
          }
        },
        timer: problem => engine.timer!(problem),
        dispose: () => engine.dispose()
      }
      return wrong
    }
  }
}

const small: readonly KernelName[] = ['gradient', 'hessian', 'update', 'eigh']

describe('records', () => {
  it('have the fields that scripts read, for every kernel and engine that runs here', async () => {
    const results = await benchKernels(
      options({ engines: engines.filter(e => e.name === 'cpu' || e.name === 'reference') })
    )
    expect(results.machine.cpu.cores).toBeGreaterThan(0)
    expect(new Set(results.records.map(r => r.kernel))).toEqual(new Set(kernelNames))
    for (const r of results.records) {
      expect(Object.keys(r).slice(0, 8)).toEqual([
        'engine',
        'precision',
        'kernel',
        'sizes',
        'perSecond',
        'gflops',
        'peakGflops',
        'share'
      ])
      expect(Object.keys(r.sizes)).toEqual(['N', 'D', 'hidden', 'P', 'R'])
      expect(r.error, recordKey(r)).toBeUndefined()
      expect(r.perSecond).toBeGreaterThan(0)
      expect(r.seconds.length).toBeGreaterThan(0)
      if (r.share !== null) expect(r.share).toBeCloseTo(r.gflops! / r.peakGflops!, 12)
    }
    expect(new Set(results.records.map(recordKey)).size).toBe(results.records.length)
    for (const width of [60, 80, 120]) {
      const text = kernelText(results, width)
      expect(text).toContain('reference f64')
      expect(text).not.toMatch(/undefined|NaN/)
      for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(width)
    }
  })
})

describe('a wrong kernel scores nothing', () => {
  const expectWrong = async (entry: EngineEntry, wrong: readonly KernelName[]): Promise<void> => {
    const { records } = await benchKernels(options({ engines: [entry], kernels: small }))
    for (const r of records) {
      const isWrong = wrong.includes(r.kernel)
      expect(r.perSecond === 0, `${recordKey(r)} ${r.error ?? ''}`).toBe(isWrong)
      expect(r.error === undefined).toBe(!isWrong)
      if (isWrong) {
        expect(r.gflops).toBe(0)
        expect(r.share).toBe(0)
        expect(r.error).toMatch(/differs from the reference by/)
      }
    }
  }

  it('a gradient with one element off', () =>
    expectWrong(
      broken(good => ({
        async evaluate(theta, needs) {
          const e = await good.evaluate(theta, needs)
          if (e.g && !needs.H) e.g[1] += 1e-6
          return e
        }
      })),
      ['gradient']
    ))

  it('a Hessian that holds a NaN', () =>
    expectWrong(
      broken(good => ({
        async evaluate(theta, needs) {
          const e = await good.evaluate(theta, needs)
          if (e.H) e.H[2] = NaN
          return e
        }
      })),
      ['hessian']
    ))

  it('runs that end elsewhere', () =>
    expectWrong(
      broken(good => ({
        async *minimise(request) {
          for await (const block of good.minimise(request))
            yield { ...block, theta: block.theta.map(v => v + 1e-3), loss: block.loss.map(v => v * 1.01) }
        }
      })),
      ['update', 'eigh']
    ))
})

describe('an engine that cannot run', () => {
  it('is named with its reason', async () => {
    const absent: EngineEntry = {
      ...referenceEntry,
      available: () => Promise.resolve({ ok: false, reason: 'No card.' })
    }
    const { records, missing } = await benchKernels(options({ engines: [absent], kernels: small }))
    expect(records).toEqual([])
    expect(missing).toEqual([{ engine: 'reference', reason: 'No card.' }])
  })
})

/** The reference engine on devices of those names, and which of them were loaded. */
function listing(devices: readonly DeviceEntry[]): { entry: EngineEntry; loaded: (string | undefined)[] } {
  const loaded: (string | undefined)[] = []
  const entry: EngineEntry = {
    ...referenceEntry,
    devices: () => Promise.resolve(devices),
    load: o => {
      loaded.push(o.device)
      return referenceEntry.load({ precision: o.precision })
    }
  }
  return { entry, loaded }
}

describe('devices', () => {
  const works = { ok: true, detail: 'here' } as const
  const run = (entry: EngineEntry, devices?: readonly string[]): Promise<KernelResults> =>
    benchKernels(
      options({ engines: [entry], kernels: ['gradient'], sizes: [smallSizes[0]], ...(devices ? { devices } : {}) })
    )

  it('are all measured, each under its name; one that cannot run is named with its reason', async () => {
    const { entry, loaded } = listing([
      { name: 'fast', support: works },
      { name: 'none', support: { ok: false, reason: 'No card.' } },
      { name: 'slow', support: works }
    ])
    const { records, missing, engines: measured } = await run(entry)
    expect(loaded).toEqual(['fast', 'slow'])
    expect(records.map(r => r.device)).toEqual(['fast', 'slow'])
    expect(new Set(records.map(recordKey)).size).toBe(2)
    expect(measured?.map(m => m.device)).toEqual(['fast', 'slow'])
    expect(missing).toEqual([{ engine: 'reference', device: 'none', reason: 'No card.' }])
    expect((await run(entry, ['slow'])).records.map(r => r.device)).toEqual(['slow'])
  })

  it('a software GPU beside hardware is measured only when named, alone always', async () => {
    const software = { name: 'software', support: { ...works, software: true } }
    const { entry } = listing([{ name: 'card', support: works }, software])
    const both = await run(entry)
    expect(both.records.map(r => r.device)).toEqual(['card'])
    expect(both.missing.map(m => m.device)).toEqual(['software'])
    expect((await run(entry, ['software'])).records.map(r => r.device)).toEqual(['software'])
    expect((await run(listing([software]).entry)).records.map(r => r.device)).toEqual(['software'])
  })
})

it('a kernel of which a repeat would take more than 2 s, going by the size before, is left out', async () => {
  const slow: EngineEntry = {
    ...referenceEntry,
    async load(o) {
      const engine = await referenceEntry.load(o)
      return {
        name: engine.name,
        precision: engine.precision,
        device: engine.device,
        threads: 1,
        prepare: p => engine.prepare(p),
        dispose: () => engine.dispose(),
        timer: problem => ({
          lanes: 4,
          time: (_kernel, _theta, repeats) => Promise.resolve(new Float64Array(repeats).fill(0.15 * problem.rows)),
          timeSteps: () => Promise.reject(new Error('no updates are asked for'))
        })
      }
    }
  }
  const sizes = [10, 13, 14, 5].map(N => ({ N, D: 3, hidden: [] }))
  const { records, missing } = await benchKernels(options({ engines: [slow], kernels: ['gradient'], sizes }))
  expect(records.map(r => r.sizes.N)).toEqual([10, 13, 5])
  expect(missing).toEqual([
    {
      engine: 'reference',
      precision: 'f64',
      kernel: 'gradient',
      reason: 'N=14 P=4 R=4 is left out: one repeat would take about 2.1 s, more than 2 s.'
    }
  ])
})

it('rates of the other f32 engines stand beside the cpu engine, one thread beside one thread, wrong ones nowhere', async () => {
  const { records } = await benchKernels(options({ kernels: ['gradient'] }))
  const [one, two] = records
  const like = (r: KernelRecord, change: Partial<KernelRecord>): KernelRecord => ({ ...r, precision: 'f32', ...change })
  const table = ratioTable([
    like(one, { engine: 'cpu', perSecond: 3000 }),
    like(two, { engine: 'cpu', perSecond: 5000 }),
    like(two, { engine: 'cpu', precision: 'f64', perSecond: 7 }),
    like(one, { engine: 'tensorflow', device: 'cpu', perSecond: 20 }),
    like(two, { engine: 'tensorflow', device: 'cpu', perSecond: 1, error: 'differs' }),
    like(one, { engine: 'tensorflow', device: 'wasm', perSecond: 1200 }),
    like(two, { engine: 'tensorflow', device: 'wasm', perSecond: 4000 })
  ])!
  expect([table.head, ...table.rows].map(row => [row[0], ...row.slice(5)])).toEqual([
    ['kernel', 'cpu f32', 'tensorflow cpu f32', 'cpu f32 over it', 'tensorflow wasm f32', 'cpu f32 over it'],
    ['gradient', '3 k/s', '20/s', '150×', '1.2 k/s', '2.50×'],
    ['gradient', '5 k/s', '–', '–', '4 k/s', '1.25×']
  ])
  expect(ratioTable(records)).toBeNull()
  const oneThread = like(one, { engine: 'cpu', perSecond: 3000 })
  expect(ratioTable([oneThread, like(one, { engine: 'tensorflow', threads: 2 })])).toBeNull()
})

/** Elements of the reference's Hessian, without penalty, of which no two are the same number. */
async function distinctElements(problem: Problem<Network>): Promise<number> {
  const engine = await referenceEntry.load({ precision: 'f64' })
  const objective = await engine.prepare({ ...problem, model: { ...problem.model, ridge: 0 } })
  const { H } = await objective.evaluate(pointsFor(problem, 1), { H: true })
  engine.dispose()
  const sorted = [...H!].sort((a, b) => a - b)
  // Equal elements differ by roundings alone, others at random points by much more.
  return sorted.filter((v, i) => i === 0 || v - sorted[i - 1] > 1e-12 * Math.max(Math.abs(v), 1e-3)).length
}

describe('operation counts', () => {
  it('one hidden layer: 4 D h per row', () => {
    expect(gradientFlops(problemOfSize({ N: 10, D: 7, hidden: [3] }))).toBe(4 * 7 * 3 * 10)
  })
  it('none: 4 D per row; two: 6 for each weight between hidden layers', () => {
    expect(gradientFlops(problemOfSize({ N: 10, D: 7, hidden: [] }))).toBe(4 * 7 * 10)
    expect(gradientFlops(problemOfSize({ N: 10, D: 7, hidden: [3, 2] }))).toBe((4 * 21 + 6 * 6) * 10)
  })
  it('Hessian: as many multiply-adds for each row as it has elements that differ', async () => {
    for (const size of [
      { N: 3, D: 3, hidden: [] },
      { N: 3, D: 2, hidden: [3] },
      { N: 3, D: 2, hidden: [3, 2] }
    ]) {
      const problem = problemOfSize(size)
      expect(hessianFlops(problem), JSON.stringify(size)).toBe(2 * size.N * (await distinctElements(problem)))
    }
  })
  it('one hidden layer in closed form, and never more than a triangle', () => {
    const [D, h] = [30, 16]
    const problem = problemOfSize({ N: 10, D, hidden: [h] })
    const first = ((h * (h + 1)) / 2) * (((D + 1) * (D + 2)) / 2)
    expect(hessianFlops(problem)).toBe(20 * (first + h * (D + 1) * (h + 1) + ((h + 1) * (h + 2)) / 2))
    const P = h * (D + 1) + h + 1
    expect(hessianFlops(problem)).toBeLessThan(10 * P * (P + 1))
  })
})

it('occupancy of batches that wait for their slowest run', () => {
  // (1 + 3) of 2·3 and 2 of 2·2, the last lane empty.
  expect(occupancyInBatches(Float64Array.of(1, 3, 2), 2)).toBe(6 / 10)
})

it('nvidia-smi lines, with fields that a card does not tell', () => {
  expect(parseGpus('NVIDIA X, 570.1, 1024, 1500, 70.5\nNVIDIA Y, 570.1, [N/A], [N/A], [N/A]\n')).toEqual([
    { name: 'NVIDIA X', driver: '570.1', memoryBytes: 2 ** 30, clockMegahertz: 1500, watts: 70.5 },
    { name: 'NVIDIA Y', driver: '570.1', memoryBytes: null, clockMegahertz: null, watts: null }
  ])
})
