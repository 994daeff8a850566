// Certified values of a few of NIST's non-linear regressions, easy and hard; all of them are in tests/long.
import { describe, expect, it } from 'vitest'
import { expectCertified, nistSets } from '../helpers/nist.js'

const some = ['Misra1c', 'DanWood', 'MGH09', 'MGH10', 'Rat43', 'Roszman1', 'Kirby2', 'Hahn1', 'MGH17']

it('the table is whole', () => {
  expect(nistSets).toHaveLength(27)
  for (const { name, parameters, data } of nistSets)
    for (const column of Object.values(data)) expect(column.length, name).toBeGreaterThan(parameters.length)
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
