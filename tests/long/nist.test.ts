// All of NIST's non-linear regressions from a thousand starts around either of its starts.
import { describe, it } from 'vitest'
import { expectCertified, nistSets } from '../helpers/nist.js'

describe.each(nistSets)('$name', set => {
  it.each(['start1', 'start2'] as const)('%s', async which => expectCertified(set, which, 1000))
})
