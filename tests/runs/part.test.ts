// Parts: what is written comes back, the same bytes every time; their borders; the table of columns.
import { parquetReadObjects } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import { Stream, uniform, words } from '../../src/core/rng.js'
import { decodePart, encodePart, missing, partRanges, partRows, type Part } from '../../src/runs/part.js'
import { EndTable, inOrder } from '../../src/runs/ends.js'
import {
  makeEnds,
  makeRuns,
  pickRows,
  placeRuns,
  rowBytes,
  type EndRows,
  type Layout,
  type Rows
} from '../../src/runs/table.js'
import { layout, partOf, rowsOf, shared, told } from '../helpers/parts.js'

/** Numbers of ends, run by run. */
function ofRuns({ end, ends }: Rows, name: 'loss' | 'theta' | 'conditioned' | 'precision'): Float64Array {
  const values = ends[name]!
  const width = values.length / ends.count
  return Float64Array.from(
    { length: end.length * width },
    (_, n) => values[end[Math.floor(n / width)] * width + (n % width)]
  )
}

describe('a part', () => {
  it.each(['all', 'end', 'none'] as const)('comes back as it was written (keep: %s)', async keep => {
    const how: Layout = { ...layout, keep, test: keep === 'all' }
    const part = partOf(rowsOf(500, 777, how), 500, how)
    const bytes = encodePart(part)
    expect(told(await decodePart(bytes, 'a part'))).toMatchObject(told(part))
    expect(Buffer.compare(encodePart(part), bytes)).toBe(0)
  })

  it('that keeps each point once gives every run its own again', async () => {
    const random = words(5, Stream.split, 0, 0, 4000)
    const how: Layout = { ...layout, keep: 'none' }
    for (const [n, count] of [1, 7, 8, 9, 64, 1000].entries())
      for (const distinct of [0, 1, 3, 40, count]) {
        const rows = rowsOf(1e6, count, how)
        const { copy, conditioned } = rows.ends
        copy!.forEach((_, i) => (copy![i] = i % 3 === 0 ? NaN : i))
        for (let i = 0; i < count; i++) {
          const point = Math.floor(uniform(random[n * 500 + i]) * (distinct + 1)) - 1
          // −0 and 0 are different numbers here: what comes back must be the same to the last bit.
          conditioned.set(point < 0 ? [NaN, NaN, NaN] : [point % 2 === 0 ? 0 : -0, point, Math.sqrt(point)], 3 * i)
        }
        const ends = { low: Float64Array.of(-Infinity, 0, 1), high: Float64Array.of(5e-324, NaN, 2) }
        const made = partOf(rows, 1e6, how)
        const part = { ...made, facts: { ...made.facts, ends } }
        const bytes = encodePart(part)
        expect(told(await decodePart(bytes, 'a part'))).toEqual(told(part))
        const table: Record<string, unknown>[] = await parquetReadObjects({ file: bytes.slice().buffer })
        const own = table.filter(row => row['conditioned:Sepal.Length'] !== null)
        expect(own.length).toBe(new Set(table.map(row => row['sameAs']).filter(v => v !== null)).size)
        expect(own.every(row => row['sameAs'] === row['start'])).toBe(true)
      }
  })

  it('keeps NaN, infinities, negative zero and numbers below the normal range, also in its metadata', async () => {
    const rows = rowsOf(0, 2)
    rows.ends.loss.set([NaN, Infinity])
    rows.ends.theta!.set([NaN, -Infinity, -0, 5e-324, 1e308, -1])
    const theta = Float64Array.of(NaN, -Infinity, 5e-324)
    const diverging = { start: 1, loss: -Infinity, theta, direction: Float64Array.of(0, 1, 0) }
    const part: Part = {
      ...partOf(rows, 0),
      facts: { classCounts: new Float64Array(0), growing: new Map(), diverging }
    }
    expect(told(await decodePart(encodePart(part), 'a part'))).toEqual(told(part))
  })

  it('keeps columns of few and of many distinct values to the bit, and takes less room for few', async () => {
    const how: Layout = { ...layout, keep: 'end', test: false }
    const values = [NaN, 0, -0, Infinity, 5e-324, 0.1, 0.1 + 2 ** -56, -1]
    const bits = (array: Float64Array): string =>
      Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('hex')
    const sizes: number[] = []
    for (const distinct of [1, 2, 8, 255, 256, 257, 2000]) {
      const count = 3000
      const rows = rowsOf(0, count, how)
      const random = words(distinct, Stream.generator, 0, 0, 4 * count)
      const pick = (i: number): number => {
        const k = Math.floor(uniform(random[i]) * distinct)
        return values[k] ?? k / 7
      }
      const { ends } = rows
      for (const column of [ends.loss, ends.theta!, rows.train, ends.conditioned])
        for (let i = 0; i < column.length; i++) column[i] = pick(i % random.length)
      ends.nullity.forEach((_, i) => (ends.nullity[i] = i % distinct))
      const bytes = encodePart(partOf(rows, 0, how)).slice()
      sizes.push(bytes.length)
      const back = (await decodePart(bytes, 'a part')).rows
      expect(bits(back.train)).toBe(bits(rows.train))
      for (const name of ['loss', 'theta', 'conditioned'] as const)
        expect(bits(ofRuns(back, name))).toBe(bits(ends[name]!))
      expect(back.end.map(e => back.ends.nullity[e])).toEqual(ends.nullity)
    }
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b))
    expect(sizes[0]).toBeLessThan(sizes[6] / 2)
  })

  it('may be empty', async () => {
    const part = partOf(rowsOf(0, 0), 0)
    expect(told(await decodePart(encodePart(part), 'a part'))).toEqual(told(part))
  })

  it('is a plain Parquet table for other readers', async () => {
    const bytes = encodePart(partOf(rowsOf(0, 7), 0))
    const rows = await parquetReadObjects({ file: bytes.slice().buffer })
    expect(rows[3]).toMatchObject({
      start: 3n,
      verdict: 'diverging',
      status: 'failed',
      steps: 6,
      'certified:Sepal.Length': 8e6 + 3 * 3 + 1.25,
      'train.auc': 6e6 + 3 * 2 + 1.25
    })
  })

  it('is refused where bytes are missing, and where it is something else', async () => {
    const bytes = encodePart(partOf(rowsOf(0, 100), 0))
    for (const length of [0, 4, 11, bytes.length >> 1, bytes.length - 1])
      await expect(decodePart(bytes.subarray(0, length), 'a part')).rejects.toThrow(
        /^a part (is damaged|holds no runs)/
      )
    await expect(decodePart(new TextEncoder().encode('start,loss\n1,2\n'), 'a part')).rejects.toThrow(/^a part is/)
  })
})

