import { describe, expect, it } from 'vitest'
import { loadAddon } from '../../src/engines/cpu/addon.js'
import { enclosedOperations } from '../../src/engines/cpu/proofs.js'
import { fuzzBalls, fuzzIntervals } from '../helpers/enclosures.js'

const found = loadAddon()
const targets = 'addon' in found ? found.addon.targets().filter(t => t.usable) : []
/** Half widths of balls of points, relative to the value, in units of 2⁻¹⁰⁶. */
const widest = 2 ** 16
/** Widths of intervals of points, relative to the value: a few units of the last place. */
const ulps = 2 ** -49
/** These are differences that may vanish, so that only soundness is asked. */
const cancelling = ['add', 'subtract', 'excess', 'hazard', 'logNormal', 'logisticSecond']
/** These vanish at arguments that are no doubles: their balls are small beside 1 and the argument. */
const crossing = ['sine', 'cosine', 'gelu', 'geluFirst']

describe.each(targets)('enclosures on $id', ({ id }) => {
  it.each(enclosedOperations)('balls hold exact results: %s', operation => {
    const { outside, loosest, widest: absolute } = fuzzBalls(id, operation, 400, 7)
    expect(outside).toBe(0)
    if (crossing.includes(operation)) expect(absolute).toBeLessThan(widest)
    else if (!cancelling.includes(operation)) expect(loosest).toBeLessThan(widest)
  })
  it.each(enclosedOperations.filter(o => o !== 'divide'))('intervals hold exact results: %s', operation => {
    const { outside, loosest } = fuzzIntervals(id, operation, 300, 11)
    expect(outside).toBe(0)
    if (operation !== 'excess' && operation !== 'logisticSecond') expect(loosest).toBeLessThan(ulps)
  })
})
