// Firth's estimates: closed forms, published values, and what a restart study says of their uniqueness.
import { describe, expect, it } from 'vitest'
import { study } from '../helpers/study.js'
import { expectAllClose } from '../helpers/tolerance.js'
import { csv } from '../helpers/files.js'

const base = { starts: { count: 60, seed: 3, init: { normal: 1 } }, engine: 'cpu' }

describe('Firth’s penalty', () => {
  it('gives the published estimates for separated data, from every start', async () => {
    const summary = await study({
      ...base,
      data: { builtin: 'endometrial', target: 'HG' },
      model: { loss: 'logistic', firth: true }
    })
    expect(summary.separation.status).toBe('not-applicable')
    expect(summary.verdicts.minimum).toBe(60)
    expect(summary.minima).toHaveLength(1)
    // Standard errors are those of the information without the penalty.
    expectAllClose(summary.minima[0].standardErrors!, [1.48869, 1.55076, 0.03958, 0.77602], 5e-6, 'errors')
    // brglm2's endometrial example, to the digits printed there.
    const published = [3.774559514, 2.929273303, -0.03475176, -2.604163925]
    // They come from an iteration that stops earlier than ours.
    expectAllClose(summary.minima[0].parameters, published, p => 1e-7 * Math.max(1, Math.abs(published[p])), 'θ')
  })

  it('is −ln 7 and 2 ln 7 for three and three completely separated rows', async () => {
    const path = csv(
      'separated.csv',
      ['x', 'y'],
      [0, 0, 0, 1, 1, 1].map(v => [v, v])
    )
    const summary = await study({ ...base, data: { csv: path, target: 'y' }, model: { loss: 'logistic', firth: true } })
    expect(summary.minima).toHaveLength(1)
    expectAllClose(summary.minima[0].parameters, [-Math.log(7), 2 * Math.log(7)], 1e-9, 'θ')
  })
})
