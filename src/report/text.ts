/** The result of one study in plain text for the terminal. A pure function of a summary. */
import { verdicts, type Summary } from '../core/result.js'
import { wrap } from '../core/text.js'
import { formatCount, formatRate, formatSeconds } from '../core/units.js'
import { conclusion, coverageText } from './conclusion.js'
import {
  coefficientsTable,
  effectsTable,
  errorsText,
  fitText,
  inferenceNotes,
  type CoefficientOptions
} from './inference.js'
import { bestOfTable, restartsText } from './restarts.js'
import { separationTable, separationText } from './separation.js'
import { agree, multiplicityText, runSetsTable } from './multiplicity.js'
import { bootstrapTable, crossValidationTable, resamplingText } from './resampling.js'
import { ridgePathText } from './ridgePath.js'
import { textTable } from './table.js'
import { limitsTable } from './tables.js'
import { computer, count, fixed, infiniteText, none, moreText, percent, placeTexts, short, spreadOf } from './words.js'

const shownPoints = 10
const shownFlat = 3
/** Names of growing parameters in a table. */
const shownGrowing = 2

function minimaTable({ minima: points, distinct }: Summary, width: number): string[] {
  if (points.length === 0) return []
  const places = placeTexts(points)
  const rows = points
    .slice(0, shownPoints)
    .map((m, i) => [
      places[i],
      fixed(m.loss, 10),
      formatCount(m.count),
      percent(m.share),
      formatCount(m.copies),
      m.eigenvalues.length > 0 ? short(m.eigenvalues[0], 3) : none
    ])
  const head = ['', 'loss', 'runs', 'share', 'copies', 'smallest eigenvalue']
  const more = moreText(shownPoints, points.length, distinct.minima.points)
  const heading = `minima (${formatCount(distinct.minima.points)})`
  return [
    '',
    `${heading}:`,
    ...textTable({ title: heading, head, rows, words: [], spare: [5, 4] }, width),
    ...(more === '' ? [] : wrap(more, width))
  ]
}

/** Limits of the loss that runs to infinity approach. */
function limitLines(s: Summary, width: number): string[] {
  const table = limitsTable(s, shownPoints, shownGrowing)
  if (!table) return []
  const more = moreText(shownPoints, s.limits.length)
  return [
    '',
    `${table.title}:`,
    ...textTable({ ...table, spare: [5, 8, 7, 2, 6] }, width),
    ...(more === '' ? [] : [more])
  ]
}

/** Coefficients with their tests and intervals, the fit and the effects, for a model without hidden layer. */
function coefficientLines(s: Summary, width: number, options: CoefficientOptions): string[] {
  const coefficients = coefficientsTable(s, 'terminal', options)
  if (!coefficients) return []
  const effects = effectsTable(s)
  const [errors, fit] = [errorsText(s), fitText(s)]
  return [
    '',
    `${coefficients.title}:`,
    ...textTable(coefficients, width),
    ...(errors === '' ? [] : wrap(errors, width)),
    ...(fit === '' ? [] : wrap(fit, width)),
    ...(effects ? ['', `${effects.title}:`, ...textTable({ ...effects, spare: [4, 2] }, width)] : [])
  ]
}

/** What is left of separated data. */
function separationLines(s: Summary, width: number): string[] {
  const table = separationTable(s)
  const lines = separationText(s).flatMap(text => wrap(text, width))
  return [...(table ? ['', `${table.title}:`, ...textTable(table, width)] : []), ...lines]
}

/** A few rows of best-of-k, where k makes a difference. */
function restartLines(s: Summary, width: number): string[] {
  const text = restartsText(s)
  const { bestOf } = s.restarts
  const table = bestOfTable(s, (k, i) => i === bestOf.length - 1 || Number.isInteger(Math.log10(k)))
  if (!table) return []
  return ['', `${table.title}:`, ...textTable(table, width), ...(text === '' ? [] : wrap(text, width))]
}

