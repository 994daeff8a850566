// The reference engine hears a stop between the steps of a run.
import { expect, it } from 'vitest'
import { referenceEntry } from '../../src/engines/reference/index.js'
import { makeProblem, points } from '../helpers/problems.js'
import { givenStarts, methods, rule } from '../helpers/runs.js'

const problem = makeProblem({
  loss: 'logistic',
  rows: 12,
  hidden: [3],
  activation: 'tanh',
  inputs: 2,
  ridge: 0.0625,
  penalizeBias: true
})

/** Those that go on as long as they may. */
const endless = methods.filter(m => /^(gd|momentum|adam)/.test(m.label))

it.each(endless)('$label: a stop drops the run under way, and keeps those that had ended', async method => {
  const engine = await referenceEntry.load({ precision: 'f64' })
  const objective = await engine.prepare(problem)
  const theta = points(problem, 3)
  // The first ends at its first step; the second would take a minute.
  theta.fill(NaN, 0, objective.parameters)
  const stop = new AbortController()
  setImmediate(() => stop.abort())
  const request = {
    ...rule(method, problem, 'f64'),
    starts: givenStarts(theta, 3),
    stop: { steps: 3e6, gradient: -1 },
    signal: stop.signal
  }
  const ended: number[] = []
  for await (const block of objective.minimise(request)) ended.push(...block.start)
  expect(ended).toEqual([0])
  objective.dispose()
  engine.dispose()
})
