// What is recommended where there is no finite minimiser works: every run of the model with the ridge ends in one minimum.
import { describe, expect, it } from 'vitest'
import { study } from '../helpers/study.js'
import { csv } from '../helpers/files.js'
import { normals } from '../helpers/problems.js'

const rows = 14
/** Two columns of seeded random numbers and a target made from them. */
function table(name: string, seed: number, target: (a: number) => number): string {
  const [a, b] = [normals(rows, seed, 0), normals(rows, seed, 1)]
  return csv(
    `${name}-${seed}.csv`,
    ['a', 'b', 'y'],
    Array.from({ length: rows }, (_, i) => [a[i], b[i], target(a[i])])
  )
}
const kinds = {
  'complete separation': { loss: 'logistic', target: (a: number) => (a > 0.1 ? 1 : 0) },
  'one class only': { loss: 'logistic', target: () => 1 },
  'separation under probit': { loss: 'probit', target: (a: number) => (a < 0 ? 1 : 0) },
  'counts that are all zero': { loss: 'poisson', target: () => 0 },
  'separation under cloglog': { loss: 'cloglog', target: (a: number) => (a > -0.2 ? 1 : 0) }
} as const

describe.each(Object.entries(kinds))('%s', (name, { loss, target }) => {
  it.each([1, 2, 3])('seed %i', async seed => {
    const data = { csv: table(name.replaceAll(' ', '-'), seed, target), target: 'y' }
    const model = { hidden: [], loss }
    const before = await study({ data, model, starts: { count: 10 } }).catch((error: Error) => error)
    // A target of one class is refused before training.
    if (before instanceof Error) return expect(before.message).toMatch(/one|same|class|constant/)
    expect(before.verdicts.minimum).toBe(0)
    const { remedy } = before.separation
    expect(remedy).toBeTruthy()
    const after = await study({ data, model: { ...model, ...remedy! }, starts: { count: 10 } })
    expect(after.verdicts.minimum).toBe(10)
    expect(after.minima).toHaveLength(1)
    // The weaker remedy was tried first.
    if (remedy!.penalizeBias) {
      const weaker = await study({ data, model: { ...model, ridge: remedy!.ridge }, starts: { count: 10 } })
      expect(weaker.verdicts.minimum).toBe(0)
    }
  })
})

it('counts that are all zero need the ridge on the intercept, too', async () => {
  const { separation } = await study({
    data: { csv: table('zeros', 9, () => 0), target: 'y' },
    model: { hidden: [], loss: 'poisson' },
    starts: { count: 2 }
  })
  expect(separation.remedy).toEqual({ ridge: 0.01, penalizeBias: true })
})
