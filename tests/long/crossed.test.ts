// Intervals of P(A beats B) over starts and resamples hold what is true as often as they claim, whatever matters most.
import { expect, it } from 'vitest'
import { coverage, deviations } from '../helpers/crossed.js'

it.each(Object.entries(deviations))('%s', (_, own) => {
  // 95 % of 200 is 190; below 180 has a probability of one in a thousand.
  expect(coverage([12, 1, 16], own, 200)).toBeGreaterThanOrEqual(180)
})