describe('rows', () => {
  it('go to their places, and are picked from there', () => {
    const whole = rowsOf(0, 50)
    const runs = makeRuns(layout, 50)
    const table = new EndTable(layout)
    const odd = [...Array(25).keys()].map(i => 2 * i + 1)
    const even = odd.map(i => i - 1)
    for (const which of [odd, even]) {
      const some = pickRows(whole, Uint32Array.from(which))
      placeRuns(runs, some, Uint32Array.from(which), table.add(some.ends))
    }
    expect(inOrder({ ...runs, ends: table.ends() }, layout)).toEqual(whole)
    expect(inOrder(pickRows(whole, Uint32Array.of(17)), layout)).toEqual(rowsOf(17, 1))
  })

  it('of a layout take as many bytes as its arrays, and their ends', () => {
    const bytes = (of: object): number =>
      Object.values(of).reduce((sum: number, v: unknown) => sum + (ArrayBuffer.isView(v) ? v.byteLength : 0), 0)
    const { end: _, ...runs } = makeRuns(layout, 10)
    expect(bytes(runs) + bytes(makeEnds(layout, 10))).toBe(10 * rowBytes(layout))
  })
})

describe('ends', () => {
  const how: Layout = { ...layout, keep: 'end' }
  const count = 700
  const random = words(3, Stream.split, 0, 0, 2 * count)
  // A few ends, of which every one differs from some other in the sign of a zero or in a single column alone.
  const rows = rowsOf(0, count, how)
  for (let i = 0; i < count; i++) {
    const k = random[i] % 11
    rows.ends.verdict[i] = k % 2
    rows.ends.nullity[i] = k % 3
    for (const name of ['loss', 'gradientNorm', 'precision', 'limit', 'limitError'] as const) rows.ends[name][i] = NaN
    rows.ends.theta!.fill(1, 3 * i, 3 * i + 3)
    rows.ends.conditioned.set([k > 6 ? -0 : 0, k === 10 ? 5e-324 : 0, 2], 3 * i)
  }
  const key = ({ verdict, nullity, conditioned }: EndRows, e: number): string =>
    [verdict[e], nullity[e], 1 / conditioned[3 * e], conditioned[3 * e + 1]].join()

  it('that are equal to the bit are one, in the order of their first runs', () => {
    const one = shared(rows, how)
    const keys = Array.from(one.end, e => key(one.ends, e))
    expect(keys).toEqual(Array.from(rows.end, e => key(rows.ends, e)))
    expect(Array.from({ length: one.ends.count }, (_, e) => key(one.ends, e))).toEqual([...new Set(keys)])
    expect(encodePart(partOf(one, 0, how))).toEqual(encodePart(partOf(rows, 0, how)).slice())
  })

  it('are the same whatever the pieces and the order in which they come', async () => {
    const wanted = shared(rows, how)
    for (const size of [1, 7, 128, 699]) {
      const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => random[count + a] - random[count + b])
      const table = new EndTable(how)
      const runs = makeRuns(how, count)
      for (let from = 0; from < count; from += size) {
        const which = order.slice(from, from + size)
        const some = pickRows(rows, Uint32Array.from(which))
        const piece = size === 7 ? inOrder(some, how) : size === 128 ? shared(some, how) : some
        placeRuns(runs, piece, Uint32Array.from(which), table.add(piece.ends))
      }
      const back = inOrder({ ...runs, ends: table.ends() }, how)
      expect(back).toEqual(wanted)
      expect((await decodePart(encodePart(partOf(back, 0, how)), 'a part')).rows).toEqual(wanted)
    }
  })
})

