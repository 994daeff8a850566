// Ctrl-C: the study stops, saves what it has and says so.
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Summary } from '../../src/core/result.js'
import { readList } from '../../src/runs/list.js'
import { useSwiftshader } from '../helpers/swiftshader.js'
import { freshOut, manystart } from './helpers.js'

const requested = 10_000_000
const flags = ['--data', 'iris2', '--standardize', '--hidden', 4, '--ridge', 0.01, '--starts', requested] as const

const wasm = ['--engine', 'tensorflow', '--device', 'wasm', '--batch', 64] as const
const gpu = useSwiftshader()

describe('Ctrl-C', () => {
  it.each([
    { signal: 'SIGINT', engine: ['--engine', 'auto'] },
    { signal: 'SIGTERM', engine: ['--engine', 'auto'] },
    { signal: 'SIGHUP', engine: ['--engine', 'auto'] },
    // As from a terminal, where the engine's process gets it too.
    ...(['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map(signal => ({ signal, engine: wasm, signalAll: true })),
    ...(gpu === undefined
      ? []
      : [{ signal: 'SIGHUP', engine: ['--engine', 'webgpu', '--device', gpu], signalAll: true } as const])
  ] as const)('($signal, $engine) stops a study after saving the runs that are done', async c => {
    const { signal, engine } = c
    const out = freshOut()
    const outcome = await manystart(['study', ...flags, ...engine, '--out', out], {
      signalAll: 'signalAll' in c,
      onStart: running => {
        let sent = false
        // The first progress line says that runs are ending.
        running.onStderr(text => {
          if (sent || !/^study: \d/m.test(text)) return
          running.kill(signal)
          sent = true
        })
      }
    })
    expect(outcome.signal).toBe(null)
    // So that `study && next` stops.
    expect(outcome.code, outcome.stderr).toBe(130)
    expect(outcome.stdout).toContain(`manystart study --resume ${out} goes on`)
    expect(outcome.stderr).toMatch(/saved/)
    // What is noted of an engine that broke down stays with the study.
    expect(outcome.stdout).not.toMatch(/ended with signal/)
    const summary = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as Summary
    expect(summary.interrupted).toBe(true)
    expect(summary.startsRequested).toBe(requested)
    expect(summary.starts).toBeGreaterThan(0)
    expect(summary.starts).toBeLessThan(requested)
    const counted = Object.values(summary.verdicts).reduce((sum, count) => sum + count, 0)
    expect(counted).toBe(summary.starts)
    expect(readdirSync(out).sort()).toEqual(['report.html', 'runs', 'study.json', 'summary.json'])
  })

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s again and again ends the program while it waits for a pipe that nobody writes',
    async signal => {
      const pipe = freshOut()
      execFileSync('mkfifo', [pipe])
      const outcome = await manystart(['study', '--data', pipe, '--target', 'y', '--starts', 5], {
        onStart: running => {
          // SIGHUP is the first bit, and the last that it begins to listen to.
          const status = (): string => readFileSync(`/proc/${running.pid}/status`, 'utf8')
          const hears = (): boolean => (BigInt(`0x${/SigCgt:\s*(\w+)/.exec(status())![1]}`) & 1n) === 1n
          const watch = setInterval(() => {
            if (!hears()) return
            clearInterval(watch)
            // The last one comes when the program has let go of its signals, and waits.
            const insist = setInterval(() => {
              if (!running.kill(signal)) clearInterval(insist)
            }, 50)
          }, 5)
        }
      })
      expect([outcome.code, outcome.signal]).toEqual([null, signal])
    }
  )

  it('a second time ends the program at once, and what had ended is on the disk', async () => {
    const out = freshOut()
    const outcome = await manystart(['study', ...flags, '--out', out], {
      onStart: running => {
        // One for the first line of progress, another when the program says that it stops.
        running.onStderr(text => {
          if (/^study: \d|again/m.test(text)) running.kill('SIGINT')
        })
      }
    })
    expect(outcome.code).toBe(130)
    const { parts, open } = await readList(out)
    expect(parts.length + open.length).toBeGreaterThan(0)
    const report = await manystart(['report', out])
    expect(report.code, report.stderr).toBe(0)
  })
})
