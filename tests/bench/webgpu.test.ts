// `bench kernels` on a GPU: every kernel is checked, timed and set beside a peak and a copy of the same run.
import { describe, expect, it } from 'vitest'
import { benchKernels } from '../../src/bench/kernels/kernels.js'
import { kernelText } from '../../src/bench/kernels/tables.js'
import { engines } from '../../src/engines/registry.js'
import { candidates } from '../helpers/engines.js'

const present = candidates.some(c => c.name === 'webgpu')

describe.runIf(present)('bench kernels --engine webgpu', () => {
  it('gives rates, shares of a peak, roofline and the time of a submit', async () => {
    const kernels = ['gradient', 'hessian', 'update', 'eigh'] as const
    const results = await benchKernels({
      engines: engines.filter(e => e.name === 'webgpu'),
      kernels,
      sizes: [{ N: 20, D: 2, hidden: [2] }],
      threads: [1],
      secondsPerKernel: 0.005,
      studyScale: 0.01
    })
    expect(results.missing).toEqual([])
    expect(new Set(results.records.map(r => r.kernel))).toEqual(new Set(kernels))
    for (const r of results.records) {
      expect(r.error).toBeUndefined()
      expect(r.perSecond).toBeGreaterThan(0)
      expect(r.peakGflops).toBeGreaterThan(0)
      expect(r.share).toBeCloseTo(r.gflops! / r.peakGflops!, 12)
      expect(r.secondsPerSubmit).toBeGreaterThan(0)
      if (r.kernel === 'gradient' || r.kernel === 'hessian') {
        expect(r.peakGigabytesPerSecond).toBeGreaterThan(0)
        expect(r.rooflineShare).toBeGreaterThan(0)
      }
    }
    expect(kernelText(results, 200)).toMatch(/webgpu .+ f32: a submit and its answer take/)
  })
})
