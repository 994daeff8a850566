// Separation where rounding could decide: rows in the plane of others that must stay as they are, and columns that nearly depend.
import { describe, expect, it } from 'vitest'
import { separation, type Separation } from '../../src/analysis/separation/index.js'
import { parameterNames } from '../../src/models/model.js'
import { integers } from '../helpers/problems.js'
import { cross, dot, rays, table, type Vector } from '../helpers/separation.js'

const names = ['(Intercept)', 'a', 'b']

describe('random tables of small whole numbers', () => {
  it('of counts are decided as exact arithmetic does, offsets and units of the columns apart', () => {
    const seen = { none: 0, 'quasi-complete': 0 }
    for (let seed = 1000; seed < 1400; seed++) {
      const N = 5 + (seed % 4)
      const draws = integers(3 * N, 6, seed)
      // Few rows with a count: each is a plane that directions must stay in.
      const rows = Array.from({ length: N }, (_, i) => [
        draws[3 * i],
        draws[3 * i + 1],
        Math.max(0, draws[3 * i + 2] - 3)
      ])
      const sided = rows.flatMap(([a, b, y]): Vector[] =>
        y === 0
          ? [[-1, -a, -b]]
          : [
              [1, a, b],
              [-1, -a, -b]
            ]
      )
      const all = rows.map(([a, b]): Vector => [1, a, b])
      const full = all.some((a, i) =>
        all.some((b, j) => all.some((c, k) => i < j && j < k && dot(cross(a, b), c) !== 0))
      )
      if (!full || rows.every(row => row[2] === 0)) continue
      const found = rays(sided)
      const falls = sided.some(row => found.some(ray => dot(row, ray) > 0))
      const status = falls ? 'quasi-complete' : 'none'
      seen[status]++
      const loss = (['poisson', 'negativeBinomial'] as const)[seed % 2]
      const changes = loss === 'poisson' ? {} : { lossParameters: [0.5] }
      for (const [offset, unit] of [
        [0, 1],
        [2 ** 12, 1],
        [2 ** 40, 2 ** 10]
      ]) {
        const moved = rows.map(([a, b, y]) => [(a + offset) * unit, b - 3 * offset, y])
        const answer = separation(table(moved, loss, changes), names)
        expect(answer.status, `seed ${seed}, ${offset}`).toBe(status)
        const signs = [1, 2].map(p => new Set(found.map(ray => Math.sign(ray[p])).filter(sign => sign !== 0)))
        for (const p of [1, 2]) {
          const [sign] = signs[p - 1]
          expect(answer.infinite[names[p]], `seed ${seed}, ${offset}`).toBe(signs[p - 1].size === 1 ? sign : undefined)
        }
      }
    }
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(30)
  })

  it('columns that nearly depend on each other leave the answer, or leave it undecided', () => {
    let decided = 0
    for (let seed = 1500; seed < 1700; seed++) {
      const N = 8 + (seed % 8)
      const draws = integers(4 * N, 7, seed)
      const loss = (['poisson', 'logistic', 'negativeBinomial', 'softmax'] as const)[seed % 4]
      const rows = Array.from({ length: N }, (_, i) => {
        const [a, b, c, y] = draws.subarray(4 * i, 4 * i + 4)
        return [a, b, c, loss === 'softmax' ? y % 3 : loss === 'logistic' ? y % 2 : Math.max(0, y - 4)]
      })
      const changes = loss === 'softmax' ? { outputs: 3 } : loss === 'negativeBinomial' ? { lossParameters: [0.5] } : {}
      const of = (own: number[][]): Separation => {
        const problem = table(own, loss, changes)
        return separation(problem, parameterNames(problem.model, ['a', 'b', 'c'], ['0', '1', '2']))
      }
      const plain = of(rows)
      // The same column space, in columns of which the third is the others' sum but for one part in 2^k.
      const large = 2 ** (6 + (seed % 20))
      const near = of(rows.map(([a, b, c, y]) => [large * a + 2 ** 30, large * b, large * (a + b) + c + 2 ** 30, y]))
      if (near.status === 'undecided') continue
      expect(near.status, `seed ${seed}`).toBe(plain.status)
      decided++
    }
    expect(decided).toBeGreaterThan(190)
  })
})
