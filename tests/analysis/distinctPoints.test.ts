// Distinct points of several tables in one order, against objects sorted one by one.
import { describe, expect, it } from 'vitest'
import { ClusterTable } from '../../src/analysis/clusterTable.js'
import { DistinctPoints } from '../../src/analysis/distinctPoints.js'
import { Stream, uniform, words } from '../../src/core/rng.js'

/** A table of points whose losses share a few values, up to rounding, each met by some runs. */
function tableOf(seed: number, size: number, width: number): ClusterTable {
  const table = new ClusterTable(width, 0)
  const random = Array.from(words(seed, Stream.bootstrap, size, 0, 3 * size), uniform)
  for (let row = 0; row < size; row++) {
    const start = 1000 * seed + ((row * 37) % size)
    table.push(start, 0)
    table.represent(row, start, Math.floor(4 * random[row]) / 3 + 1e-16 * random[size + row], 0, 0)
    const runs = 1 + Math.floor(3 * random[2 * size + row])
    for (let k = 0; k < runs; k++) table.hit(row, start + 100_000 * k, k)
    for (let p = 0; p < width; p++) table.point[row * width + p] = row + p / 8
  }
  return table
}

describe.each([0, 1, 7, 60])('distinct points of three tables of %i', size => {
  const [P, scale] = [3, Float64Array.of(2, 1, 0.5)]
  const sources = [1, 2, 3].map(seed => ({ table: tableOf(seed, size, P), ...(seed === 2 ? { scale } : {}) }))
  const all = DistinctPoints.of(sources)
  const expected = sources
    .flatMap(({ table, scale }, source) =>
      Array.from({ length: size }, (_, row) => ({
        source,
        row,
        loss: table.loss[row],
        level: Math.round(3 * table.loss[row]),
        firstStart: table.firstStart[row],
        count: table.count[row],
        parameters: Float64Array.from({ length: P }, (_, p) => (row + p / 8) * (scale ? scale[p] : 1))
      }))
    )
    .sort((a, b) => a.level - b.level || a.firstStart - b.firstStart)

  it('are by loss, those of equal loss by first start, and their ids are their places', () => {
    expect(all.length).toBe(3 * size)
    expect(all.at(-1)).toBeUndefined()
    expect(all.at(all.length)).toBeUndefined()
    const points = all.slice()
    expect(points.map(p => p.id)).toEqual(expected.map((_, i) => i))
    points.forEach(({ loss, firstStart, count, parameters, copies }, i) => {
      const { loss: own, firstStart: first, count: runs, parameters: theta } = expected[i]
      expect({ loss, firstStart, count, parameters, copies }).toEqual({
        loss: own,
        firstStart: first,
        count: runs,
        parameters: theta,
        copies: runs
      })
    })
    for (const name of ['loss', 'firstStart', 'count'] as const)
      expect([...all.column(name)]).toEqual(expected.map(e => e[name]))
    expect(all.copies).toBe(expected.reduce((sum, { count }) => sum + count, 0))
  })

  it('of some of the tables keep their ids', () => {
    const some = all.from(0, 2)
    const kept = expected.map((e, id) => ({ ...e, id })).filter(({ source }) => source !== 1)
    expect(some.slice().map(p => p.id)).toEqual(kept.map(({ id }) => id))
    expect(some.slice(2, 5).map(p => p.id)).toEqual(kept.slice(2, 5).map(({ id }) => id))
    all
      .idsByRow()
      .forEach((ids, source) => ids.forEach((id, row) => expect(expected[id]).toMatchObject({ source, row })))
  })
})
