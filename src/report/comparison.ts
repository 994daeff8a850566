/** Two studies side by side, as text. A pure function of a comparison. */
import type { Better, Comparison, OwnPoint } from '../core/comparisonResult.js'
import { wrap } from '../core/text.js'
import { formatCount, formatRate } from '../core/units.js'
import { bestOfCurves } from './charts/bestOf.js'
import type { Chart } from './charts/chart.js'
import { betterChart, minimaChart } from './charts/comparison.js'
import { figure, fold, page, paragraph, titled } from './page.js'
import { markdownTable, textTable, type Table } from './table.js'
import { metricWords } from './varianceWords.js'
import { count, listed, mainMetricOf, none, percent, short } from './words.js'

/** Points of a kind that are listed; the rest is counted. */
const shownPoints = 20

const studiesTable = ({ a, b }: Comparison): Table => ({
  title: 'Studies',
  head: ['', 'A', 'B'],
  rows: [
    ['directory', a.directory, b.directory],
    ['model', a.name, b.name],
    ['starts', formatCount(a.starts), formatCount(b.starts)],
    ...(['orders', 'resamples'] as const)
      .filter(name => (a[name] ?? 1) > 1 || (b[name] ?? 1) > 1)
      .map(name => [name, formatCount(a[name] ?? 1), formatCount(b[name] ?? 1)]),
    ['engine', a.engine, b.engine],
    ['version', a.version, b.version],
    ['speed', formatRate(a.runsPerSecond, 'runs'), formatRate(b.runsPerSecond, 'runs')]
  ]
})

function changedTable({ changed }: Comparison): Table | undefined {
  if (changed.length === 0) return undefined
  const value = (text: string | null): string =>
    text === null ? none : text.replace(/^"([0-9a-f]{12})[0-9a-f]{52}"$/, '$1…')
  return {
    title: 'What differs',
    head: ['field', 'A', 'B'],
    words: [0, 1, 2],
    rows: changed.map(({ field, a, b }) => [field, value(a), value(b)])
  }
}

const interval = ([low, high]: readonly [number, number]): string => `${short(low, 3)} to ${short(high, 3)}`
const verdictText = ({ winner, matters }: Better): string =>
  winner === null ? 'neither' : matters ? winner : `${winner}, slightly`

function betterTable({ better }: Comparison): Table | undefined {
  const list = Object.entries(better)
  if (list.length === 0) return undefined
  const ks = list[0][1].bestOf.map(b => b.k)
  return {
    title: 'Probability that A is better than B',
    head: ['by', 'one run', '95 % interval', 'better', ...ks.map(k => `best of ${formatCount(k)}`)],
    words: [0],
    rows: list.map(([name, b]) => [
      metricWords(name),
      short(b.probability, 3),
      interval(b.interval),
      verdictText(b),
      ...b.bestOf.map(o => `${short(o.probability, 3)} (${interval(o.interval)})`)
    ]),
    spare: ks.map((_, i) => 4 + ks.length - 1 - i)
  }
}

function sharedTable({ shared }: Comparison): Table | undefined {
  if (shared.length === 0) return undefined
  return {
    title: `Minima of both (${formatCount(shared.length)})`,
    head: ['A', 'B', 'loss', 'share in A', 'share in B', ''],
    words: [5],
    rows: shared
      .slice(0, shownPoints)
      .map(p => [
        String(p.a),
        String(p.b),
        short(p.loss, 8),
        percent(p.shares[0]),
        percent(p.shares[1]),
        [...(p.kind === 'minimum' ? [] : ['flat']), p.proved ? 'proved' : 'within tolerances'].join(', ')
      ])
  }
}

function ownTable(name: 'A' | 'B', points: readonly OwnPoint[]): Table | undefined {
  if (points.length === 0) return undefined
  return {
    title: `Minima of ${name} alone (${formatCount(points.length)})`,
    head: [name, 'loss', 'share', ''],
    words: [3],
    rows: points
      .slice(0, shownPoints)
      .map(p => [
        String(p.id),
        short(p.loss, 8),
        percent(p.share),
        [
          ...(p.kind === 'minimum' ? [] : ['flat']),
          p.proved ? 'proved to be none of the others' : 'outside tolerances'
        ].join(', ')
      ])
  }
}

const isResampled = ({ a, b }: Comparison): boolean => Math.max(a.resamples ?? 1, b.resamples ?? 1) > 1

/** Which runs are compared with which. */
function howText(c: Comparison): string {
  const { paired, pairedRows, a, b } = c
  const rows = pairedRows && isResampled(c) ? ' on the same resample' : ''
  return paired
    ? `Runs of one start${rows} are compared (${count(a.runs, 'pair', 'pairs')}), in the best of several any with any`
    : `Any run of A is compared with any of B${rows} (${formatCount(a.runs)} and ${formatCount(b.runs)})`
}

