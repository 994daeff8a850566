// The kernels' own tests (kernels/cpu/tests), without Node: on every instruction set that this processor has, and on arm64 by a cross
// compiler and user-mode QEMU. Objects are those of the addon and of the package, where these have been made.
import { execFile, spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { root } from '../../scripts/bootstrap.mjs'

const folder = join(root, 'kernels/cpu')
// Not the synchronous call: Vitest gives up a worker whose event loop stands still for a minute.
const run = async (command: string, args: readonly string[]): Promise<string> =>
  (await promisify(execFile)(command, args, { cwd: folder, maxBuffer: 2 ** 26 })).stdout
const isInstalled = (tool: string): boolean => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0

/** Lines such as `avx2 (AVX2): 52942 hold, 0 do not`. */
const tried = (output: string): string[] => output.split('\n').filter(line => line.includes(' hold, '))

describe('the kernels, tried without Node', () => {
  it('hold on every instruction set of this processor', async () => {
    await run('make', [`-j${availableParallelism()}`, 'build/kernel_tests'])
    const lines = tried(await run('build/kernel_tests', []))
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) expect(line).toMatch(/: [1-9]\d+ hold, 0 do not$/)
  })

  const canEmulate = isInstalled('aarch64-linux-gnu-g++') && isInstalled('qemu-aarch64')
  it.skipIf(process.arch === 'arm64' || !canEmulate)('hold on NEON, emulated', async () => {
    const out = 'build/linux-arm64-glibc'
    const words = [`OUT=${out}`, 'CXX=aarch64-linux-gnu-g++', 'MACHINE=aarch64', `${out}/kernel_tests`]
    await run('make', [`-j${availableParallelism()}`, ...words])
    const lines = tried(await run('qemu-aarch64', ['-L', '/usr/aarch64-linux-gnu', `${out}/kernel_tests`]))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^base \(NEON\): [1-9]\d+ hold, 0 do not$/)
  })
})
