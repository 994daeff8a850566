// Numbers as words: the examples that the functions document, and the places where one unit gives way to the next.
import { describe, expect, it } from 'vitest'
import { formatBytes, formatCount, formatRate, formatSeconds } from '../../src/core/units.js'

describe('formatSeconds', () => {
  it.each([
    [0, '0 s'],
    [3.2e-9, '3.2 ns'],
    [1.2e-5, '12 µs'],
    [0.25, '250 ms'],
    [0.9994, '999 ms'],
    [0.9996, '1 s'],
    [12.3, '12.3 s'],
    [59.96, '60 s'],
    [99.96, '1 min 40 s'],
    [754, '12 min 34 s'],
    [3599.4, '59 min 59 s'],
    [3599.6, '1 h 0 min'],
    [8000, '2 h 13 min'],
    [172800, '2 d'],
    [-0.25, '-250 ms'],
    [Infinity, 'unknown'],
    [NaN, 'unknown']
  ])('%f → %s', (seconds, words) => {
    expect(formatSeconds(seconds)).toBe(words)
  })
})

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [1048064, '1 MiB'],
    [2 ** 30, '1 GiB'],
    [1000 * 2 ** 20, '1000 MiB'],
    [2 ** 60, '1024 PiB']
  ])('%i → %s', (bytes, words) => {
    expect(formatBytes(bytes)).toBe(words)
  })
})

describe('formatCount', () => {
  it.each([
    [0, '0'],
    [9999, '9999'],
    [10000, '10\u202f000'],
    [1234567, '1\u202f234\u202f567'],
    [-12345, '-12\u202f345'],
    [99999.6, '100\u202f000']
  ])('%f → %s', (count, words) => {
    expect(formatCount(count)).toBe(words)
  })
})

describe('formatRate', () => {
  it.each([
    [12345, '', '12.3 k/s'],
    [12345, 'runs', '12.3 k runs/s'],
    [999.4, 'runs', '999 runs/s'],
    [999.6, '', '1 k/s'],
    [2.5e9, 'flop', '2.5 G flop/s'],
    [0, 'runs', '0 runs/s']
  ])('%f %s → %s', (rate, unit, words) => {
    expect(formatRate(rate, unit)).toBe(words)
  })
})
