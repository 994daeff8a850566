import { describe, expect, it } from 'vitest'
import { proofOf, provePoints } from '../../src/analysis/proof.js'
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
    const [only] = await provePoints({}, new Float64Array(2), [0])
    expect(only.status).toBe('not proved')
    expect(only.reason).toMatch(/npm run build/)
  })
})
