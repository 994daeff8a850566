/** How well parameters predict: names of the scores of each loss, and the scores from the outputs z of one run. */
import { lossTable, scalarLoss, type Loss, type ScalarLoss } from './losses/index.js'
import { hasLoss } from './model.js'
import type { Model } from './types.js'

export const twoClass = (loss: Loss): boolean => lossTable[loss].response === 'share'

const classNames = ['accuracy', 'recall', 'precision', 'auc', 'logLoss'] as const
const severalNames = ['accuracy', 'logLoss'] as const
const responseNames = ['r2', 'devianceExplained', 'rmse'] as const
export type ScoreName = (typeof classNames)[number] | (typeof responseNames)[number]

/** Columns of `Scores.values`. */
export function scoreNames(loss: Loss): readonly ScoreName[] {
  const { response } = lossTable[loss]
  return response === 'share' ? classNames : response === 'class' ? severalNames : responseNames
}

/** Scores that runs of a model get; none where there are no data. */
export const scoresOf = (model: Model): readonly ScoreName[] => (hasLoss(model) ? scoreNames(model.loss) : [])

/** Classes that can be predicted: 2, C, or 0 where the response is a number. */
export function classCount(model: Model): number {
  const { response } = lossTable[model.loss]
  return response === 'share' ? 2 : response === 'class' ? model.outputs : 0
}

/** Numbers that `classCounts` holds for a problem: N C', or N C 2 for shares of several outputs. */
export const classCells = (model: Model, rows: number): number =>
  rows * classCount(model) * (twoClass(model.loss) ? model.outputs : 1)

/** Rows that scores are taken on. */
export interface ScoredRows {
  readonly rows: number
  /** [N, C] row-major; [N] class numbers where the loss takes all outputs together. */
  readonly y: Float64Array
  readonly weight?: Float64Array
}

/** Area under the ROC curve by weighted ranks, ties ½; NaN where only one class is present. */
function areaUnderCurve(z: Float64Array, y: Float64Array, weightOf: (cell: number) => number): number {
  const rows = y.length
  const order = Uint32Array.from({ length: rows }, (_, i) => i).sort((a, b) => z[a] - z[b])
  let below = 0
  let pairs = 0
  let ones = 0
  for (let i = 0; i < rows;) {
    let j = i
    let zerosHere = 0
    let onesHere = 0
    for (; j < rows && z[order[j]] === z[order[i]]; j++) {
      const w = weightOf(order[j])
      onesHere += w * y[order[j]]
      zerosHere += w * (1 - y[order[j]])
    }
    if (j === i) return NaN
    pairs += onesHere * (below + 0.5 * zerosHere)
    below += zerosHere
    ones += onesHere
    i = j
  }
  return ones > 0 && below > 0 ? pairs / (ones * below) : NaN
}

/**
 * Scores of one run. `z` is [N, C] row-major (offset included); `counts` [N, C'], or [N, C, 2] for shares, is increased where the run
 * predicts a class. Rows count with their weights; one with a share y, as successes among trials are, counts as y of class 1 and 1 − y of
 * class 0. Of losses that take outputs one by one, every output of every row counts.
 */
export function scoreRun(
  model: Model,
  data: ScoredRows,
  z: Float64Array,
  out: Float64Array,
  counts: Float64Array
): void {
  const { rows, y, weight } = data
  const { loss } = model
  const C = model.outputs
  let total = 0
  for (let i = 0; i < rows; i++) total += weight ? weight[i] : 1
  const weightOf = (cell: number): number => (weight ? weight[Math.floor(cell / C)] : 1)
  if (lossTable[loss].response === 'class') {
    let right = 0
    let logs = 0
    for (let i = 0; i < rows; i++) {
      const w = weight ? weight[i] : 1
      const row = z.subarray(i * C, (i + 1) * C)
      let best = 0
      for (let c = 1; c < C; c++) if (row[c] > row[best]) best = c
      counts[i * C + best] += 1
      if (best === y[i]) right += w
      let sum = 0
      for (let c = 0; c < C; c++) sum += Math.exp(row[c] - row[best])
      logs += w * (Math.log(sum) + row[best] - row[y[i]])
    }
    out[0] = right / total
    out[1] = logs / total
  } else if (twoClass(loss)) {
    const definition = scalarLoss(loss)
    let right = 0
    let hits = 0
    let ones = 0
    let called = 0
    let logs = 0
    for (let i = 0; i < y.length; i++) {
      const w = weightOf(i)
      const one = z[i] > definition.even!
      counts[2 * i + (one ? 1 : 0)] += 1
      right += w * (one ? y[i] : 1 - y[i])
      if (one) hits += w * y[i]
      ones += w * y[i]
      if (one) called += w
      logs += w * definition.logLoss!(z[i], y[i])
    }
    out[0] = right / (total * C)
    out[1] = ones > 0 ? hits / ones : 0
    out[2] = called > 0 ? hits / called : 0
    out[3] = areaUnderCurve(z, y, weightOf)
    out[4] = logs / (total * C)
  } else {
    const { mean: meanOf, deviance: deviationOf } = scalarLoss(loss) as Required<ScalarLoss>
    const parameters = model.lossParameters ?? []
    const mean = new Float64Array(C)
    for (let i = 0; i < y.length; i++) mean[i % C] += (weightOf(i) * y[i]) / total
    let sse = 0
    let sst = 0
    let deviance = 0
    let nullDeviance = 0
    for (let i = 0; i < y.length; i++) {
      const w = weightOf(i)
      const mu = meanOf(z[i])
      sse += w * (y[i] - mu) ** 2
      sst += w * (y[i] - mean[i % C]) ** 2
      deviance += w * deviationOf(y[i], mu, parameters)
      nullDeviance += w * deviationOf(y[i], mean[i % C], parameters)
    }
    out[0] = 1 - sse / sst
    out[1] = 1 - deviance / nullDeviance
    out[2] = Math.sqrt(sse / (total * C))
  }
}
