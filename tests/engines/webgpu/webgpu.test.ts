// The webgpu engine's own parts, on a software GPU: what conformance tests do not reach.
import { describe, expect, it, vi } from 'vitest'
import type { Gpu } from '../../../src/engines/webgpu/core/device.js'
import { Evaluator } from '../../../src/engines/webgpu/core/evaluate.js'
import { expandText, literal } from '../../../src/engines/webgpu/core/text.js'
import { launcher } from '../../../src/engines/webgpu/host/faults.js'
import { openGpu } from '../../../src/engines/webgpu/host/open.js'
import { Evaluator as Reference } from '../../../src/engines/reference/evaluate.js'
import { parameterCount } from '../../../src/models/model.js'
import { onSoftwareGpu } from '../../helpers/localGpu.js'
import { integers, makeProblem, points } from '../../helpers/problems.js'
import { expectAllClose, expectClose, tolerance } from '../../helpers/tolerance.js'

let gpu: Gpu
onSoftwareGpu(opened => (gpu = opened))

describe('templates', () => {
  it('repeat, choose and replace', () => {
    const text = '#for i in n\n#if odd\nx\n#else\na{{i}} = {{2*i+1}}\n#end\n#end\nend {{name}}'
    expect(expandText({}, text, { n: 2, odd: false, name: 'z' })).toBe('a0 = 1\na1 = 3\nend z')
  })
  it('refuse a name without a value and a block without an end', () => {
    expect(() => expandText({}, '{{n}}', {})).toThrow(/no value for "n"/)
    expect(() => expandText({}, '#if n\nx', { n: true })).toThrow(/no #end/)
    expect(() => expandText({}, '#end', {})).toThrow(/closes nothing/)
  })
  it('write numbers that read back to the same f32', () => {
    for (const value of [0, 1, 0.1, 1e-30, 3e38, -7, 1e21])
      expect(Math.fround(parseFloat(literal(value)))).toBe(Math.fround(value))
  })
})

describe('device', () => {
  it('says where a shader is wrong', async () => {
    const source = '@compute @workgroup_size(1)\nfn main() {\n  let a: f32 = 1u;\n}'
    await expect(gpu.pipeline(source, 'wrong')).rejects.toThrow(
      /kernel wrong .*line 3, column \d+: .*\n[^]*> 3 \| {3}let a/
    )
  })
  it('compiles a source once', async () => {
    const source = '@compute @workgroup_size(1) fn main() {}'
    expect(await gpu.pipeline(source, 'a')).toBe(await gpu.pipeline(source, 'b'))
  })
  it('names the limit that a buffer breaks', async () => {
    await expect(gpu.guard(() => gpu.buffer(2 ** 45, 'too large'))).rejects.toThrow(/refused|too little memory/)
  })
  it('says in one sentence that no GPU has such a name', async () => {
    await expect(openGpu('no such GPU')).rejects.toThrow(/^No GPU here has "no such GPU" in its name/)
  })
  it('takes no core to itself while it waits', async () => {
    const rests = vi.spyOn(globalThis, 'setTimeout')
    const work = 'x = sin(x * 1.25 + 0.5);'.repeat(20)
    const kernel = `@group(0) @binding(0) var<storage, read_write> a: f32;
      @compute @workgroup_size(1) fn main() { var x = a; for (var i = 0; i < 99999; i++) { ${work} } a = x; }`
    const launch = await launcher(gpu, kernel)
    const before = rests.mock.calls.length
    launch()
    await gpu.finished()
    expect(rests.mock.calls.length).toBeGreaterThan(before)
    rests.mockRestore()
  })
  it('knows software when it sees it', () => expect(gpu.software).toBe(true))
})

describe('mini-batches', () => {
  const size = 5
  it.each([
    makeProblem({ loss: 'logistic', hidden: [3], rows: 23, weighted: true, shifted: true, ridge: 0.125 }),
    makeProblem({ loss: 'softmax', hidden: [2, 2], rows: 11, activation: 'softplus' }),
    makeProblem({ loss: 'poisson', rows: 9, weighted: true })
  ])('equal the reference on the rows of each lane', async problem => {
    const P = parameterCount(problem.model)
    const lanes = 128
    const count = 70
    const theta = points(problem, count)
    const drawn = integers(count * size, problem.rows, 3)
    // Every third lane has a short batch.
    const own = (r: number): Uint32Array =>
      Uint32Array.from(drawn.subarray(r * size, (r + 1) * size - (r % 3 === 0 ? 2 : 0)))
    const rows = new Uint32Array(size * lanes).fill(0xffffffff)
    const packed = new Float32Array(P * lanes)
    for (let r = 0; r < count; r++) {
      own(r).forEach((row, k) => (rows[k * lanes + r] = row))
      for (let p = 0; p < P; p++) packed[p * lanes + r] = theta[r * P + p]!
    }
    const binding = gpu.upload(rows, 'batch')
    const evaluator = await Evaluator.create(gpu, problem, { lanes, needs: 'g', rows: { binding, batchSize: size } })
    gpu.write(evaluator.theta as GPUBuffer, packed)
    gpu.submit(encoder => {
      const pass = encoder.beginComputePass()
      evaluator.encode(pass)
      pass.end()
    })
    const f = new Float32Array(await gpu.read(evaluator.f as GPUBuffer, 4 * lanes))
    const g = new Float32Array(await gpu.read(evaluator.g as GPUBuffer, 4 * lanes * P))
    const reference = new Reference(problem)
    for (let r = 0; r < count; r++) {
      const exact = new Float64Array(P)
      const weights = own(r).reduce((sum, row) => sum + (problem.weight ? problem.weight[row] : 1), 0)
      if (weights === 0) continue
      const value = reference.evaluate(theta.subarray(r * P, (r + 1) * P), exact, undefined, own(r))
      const bound = tolerance('f32', 64, 1 + Math.abs(value) + exact.reduce((m, v) => Math.max(m, Math.abs(v)), 0))
      expectClose(f[r], value, bound, `f of lane ${r}`)
      expectAllClose(
        Float64Array.from({ length: P }, (_, p) => g[p * lanes + r]),
        exact,
        bound,
        `g of lane ${r}`
      )
    }
    evaluator.dispose()
    binding.destroy()
  })
})
