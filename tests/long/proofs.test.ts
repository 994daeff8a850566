// Nearly every strict minimum is proved: built-in data × losses × sizes × activations.
import { describe, expect, it } from 'vitest'
import { symmetricEigen } from '../../src/core/linalg.js'
import { loadData } from '../../src/data/load.js'
import { activations, type Activation, type Loss, type Problem } from '../../src/models/types.js'
import { endPoints, hasAddon, prepare } from '../helpers/proofs.js'

const sets: readonly { readonly builtin: string; readonly losses: readonly Loss[] }[] = [
  { builtin: 'iris2', losses: ['logistic', 'probit', 'cloglog', 'brier'] },
  { builtin: 'endometrial', losses: ['logistic', 'probit', 'cloglog', 'brier', 'squared'] },
  { builtin: 'xor', losses: ['logistic', 'squared', 'brier'] },
  { builtin: 'iris3', losses: ['softmax'] },
  { builtin: 'insect_sprays', losses: ['poisson', 'squared'] },
  { builtin: 'longley', losses: ['squared', 'gamma'] }
]
const shapes: readonly (readonly number[])[] = [[], [2], [5], [3, 2]]
const ridges = [0, 1e-4, 1e-2]
/** Minima flatter than this, largest eigenvalue to smallest, are not counted. */
const flattest = 1e-10

describe.runIf(hasAddon)('strict minima are proved', () => {
  const tally = { minima: 0, proved: 0, unrounded: 0 }
  for (const { builtin, losses } of sets)
    for (const loss of losses)
      it(`${builtin} ${loss}`, async () => {
        for (const hidden of shapes)
          for (const activation of hidden.length > 0
            ? activations.filter(a => a !== 'relu')
            : (['tanh'] as Activation[]))
            for (const ridge of ridges) {
              const data = await loadData({ builtin, standardize: true }, loss, { bias: true, hidden, ridge })
              const problem: Problem = {
                rows: data.rows,
                x: data.x,
                y: data.y,
                model: {
                  kind: 'network',
                  inputs: data.inputs,
                  hidden,
                  outputs: loss === 'softmax' ? 3 : 1,
                  activation,
                  loss,
                  bias: true,
                  ridge,
                  penalizeBias: true
                }
              }
              const objective = await prepare(problem)
              const P = objective.parameters
              const ends = await endPoints(objective, 40, { size: 1, steps: 500 })
              const { g, H } = await objective.evaluate(ends, { g: true, H: true })
              const proofs = await objective.prove(ends)
              for (let i = 0; i < proofs.count; i++) {
                const { values } = symmetricEigen(H!.slice(i * P * P, (i + 1) * P * P), P)
                const slope = g!.subarray(i * P, (i + 1) * P).reduce((m, v) => Math.max(m, Math.abs(v)), 0)
                if (!(values[0] > flattest * values[P - 1]) || !(slope <= 1e-7 * values[0])) continue
                tally.minima++
                if (proofs.status[i] === 'proved' && proofs.index[i] === 0) tally.proved++
                else console.log(builtin, loss, hidden, activation, ridge, proofs.status[i], values[0] / values[P - 1])
                if (!proofs.isRounded[i]) tally.unrounded++
              }
            }
      })
  it('in at least 99 of 100 cases', () => {
    console.log(tally)
    expect(tally.minima).toBeGreaterThan(1000)
    expect(tally.proved).toBeGreaterThanOrEqual(0.99 * tally.minima)
  })
})
