import { describe, expect, it } from 'vitest'
import {
  betaQuantile,
  clopperPearsonUpper,
  incompleteBeta,
  logGamma,
  quantileSorted,
  quantilesSorted,
  wilsonInterval
} from '../../src/core/stats.js'
import { formatBytes, formatCount, formatRate, formatSeconds } from '../../src/core/units.js'

const eps = Number.EPSILON
/** NaN fails. */
function near(actual: number, expected: number, relative: number): void {
  const error = Math.abs(actual - expected)
  if (!(error <= relative * Math.abs(expected)))
    expect.fail(`${actual}, expected ${expected}: relative error ${error / Math.abs(expected)}`)
}

describe('incomplete beta', () => {
  // A dozen roundings in the factor and at most a few dozen in the fraction.
  const tolerance = 64 * eps

  it('has its closed forms', () => {
    for (const x of [1e-9, 0.003, 0.2, 0.5, 0.77, 0.999]) {
      near(incompleteBeta(x, 1, 1), x, tolerance)
      near(incompleteBeta(x, 3, 1), x ** 3, tolerance)
      near(incompleteBeta(x, 1, 7), -Math.expm1(7 * Math.log1p(-x)), tolerance)
      near(incompleteBeta(x, 0.5, 0.5), (2 / Math.PI) * Math.asin(Math.sqrt(x)), tolerance)
    }
  })

  it('is the binomial tail: P(X ≥ a) for a + b − 1 trials', () => {
    // P(X ≥ 3), X ~ Bin(7, 0.3), summed by hand as integers over 10^7.
    const c = [1, 7, 21, 35, 35, 21, 7, 1]
    let tail = 0
    for (let j = 3; j <= 7; j++) tail += c[j] * 3 ** j * 7 ** (7 - j)
    near(incompleteBeta(0.3, 3, 5), tail / 1e7, tolerance)
  })

  it('obeys I_x(a,b) = 1 − I_{1−x}(b,a) and the recurrence in a, up to parameters of many millions', () => {
    for (const [a, b] of [
      [4, 9],
      [250, 31],
      [1e4, 2e4],
      [3e6, 7e6]
    ]) {
      const mean = a / (a + b)
      const sd = Math.sqrt((mean * (1 - mean)) / (a + b))
      for (const t of [-2, -0.5, 0, 1, 2.5]) {
        const x = mean + t * sd
        const sum = incompleteBeta(x, a, b) + incompleteBeta(1 - x, b, a)
        // 1 − x is rounded to eps, where the slope of I is at most about 1/sd.
        if (!(Math.abs(sum - 1) <= tolerance + (4 * eps) / sd)) expect.fail(`${a} ${b} ${t}: ${sum - 1}`)
      }
    }
    // Symmetric case: exactly one half at x = ½.
    near(incompleteBeta(0.5, 5e6, 5e6), 0.5, 1e-10)
  })

  it('is zero below the range, one above it and NaN for NaN', () => {
    expect(incompleteBeta(0, 2, 3)).toBe(0)
    expect(incompleteBeta(1, 2, 3)).toBe(1)
    expect(incompleteBeta(NaN, 2, 3)).toBeNaN()
  })

  it('is inverted by the quantile', () => {
    for (const [a, b] of [
      [1, 1],
      [2, 99],
      [51, 950],
      [0.5, 3]
    ])
      for (const p of [1e-6, 0.05, 0.5, 0.95]) near(incompleteBeta(betaQuantile(p, a, b), a, b), p, 1e-12)
  })
})

it('log gamma at integers and halves', () => {
  let factorial = 1
  for (let n = 3; n <= 20; n++) {
    factorial *= n - 1
    near(logGamma(n), Math.log(factorial), 32 * eps)
  }
  near(logGamma(0.5), 0.5 * Math.log(Math.PI), 32 * eps)
})

describe('binomial limits', () => {
  it('Clopper-Pearson: closed form for no hit, one for all, textbook values between', () => {
    near(clopperPearsonUpper(0, 59, 0.95), 1 - 0.05 ** (1 / 59), 64 * eps)
    expect(clopperPearsonUpper(5, 5, 0.95)).toBe(1)
    expect(clopperPearsonUpper(0, 0, 0.95)).toBe(1)
    // Two-sided 95 % interval of 10 in 100 has the upper limit 0.17622: one-sided at 0.975.
    if (!(Math.abs(clopperPearsonUpper(10, 100, 0.975) - 0.17622) <= 5e-6)) expect.fail()
    // By definition P(X ≤ k) = 1 − confidence: here for X ~ Bin(20, p), k = 2.
    const p = clopperPearsonUpper(2, 20, 0.9)
    const q = 1 - p
    near(q ** 20 + 20 * p * q ** 19 + 190 * p * p * q ** 18, 0.1, 1e-12)
  })

  it('Wilson: textbook values and the ends', () => {
    const [low, high] = wilsonInterval(10, 100, 0.95)
    if (!(Math.abs(low - 0.05523) <= 5e-6 && Math.abs(high - 0.17437) <= 5e-6)) expect.fail(`${low} ${high}`)
    expect(wilsonInterval(0, 10, 0.95)[0]).toBe(0)
    expect(wilsonInterval(10, 10, 0.95)[1]).toBe(1)
    expect(wilsonInterval(0, 0, 0.95)).toEqual([0, 1])
  })
})

it('quantiles interpolate between order statistics and keep a constant exact', () => {
  expect(quantileSorted([1, 2, 4, 8], 0.5)).toBe(3)
  expect(quantileSorted([1, 2, 4, 8], 0.25)).toBe(1.75)
  expect(quantilesSorted([0.1, 0.1, 0.1])).toEqual({ min: 0.1, q25: 0.1, median: 0.1, q75: 0.1, max: 0.1 })
  expect(quantileSorted([], 0.5)).toBeNaN()
})

it('units', () => {
  expect([1.2e-5, 0.25, 12.34, 754, 8000, 0].map(formatSeconds)).toEqual([
    '12 µs',
    '250 ms',
    '12.3 s',
    '12 min 34 s',
    '2 h 13 min',
    '0 s'
  ])
  expect([0, 512, 1536, 1023.9 * 1024, 5 * 2 ** 30].map(formatBytes)).toEqual([
    '0 B',
    '512 B',
    '1.5 KiB',
    '1 MiB',
    '5 GiB'
  ])
  expect([7, 9999, 1234567].map(formatCount)).toEqual(['7', '9999', '1\u202f234\u202f567'])
  expect(formatRate(12345, 'runs')).toBe('12.3 k runs/s')
  expect(formatRate(83)).toBe('83/s')
  expect([Infinity, NaN].map(v => formatRate(v, 'runs'))).toEqual(['unknown', 'unknown'])
})
