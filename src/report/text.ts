/** The result of one study in plain text for the terminal. A pure function of a summary. */
import { verdicts, type StationaryPoint, type Summary } from '../core/result.js'
import { wrap } from '../core/text.js'
import { formatCount, formatRate, formatSeconds } from '../core/units.js'
import { conclusion, coverageText } from './conclusion.js'
import { computer, count, fixed, infiniteText, none, percent, short, spreadOf } from './words.js'

const shownPoints = 10
const shownFlat = 3
const textWidth = 110

const align = (cells: readonly string[], widths: readonly number[]): string =>
  cells.map((cell, i) => cell.padStart(widths[i])).join('  ')

function pointTable(title: string, points: readonly StationaryPoint[], starts: number): string[] {
  if (points.length === 0) return []
  const head = ['', 'loss', 'runs', 'share', 'copies', 'smallest eigenvalue']
  const rows = points
    .slice(0, shownPoints)
    .map((m, i) => [
      String(i + 1),
      fixed(m.loss, 10),
      formatCount(m.count),
      percent(m.count / starts),
      formatCount(m.copies),
      m.eigenvalues.length > 0 ? short(m.eigenvalues[0], 3) : none
    ])
  const widths = head.map((h, i) => Math.max(h.length, ...rows.map(row => row[i].length)))
  const more =
    points.length > shownPoints ? [`and ${formatCount(points.length - shownPoints)} more in summary.json`] : []
  return ['', `${title} (${formatCount(points.length)}):`, ...[head, ...rows].map(row => align(row, widths)), ...more]
}

/** Like R's table of coefficients, for a model without hidden layer that has one. */
function coefficientLines(s: Summary): string[] {
  const best = s.minima[0]
  if (!best || s.problem.hidden.length > 0) return []
  const width = Math.max(...best.names.map(name => name.length))
  return [
    '',
    best.standardErrors ? 'coefficients ± standard errors:' : 'coefficients:',
    ...best.names.map((name, p) => {
      const error = best.standardErrors?.[p]
      const tail = error === undefined ? '' : `  ± ${short(error, 4)}`
      return `  ${name.padEnd(width)}  ${fixed(best.parameters[p], 8).padStart(15)}${tail}`
    })
  ]
}

/** Metrics are those of the points where the optimiser left the runs, before polishing. */
const metricLine = (label: string, set: Summary['metrics']['train'] | undefined): string[] =>
  set
    ? wrap(
        `${label}: ${Object.entries(set)
          .map(([name, q]) => `${name} ${spreadOf(q)}`)
          .join(', ')}`,
        textWidth
      )
    : []

/** The result of one study for a terminal. */
export function studyText(s: Summary): string {
  const { problem, engine, timing } = s
  const parameters = count(problem.parameters, 'parameter', 'parameters')
  const flat = s.degenerate.slice(0, shownFlat).map(d => {
    const directions = count(d.nullity ?? 0, 'flat direction', 'flat directions')
    const names = (d.flatParameters ?? []).slice(0, 6).join(', ')
    return `flat minimum at loss ${fixed(d.loss, 8)}: ${count(d.count, 'run', 'runs')}, ${directions}${names === '' ? '' : ` (${names})`}`
  })
  const separated = infiniteText(s)
  const met = verdicts.filter(v => s.verdicts[v] > 0).map(v => `${v} ${formatCount(s.verdicts[v])}`)
  return [
    `${s.name} on ${problem.data}: ${count(problem.rows, 'row', 'rows')}, ${parameters}, ${count(s.starts, 'start', 'starts')}`,
    ...wrap(
      `target ${problem.target}${problem.coding === '' ? '' : ` (${problem.coding})`}, ${problem.loss} loss`,
      textWidth
    ),
    ...wrap(
      `${problem.optimizer}; ${engine.name} ${engine.precision} on ${computer(engine)}: ` +
        `${formatSeconds(timing.wallSeconds)}, ${formatRate(timing.runsPerSecond, 'runs')}`,
      textWidth
    ),
    '',
    `verdicts: ${met.length > 0 ? met.join(', ') : 'none'}`,
    ...(separated === '' ? [] : [`separation: ${s.separation.status}, ${separated}`]),
    ...pointTable('minima', s.minima, s.starts),
    ...coefficientLines(s),
    ...(flat.length > 0 ? ['', ...flat] : []),
    '',
    ...metricLine('training, as found', s.metrics.train),
    ...metricLine('held out, as found', s.metrics.test),
    '',
    ...[...conclusion([s]), coverageText(s), ...s.notes].flatMap(text => wrap(text, textWidth))
  ].join('\n')
}
