// One model from many starts: which minima are there, and how often is each found?
import { study } from 'manystart'

const summary = await study({
  data: { builtin: 'iris2', features: ['Sepal.Length', 'Petal.Width'], standardize: true },
  model: { hidden: [3], ridge: 0.0003, penalizeBias: true },
  starts: { count: 300, init: { normal: 3 } }
})
console.log(`${summary.name}: ${summary.verdicts.minimum} of ${summary.starts} runs ended in a strict minimum`)
for (const { loss, count, metrics } of summary.minima.slice(0, 3))
  console.log(`loss ${loss.toFixed(4)}: ${count} runs, accuracy ${metrics.train.accuracy.toFixed(3)}`)

// Without hidden layers the weights are maximum-likelihood estimates, with standard errors.
const { minima } = await study({ data: { builtin: 'iris2' }, starts: { count: 100 } })
const [best] = minima
best.names.forEach((name, p) =>
  console.log(`${name}: ${best.parameters[p].toFixed(3)} ± ${best.standardErrors[p].toFixed(3)}`)
)
