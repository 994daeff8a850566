// A hundred thousand intervals and balls for each operation.
import { describe, expect, it } from 'vitest'
import { enclosedOperations } from '../../src/engines/cpu/proofs.js'
import { fuzzBalls, fuzzIntervals } from '../helpers/enclosures.js'

const cases = 100_000
const best = ''

describe('enclosures', () => {
  it.each(enclosedOperations)('balls hold exact results: %s', operation => {
    expect(fuzzBalls(best, operation, cases, 1).outside).toBe(0)
  })
  it.each(enclosedOperations.filter(o => o !== 'divide'))('intervals hold exact results: %s', operation => {
    expect(fuzzIntervals(best, operation, cases, 2).outside).toBe(0)
  })
})
