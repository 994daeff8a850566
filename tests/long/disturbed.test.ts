// Programs that are killed, inputs that are spoilt, and many studies in one process: what scripts/ do at length.
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { study, type StudyInput } from '../../src/index.js'
import { candidates } from '../helpers/engines.js'
import { root } from '../cli/helpers.js'

/** Runs a script of this repository; its last line, or all that it said where it failed. */
function script(path: string, args: readonly string[]): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve, reject) => {
    const runner = join(root, 'node_modules', 'vite-node', 'vite-node.mjs')
    const child = spawn(process.execPath, [runner, join(root, path), '--', ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe']
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (more: string) => (text += more))
    child.once('error', reject)
    child.once('close', code => resolve({ code, text: code === 0 ? (text.trim().split('\n').at(-1) ?? '') : text }))
  })
}

it('50 kills at random moments lose nothing', { timeout: 1_500_000 }, async () => {
  const { code, text } = await script('scripts/torture/main.ts', ['--kills', '50', '--seed', '2026'])
  expect(code, text).toBe(0)
  expect(Number(/^(\d+) kills survived/.exec(text)?.[1])).toBeGreaterThanOrEqual(50)
})

/** Flags of every engine and device beside the cpu engine, which the test above is of. */
const others = new Map(
  candidates
    .filter(({ name }) => name !== 'cpu')
    .map(({ name, device }) => [`${name} ${device ?? ''}`.trim(), [name, device] as const])
)
it.each([...others])('kills at random moments lose nothing on %s', { timeout: 900_000 }, async (_, [name, device]) => {
  const where = ['--engine', name, ...(device === undefined ? [] : ['--device', device])]
  const { code, text } = await script('scripts/torture/main.ts', ['--kills', '2', '--seed', '2027', ...where])
  expect(code, text).toBe(0)
})

it('2000 spoilt inputs end in time, each with a sentence', { timeout: 900_000 }, async () => {
  const { code, text } = await script('scripts/fuzz/main.ts', ['--cases', '2000', '--seed', '1'])
  expect(code, text).toBe(0)
  expect(text).toMatch(/^2000 cases, .*; 0 wrong$/)
})

describe('300 studies in one process, a third of them aborted', () => {
  const x = Array.from({ length: 40 }, (_, i) => Math.sin(i))
  const y = x.map((v, i) => Number(v + Math.cos(3 * i) > 0))
  const raw = (seed: number): StudyInput => ({
    data: { columns: { x, y }, target: 'y' },
    model: { hidden: [2], ridge: 0.01 },
    starts: { count: 200, seed },
    engine: 'cpu'
  })

  async function some(from: number, count: number): Promise<void> {
    for (let k = from; k < from + count; k++) {
      const controller = new AbortController()
      const options = {
        threads: 2,
        signal: controller.signal,
        ...(k % 3 === 0 ? { onProgress: () => controller.abort() } : {})
      }
      const summary = await study(raw(k), options).catch((error: unknown) => {
        expect(String(error)).toMatch(/stopped before its first run/)
      })
      if (k % 3 !== 0) expect(summary?.starts).toBe(200)
    }
  }

  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  /** Bytes of objects and of arrays that are still in use. */
  const held = (): number => {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  /** Bytes of the process that are in memory. */
  const resident = (): number => {
    collect()
    return process.memoryUsage().rss
  }
  const threads = (): number => readdirSync('/proc/self/task').length
  const files = (): number => readdirSync('/proc/self/fd').length

  it('leave no handles, and memory does not grow', { timeout: 900_000 }, async () => {
    // The first ones load code and fill pools.
    await some(0, 100)
    const before = { memory: held(), native: resident(), threads: threads(), files: files() }
    await some(100, 200)
    expect(threads()).toBeLessThanOrEqual(before.threads)
    expect(files()).toBeLessThanOrEqual(before.files)
    // A problem, a report or the rows of one study left behind by each would be over 50 kB each.
    expect(held() - before.memory).toBeLessThan(200 * 50e3)
    // What the addon allocates is in no heap of JavaScript: its lanes and programs take some 100 kB for a study. Pages come and go.
    expect(resident() - before.native).toBeLessThan(200 * 100e3)
  })
})
