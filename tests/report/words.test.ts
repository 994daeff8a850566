// The vocabulary of the report and the terminal: numbers, shares and lists in words, with null where JSON had no number.
import { describe, expect, it } from 'vitest'
import {
  count,
  escape,
  fixed,
  infiniteText,
  limitText,
  limitsText,
  listed,
  percent,
  short,
  spreadOf
} from '../../src/report/words.js'
import { makeLimit, makeSummary, same, spread } from './summaries.js'

describe('numbers', () => {
  it.each([
    [0, '0'],
    [0.971428, '0.9714'],
    [1, '1'],
    [-1.6, '-1.6'],
    [1234.5678, '1235'],
    [1e-6, '1e-6'],
    [2.2e-5, '2.2e-5'],
    [1.25e7, '1.25e7'],
    [NaN, '–'],
    [null, '–'],
    [undefined, '–'],
    [Infinity, '∞'],
    [-Infinity, '-∞']
  ])('%s is "%s"', (value, text) => expect(short(value)).toBe(text))

  it('keep all digits in a column of a table', () => {
    expect(fixed(0.5, 6)).toBe('0.500000')
    expect(fixed(null, 6)).toBe('–')
  })

  it.each([
    [0, '0 %'],
    [1, '100 %'],
    [0.4213, '42.1 %'],
    [0.99999, 'over 99.9 %'],
    [1e-9, '1e-7 %'],
    [NaN, '–']
  ])('a share of %s is "%s"', (value, text) => expect(percent(value)).toBe(text))

  it('a spread is one number where all are the same to the digits shown', () => {
    expect(spreadOf(same(0.98))).toBe('0.98')
    expect(spreadOf(spread(0.98, 0.980000001))).toBe('0.98')
    expect(spreadOf(spread(0.5, 1))).toBe('0.75 [0.5, 1]')
    expect(spreadOf(undefined)).toBe('–')
    expect(spreadOf(same(NaN))).toBe('–')
  })

  it('one of a thing is singular', () => {
    expect([0, 1, 2, 12345].map(n => count(n, 'run', 'runs'))).toEqual([
      '0 runs',
      '1 run',
      '2 runs',
      '12\u202f345 runs'
    ])
  })
})

describe('limits', () => {
  it('have the digits that are known', () => {
    expect(limitText({ loss: 1 / 16, uncertainty: 1e-9 })).toBe('0.0625')
    expect(limitText({ loss: 0.123456789012, uncertainty: 0 })).toBe('0.12345679')
    expect(limitText({ loss: 0.123456789012, uncertainty: 2e-4 })).toBe('0.12')
    expect(limitText({ loss: 3e-14, uncertainty: 1e-12 })).toBe('0')
    expect(limitText({ loss: 0, uncertainty: 0 })).toBe('0')
  })

  it('are told apart by the shares of all runs', () => {
    const limits = (...list: (readonly [number, number])[]): string =>
      limitsText(
        makeSummary({
          verdicts: { diverging: 1000 },
          fields: { limits: list.map(([loss, n]) => makeLimit(loss, n)) }
        })
      )
    expect(limits()).toBe('')
    expect(limits([1 / 16, 1000])).toBe('the loss approaches 0.0625')
    expect(limits([0, 630], [1 / 16, 370])).toBe('63 % of all runs approach a loss of 0 and 37 % one of 0.0625')
    expect(limits([0, 100], [1, 600], [2, 100], [3, 200])).toBe(
      '4 limits of the loss were approached, from 0 to 3, the commonest, 1, by 60 % of all runs'
    )
    expect(limits([2, 100], [2, 600], [2, 100], [2, 200])).toBe(
      '4 limits of the loss were approached, all of them 2, with other predictions, the commonest by 60 % of all runs'
    )
  })
})

describe('lists', () => {
  it('read as a sentence does', () => {
    expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(listed)).toEqual(['', 'a', 'a and b', 'a, b and c'])
  })

  it('of coefficients that go to infinity name four at most', () => {
    const text = (n: number): string =>
      infiniteText(
        makeSummary({
          separation: {
            infinite: Object.fromEntries(Array.from({ length: n }, (_, i) => [`x${i}`, i % 2 === 0 ? 1 : -1]))
          }
        })
      )
    expect(text(0)).toBe('')
    expect(text(1)).toBe('x0 to +∞')
    expect(text(4)).toBe('x0 to +∞, x1 to −∞, x2 to +∞, x3 to −∞')
    expect(text(9)).toBe('x0 to +∞, x1 to −∞, x2 to +∞, x3 to −∞ and 5 more')
  })
})

it('escaped text holds nothing that starts a tag, an attribute or an entity', () => {
  expect(escape(`<a href="x" title='y'>&</a>`)).not.toMatch(/[<>"']|&(?!#\d+;)/)
  expect(escape('plain, 1 × 2')).toBe('plain, 1 × 2')
})
