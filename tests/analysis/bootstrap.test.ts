// Intervals from replicates, beside those of R's package boot (tests/fixtures/bootstrap.R).
import { describe, expect, it } from 'vitest'
import { replicated } from '../../src/analysis/bootstrap.js'
import fixture from '../fixtures/bootstrap.json' with { type: 'json' }
import { expectAllClose, expectClose } from '../helpers/tolerance.js'

/** Normal quantiles agree to about 1e-15, and are divided by differences of a hundredth. */
const close = 1e-11

describe('intervals from replicates', () => {
  it.each(fixture.cases.map(c => [c.replicates.length, c] as const))('are those of R from %i of them', (_, c) => {
    for (const { confidence, percentile, basic, bca } of c.intervals) {
      const found = replicated(c.estimate, Float64Array.from(c.replicates), Float64Array.from(c.jackknife), confidence)
      expectAllClose(found.percentile, percentile, close, 'percentile')
      expectAllClose(found.basic, basic, close, 'basic')
      expectAllClose(found.bca!, bca, close, 'BCa')
      expectClose(found.standardError, c.error, close, 'error')
      expectClose(found.bias, c.bias, close, 'bias')
    }
  })

  it('are points where every replicate is the estimate, and have no BCa form where all lie on one side', () => {
    const same = replicated(2, new Float64Array(50).fill(2), new Float64Array(0), 0.95)
    expect(same).toMatchObject({ standardError: 0, bias: 0, percentile: [2, 2], basic: [2, 2], bca: null })
    const above = replicated(
      0,
      Float64Array.from({ length: 50 }, (_, r) => 1 + r),
      new Float64Array(0),
      0.9
    )
    expect(above.bca).toBeNull()
  })
})
