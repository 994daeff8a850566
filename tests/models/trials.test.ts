// Shares with weights, as successes among trials are, score as the rows of their trials do, by the definition and by the addon.
import { describe, expect, it } from 'vitest'
import { cpuEntry } from '../../src/engines/cpu/index.js'
import { referenceEntry } from '../../src/engines/reference/index.js'
import type { Network, Problem } from '../../src/models/types.js'
import { integers, makeProblem, normals, points } from '../helpers/problems.js'
import { expectAllClose, tolerance } from '../helpers/tolerance.js'

/** Grouped rows and the rows of their trials. */
function both(seed: number): { grouped: Problem<Network>; long: Problem<Network> } {
  const groups = 9
  const base = makeProblem({ loss: 'logistic', rows: groups, inputs: 2 })
  const trials = integers(groups, 6, seed).map(n => n + 1)
  const successes = integers(groups, 100, seed, 2).map((v, i) => v % (trials[i] + 1))
  const x = normals(2 * groups, seed, 3)
  const grouped = { ...base, x, y: successes.map((s, i) => s / trials[i]), weight: Float64Array.from(trials) }
  const rows = [...trials.keys()].flatMap(i =>
    Array.from({ length: trials[i] }, (_, k) => ({ i, y: k < successes[i] ? 1 : 0 }))
  )
  const long = {
    ...base,
    rows: rows.length,
    x: Float64Array.from(rows.flatMap(({ i }) => [x[2 * i], x[2 * i + 1]])),
    y: Float64Array.from(rows, row => row.y)
  }
  return { grouped, long }
}

describe.each([referenceEntry, cpuEntry])('$name', entry => {
  it.each([1, 2, 3, 4, 5])('seed %i', async seed => {
    const engine = await entry.load({ precision: 'f64', threads: 1 })
    const { grouped, long } = both(seed)
    const theta = points(grouped, 6, seed)
    const [a, b] = await Promise.all(
      [grouped, long].map(async problem => (await (await engine.prepare(problem)).score(theta)).values)
    )
    expect(a.every(Number.isFinite)).toBe(true)
    expectAllClose(a, b, tolerance('f64', long.rows, 1), 'scores')
    engine.dispose()
  })
})
