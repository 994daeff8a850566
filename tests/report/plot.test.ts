// What draws the charts: ticks, places, names, and labels that leave each other room, over seeded data of many sizes.
import { describe, expect, it } from 'vitest'
import { draw } from '../../src/report/charts/plot/draw.js'
import { outline, shapes } from '../../src/report/charts/plot/looks.js'
import { names, numbers } from '../../src/report/charts/plot/scales.js'
import { cut, decade, exponent, percentage, whole, widthOf } from '../../src/report/charts/plot/text.js'
import { randomNumbers } from '../helpers/tables.js'

const seeds = Array.from({ length: 40 }, (_, seed) => seed)
/** What a label says. */
const read = (label: string): number => Number(label.replace('−', '-').replaceAll('\u2009', ''))

describe.each(seeds)('axes, seed %i', seed => {
  const next = randomNumbers(seed)
  const size = 50 + 400 * next()
  const width = 10 ** (12 * next() - 6)
  const low = (next() - 0.5) * 10 * width
  const count = 2 + Math.floor(8 * next())

  it('linear ticks are whole multiples of 1, 2 or 5 times a power of ten, inside, and say where they are', () => {
    const axis = numbers({ domain: [low, low + width] }, [], size, false)
    const ticks = axis.ticks({ tickCount: count })
    // Steps are within a factor of √(5/2) of what was asked for.
    expect(ticks.length).toBeGreaterThanOrEqual(Math.floor(count / Math.sqrt(2.6)) - 1)
    expect(ticks.length).toBeLessThanOrEqual(Math.ceil(count * Math.sqrt(2.6)) + 1)
    for (const { at } of ticks) {
      expect(at).toBeGreaterThanOrEqual(-1e-6)
      expect(at).toBeLessThanOrEqual(size + 1e-6)
    }
    if (ticks.length < 2) return
    const values = ticks.map(({ at }) => low + (at / size) * width)
    const step = values[1] - values[0]
    const digit = step / 10 ** Math.floor(Math.log10(step) + 1e-6)
    expect([1, 2, 5].some(d => Math.abs(digit - d) < 1e-6)).toBe(true)
    values.forEach((v, i) => {
      // Labels are as exact as the step, or have six digits where numbers are written with a power of ten.
      expect(Math.abs(read(ticks[i].label) - v)).toBeLessThan(1e-5 * Math.max(Math.abs(v), step))
      expect(Math.abs(v / step - Math.round(v / step))).toBeLessThan(1e-4)
    })
    expect(new Set(ticks.map(t => t.label)).size).toBe(ticks.length)
  })

  it('log ticks are powers of ten, or 1, 2 and 5 times them where there are few, at most as many as asked for', () => {
    const [from, decades] = [10 ** (20 * next() - 10), 12 * next()]
    const to = from * 10 ** decades
    const axis = numbers({ type: 'log', domain: [from, to] }, [], size, true)
    const ticks = axis.ticks({ tickCount: count })
    if (decades > 3) expect(ticks.length).toBeLessThanOrEqual(count + 1)
    for (const { at, label } of ticks) {
      const value = from * (to / from) ** (1 - at / size)
      expect(read(label) / value).toBeCloseTo(1, 4)
    }
  })

  it('ends are those of the data or round ones beyond them, and values lie in proportion', () => {
    const values = Array.from({ length: 1 + Math.floor(20 * next()) }, () => low + width * next())
    const exact = numbers({ zero: false, nice: false }, values, size, false)
    const round = numbers({ zero: false }, values, size, false)
    const [least, most] = [Math.min(...values), Math.max(...values)]
    if (least < most) {
      expect(exact.at(least)).toBeCloseTo(0, 6)
      expect(exact.at(most)).toBeCloseTo(size, 6)
      expect(exact.at((least + most) / 2)).toBeCloseTo(size / 2, 4)
    } else expect(exact.at(least)).toBeCloseTo(size / 2, 6)
    for (const v of values) {
      expect(round.at(v)).toBeGreaterThanOrEqual(-1e-6)
      expect(round.at(v)).toBeLessThanOrEqual(size + 1e-6)
    }
  })

  it('names stand in the middle of equal rooms', () => {
    const list = Array.from({ length: 1 + Math.floor(9 * next()) }, (_, i) => ['toString', '__proto__', 'a'][i % 3] + i)
    const axis = names(list, size, 0.5)
    list.forEach((name, i) => expect(axis.at(name)).toBeCloseTo(((i + 0.5) * size) / list.length, 9))
    expect(axis.at('constructor')).toBeNaN()
  })
})

