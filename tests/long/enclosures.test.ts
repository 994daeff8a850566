// Many intervals and balls for each operation: four thousand, or as many as MANYSTART_FUZZ says. A hundred thousand take most of an
// hour, nearly all of it in the exact arithmetic that they are compared with.
import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { enclosedOperations } from '../../src/engines/cpu/proofs.js'
import { fuzzBalls, fuzzIntervals } from '../helpers/enclosures.js'

const cases = Number(process.env['MANYSTART_FUZZ'] ?? 4000)
const best = ''

// The runner hears nothing of a process that computes without a pause.
afterEach(() => setTimeout(50))

describe('enclosures', () => {
  it.each(enclosedOperations)('balls hold exact results: %s', operation => {
    expect(fuzzBalls(best, operation, cases, 1).outside).toBe(0)
  })
  it.each(enclosedOperations.filter(o => o !== 'divide'))('intervals hold exact results: %s', operation => {
    expect(fuzzIntervals(best, operation, cases, 2).outside).toBe(0)
  })
})