/** What the bootstrap draws. */
const overText = (c: Comparison): string =>
  isResampled(c) || Math.max(c.a.orders ?? 1, c.b.orders ?? 1) > 1
    ? listed([
        'starts',
        ...(Math.max(c.a.orders ?? 1, c.b.orders ?? 1) > 1 ? ['orders'] : []),
        ...(isResampled(c) ? ['resamples'] : [])
      ])
    : 'the runs'

/** What the studies share and how they differ, in sentences. */
export function comparisonConclusion(c: Comparison): string[] {
  const { shared, onlyA, onlyB, better, notCompared } = c
  const out: string[] = []
  const names = Object.keys(better)
  if (names.length > 0)
    out.push(
      `${howText(c)}; ties count half. Better is what has an interval on one side of 0.5; slightly, where the probability is below 0.75. Intervals: percentile bootstrap over ${overText(c)}.`
    )
  if (shared.length + onlyA.length + onlyB.length > 0)
    out.push(
      `${count(shared.length, 'minimum is', 'minima are')} in both, ${formatCount(onlyA.length)} in A alone and ${formatCount(onlyB.length)} in B alone.`
    )
  return [...out, ...notCompared]
}

/** All that is compared, as tables. */
export const comparisonTables = (c: Comparison): Table[] =>
  [
    studiesTable(c),
    changedTable(c),
    betterTable(c),
    sharedTable(c),
    ownTable('A', c.onlyA),
    ownTable('B', c.onlyB)
  ].filter(table => table !== undefined)

/** For a terminal, in lines of at most `width` columns. */
export const comparisonText = (c: Comparison, width: number): string =>
  [
    ...comparisonTables(c).flatMap(table => [`${table.title}:`, ...textTable(table, width), '']),
    ...comparisonConclusion(c).flatMap(text => wrap(text, width))
  ].join('\n')

/** For a page or a pull request. */
export const comparisonMarkdown = (c: Comparison): string =>
  [...comparisonTables(c).map(markdownTable), ...comparisonConclusion(c).map(text => `${text}\n`)].join('\n')

/** One self-contained page. */
export async function renderComparison(c: Comparison): Promise<string> {
  const charts = [await betterChart(c), await bestOfBoth(c), await minimaChart(c)]
  const [first, ...rest] = [studiesTable(c), changedTable(c)]
  const better = betterTable(c)
  const minima = [sharedTable(c), ownTable('A', c.onlyA), ownTable('B', c.onlyB)]
  return page(
    `A ${c.a.name}, B ${c.b.name}`,
    `<div class="answer">${[...answer(c), ...comparisonConclusion(c)].map(text => paragraph(text)).join('')}</div>
${[first, ...rest].map(table => titled(table)).join('\n')}
<div class="figures">${charts.map(chart => figure(chart)).join('')}</div>
${titled(better)}
${fold(
  'Minima',
  minima
    .map(table => titled(table))
    .join('\n')
    .trim()
)}`
  )
}

/** Which does better, by what; nothing where neither does. */
function answer({ better }: Comparison): string[] {
  const by = (name: 'A' | 'B', matters: boolean): string[] =>
    Object.entries(better)
      .filter(([, b]) => b.winner === name && b.matters === matters)
      .map(([value]) => metricWords(value))
  return (['A', 'B'] as const).flatMap(name =>
    [true, false].flatMap(matters => {
      const values = by(name, matters)
      return values.length > 0 ? [`${name} does ${matters ? '' : 'slightly '}better by ${listed(values)}.`] : []
    })
  )
}

/** What the best of k starts of each is expected to be: where the losses are of one kind, above the lowest of both. */
function bestOfBoth(c: Comparison): Promise<Chart | undefined> {
  const sides = [c.a, c.b].map(({ name, bestOf = [] }, i) => ({
    name: `${i === 0 ? 'A' : 'B'}: ${name}`,
    bestOf,
    least: bestOf[bestOf.length - 1]?.loss ?? NaN
  }))
  const together = c.better['loss'] !== undefined
  const least = Math.min(...sides.map(s => s.least))
  const scores = sides.flatMap(({ bestOf }) => bestOf.flatMap(b => Object.keys(b.test ?? {})))
  const metric = mainMetricOf(name => scores.includes(name))
  return bestOfCurves(
    together ? sides.map(s => ({ ...s, least })) : sides,
    metric,
    together ? 'The lowest loss is that of all runs of both' : 'The lowest loss is that of all runs of each'
  )
}
