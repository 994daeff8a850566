// Searching on a GPU and certifying on the processor overlap: neither waits for the other. The GPU fails at a known number of runs, so
// that what happened before and after needs no clock.
import { describe, expect, it } from 'vitest'
import { cpuEntry } from '../../../src/engines/cpu/index.js'
import { webgpuEntry, type WebgpuOptions } from '../../../src/engines/webgpu/index.js'
import type { Engine } from '../../../src/engines/types.js'
import { resolveConfig } from '../../../src/study/config.js'
import { runInMemory, type Outcome } from '../../../src/study/session.js'
import { setUp } from '../../../src/study/setup.js'
import { candidates, collect } from '../../helpers/engines.js'
import { givenStarts, stay } from '../../helpers/runs.js'

/** Six blocks, of which two are certified at a time. */
const count = 12288
const config = {
  data: { builtin: 'iris2', features: ['Petal.Length'], standardize: true },
  model: { ridge: 0.1 },
  starts: { count, init: { uniform: 1 } },
  optimizer: 'newton',
  engine: 'cpu',
  precision: 'f64'
}

/** A study whose search runs on a GPU with faults; `onJudged` is awaited after each block has been certified. */
async function searchOn(
  options: Partial<WebgpuOptions>,
  onJudged: (engine: Engine, judged: number) => Promise<void> | void
): Promise<{ outcome: Outcome; notes: readonly string[] }> {
  const setup = await setUp(resolveConfig(config, 'the study'))
  const engine = await webgpuEntry.load({
    precision: 'f32',
    open: ['SwiftShader'],
    fallback: () => cpuEntry.load({ precision: 'f32' }),
    ...options
  })
  try {
    const objective = await engine.prepare(setup.problem)
    let judged = 0
    const outcome = await runInMemory(
      { ...setup, objective },
      {
        onRuns(runs) {
          judged += runs.count
          return onJudged(engine, judged)
        }
      }
    )
    return { outcome, notes: engine.notes ?? [] }
  } finally {
    engine.dispose()
    setup.dispose()
  }
}

describe.runIf(candidates.some(c => c.name === 'webgpu' && c.label.includes('SwiftShader')))(
  'search and certification',
  () => {
    it('the GPU goes on while no block gets certified', async () => {
      let before = 0
      const { outcome, notes } = await searchOn({ faults: [{ loseAfter: count / 2 }] }, async (engine, judged) => {
        // No block leaves before the GPU has delivered half of all runs.
        while (engine.notes!.length === 0) {
          before = Math.max(before, judged)
          await new Promise(resolve => setTimeout(resolve, 10))
        }
      })
      expect(notes[0]).toMatch(/was lost/)
      expect(before).toBeGreaterThan(0)
      expect(before).toBeLessThan(count / 2)
      expect(outcome.runs).toBe(count)
    })

    it('blocks get certified while the GPU is busy', async () => {
      let before = 0
      const { outcome, notes } = await searchOn(
        { faults: [{ hangAfter: count / 2 }], patienceMilliseconds: 8000 },
        (engine, judged) => {
          // An endless dispatch is under way until the watch ends it.
          if (engine.notes!.length === 0) before = judged
        }
      )
      expect(notes[0]).toMatch(/did not answer/)
      expect(before).toBeGreaterThanOrEqual(count / 4)
      expect(outcome.runs).toBe(count)
    })

    it('a study that is stopped after the last GPU failed ends', async () => {
      const setup = await setUp(resolveConfig(config, 'the study'))
      const engine = await webgpuEntry.load({
        precision: 'f32',
        open: ['SwiftShader'],
        faults: [{ loseAfter: 0 }],
        fallback: () => cpuEntry.load({ precision: 'f32' })
      } as WebgpuOptions)
      try {
        const objective = await engine.prepare(setup.problem)
        const stop = new AbortController()
        const request = {
          program: stay(),
          starts: givenStarts(new Float64Array(2 * count), count),
          stop: { steps: 3, gradient: 0 },
          blockRuns: 100
        }
        let runs = 0
        for await (const block of objective.minimise({ ...request, signal: stop.signal })) {
          runs += block.count
          // Others wait to be taken by now.
          await new Promise(resolve => setTimeout(resolve, 20))
          stop.abort()
        }
        expect(runs).toBe(100)
        // As does one whose consumer leaves.
        for await (const block of objective.minimise(request)) {
          runs += block.count
          break
        }
        expect(runs).toBe(200)
        expect((await collect(objective, request)).count).toBe(count)
      } finally {
        engine.dispose()
        setup.dispose()
      }
    })
  }
)
