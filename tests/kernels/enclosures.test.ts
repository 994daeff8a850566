// The addon's way to the enclosures: every number of an operation, and what it is given and gives back. That enclosures hold, over intervals
// of all sizes, is tried without Node (kernels/cpu/tests/enclosures.cc, .ci/enclosures).
import { describe, expect, it } from 'vitest'
import { loadAddon } from '../../src/engines/cpu/addon.js'
import { enclosedOperations } from '../../src/engines/cpu/proofs.js'
import { enclosePoints } from '../helpers/enclosures.js'

const found = loadAddon()
const targets = 'addon' in found ? found.addon.targets().filter(t => t.usable) : []
/** Some hundred operations of balls, whose errors the differences in tails enlarge; and a few of intervals. */
const [ball, interval] = [2 ** -75, 2 ** -49]

describe.each(targets)('enclosures on $id', ({ id }) => {
  it.each(enclosedOperations)('hold exact results: %s', operation => {
    const enclosed = enclosePoints(id, operation, 37, 7)
    expect(enclosed.outside).toBe(0)
    expect(enclosed.ball).toBeLessThan(ball)
    expect(enclosed.interval).toBeLessThan(interval)
  })
})