interface Label {
  readonly from: number
  readonly to: number
}
/** Labels below the axis with the room that they take. */
function labels(svg: string): Label[] {
  const found = [...svg.matchAll(/<text x="([^"]+)"[^>]*text-anchor="(start|middle|end)">([^<]*)</g)]
  return found.map(([, x, anchor, content]) => {
    const room = widthOf(content, 12)
    const from = Number(x) - { start: 0, middle: room / 2, end: room }[anchor as 'start' | 'middle' | 'end']
    return { from, to: from + room }
  })
}

describe.each(seeds.slice(0, 12))('pictures, seed %i', seed => {
  const next = randomNumbers(100 + seed)
  const rows = Array.from({ length: 30 }, (_, i) => ({
    x: 10 ** (9 * next() - 3),
    y: next(),
    kind: `kind ${i % 4}`,
    part: `part ${i % 3}`
  }))
  const alt = 'random rows'

  it('labels do not lie on each other', () => {
    for (const type of ['linear', 'log']) {
      const svg = draw(
        {
          height: 100,
          width: 120 + 300 * next(),
          data: { values: rows },
          mark: { type: 'point' },
          encoding: { x: { field: 'x', type: 'quantitative', scale: { type }, axis: { tickCount: 12 } } }
        },
        alt
      )
      const all = labels(svg).sort((a, b) => a.from - b.from)
      expect(all.length).toBeGreaterThan(1)
      for (let i = 1; i < all.length; i++) expect(all[i].from).toBeGreaterThan(all[i - 1].to)
    }
  })

  it('marks have the colour, shape and dash of their names in every layer, and the legend says so once', () => {
    const kind = { field: 'kind', type: 'nominal', title: null }
    const [x, y] = (['x', 'y'] as const).map(field => ({ field, type: 'quantitative' }))
    const domain = [0, 1, 2, 3].map(k => `kind ${k}`)
    const color = { ...kind, scale: { domain, range: ['#111111', '#222222', '#333333', '#444444'] } }
    const svg = draw(
      {
        height: 100,
        data: { values: rows },
        layer: [
          { mark: { type: 'line' }, encoding: { x, y, color } },
          { mark: { type: 'point', filled: true }, encoding: { x, y, color, shape: { ...kind, scale: { domain } } } }
        ]
      },
      alt
    )
    const group = (name: string): string[] =>
      new RegExp(`mark-${name} role-mark.*?</g>`).exec(svg)![0].match(/<path[^>]*>/g)!
    expect(group('line').map(path => /stroke="([^"]+)"/.exec(path)![1])).toEqual(color.scale.range)
    const drawn = group('symbol').map(path => [/d="([^"]+)"/.exec(path)![1], /fill="([^"]+)"/.exec(path)![1]])
    expect(drawn).toEqual(rows.map((_, i) => [outline(shapes[i % 4], 30), color.scale.range[i % 4]]))
    for (const name of domain) expect(svg.match(new RegExp(`>${name}<`, 'g'))).toHaveLength(1)
  })

  it('bars of one name lie end to end', () => {
    const svg = draw(
      {
        height: { step: 20 },
        data: { values: rows },
        mark: { type: 'bar' },
        encoding: { y: { field: 'part' }, x: { field: 'y', type: 'quantitative' }, color: { field: 'kind' } }
      },
      alt
    )
    const bars = [...svg.matchAll(/<rect x="([^"]+)" y="([^"]+)" width="([^"]+)"/g)].map(m => m.slice(1).map(Number))
    expect(bars).toHaveLength(rows.length)
    for (const top of new Set(bars.map(b => b[1]))) {
      let end = 0
      for (const [x, , width] of bars.filter(b => b[1] === top)) {
        // Hundredths of a pixel are rounded.
        expect(Math.abs(x - end)).toBeLessThan(0.06)
        end = x + width
      }
    }
  })
})

describe('text', () => {
  it('is cut to its room, with an ellipsis', () => {
    const long = 'a name that is much too long for its place'
    for (const limit of [20, 60, 120]) {
      const short = cut(long, limit, 12)
      expect(short).toMatch(/^a.*…$/)
      expect(widthOf(short, 12)).toBeLessThanOrEqual(limit)
    }
    expect(cut('short', 100, 12)).toBe('short')
  })

  it('writes numbers as people do', () => {
    expect([whole(12345), whole(-3), whole(-0.2), percentage(0.25), percentage(0.001)]).toEqual([
      '12\u2009345',
      '−3',
      '0',
      '25%',
      '0.1%'
    ])
    expect([decade(0.01), decade(1e-8), decade(50000), decade(2e5)]).toEqual(['0.01', '1e-8', '50\u2009000', '2e5'])
    expect([exponent(1.25e-9), exponent(3e12)]).toEqual(['1.25e-9', '3e12'])
  })
})
