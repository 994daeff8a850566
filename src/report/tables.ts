/** The tables of a report as plain data: the page draws them, and they can be had as Markdown and CSV. Pure functions of summaries. */
import { verdicts, type MetricSet, type StationaryPoint, type Summary, type Verdict } from '../core/result.js'
import { formatCount } from '../core/units.js'
import { fullTable, keyTable } from './contrast.js'
import { coefficientsTable, effectsTable, type CoefficientOptions } from './inference.js'
import { minimaSetsTable, runSetsTable, widestTable } from './multiplicity.js'
import { bootstrapTable, crossValidationTable } from './resampling.js'
import { bestOfTable } from './restarts.js'
import { separationTable } from './separation.js'
import type { Table } from './table.js'
import { fixed, limitText, listed, mainMetric, none, percent, placeTexts, short, spreadOf } from './words.js'

export const meaning: Readonly<Record<Verdict, string>> = {
  minimum: 'A strict minimum: stationary, and every eigenvalue of the Hessian is positive.',
  degenerate: 'Stationary with flat directions: no eigenvalue is negative, some are zero.',
  saddle: 'Stationary, but some direction leads down.',
  diverging: 'No finite minimum that way: the loss goes on falling while the weights grow.',
  unfinished: 'The budget ran out, or the gradient is small where no stationary point is near.',
  failed: 'The loss or its gradient was not a finite number.'
}

const metricLabels: Readonly<Record<keyof MetricSet<number>, string>> = {
  accuracy: 'accuracy',
  recall: 'recall',
  precision: 'precision',
  auc: 'AUC',
  logLoss: 'log-loss',
  r2: 'R²',
  devianceExplained: 'deviance explained',
  rmse: 'RMSE'
}

/** The smallest eigenvalue; that of a flat minimum is zero but for rounding. */
function smallest({ eigenvalues, nullity, index }: StationaryPoint): string {
  if (eigenvalues.length === 0) return none
  return (nullity ?? 0) > 0 && (index ?? 0) === 0 ? '≈ 0' : short(eigenvalues[0], 3)
}

const proofText = ({ proof }: StationaryPoint): string =>
  proof === undefined ? none : proof.status === 'proved' ? `± ${short(proof.radius, 2)}` : 'not proved'

/** Kinds of distinct points, by what they are called. */
export const pointKinds = { Minima: 'minima', 'Flat minima': 'degenerate', Saddles: 'saddles' } as const
export type PointKind = keyof typeof pointKinds

/** Distinct points of one kind that are listed, the lowest loss first; undefined where there are none. */
export function pointsTable(kind: PointKind, s: Summary, most = Infinity): Table | undefined {
  const points = s[pointKinds[kind]]
  if (points.length === 0) return undefined
  const places = placeTexts(points)
  const metric = mainMetric(s)
  const named = metric ? [`training ${metric.label}`, ...(s.metrics.test ? [`held-out ${metric.label}`] : [])] : []
  const proofs = points.some(m => m.proof)
  const rows = points.slice(0, most).map((m, i) => {
    const scored = metric
      ? [m.metrics?.train[metric.name], ...(s.metrics.test ? [m.metrics?.test?.[metric.name]] : [])]
      : []
    return [
      places[i],
      fixed(m.loss, 10),
      formatCount(m.count),
      percent(m.share),
      `${short(100 * m.shareInterval[0], 3)} to ${short(100 * m.shareInterval[1], 3)} %`,
      `${formatCount(m.copies)} of ${Number.isFinite(m.copiesPossible) ? formatCount(m.copiesPossible) : 'very many'}`,
      smallest(m),
      short(m.gradientNorm, 2),
      ...(proofs ? [proofText(m)] : []),
      ...scored.map(v => short(v))
    ]
  })
  return {
    title: `${kind} (${formatCount(s.distinct[pointKinds[kind]].points)})`,
    head: [
      ...['', 'loss', 'runs', 'share', 'interval', 'copies met', 'smallest eigenvalue', 'max |g|'],
      ...(proofs ? ['proved in a box of'] : []),
      ...named
    ],
    rows,
    words: []
  }
}

