// Every convex loss on data of its kind, from starts far out: what `npm test` takes some starts of, and `npm run test:long` ten thousand.
import { expect } from 'vitest'
import { study } from '../../src/study/study.js'

const iris = { builtin: 'iris3', features: ['Sepal.Length', 'Petal.Length'], target: 'Petal.Width' }

/** A study's data and model for each convex loss. */
export const convexCases: readonly { readonly name: string; readonly data: object; readonly model: object }[] = [
  { name: 'squared', data: iris, model: { loss: 'squared' } },
  { name: 'squared, badly conditioned', data: { builtin: 'longley' }, model: { loss: 'squared' } },
  { name: 'logistic', data: { builtin: 'iris2' }, model: { loss: 'logistic' } },
  { name: 'probit', data: { builtin: 'iris2' }, model: { loss: 'probit' } },
  { name: 'cloglog', data: { builtin: 'iris2' }, model: { loss: 'cloglog' } },
  { name: 'poisson', data: { builtin: 'insect_sprays' }, model: { loss: 'poisson' } },
  { name: 'gamma', data: iris, model: { loss: 'gamma' } },
  { name: 'softmax', data: { builtin: 'insect_sprays', target: 'spray' }, model: { loss: 'softmax' } },
  {
    name: 'negativeBinomial',
    data: { builtin: 'insect_sprays' },
    model: { loss: { negativeBinomial: { dispersion: 0.4 } } }
  },
  { name: 'huber', data: iris, model: { loss: { huber: { delta: 0.1 } } } },
  { name: 'logistic, standardised', data: { builtin: 'iris2', standardize: true }, model: { loss: 'logistic' } },
  { name: 'poisson, ridge', data: { builtin: 'insect_sprays' }, model: { loss: 'poisson', ridge: 0.01 } }
]

/** One minimiser, which every run reaches. */
export async function expectOneMinimiser(
  { data, model }: (typeof convexCases)[number],
  optimizer: 'newton' | 'lbfgs',
  count: number
): Promise<void> {
  const s = await study({
    data,
    model,
    optimizer,
    starts: { count, seed: 1, init: { normal: 10 } },
    stop: { steps: 5000 },
    engine: 'cpu'
  })
  expect(s.verdicts).toEqual({ minimum: count, degenerate: 0, saddle: 0, diverging: 0, unfinished: 0, failed: 0 })
  expect(s.minima).toHaveLength(1)
  expect(s.convex.model).toBe(true)
}
