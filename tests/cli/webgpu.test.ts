// The built program on a software GPU, and on a machine whose Vulkan loader knows no driver.
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Summary } from '../../src/core/result.js'
import { useSwiftshader } from '../helpers/swiftshader.js'
import { epsOf, expectAllClose, expectClose } from '../helpers/tolerance.js'
import { expectRefusal, freshOut, manystart } from './helpers.js'

const name = useSwiftshader()
/** Loader and driver are those of Linux. */
const noDriver = { VK_DRIVER_FILES: '/no-such-driver.json' }

describe.runIf(name !== undefined)('with a software GPU', () => {
  it('a study takes it by a part of its name, and all there are', async () => {
    for (const device of ['swift', 'all']) {
      const flags = ['--data', 'iris2', '--engine', 'webgpu', '--device', device, '--starts', 100, '--json', '--quiet']
      const outcome = await manystart(['study', ...flags, '--out', freshOut()])
      expect(outcome.code, outcome.stderr).toBe(0)
      const { engine, minima, verdicts } = JSON.parse(outcome.stdout) as Summary
      expect(engine).toMatchObject({ name: 'webgpu', precision: 'f32' })
      expect(verdicts.minimum).toBe(100)
      expect(minima).toHaveLength(1)
      // As R's summary(glm(...)) prints them: coefficients, and the residual deviance over 100 rows.
      const printed = [-42.638, -2.465, -6.681, 9.429, 18.286]
      expectAllClose(minima[0].parameters, printed, 0.0005, 'coefficients')
      expectClose(200 * minima[0].loss, 11.899, 0.0005, 'deviance')
      expectClose(minima[0].gradientNorm, 0, 1e4 * epsOf.f64, 'gradient')
    }
  })

  it('engines lists it, and auto passes over it', async () => {
    const { stdout } = await manystart(['engines'])
    expect(stdout).toMatch(/^webgpu +ready \(f32\): /m)
    expect(stdout).toMatch(/^ {2}.*SwiftShader.* ready: /m)
    expect(stdout).toMatch(/^auto takes (webgpu|tensorflow|cpu.*SwiftShader.*computes on the processor)/m)
  })

  it('says which devices there are when none has the name', async () => {
    const out = freshOut()
    const outcome = await manystart([
      'study',
      '--data',
      'iris2',
      '--engine',
      'webgpu',
      '--device',
      'Voodoo',
      '--out',
      out
    ])
    expectRefusal(outcome, 2, /^The webgpu engine has no device "Voodoo" \(.*SwiftShader.*\)\.$/m)
    expect(existsSync(out)).toBe(false)
  })
})

describe.runIf(process.platform === 'linux')('without a driver', () => {
  it('a study ends with what is missing and what to do', async () => {
    const out = freshOut()
    for (const more of [[], ['--device', 'all']]) {
      const flags = ['--data', 'iris2', '--engine', 'webgpu', ...more, '--out', out]
      expectRefusal(
        await manystart(['study', ...flags], { env: noDriver }),
        1,
        /No GPU was found; install its driver and the Vulkan loader .*, or use --engine cpu\.$/m
      )
      expect(existsSync(out)).toBe(false)
    }
  })

  it('a benchmark of nothing fails', async () => {
    const outcome = await manystart(['bench', 'kernels', '--engine', 'webgpu', '--sizes', 'small', '--quiet'], {
      env: noDriver
    })
    expect(outcome.stdout).toMatch(/^ *webgpu: No GPU was found; /m)
    expect(outcome.code).toBe(1)
  })
})
