// Ctrl-C: the study stops, saves what it has and says so.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Summary } from '../../src/core/result.js'
import { freshOut, manystart } from './helpers.js'

const requested = 10_000_000
const flags = ['--data', 'iris2', '--standardize', '--hidden', 4, '--ridge', 0.01, '--starts', requested] as const

describe('Ctrl-C', () => {
  it.each([
    { signal: 'SIGINT', engine: ['--engine', 'auto'] },
    { signal: 'SIGTERM', engine: ['--engine', 'auto'] },
    // As from a terminal, where the engine's process gets it too.
    {
      signal: 'SIGINT',
      engine: ['--engine', 'tensorflow', '--device', 'wasm', '--batch', 64],
      signalAll: true
    }
  ] as const)('($signal, $engine) stops a study after saving the runs that are done', async c => {
    const { signal, engine } = c
    const out = freshOut()
    const outcome = await manystart(['study', ...flags, ...engine, '--out', out], {
      signalAll: 'signalAll' in c,
      onStart: running => {
        let sent = false
        // The first progress line says that runs are ending.
        running.onStderr(() => {
          if (!sent) running.kill(signal)
          sent = true
        })
      }
    })
    expect(outcome.signal).toBe(null)
    expect(outcome.code, outcome.stderr).toBe(0)
    expect(outcome.stderr).toMatch(/saved/)
    const summary = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as Summary
    expect(summary.interrupted).toBe(true)
    expect(summary.startsRequested).toBe(requested)
    expect(summary.starts).toBeGreaterThan(0)
    expect(summary.starts).toBeLessThan(requested)
    const counted = Object.values(summary.verdicts).reduce((sum, count) => sum + count, 0)
    expect(counted).toBe(summary.starts)
    expect(readdirSync(out).sort()).toEqual(['report.html', 'runs.parquet', 'study.json', 'summary.json'])
  })

  it('a second time ends the program at once and leaves nothing half-written', async () => {
    const out = freshOut()
    const outcome = await manystart(['study', ...flags, '--out', out], {
      onStart: running => {
        // One for the first line of progress, another when the program says that it stops.
        running.onStderr(text => {
          if (/runs|again/.test(text)) running.kill('SIGINT')
        })
      }
    })
    // It may have been done with saving before the second one came.
    if (outcome.code !== 0) {
      expect(outcome.code).toBe(130)
      expect(existsSync(out)).toBe(false)
    } else expect(readdirSync(out).some(name => name.startsWith('.'))).toBe(false)
  })
})
