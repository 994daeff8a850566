// Convex losses from ten thousand starts far out (tests/study/farStarts.test.ts has the short form).
import { describe, it } from 'vitest'
import { convexCases, expectOneMinimiser } from '../helpers/farStarts.js'

describe.each(['newton', 'lbfgs'] as const)('%s', optimizer => {
  it.each(convexCases)('$name: one minimiser from 10 000 starts far out, and no failed run', async which => {
    await expectOneMinimiser(which, optimizer, 10_000)
  })
})
