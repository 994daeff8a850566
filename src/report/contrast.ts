/** Models side by side: what they are compared by, and the table for a terminal. Pure functions of summaries. */
import type { MetricSet, Quantiles, Summary } from '../core/result.js'
import { wrap } from '../core/text.js'
import { formatCount, formatRate } from '../core/units.js'
import { crossValidated } from './resampling.js'
import { bestOf, goodRuns } from './multiplicity.js'
import { startsText } from './restarts.js'
import { textTable, type Table } from './table.js'
import {
  bestPoint,
  bestRuns,
  capital,
  computer,
  count,
  mainMetric,
  minimaMet,
  none,
  percent,
  rangeOf,
  short,
  spreadOf,
  tiesText
} from './words.js'

/** Digits of metrics in the table, so that four models with their ranges fit beside each other. */
const digits = 3

/** With what makes it so: the curvature of a strongly convex loss at its minimiser, or a negative one that was met. */
function convexityText(s: Summary): string {
  if (!s.convex.model)
    return s.convex.witness ? `no, curvature ${short(s.convex.witness.eigenvalue, 3)}` : 'no, no curvature below 0 met'
  if (s.convex.modulus !== null) return `yes, curvature ${short(s.convex.modulus, 3)}`
  if (s.degenerate.length > 0) return 'yes, flat set'
  return s.verdicts.diverging > 0 ? 'yes, no minimiser' : 'yes'
}

function minimaText(s: Summary): string {
  const { minima, degenerate } = s.distinct
  const strict = formatCount(minima.points)
  return degenerate.points > 0 ? `${strict} + ${formatCount(degenerate.points)} flat` : strict
}

const stepsText = (q: Quantiles): string =>
  Number.isFinite(q.median) ? `${short(q.median, digits)} [${short(q.q25, digits)}, ${short(q.q75, digits)}]` : none

type Row = readonly [string, (s: Summary) => string]

const ends = (s: Summary): boolean => minimaMet(s) > 0

/** How to read the rows of `fullTable`. */
export const fullNotes = (summaries: readonly Summary[]): string =>
  'Metrics: median [min, max] over the runs, where the optimiser left them. Steps: median [quartiles]. Minima: up to symmetry; ' +
  'copies: images of a minimum under exchange of hidden units or change of their signs, which compute the same. The best minimum: ' +
  'the one with the lowest loss, its share among all runs. Starts: so many find it with a probability of 95 %, with the interval of ' +
  'that number. Spread: the largest difference of a parameter between two end points, relative to max(1, |value|). Curvature: the ' +
  'smallest eigenvalue of the Hessian, of a convex model at its minimiser; one below 0, wherever it was met, shows that a loss is not ' +
  `convex. As good as the best: the same training ${summaries.some(s => s.metrics.train.accuracy) ? 'accuracy' : 'loss'} as the best run.` +
  goodNote(summaries)

/** " (3 minima)" where several share the lowest loss. */
const tied = (s: Summary): string => {
  const n = s.distinct.lowest?.points ?? 0
  return n > 1 ? ` (${formatCount(n)} minima)` : ''
}

function rowsOf(summaries: readonly Summary[]): Row[] {
  const held = summaries.some(s => s.metrics.test)
  const has = (name: keyof MetricSet<number>): boolean => summaries.some(s => s.metrics.train[name])
  const list: Row[] = [
    ['parameters', s => formatCount(s.problem.parameters)],
    ['runs', s => formatCount(s.starts)],
    ['distinct minima', minimaText],
    [
      'copies of them met',
      s => (ends(s) ? formatCount(s.distinct.minima.copies + s.distinct.degenerate.copies) : none)
    ],
    ['lowest loss', s => short(bestPoint(s)?.loss, 6)],
    ['share of the best minimum', s => (ends(s) && s.starts > 0 ? percent(bestRuns(s) / s.starts) + tied(s) : none)],
    ['starts for 95 % chance', startsText],
    ['spread of the end points', s => (ends(s) ? short(s.spread.parameters, 2) : none)],
    ['saddles met', s => formatCount(s.distinct.saddles.points)],
    ['runs: minimum', s => formatCount(s.verdicts.minimum)],
    ['runs: degenerate', s => formatCount(s.verdicts.degenerate)],
    ['runs: saddle', s => formatCount(s.verdicts.saddle)],
    ['runs: diverging', s => formatCount(s.verdicts.diverging)],
    ['runs: unfinished', s => formatCount(s.verdicts.unfinished)],
    ['runs: failed', s => formatCount(s.verdicts.failed)],
    ['convex', convexityText]
  ]
  const metric = (label: string, name: keyof MetricSet<number>): void => {
    list.push([`training ${label}`, s => spreadOf(s.metrics.train[name], digits)])
    if (held) list.push([`held-out ${label}`, s => spreadOf(s.metrics.test?.[name], digits)])
  }
  if (has('accuracy')) metric('accuracy', 'accuracy')
  if (has('recall')) metric('recall', 'recall')
  if (!has('accuracy')) {
    if (has('r2')) metric('R²', 'r2')
    else if (has('devianceExplained')) metric('deviance share', 'devianceExplained')
    if (has('rmse')) metric('rmse', 'rmse')
  }
  if (summaries.some(s => s.resampling?.crossValidation)) {
    list.push(['cross-validated loss', s => crossValidated(s, undefined)])
    if (has('accuracy')) list.push(['cross-validated accuracy', s => crossValidated(s, 'accuracy')])
  }
  list.push(['runs as good as the best', s => percent(s.metrics.asGoodAsBest)])
  if (has('accuracy')) list.push(['rows two runs disagree on', s => percent(s.metrics.disagreement)])
  list.push(...goodRows(summaries))
  list.push(
    ['steps to the end', s => stepsText(s.steps)],
    ['runs per second', s => formatRate(s.timing.runsPerSecond).replace('/s', '')]
  )
  return list
}

