// An engine that breaks down in the middle of a study: one sentence, exit code 1, and the runs that had ended are saved.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Summary } from '../../src/core/result.js'
import { readRuns } from '../../src/runs/points.js'
import { childrenOf } from '../helpers/processes.js'
import { expectRefusal, freshOut, manystart } from './helpers.js'

describe('the process that holds TensorFlow is killed', () => {
  it('while a study runs: the runs that had ended are saved, and the sentence says where', async () => {
    const out = freshOut()
    const requested = 10_000_000
    const flags = ['--data', 'iris2', '--engine', 'tensorflow', '--starts', requested, '--steps', 3, '--out', out]
    let killed = 0
    const outcome = await manystart(['study', ...flags], {
      onStart: running =>
        running.onStderr(text => {
          // Such a progress line says that runs have ended.
          if (!/: [1-9].* of 10.000.000 runs/.test(text)) return
          for (const child of killed === 0 ? childrenOf(running.pid) : []) {
            process.kill(child, 'SIGKILL')
            killed++
          }
        })
    })
    expect(killed).toBe(1)
    const said = outcome.stderr.trim().split('\n').at(-1)!
    expect(said).toMatch(
      /TensorFlow ended with signal SIGKILL; use --engine cpu; the \d+ of 10000000 runs .* saved in .*\.$/
    )
    expect(said).toContain(out)
    expect(outcome.code).toBe(1)
    expect(outcome.stdout).toBe('')
    expect(readdirSync(out).sort()).toEqual(['report.html', 'runs', 'study.json', 'summary.json'])
    const summary = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as Summary
    expect(summary.interrupted).toBe(true)
    expect(summary.startsRequested).toBe(requested)
    expect(said).toContain(`the ${summary.starts} of`)
    let rows = 0
    for await (const part of readRuns(out)) rows += part.rows.count
    expect(rows).toBe(summary.starts)
  })

  it('before any run has ended: nothing is left behind', async () => {
    const out = freshOut()
    // The directory is there once the engine is, and no run ends for a long time.
    const flags = [
      '--engine',
      'tensorflow',
      '--hidden',
      '30,30',
      '--steps',
      100000,
      '--gradient',
      1e-30,
      '--starts',
      1000
    ]
    let killed = false
    const outcome = await manystart(
      ['study', '--data', 'iris2', ...flags, '--optimizer', 'gd', '--quiet', '--out', out],
      {
        onStart(running) {
          const watch = setInterval(() => {
            const children = childrenOf(running.pid)
            if (!existsSync(out) || children.length !== 1) return
            clearInterval(watch)
            killed = process.kill(children[0], 'SIGKILL')
          }, 50)
        }
      }
    )
    expect(killed).toBe(true)
    expectRefusal(outcome, 1, /^The process that holds TensorFlow ended with signal SIGKILL; use --engine cpu\.$/m)
    expect(existsSync(out)).toBe(false)
  })
})
