// The built program where two GPUs have one name.
import { twoGpus } from '../helpers/sameName.js'
import { describe, expect, it } from 'vitest'
import type { Summary } from '../../src/core/result.js'
import { layerBuilt } from '../../src/engines/webgpu/host/layer.js'
import { drivers } from '../helpers/sameName.js'
import { freshOut, manystart } from '../cli/helpers.js'

describe.runIf(twoGpus && layerBuilt())('two GPUs of one name', () => {
  it('are listed one by one', async () => {
    const { stdout, code } = await manystart(['engines'])
    expect(code).toBe(0)
    const lines = [1, 2].map(
      number => new RegExp(`^ {2}SwiftShader Device .*#${number} +ready: (.*)$`, 'm').exec(stdout)?.[1]
    )
    for (const driver of drivers) expect(lines.filter(line => line?.includes(driver))).toHaveLength(1)
  })

  it('give a study together what one of them gives', async () => {
    const study = async (device: string): Promise<Summary> => {
      const data = ['--data', 'iris2', '--standardize', '--hidden', 2, '--ridge', 0.001]
      const flags = ['--engine', 'webgpu', '--device', device, '--starts', 120, '--json', '--quiet']
      const outcome = await manystart(['study', ...data, ...flags, '--out', freshOut()])
      expect(outcome.code, outcome.stderr).toBe(0)
      return JSON.parse(outcome.stdout) as Summary
    }
    const [one, all] = [await study('#2'), await study('all')]
    expect(one.engine.device).toMatch(/#2/)
    expect(all.engine.device).toMatch(/#1.*#2/)
    for (const driver of drivers) expect(all.engine.device).toContain(driver)
    expect(all.verdicts).toEqual(one.verdicts)
    expect(all.minima.length).toBeGreaterThan(1)
    expect(all.minima).toEqual(one.minima)
  })
})