/** What a reader asks first: how many minima, who finds the best, and what it means for predictions. */
function keyRowsOf(summaries: readonly Summary[]): Row[] {
  const list: Row[] = [
    ['distinct minima', minimaText],
    ['runs that find the best', s => (ends(s) ? formatCount(bestRuns(s)) + tied(s) : none)],
    ['runs that end in none', s => formatCount(s.starts - s.verdicts.minimum - s.verdicts.degenerate)]
  ]
  const metric = summaries.map(mainMetric).find(m => m !== undefined)
  if (metric) {
    list.push([`training ${metric.label}`, s => rangeOf(s.metrics.train[metric.name], digits)])
    if (summaries.some(s => s.metrics.test))
      list.push([`held-out ${metric.label}`, s => rangeOf(s.metrics.test?.[metric.name], digits)])
    if (summaries.some(s => s.resampling?.crossValidation))
      list.push([`cross-validated ${metric.label}`, s => crossValidated(s, metric.name)])
  }
  list.push(['runs as good as the best', s => percent(s.metrics.asGoodAsBest)], ...goodRows(summaries))
  return list
}

/** How far the predictions of good runs differ. */
function goodRows(summaries: readonly Summary[]): Row[] {
  const some = summaries.map(goodRuns).find(set => set !== undefined)
  if (!some) return []
  return some.ambiguity === undefined
    ? [['widest range of good runs', s => short(goodRuns(s)?.widest, 3)]]
    : [['rows good runs disagree on', s => shareOf(goodRuns(s)?.ambiguity)]]
}

const shareOf = (share: number | undefined): string => (share === undefined ? none : percent(share))

/** Which runs are good, as a sentence; empty where predictions are not compared. */
function goodNote(summaries: readonly Summary[]): string {
  const s = summaries.find(s => goodRuns(s) !== undefined)
  if (!s) return ''
  const { epsilon, ambiguity } = goodRuns(s)!
  const who = epsilon === 0 ? 'with' : `within ${short(epsilon)} of`
  const what =
    ambiguity === undefined
      ? 'the widest range of their predictions for a row'
      : 'training rows to which one of them gives another class than the best'
  return ` Good runs: those ${who} ${bestOf(s.multiplicity!)}; ${what}.`
}

const modelsTable = (title: string, list: readonly Row[], summaries: readonly Summary[]): Table => ({
  title,
  head: ['', ...summaries.map(s => s.name)],
  rows: list.map(([label, cell]) => [label, ...summaries.map(cell)])
})

/** The rows that answer the question, and all of them. Models are columns. */
export const keyTable = (summaries: readonly Summary[]): Table =>
  modelsTable('Models side by side', keyRowsOf(summaries), summaries)
export const fullTable = (summaries: readonly Summary[]): Table =>
  modelsTable('All figures', rowsOf(summaries), summaries)

const mainMetricLabel = (summaries: readonly Summary[]): string =>
  summaries.map(mainMetric).find(m => m !== undefined)?.label ?? 'metrics'

/** How to read the rows of `keyTable`. */
export const keyNotes = (summaries: readonly Summary[]): string =>
  `${formatCount(summaries[0]?.starts ?? 0)} runs each. Minima: up to symmetry; the best is the one with the lowest loss. ` +
  `${capital(mainMetricLabel(summaries))}: from the lowest to the highest of the runs, where the optimiser left them. ` +
  `As good as the best: the same training ${summaries.some(s => s.metrics.train.accuracy) ? 'accuracy' : 'loss'} as the best run.` +
  goodNote(summaries)

/** One line for a model: "1 minimum, 999 of 999 runs", "26 minima, the best from 100 of 999 runs", "no minimum: 999 of 999 runs run away". */
export function headline(s: Summary): string {
  const distinct = minimaMet(s)
  const of = (n: number): string => `${formatCount(n)} of ${count(s.starts, 'run', 'runs')}`
  if (distinct === 0)
    return s.verdicts.diverging > 0
      ? `no minimum, ${of(s.verdicts.diverging)} run away`
      : `no minimum in ${of(s.starts)}`
  const met = `${formatCount(distinct)} ${distinct === 1 ? 'minimum' : 'minima'}`
  if (2 * s.verdicts.diverging > s.starts) return `${of(s.verdicts.diverging)} run away, ${met} met`
  const best = of(bestRuns(s))
  const ties = tiesText(s)
  return distinct === 1
    ? `1 minimum, ${best}`
    : `${formatCount(distinct)} minima, ${ties === '' ? `the best from ${best}` : `${ties}, from ${best}`}`
}

/** What was contrasted, the models as columns, and how to read them, in lines of at most `width` columns. */
export function contrastText(summaries: readonly Summary[], width: number): string {
  if (summaries.length === 0) return ''
  const [{ problem, engine }] = summaries
  const held = problem.testRows > 0 ? `, ${problem.testRows} held out` : ''
  const coding = problem.coding === '' ? '' : ` (${problem.coding})`
  const about = [
    `${problem.data}: ${problem.rows} rows${held}, ${count(problem.inputs, 'column', 'columns')}, target ${problem.target}${coding}`,
    `seed ${problem.seed}, starts ${problem.init}, ${problem.optimizer.replace(/ \(.*/, '')} on ${engine.name} ` +
      `(${engine.precision}, ${computer(engine)})`
  ]
  return [
    ...about.flatMap(text => wrap(text, width)),
    '',
    ...textTable(keyTable(summaries), width),
    '',
    ...wrap(keyNotes(summaries), width)
  ].join('\n')
}
