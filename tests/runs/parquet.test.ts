// Columns of a table: by their distinct values, as packed bits, as differences; what is written is what other readers find.
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import { Stream, uniform, words } from '../../src/core/rng.js'
import { appendCodes } from '../../src/runs/bitPacked.js'
import { Coder, CodedRuns, mostCoded } from '../../src/core/coded.js'
import { encodeTable, type Field } from '../../src/runs/parquet.js'

const random = Float64Array.from(words(11, Stream.split, 0, 0, 3 * mostCoded), uniform)

/** `count` numbers of which `distinct` differ; NaN, −0, 0 and infinities are among them. */
function numbers(count: number, distinct: number, seed: number): Float64Array {
  const special = [NaN, -0, 0, Infinity, -Infinity, 5e-324]
  const pool = Float64Array.from(
    { length: distinct },
    (_, i) => special[i] ?? random[(seed + i) % random.length] * 10 ** (i % 9)
  )
  return Float64Array.from(
    { length: count },
    (_, i) => pool[Math.floor(random[(seed + 7 * i) % random.length] * distinct)]
  )
}

const bits = (values: Float64Array): string[] => Array.from(new BigUint64Array(values.slice().buffer), String)
const read = (fields: Field[]): Promise<Record<string, unknown>[]> => {
  const bytes = encodeTable([fields], ['key', 'value'])
  return parquetReadObjects({ file: bytes.slice().buffer })
}
const encodings = (fields: Field[]): unknown[] =>
  parquetMetadata(encodeTable([fields], ['key', 'value']).slice().buffer).row_groups.flatMap(g =>
    g.columns.map(c => c.meta_data?.encodings.at(-1))
  )

describe('columns by their distinct values', () => {
  it('give every row its own bits back, with how many rows have each value', () => {
    for (const [n, count] of [0, 1, 2, 9, 1000, mostCoded].entries())
      for (const distinct of [1, 2, 6, 255, 300, 5000]) {
        const values = numbers(count, distinct, 31 * n + distinct)
        const steps = Uint32Array.from(values, v => (Number.isFinite(v) ? Math.floor(Math.abs(v) * 1e4) : 2 ** 32 - 1))
        const runs = new CodedRuns({ count, lossFound: values, steps })
        const a = runs.of('lossFound')
        expect(bits(Float64Array.from(a.codes, c => a.values[c]))).toEqual(bits(values))
        expect(new Set(bits(a.values)).size).toBe(a.values.length)
        const tallies = new Uint32Array(a.values.length)
        a.codes.forEach(c => tallies[c]++)
        expect(a.counts).toEqual(tallies)
        const b = runs.of('steps')
        expect(Uint32Array.from(b.codes, c => b.values[c])).toEqual(steps)
      }
  })

  it('of rows of several numbers are those of each', () => {
    const train = numbers(3000, 100, 5)
    const runs = new CodedRuns({ count: 1000, train })
    for (const m of [0, 1, 2]) {
      const { codes, values } = runs.of('train', m)
      const own = train.filter((_, i) => i % 3 === m)
      expect(bits(Float64Array.from(codes, c => values[c]))).toEqual(bits(own))
    }
  })

  it('may all differ, and are given up where that does not pay', () => {
    const values = Float64Array.from({ length: mostCoded }, (_, i) => 1 / (i + 1))
    const { codes } = new CodedRuns({ count: mostCoded, lossFound: values }).of('lossFound')
    expect(codes.every((c, i) => c === i)).toBe(true)
    const words = new Uint32Array(values.buffer)
    expect(new Coder().code(words, 0, 1, 2, new Uint16Array(mostCoded), true)).toBe(false)
    expect(() =>
      new CodedRuns({ count: mostCoded + 1, lossFound: new Float64Array(mostCoded + 1) }).of('lossFound')
    ).toThrow(RangeError)
  })
})

