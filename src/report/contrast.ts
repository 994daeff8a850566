/** Models side by side, as a plain-text table for the terminal. A pure function of summaries. */
import type { MetricSet, Quantiles, Summary } from '../core/result.js'
import { wrap } from '../core/text.js'
import { formatCount, formatRate } from '../core/units.js'
import { bestPoint, computer, count, none, percent, short, spreadOf } from './words.js'

/** Digits of metrics in the table: four models with their ranges then fit 120 columns. */
const digits = 3
const nameWidth = 20

/** With what makes it so: the strong-convexity modulus, or a negative eigenvalue that was met. */
function convexityText(s: Summary): string {
  if (!s.convex.model)
    return s.convex.witness ? `no, witness ${short(s.convex.witness.eigenvalue, 3)}` : 'no, no witness met'
  if (s.convex.modulus !== null) return `yes, modulus ${short(s.convex.modulus, 3)}`
  if (s.degenerate.length > 0) return 'yes, flat set'
  return s.verdicts.diverging > 0 ? 'yes, no minimiser' : 'yes'
}

function minimaText(s: Summary): string {
  const strict = formatCount(s.minima.length)
  return s.degenerate.length > 0 ? `${strict} + ${formatCount(s.degenerate.length)} flat` : strict
}

const stepsText = (q: Quantiles): string =>
  Number.isFinite(q.median) ? `${short(q.median, digits)} [${short(q.q25, digits)}, ${short(q.q75, digits)}]` : none

type Row = readonly [string, (s: Summary) => string]

/** What models are compared by: a label, and the cell of each model. */
export function contrastRows(summaries: readonly Summary[]): (readonly [label: string, cells: readonly string[]])[] {
  return rows(summaries).map(([label, cell]) => [label, summaries.map(cell)])
}

/** How to read the table. */
export const contrastNotes = (summaries: readonly Summary[]): string =>
  'Metrics: median [min, max] over the runs, where the optimiser left them. Steps: median [quartiles]. Minima: up to symmetry. ' +
  'The best minimum: the one with the lowest loss, its share among all runs. Spread: the largest difference of a parameter ' +
  'between two end points, relative to max(1, |value|). Modulus: the smallest Hessian eigenvalue at the minimiser; witness: a ' +
  'negative one that was met. As good as the best: the same training ' +
  `${summaries.some(s => s.metrics.train.accuracy) ? 'accuracy' : 'loss'} as the best run.`

function rows(summaries: readonly Summary[]): Row[] {
  const held = summaries.some(s => s.metrics.test)
  const has = (name: keyof MetricSet<number>): boolean => summaries.some(s => s.metrics.train[name])
  const ends = (s: Summary): boolean => s.minima.length + s.degenerate.length > 0
  const list: Row[] = [
    ['parameters', s => formatCount(s.problem.parameters)],
    ['runs', s => formatCount(s.starts)],
    ['distinct minima', minimaText],
    [
      'copies of them met',
      s => (ends(s) ? formatCount([...s.minima, ...s.degenerate].reduce((n, m) => n + m.copies, 0)) : none)
    ],
    ['lowest loss', s => short(bestPoint(s)?.loss, 6)],
    ['share of the best minimum', s => (ends(s) && s.starts > 0 ? percent(bestPoint(s)!.count / s.starts) : none)],
    ['spread of the end points', s => (ends(s) ? short(s.spread.parameters, 2) : none)],
    ['saddles met', s => formatCount(s.saddles.length)],
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
  list.push(['runs as good as the best', s => percent(s.metrics.asGoodAsBest)])
  if (has('accuracy')) list.push(['rows two runs disagree on', s => percent(s.metrics.disagreement)])
  list.push(
    ['steps to the end', s => stepsText(s.steps)],
    ['runs per second', s => formatRate(s.timing.runsPerSecond).replace('/s', '')]
  )
  return list
}

/** Models as columns, aligned; at most 120 characters wide for four models. */
export function contrastTable(summaries: readonly Summary[]): string {
  if (summaries.length === 0) return ''
  const table = contrastRows(summaries)
  const label = Math.max(...table.map(([name]) => name.length))
  const cells = table.map(([, values]) => values)
  const widths = summaries.map((s, c) =>
    Math.max(...cells.map(row => row[c].length), ...wrap(s.name, nameWidth).map(l => l.length))
  )
  const heads = summaries.map((s, c) => wrap(s.name, widths[c]))
  const line = (first: string, rest: readonly string[]): string =>
    [first.padEnd(label), ...rest.map((cell, c) => cell.padStart(widths[c]))].join('  ').trimEnd()
  const [{ problem, engine }] = summaries
  const held = problem.testRows > 0 ? `, ${problem.testRows} held out` : ''
  const coding = problem.coding === '' ? '' : ` (${problem.coding})`
  const about = [
    `${problem.data}: ${problem.rows} rows${held}, ${count(problem.inputs, 'column', 'columns')}, target ${problem.target}${coding}`,
    `seed ${problem.seed}, starts ${problem.init}, ${problem.optimizer.replace(/ \(.*/, '')} on ${engine.name} ` +
      `(${engine.precision}, ${computer(engine)})`
  ]
  const out = [...about.flatMap(text => wrap(text, 120)), '']
  const tall = Math.max(...heads.map(h => h.length))
  for (let i = 0; i < tall; i++) {
    const names = heads.map(h => h[i - (tall - h.length)] ?? '')
    out.push(line('', names))
  }
  const rules = widths.map(w => '-'.repeat(w))
  out.push(line('-'.repeat(label), rules))
  table.forEach(([name], r) => out.push(line(name, cells[r])))
  return [...out, '', ...wrap(contrastNotes(summaries), 118)].join('\n')
}
