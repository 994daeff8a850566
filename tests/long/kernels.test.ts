// The kernels' own tests (kernels/cpu/tests), without Node: on every instruction set that this processor has, and on arm64 by a cross
// compiler and user-mode QEMU. Objects are those of the addon and of the package, where these have been made.
import { execFileSync, spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../../scripts/bootstrap.mjs'

const folder = join(root, 'kernels/cpu')
const run = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
const isInstalled = (tool: string): boolean => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0

/** Lines such as `avx2 (AVX2): 52942 hold, 0 do not`. */
const tried = (output: string): string[] => output.split('\n').filter(line => line.includes(' hold, '))

describe('the kernels, tried without Node', () => {
  it('hold on every instruction set of this processor', () => {
    run('make', [`-j${availableParallelism()}`, 'build/kernel_tests'])
    const lines = tried(run('build/kernel_tests', []))
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) expect(line).toMatch(/: [1-9]\d+ hold, 0 do not$/)
  })

  const canEmulate = isInstalled('aarch64-linux-gnu-g++') && isInstalled('qemu-aarch64')
  it.skipIf(process.arch === 'arm64' || !canEmulate)('hold on NEON, emulated', () => {
    const out = 'build/linux-arm64-glibc'
    const words = [`OUT=${out}`, 'CXX=aarch64-linux-gnu-g++', 'MACHINE=aarch64', `${out}/kernel_tests`]
    run('make', [`-j${availableParallelism()}`, ...words])
    const lines = tried(run('qemu-aarch64', ['-L', '/usr/aarch64-linux-gnu', `${out}/kernel_tests`]))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^base \(NEON\): [1-9]\d+ hold, 0 do not$/)
  })
})
