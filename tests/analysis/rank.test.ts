// The rank of a design and the columns that depend on others, against exact elimination in whole numbers.
import { describe, expect, it } from 'vitest'
import { designRank } from '../../src/analysis/rank.js'
import { longley } from '../../src/data/tables/tables.js'
import { prepareProblem } from '../../src/study/setup.js'
import { resolveConfig } from '../../src/study/config.js'
import { csv } from '../helpers/files.js'
import { integers, normals } from '../helpers/problems.js'

/** Rank by Bareiss' fraction-free elimination: exact for whole numbers. */
function exactRank(rows: readonly (readonly number[])[]): number {
  const A = rows.map(row => row.map(BigInt))
  let rank = 0
  let last = 1n
  for (let d = 0; d < A[0].length && rank < A.length; d++) {
    const pivot = A.findIndex((row, i) => i >= rank && row[d] !== 0n)
    if (pivot < 0) continue
    ;[A[rank], A[pivot]] = [A[pivot], A[rank]]
    for (let i = rank + 1; i < A.length; i++) A[i] = A[i].map((v, k) => (A[rank][d] * v - A[i][d] * A[rank][k]) / last)
    last = A[rank][d]
    rank++
  }
  return rank
}

const flat = (rows: readonly (readonly number[])[]): Float64Array => Float64Array.from(rows.flat())

describe('the rank of a design', () => {
  it('is that of exact elimination, and what is left after the aliased columns go is independent', () => {
    const seen = new Set<string>()
    for (let seed = 1; seed <= 300; seed++) {
      const [N, D] = [3 + (seed % 6), 2 + (seed % 5)]
      const draws = integers(N * D, 3, seed)
      const rows = Array.from({ length: N }, (_, i) => Array.from({ length: D }, (_, d) => draws[i * D + d] - 1))
      const { rank, aliased } = designRank(flat(rows), N, D)
      expect(rank, `seed ${seed}`).toBe(exactRank(rows))
      expect(aliased).toHaveLength(D - rank)
      expect(new Set(aliased).size).toBe(aliased.length)
      const kept = rows.map(row => row.filter((_, d) => !aliased.includes(d)))
      if (rank > 0) expect(exactRank(kept), `seed ${seed}: the columns that stay`).toBe(rank)
      seen.add(rank === D ? 'full' : rank === N ? 'wide' : 'deficient')
    }
    expect(seen.size).toBe(3)
  })

  it('does not depend on the units of the columns', () => {
    const a = normals(20, 1)
    const b = normals(20, 2)
    for (const scale of [1e-150, 1e-9, 1, 1e9, 1e150]) {
      const dependent = flat(Array.from(a, (v, i) => [1, v * scale, b[i], v + b[i]]))
      expect(designRank(dependent, 20, 4).rank).toBe(3)
      const independent = flat(Array.from(a, (v, i) => [1, v * scale, b[i], v * b[i]]))
      expect(designRank(independent, 20, 4).rank).toBe(4)
    }
  })

  it('is full for columns that are nearly, not quite, dependent', () => {
    const [a, b, noise] = [1, 2, 3].map(seed => normals(30, seed))
    const design = (size: number): Float64Array => flat(Array.from(a, (v, i) => [v, b[i], v - b[i] + size * noise[i]]))
    expect(designRank(design(1e-9), 30, 3).rank).toBe(3)
    expect(designRank(design(0), 30, 3).rank).toBe(2)
    const rows = longley
      .trim()
      .split('\n')
      .slice(1)
      .map(line => [1, ...line.split(',').slice(0, 6).map(Number)])
    expect(designRank(flat(rows), 16, 7)).toEqual({ rank: 7, aliased: [] })
  })

  it('of zeros is zero', () => {
    expect(designRank(new Float64Array(6), 3, 2)).toEqual({ rank: 0, aliased: [0, 1] })
  })

  it('counts the column of ones, and is given with names', async () => {
    // Shares that sum to one are collinear with the intercept only.
    const rows = [0.1, 0.3, 0.2, 0.75, 0.5, 0.9].map((share, i) => [share, 1 - share, i % 2])
    const shares = csv('shares.csv', ['left', 'right', 'y'], rows)
    const check = async (bias: boolean) =>
      (await prepareProblem(resolveConfig({ data: { csv: shares, target: 'y' }, model: { bias } }, 'the test'))).rank
    const withBias = await check(true)
    expect(withBias).toMatchObject({ rank: 2, columns: 3 })
    expect(['(Intercept)', 'left', 'right']).toContain(withBias.aliased[0])
    expect(await check(false)).toEqual({ rank: 2, columns: 2, aliased: [] })
  })
})