describe('the borders of parts', () => {
  it('cover every start once, whatever the way', () => {
    const random = words(11, Stream.split, 0, 0, 300)
    for (let k = 0; k < 100; k++) {
      const [a, b, most] = [0, 1, 2].map(j => Math.floor(uniform(random[3 * k + j]) * 5000))
      const [first, end] = [Math.min(a, b), Math.max(a, b)]
      const size = Math.max(256, 2 ** Math.floor(Math.log2(most + 1)))
      const ranges = partRanges(first, end, size)
      let at = first
      for (const range of ranges) {
        expect(range.first).toBe(at)
        expect(range.count).toBeGreaterThan(0)
        expect(range.count).toBeLessThanOrEqual(size)
        at += range.count
      }
      expect(at).toBe(end)
      // A study in two pieces has the borders of the whole one, but for the one between the pieces.
      const middle = first + Math.floor((end - first) / 3)
      const borders = [...partRanges(first, middle, size), ...partRanges(middle, end, size)].map(r => r.first)
      const whole = new Set(ranges.map(r => r.first))
      expect(borders.filter(at => at !== middle && !whole.has(at))).toEqual([])
      expect(missing({ first, count: end - first }, ranges)).toEqual([])
      const holes = ranges.filter((_, i) => i % 2 === 0)
      const found = missing(
        { first, count: end - first },
        ranges.filter((_, i) => i % 2 === 1)
      )
      const sum = (list: readonly { count: number }[]): number => list.reduce((n, r) => n + r.count, 0)
      expect(sum(found)).toBe(sum(holes))
    }
  })

  it('are powers of two for rows of any size, within limits', () => {
    expect(partRows(8)).toBe(65536)
    expect(partRows(2 ** 20)).toBe(256)
    expect(partRows(1000)).toBe(16384)
  })
})