/** Metrics are those of the points where the optimiser left the runs, before polishing. */
const metricLine = (label: string, set: Summary['metrics']['train'] | undefined, width: number): string[] =>
  set && Object.keys(set).length > 0
    ? wrap(
        `${label}: ${Object.entries(set)
          .map(([name, q]) => `${name} ${spreadOf(q)}`)
          .join(', ')}`,
        width
      )
    : []

/** How far the predictions of good runs differ. */
function multiplicityLines(s: Summary, width: number): string[] {
  const table = runSetsTable(s)
  if (!table) return []
  const shown = agree(s) ? [] : [`${table.title}:`, ...textTable(table, width)]
  return ['', ...shown, ...multiplicityText(s).flatMap(text => wrap(text, width))]
}

/** Bootstrap and cross-validation. */
function resamplingLines(s: Summary, width: number): string[] {
  const tables = [crossValidationTable(s), s.problem.hidden.length > 0 ? undefined : bootstrapTable(s)]
  return [
    ...tables.flatMap(table => (table ? ['', ...wrap(`${table.title}:`, width), ...textTable(table, width)] : [])),
    ...(s.resampling ? ['', ...resamplingText(s).flatMap(text => wrap(text, width))] : [])
  ]
}

/** The result of one study for a terminal, in lines of at most `width` columns. */
export function studyText(s: Summary, width: number, options: CoefficientOptions = {}): string {
  const { problem, engine, timing } = s
  const parameters = count(problem.parameters, 'parameter', 'parameters')
  const flat = s.degenerate.slice(0, shownFlat).map(d => {
    const directions = count(d.nullity ?? 0, 'flat direction', 'flat directions')
    const names = (d.flatParameters ?? []).slice(0, 6).join(', ')
    return `flat minimum at loss ${fixed(d.loss, 8)}: ${count(d.count, 'run', 'runs')}, ${directions}${names === '' ? '' : ` (${names})`}`
  })
  const separated = infiniteText(s)
  const met = verdicts.filter(v => s.verdicts[v] > 0).map(v => `${v} ${formatCount(s.verdicts[v])}`)
  const starts = count(s.starts, 'start', 'starts')
  const what = problem.expression?.objective
    ? [`${s.name}: ${parameters}, ${starts}`, problem.expression.text]
    : [
        `${s.name} on ${problem.data}: ${count(problem.rows, 'row', 'rows')}, ${parameters}, ${starts}`,
        `target ${problem.target}${problem.coding === '' ? '' : ` (${problem.coding})`}, ${problem.loss} loss`
      ]
  return [
    ...what.flatMap(text => wrap(text, width)),
    ...wrap(
      `${problem.optimizer}; ${engine.name} ${engine.precision} on ${computer(engine)}: ` +
        `${formatSeconds(timing.wallSeconds)}, ${formatRate(timing.runsPerSecond, 'runs')}`,
      width
    ),
    '',
    ...wrap(`verdicts: ${met.length > 0 ? met.join(', ') : 'none'}`, width),
    ...(separated === '' ? [] : wrap(`separation: ${s.separation.status}, ${separated}`, width)),
    ...minimaTable(s, width),
    ...limitLines(s, width),
    ...coefficientLines(s, width, options),
    ...separationLines(s, width),
    ...(flat.length > 0 ? ['', ...flat.flatMap(text => wrap(text, width))] : []),
    '',
    ...metricLine('training, as found', s.metrics.train, width),
    ...metricLine('held out, as found', s.metrics.test, width),
    ...multiplicityLines(s, width),
    ...resamplingLines(s, width),
    ...restartLines(s, width),
    '',
    ...[...conclusion([s]), coverageText(s), ...inferenceNotes(s), ...ridgePathText(s), ...s.notes].flatMap(text =>
      wrap(text, width)
    )
  ].join('\n')
}