/** Parquet's hybrid, read bit by bit. */
function unpacked(bytes: Uint8Array, width: number, count: number): number[] {
  const out: number[] = []
  let at = 0
  const varint = (): number => {
    for (let value = 0, shift = 0; ; shift += 7) {
      value += (bytes[at] & 127) * 2 ** shift
      if (bytes[at++] < 128) return value
    }
  }
  while (out.length < count) {
    const head = varint()
    if (head % 2 === 0) {
      let value = 0
      for (let b = 0; 8 * b < width; b++) value += bytes[at++] * 256 ** b
      for (let n = 0; n < head / 2; n++) out.push(value)
    } else {
      const values = 8 * ((head - 1) / 2)
      for (let n = 0; n < values; n++) {
        let value = 0
        for (let b = 0; b < width; b++) {
          const bit = n * width + b
          value += ((bytes[at + (bit >> 3)] >> (bit & 7)) & 1) * 2 ** b
        }
        out.push(value)
      }
      at += (values * width) / 8
    }
  }
  expect(at).toBe(bytes.length)
  expect(out.slice(count).every(v => v === 0)).toBe(true)
  return out.slice(0, count)
}

it('Codes of any width come back from their bits, where they change at every row and where they seldom do', () => {
  for (let width = 1; width <= 16; width++)
    for (const count of [1, 7, 8, 9, 100, 1001])
      for (const seldom of [false, true]) {
        const codes = Uint16Array.from({ length: count }, (_, i) =>
          Math.floor(random[(width + (seldom ? i >> 6 : i)) % random.length] * 2 ** width)
        )
        const writer = new ByteWriter()
        appendCodes(writer, codes, width)
        expect(unpacked(writer.getBytes(), width, count)).toEqual([...codes])
      }
})

describe('a table', () => {
  it('has the numbers of columns of few and of many distinct values, shared or not, to the last bit', async () => {
    for (const [count, distinct] of [
      [1, 1],
      [100, 3],
      [5000, 300],
      [5000, 4000],
      [40_000, 9000]
    ] as const) {
      const data = numbers(count, distinct, count)
      const rows = Uint32Array.from(data, (_, i) => (i * 7) % 50)
      const table = await read([
        { name: 'plain', type: 'DOUBLE', data },
        { name: 'coded', type: 'DOUBLE', data, coded: new CodedRuns({ count, lossFound: data }).of('lossFound') },
        { name: 'shared', type: 'DOUBLE', data: numbers(50, 50, 3), rows }
      ])
      const found = (name: string): string[] => bits(Float64Array.from(table, row => Number(row[name])))
      // NaN is one of many; all others keep their bits.
      expect(found('plain')).toEqual(bits(data))
      expect(found('coded')).toEqual(bits(data))
      expect(found('shared')).toEqual(bits(Float64Array.from(rows, r => numbers(50, 50, 3)[r])))
    }
  })

  it('has numbers that follow each other as differences, wherever they begin', async () => {
    for (const first of [0, 1, 2 ** 31 - 5, 2 ** 32 + 1, 2 ** 52])
      for (const count of [1, 2, 128, 129, 130, 1000]) {
        const data = Float64Array.from({ length: count }, (_, i) => first + i)
        const fields: Field[] = [
          { name: 'a', type: 'INT64', data },
          { name: 'b', type: 'INT64', data: { first, count } },
          { name: 'c', type: 'INT64', data: data.map((v, i) => (i === count - 1 ? v + 1 : v)) }
        ]
        expect(encodings(fields).slice(0, 2)).toEqual(['DELTA_BINARY_PACKED', 'DELTA_BINARY_PACKED'])
        const table = await read(fields)
        expect(table.map(row => Number(row['a']))).toEqual([...data])
        expect(table.map(row => Number(row['b']))).toEqual([...data])
        expect(Number(table.at(-1)?.['c'])).toBe(first + count)
      }
  })
})
