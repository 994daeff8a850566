// Convex losses have one minimiser, whichever way they are started: starts from N(0, 10²) overflow at first, and come back.
import { describe, it } from 'vitest'
import { convexCases, expectOneMinimiser } from '../helpers/farStarts.js'

describe.each(['newton', 'lbfgs'] as const)('%s', optimizer => {
  it.each(convexCases)('$name: one minimiser from 200 starts far out, and no failed run', async which => {
    await expectOneMinimiser(which, optimizer, 200)
  })
})
