// Certified values of a few of NIST's non-linear regressions, easy and hard; all of them are in tests/long.
import { describe, expect, it } from 'vitest'
import { expectCertified, nistSets } from '../helpers/nist.js'
import { study } from '../helpers/study.js'

const some = ['Misra1c', 'DanWood', 'MGH09', 'MGH10', 'Rat43', 'Roszman1', 'Kirby2', 'Hahn1', 'MGH17']

it('the table is whole', () => {
  expect(nistSets).toHaveLength(27)
  for (const { name, parameters, data } of nistSets)
    for (const column of Object.values(data)) expect(column.length, name).toBeGreaterThan(parameters.length)
})

it('MGH17: nine of ten runs from within √10 of the second start come to the least sum', async () => {
  const { formula, parameters, data, sum } = nistSets.find(s => s.name === 'MGH17')!
  const away = Math.sqrt(10)
  const inits = parameters.map(({ name, start2 }) => {
    const ends = [start2 / away, start2 * away]
    return [name, { init: { logUniform: [Math.min(...ends), Math.max(...ends)] } }] as const
  })
  const summary = await study({
    data: { columns: data, target: 'y' },
    model: { formula, parameters: Object.fromEntries(inits) },
    starts: { count: 500 },
    engine: 'cpu'
  })
  const least = 2 * summary.minima[0].loss * data['y'].length
  expect(Math.abs(least - sum)).toBeLessThan(1e-9 * sum)
  const found = summary.minima.filter(m => m.loss <= summary.minima[0].loss * (1 + 1e-9))
  expect(found.reduce((count, m) => count + m.count, 0)).toBeGreaterThan(450)
})

describe('certified parameters and deviations are among the minima', () => {
  it.each(some)('%s', async name => {
    await expectCertified(
      nistSets.find(s => s.name === name)!,
      'start2',
      150
    )
  })
})
