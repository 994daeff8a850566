// A program that is suspended, by a shell or by a scheduler that wants its cores for another job, goes on where it was.
import { expect, it } from 'vitest'
import { webgpuEntry, type WebgpuOptions } from '../../src/engines/webgpu/index.js'
import { candidates, collect } from '../helpers/engines.js'
import { makeProblem } from '../helpers/problems.js'
import { childrenOf } from '../helpers/processes.js'
import { methods, randomStarts, rule } from '../helpers/runs.js'
import { expectSame } from '../helpers/tolerance.js'

const present = candidates.some(c => c.name === 'webgpu' && c.label.includes('SwiftShader'))
const problem = makeProblem({ loss: 'logistic', hidden: [3], inputs: 2, rows: 19, ridge: 0.0625, penalizeBias: true })
const patienceMilliseconds = 6000
const count = 300

it.runIf(present).each([
  ['the whole program', true],
  ['the program without the process of its GPU', false]
])('%s: the GPU is not taken for hung', async (_, all) => {
  const others = childrenOf(process.pid)
  const options: WebgpuOptions = { precision: 'f32', open: ['SwiftShader'], patienceMilliseconds }
  const engine = await webgpuEntry.load(options)
  const own = childrenOf(process.pid).filter(pid => !others.includes(pid))
  expect(own).toHaveLength(1)
  try {
    const objective = await engine.prepare(problem)
    const request = {
      ...rule(
        methods.find(m => m.label === 'gd')!,
        problem,
        'f32'
      ),
      starts: randomStarts(count),
      stop: { steps: 200, gradient: 0 },
      lanes: 64,
      blockRuns: 10
    }
    const undisturbed = await collect(objective, request)
    const runs = new Map<number, number>()
    let blocks = 0
    for await (const block of objective.minimise(request)) {
      if (blocks++ === 1) {
        if (all) process.kill(own[0], 'SIGSTOP')
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1.3 * patienceMilliseconds)
        if (all) process.kill(own[0], 'SIGCONT')
      }
      block.start.forEach((start, i) => runs.set(start, block.loss[i]))
    }
    expect(blocks).toBeGreaterThan(3)
    expect(engine.notes ?? []).toEqual([])
    expectSame(
      Float64Array.from(undisturbed.start, start => runs.get(start)!),
      undisturbed.loss,
      'losses'
    )
  } finally {
    engine.dispose()
  }
})
