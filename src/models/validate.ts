/** The checks that a problem must pass. */
import { InputError } from '../core/errors.js'
import { losses, lossTable } from './losses/index.js'
import { isRidged, parameterCount } from './model.js'
import { takesFirth } from './penalty.js'
import type { Network, Problem } from './types.js'

const bad = (text: string): never => {
  throw new InputError(text)
}

/** Sizes of the layers and penalties of a network. */
function validateNetwork(network: Network): void {
  const { inputs, hidden, outputs, bias, ridge, firth, loss } = network
  if (inputs < 1 && (!bias || hidden.length > 0))
    bad(
      'The data have no input columns, which leaves an intercept alone; a model with hidden layers or without biases needs one.'
    )
  if (hidden.some(h => !Number.isInteger(h) || h < 1)) bad('Every hidden layer needs at least one unit.')
  if (!(ridge >= 0 && Number.isFinite(ridge))) bad(`ridge is ${ridge}; give a number of at least 0.`)
  if (!firth) return
  if (hidden.length > 0 || outputs > 1)
    bad('Firth’s penalty is for models without hidden layer and with one output; remove firth or the hidden layers.')
  if (!takesFirth(loss))
    bad(`Firth’s penalty does not go with the ${loss} loss; choose one of ${losses.filter(takesFirth).join(', ')}.`)
}

/** @throws InputError when sizes, targets or weights do not fit the model. */
export function validateProblem(problem: Problem): void {
  const { model, rows, x, y, weight, offset, penalty } = problem
  if (!(rows > 0)) bad('The data have no rows; a study needs at least one.')
  if (model.kind === 'network') validateNetwork(model)
  const definition = lossTable[model.loss]
  const together = definition.response === 'class'
  if (model.outputs < (together ? 2 : 1))
    bad(`The ${model.loss} loss does not go with ${model.outputs} outputs; give at least ${together ? 2 : 1}.`)
  const { parameters } = definition
  const given = model.lossParameters ?? []
  if (given.length !== parameters.length || !parameters.every((p, k) => given[k] > p.above && given[k] <= p.most))
    bad(
      parameters.length === 0
        ? `The ${model.loss} loss has no parameters; remove them.`
        : `The ${model.loss} loss needs ${parameters.map(p => `${p.name} above ${p.above}`).join(' and ')}.`
    )
  if (x.length !== rows * model.inputs) bad(`x holds ${x.length} numbers; ${rows} × ${model.inputs} are needed.`)
  const targets = rows * (together ? 1 : model.outputs)
  if (y.length !== targets) bad(`y holds ${y.length} numbers; ${targets} are needed.`)
  if (!x.every(Number.isFinite)) bad('An input is not a finite number; remove or mend that row.')
  const wrong = y.findIndex(v => !Number.isFinite(v) || !definition.fits(v) || (together && v >= model.outputs))
  if (wrong >= 0)
    bad(
      `The target of row ${Math.floor((wrong * rows) / targets) + 1} is ${y[wrong]}, outside the range of the ${model.loss} loss.`
    )
  if (penalty && (penalty.length !== parameterCount(model) || !penalty.every(v => v >= 0 && Number.isFinite(v))))
    bad('The penalty must hold one number of at least 0 for each parameter.')
  if (model.kind === 'network' && model.firth && isRidged(problem))
    bad('Firth’s penalty does not go with a ridge; set one of them.')
  if (weight) {
    if (weight.length !== rows) bad(`weight holds ${weight.length} numbers; ${rows} are needed.`)
    if (!weight.every(w => w >= 0 && Number.isFinite(w)))
      bad('A row weight is negative or not finite; weights must be at least 0.')
    if (!(weight.reduce((s, w) => s + w, 0) > 0)) bad('All row weights are 0; at least one must be positive.')
  }
  if (offset) {
    if (together) bad(`An offset has no effect on the ${model.loss} loss; remove it.`)
    if (offset.length !== rows || !offset.every(Number.isFinite))
      bad('The offset must hold one finite number for each row.')
  }
}
