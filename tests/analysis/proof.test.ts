import { describe, expect, it } from 'vitest'
import { proofOf, provedDistinct, provePoints, type Box } from '../../src/analysis/proof.js'
import { parameterCount } from '../../src/models/model.js'
import type { Proofs } from '../../src/engines/types.js'

const proofs: Proofs = {
  count: 3,
  status: ['proved', 'proved', 'kink'],
  index: Uint32Array.of(0, 1, 0),
  radius: Float64Array.of(1e-3, 1e-4, 0),
  radii: new Float64Array(3),
  error: new Float64Array(3),
  contraction: new Float64Array(3),
  theta: new Float64Array(3),
  isRounded: new Uint8Array(3),
  loss: new Float64Array(3),
  gradientNorm: new Float64Array(3),
  condition: new Float64Array(3)
}

describe('proofs in words', () => {
  it('holds the verdict against the index that was proved', () => {
    expect(proofOf(proofs, 0, 0)).toEqual({ status: 'proved', radius: 1e-3 })
    expect(proofOf(proofs, 1, 1)).toEqual({ status: 'proved', radius: 1e-4 })
    const wrong = proofOf(proofs, 1, 0)
    expect([wrong.status, wrong.radius]).toEqual(['not proved', 0])
    expect(wrong.reason).toMatch(/index 1/)
    expect(proofOf(proofs, 2, 0).reason).toMatch(/kink/)
  })

  it('says what is missing where an engine proves nothing', async () => {
    const [only] = (await provePoints({}, new Float64Array(2), [0])).proofs
    expect(only.status).toBe('not proved')
    expect(only.reason).toMatch(/npm run build/)
  })
})

describe('distinct minima', () => {
  const network = {
    kind: 'network' as const,
    inputs: 1,
    hidden: [2],
    outputs: 1,
    activation: 'tanh' as const,
    loss: 'squared' as const,
    bias: false,
    ridge: 0.1,
    penalizeBias: false
  }
  const box = (theta: readonly number[], loss = 0.5): Box => ({
    theta: Float64Array.from(theta),
    radii: new Float64Array(4).fill(1e-3),
    loss
  })

  it('are told by their losses, or by boxes that hold no image of the other', () => {
    const a = box([1, 2, 3, 4])
    // Units exchanged, and one turned round.
    const image = box([-2, 1, -4, 3])
    const other = box([1, 2, 3, 4.5])
    expect(provedDistinct(network, [a, image])).toEqual([false, false])
    expect(provedDistinct(network, [a, other])).toEqual([true, true])
    expect(provedDistinct(network, [a, other, image])).toEqual([false, true, false])
    expect(provedDistinct(network, [a, { ...image, loss: 0.6 }])).toEqual([true, true])
    expect(provedDistinct(network, [])).toEqual([])
  })

  it('of one loss are told apart in groups of any size, but not where biases move round without end', () => {
    const wide = { ...network, hidden: [12] }
    const points = [1, 1.5].map(v => ({
      theta: Float64Array.from({ length: 24 }, (_, p) => (p === 0 ? v : p + 1)),
      radii: new Float64Array(24).fill(1e-3),
      loss: 0.5
    }))
    expect(provedDistinct(wide, points)).toEqual([true, true])
    const turning = { ...wide, bias: true, activation: 'sin' as const }
    const P = parameterCount(turning)
    const more = points.map(({ theta, loss }) => ({
      theta: Float64Array.from({ length: P }, (_, p) => theta[p % 24]),
      radii: new Float64Array(P).fill(1e-3),
      loss
    }))
    expect(provedDistinct(turning, more)).toEqual([false, false])
  })
})
