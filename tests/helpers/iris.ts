// The iris2 data as given, and the generalised linear models that fit them.
import { loadData } from '../../src/data/load.js'
import type { Network, Problem } from '../../src/models/types.js'

async function load(standardize: boolean): Promise<Problem<Network>> {
  const { rows, x, y, inputs } = await loadData({ builtin: 'iris2', standardize }, 'logistic', {
    bias: true,
    hidden: [],
    ridge: 0
  })
  return {
    rows,
    x,
    y,
    model: {
      kind: 'network',
      inputs,
      hidden: [],
      outputs: 1,
      activation: 'tanh',
      loss: 'logistic',
      bias: true,
      ridge: 0,
      penalizeBias: false
    }
  }
}

const plain = await load(false)
const standardized = await load(true)

/** A logistic regression on iris2, columns unstandardised unless asked; spread another network over it. */
export const iris2 = (standardize = false): Problem<Network> => (standardize ? standardized : plain)

/**
 * Intercept, Sepal.Length, Sepal.Width, Petal.Length, Petal.Width, by R's glm with epsilon 1e-15; for probit, whose iteration
 * ends there at 8 digits, in 40-digit arithmetic (tests/fixtures/probit_iris2.py).
 */
export const irisFits = [
  {
    loss: 'logistic',
    coefficients: [-42.637803813, -2.4652201952, -6.6808870141, 9.4293851539, 18.286136888],
    logLikelihood: -5.9492733957
  },
  {
    loss: 'probit',
    coefficients: [
      -23.984753634971535, -1.4404716530721332, -3.7781393436550984, 5.316453348491981, 10.485604373317083
    ],
    logLikelihood: -5.8763478432
  },
  {
    loss: 'cloglog',
    coefficients: [-31.93793637, -1.4629175453, -5.2234679152, 6.1047407909, 15.116740787],
    logLikelihood: -5.689041411
  }
] as const
