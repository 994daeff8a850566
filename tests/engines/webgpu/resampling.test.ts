// Rows of a run's own on a GPU: drawn to the bit as core/resampling.ts draws them, at sizes around multiples of four and for all numbers.
import { describe, expect, it } from 'vitest'
import { rowCounts, type Resampling } from '../../../src/core/resampling.js'
import type { Gpu } from '../../../src/engines/webgpu/core/device.js'
import { OwnPlan } from '../../../src/engines/webgpu/core/ownPlan.js'
import { encode, stateRows } from '../../../src/engines/webgpu/core/program.js'
import { onSoftwareGpu } from '../../helpers/localGpu.js'
import { makeProblem } from '../../helpers/problems.js'
import { stay } from '../../helpers/runs.js'

let gpu: Gpu
onSoftwareGpu(opened => (gpu = opened))

const lanes = 64
/** Row of the state that says which place of the queue enters (kernels/webgpu/lanes.wgsl). */
const inRow = 4
const none = 2 ** 32 - 1

/** Counts of each row, [runs][N]: run r is in the queue at place r and enters lane 63 − r. */
async function drawn(how: Resampling, numbers: Float64Array, rows: number): Promise<number[][]> {
  const problem = makeProblem({ loss: 'squared', rows })
  const plan = await OwnPlan.make(gpu, stay(), { rows: { how, numbers } }, problem)
  const entering = new Uint32Array(stateRows * lanes).fill(none)
  numbers.forEach((_, r) => (entering[inRow * lanes + lanes - 1 - r] = r))
  const state = gpu.upload(entering, 'state')
  const weights = gpu.upload(new Float32Array(rows).fill(1), 'weights')
  const own = gpu.upload(plan.words([...numbers.keys()]), 'own')
  const shares = gpu.buffer(4 * rows * lanes, 'shares')
  const order = gpu.buffer(4 * rows * lanes, 'order')
  const nothing = gpu.buffer(4, 'nothing')
  const rest = { scalars: nothing, vectors: nothing, x: nothing, terms: undefined }
  const dispatches = plan.bindEnter({ lanes, state, own, shares, weights, order, ...rest })
  await gpu.guard(() =>
    gpu.submit(encoder => {
      const pass = encoder.beginComputePass()
      for (const dispatch of dispatches) encode(pass, dispatch)
      pass.end()
    })
  )
  const found = new Float32Array(await gpu.read(shares, 4 * rows * lanes))
  for (const buffer of [state, weights, own, shares, order, nothing]) buffer.destroy()
  return Array.from(numbers, (_, r) => Array.from({ length: rows }, (_, i) => found[i * lanes + lanes - 1 - r]))
}

describe.each<Resampling>([
  { kind: 'bootstrap', seed: 4 },
  { kind: 'poisson', seed: 2 ** 40 + 3 },
  { kind: 'folds', folds: 3, seed: 4 },
  { kind: 'split', held: 2, seed: 5 }
])('$kind', how => {
  it.each([4, 5, 13, 70])('of %i rows', async rows => {
    const numbers = Float64Array.of(0, 1, 2, 7, -1, 2 ** 33 + 5, 2 ** 52 + 1)
    const found = await drawn(how, numbers, rows)
    numbers.forEach((number, r) => {
      const counts = rowCounts(how, number, rows)
      const total = counts.reduce((sum, n) => sum + n, 0)
      // Shares of whole numbers: times the total they are those numbers but for the rounding of the division.
      const back = found[r].map(share => share * total)
      expect(back.map(Math.round), `resample ${number}`).toEqual([...counts])
      for (const [i, n] of back.entries()) expect(Math.abs(n - counts[i])).toBeLessThanOrEqual(4 * 2 ** -23 * counts[i])
    })
  })
})