/** Parameters named in a table of limits. */
const namedGrowing = 6

/** What runs to infinity approach; undefined where none does. */
export function limitsTable(s: Summary, most = Infinity, named = namedGrowing): Table | undefined {
  if (s.limits.length === 0) return undefined
  const metric = mainMetric(s)
  const rows = s.limits.slice(0, most).map((limit, i) => {
    const names = limit.growing.slice(0, named)
    const more = limit.growing.length - names.length
    const growing = more > 0 ? [...names, `${formatCount(more)} more`] : names
    const scored = metric
      ? [limit.metrics.train[metric.name], ...(s.metrics.test ? [limit.metrics.test?.[metric.name]] : [])]
      : []
    return [
      String(i + 1),
      limitText(limit),
      short(limit.uncertainty, 2),
      formatCount(limit.count),
      percent(limit.share),
      `${short(100 * limit.shareInterval[0], 3)} to ${short(100 * limit.shareInterval[1], 3)} %`,
      growing.length > 0 ? listed(growing) : none,
      ...scored.map(v => short(v))
    ]
  })
  return {
    title: `Limits of runs to infinity (${formatCount(s.limits.length)})`,
    head: [
      ...['', 'limit of the loss', 'uncertain by', 'runs', 'share of all', 'interval', 'grow without bound'],
      ...(metric ? [`training ${metric.label}`, ...(s.metrics.test ? [`held-out ${metric.label}`] : [])] : [])
    ],
    rows,
    words: [6]
  }
}

export function metricsTable(s: Summary): Table | undefined {
  const { train, test } = s.metrics
  const names = (Object.keys(metricLabels) as (keyof MetricSet<number>)[]).filter(name => train[name])
  if (names.length === 0) return undefined
  return {
    title: 'Predictions',
    head: ['median [min, max] over the runs', 'training', ...(test ? ['held out'] : [])],
    rows: names.map(name => [metricLabels[name], spreadOf(train[name]), ...(test ? [spreadOf(test[name])] : [])])
  }
}

/** Verdicts that occurred in any of the studies. */
export const met = (summaries: readonly Summary[]): Verdict[] =>
  verdicts.filter(v => summaries.some(s => s.verdicts[v] > 0))

export const verdictTable = (s: Summary): Table => ({
  title: 'Verdicts',
  head: ['verdict', 'runs', 'meaning'],
  rows: met([s]).map(v => [v, formatCount(s.verdicts[v]), meaning[v]]),
  words: [0, 2]
})

export const thresholdsTable = (s: Summary): Table => ({
  title: 'Thresholds',
  head: ['threshold', 'value', 'meaning'],
  rows: Object.entries(s.thresholds).map(([name, { value, meaning: why }]) => [name, short(value, 6), why]),
  words: [0, 2]
})

/** Every table of a report; with several studies, titles say whose each is. */
export function reportTables(summaries: readonly Summary[], options: CoefficientOptions = {}): Table[] {
  const alone = summaries.length === 1
  const own = (s: Summary): Table[] =>
    [
      verdictTable(s),
      ...(Object.keys(pointKinds) as PointKind[]).map(kind => pointsTable(kind, s)),
      limitsTable(s),
      coefficientsTable(s),
      coefficientsTable(s, 'full', options),
      effectsTable(s),
      separationTable(s),
      metricsTable(s),
      runSetsTable(s),
      minimaSetsTable(s),
      widestTable(s),
      crossValidationTable(s),
      bootstrapTable(s),
      bestOfTable(s)
    ]
      .filter(table => table !== undefined)
      .map(table => (alone ? table : { ...table, title: `${s.name}: ${table.title}` }))
  return [
    ...(alone ? [] : [keyTable(summaries)]),
    fullTable(summaries),
    ...summaries.flatMap(own),
    thresholdsTable(summaries[0])
  ]
}
