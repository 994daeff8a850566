// `manystart bench`: what it prints, and its exit codes.
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { KernelResults } from '../../src/bench/kernels/records.js'
import { expectRefusal, freshOut, json, manystart } from './helpers.js'

const tiny = ['bench', 'kernels', '--sizes', 'small', '--engine', 'reference'] as const

describe('bench kernels', () => {
  it('--json prints the result alone, the same as --out holds', async () => {
    const out = `${freshOut()}.json`
    const results = await json<KernelResults>([...tiny, '--kernel', 'gradient,update', '--json', '--out', out])
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(results)
    expect(results.format).toBe('manystart/bench')
    expect(new Set(results.records.map(r => r.kernel))).toEqual(new Set(['gradient', 'update']))
  })

  it('is what `bench` alone does', async () => {
    const { code, stdout, stderr } = await manystart(['bench', ...tiny.slice(2), '--kernel', 'gradient', '--quiet'])
    expect(code, stderr).toBe(0)
    expect(stderr).toBe('')
    expect(stdout).toMatch(/reference f64 +gradient/)
  })

  it('refuses what it does not know', async () => {
    expectRefusal(await manystart([...tiny, '--kernel', 'gradent']), 2, /"gradent"; did you mean gradient/)
    expectRefusal(await manystart(['bench', 'kernels', '--engine', 'gpu']), 2, /--engine is "gpu"/)
    expectRefusal(await manystart([...tiny, '--device', 'cuda']), 2, /reference has no devices to choose from/)
    expectRefusal(
      await manystart(['bench', 'kernels', '--engine', 'reference,tensorflow', '--device', 'wsm']),
      2,
      /--device is "wsm"; did you mean wasm/
    )
    expectRefusal(await manystart([...tiny, '--threads', '0']), 2, /--threads is "0"/)
    expectRefusal(
      await manystart([...tiny, '--threads', '1', '--threads', '2']),
      2,
      /--threads is given 2 times \(1, 2\)/
    )
    expectRefusal(
      await manystart([...tiny, '--starts', '2']),
      2,
      /`manystart bench kernels` has no flag --starts, though `contrast` has/
    )
    expectRefusal(
      await manystart([...tiny, '--size', 'small']),
      2,
      /Unknown flag --size of `manystart bench kernels`; did you mean --sizes/
    )
    expectRefusal(await manystart([...tiny, '--out', 'no/such/file.json']), 2, /directory of --out/)
    expect(existsSync('no')).toBe(false)
  })
})
