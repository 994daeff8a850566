/** Why runs differ, in words and tables. Pure functions of a result. */
import type { ModelVariance, Source, VarianceResult } from '../core/varianceResult.js'
import { wrap } from '../core/text.js'
import { formatCount, formatSeconds } from '../core/units.js'
import { varianceBars } from './charts/variance.js'
import { facts, figure, fold, page, paragraph, titled } from './page.js'
import { textTable, type Table } from './table.js'
import { designText, isNil, metricWords, shareText, sourcesOf, wordsOf } from './varianceWords.js'
import { capital, computer, count, listed, none, percent, short } from './words.js'

/** Rows: metrics; columns: mean, deviation and shares. */
export function varianceTable(model: ModelVariance, result: VarianceResult): Table {
  const shown = sourcesOf(result)
  return {
    title: `Shares of variance: ${model.name}`,
    head: ['', 'mean', 'deviation', ...shown.map(s => wordsOf[s])],
    rows: Object.entries(model.metrics).map(([name, split]) => [
      metricWords(name),
      name === 'minimum' || name === 'predictions' ? none : short(split.mean, 4),
      isNil(split) ? `≤ ${short(split.floor, 2)}` : short(split.deviation, 3),
      ...shown.map(s => shareText(split, s))
    ])
  }
}

/** The metric that people ask about first. */
function mainOf({ metrics }: ModelVariance): string {
  const order = ['test.accuracy', 'out.accuracy', 'accuracy', 'test.r2', 'out.r2', 'r2', 'loss']
  return order.find(name => Object.hasOwn(metrics, name)) ?? 'loss'
}

/** Shares below are not told in a sentence. */
const small = 0.005

/** In percent, to a tenth, as shares are told. */
const intervalText = (interval: readonly [number, number]): string =>
  interval.map(v => short(Math.round(1000 * v) / 10, 4)).join('–')

function sentenceOf(model: ModelVariance, result: VarianceResult, name: string): string {
  const split = model.metrics[name]
  const what = `${metricWords(name)} of ${model.name}`
  if (isNil(split))
    return `The ${what} is the same in all runs, up to rounding and what is left where they stop (${short(split.floor, 2)}).`
  const sources = sourcesOf(result)
  const told = sources.filter(source => split[source].share >= small).sort((a, b) => split[b].share - split[a].share)
  const parts = told.map(
    source => `${shareText(split, source)} ${wordsOf[source]} (${intervalText(split[source].interval)})`
  )
  const rest = told.length < sources.length ? `; no other source has ${percent(small)}` : ''
  return `Of the variance of the ${what} (deviation ${short(split.deviation, 3)}): ${listed(parts)}${rest}.`
}

/** What the starts change in a convex model. */
function convexSentence(model: ModelVariance): string {
  const { start, floor } = model.metrics['loss']
  const size = `differences of its loss that are due to the start have a deviation of ${short(start.deviation, 2)}`
  return start.deviation <= floor
    ? `Where ${model.name}, which is convex, ends up does not depend on the start: ${size}, within what rounding and stopping leave, ${short(floor, 2)}.`
    : `${capital(model.name)}, which is convex, has not arrived in all runs: ${size}, which more steps would take away (rounding leaves ${short(floor, 2)}).`
}

/** Paragraphs. */
export function varianceConclusion(result: VarianceResult): string[] {
  const { twin } = result
  const list = [sentenceOf(result, result, mainOf(result)), sentenceOf(result, result, 'loss')]
  const { minima } = result
  const [most] = minima
  const distinct = minima.filter(m => m.loss !== null).length
  if (result.starts > 1)
    list.push(
      distinct === 1 && minima.length === 1
        ? `From every end Newton’s method leads to the same minimum.`
        : `From the ends Newton’s method leads to ${count(distinct, 'distinct minimum', 'distinct minima')}, from ${formatCount(most.runs)} of ${formatCount(result.runs)} to ${most.end}.`
    )
  if (twin) list.push(sentenceOf(twin, result, mainOf(twin)))
  for (const model of [result, ...(twin ? [twin] : [])])
    if (model.convex && result.starts > 1) list.push(convexSentence(model))
  return list
}

/** The result as text for a terminal of `width` columns. */
export function varianceText(result: VarianceResult, width: number): string {
  const { problem, engine, twin } = result
  const models = [result, ...(twin ? [twin] : [])]
  const seconds = models.reduce((sum, m) => sum + m.seconds, 0)
  return [
    ...wrap(
      `${problem.data}: ${problem.rows} rows${problem.testRows > 0 ? `, ${problem.testRows} held out` : ''}, target ${problem.target}`,
      width
    ),
    ...wrap(
      `${designText(result)}; ${problem.optimizer}; ${engine.name} ${engine.precision} on ${computer(engine)}: ${formatSeconds(seconds)}`,
      width
    ),
    ...models.flatMap(model => {
      const table = varianceTable(model, result)
      // Where it is narrow the sources go first that have the least of any metric, the start last of all.
      const metrics = Object.values(model.metrics).filter(split => !isNil(split))
      const most = (source: Source): number =>
        source === 'start' ? Infinity : Math.max(0, ...metrics.map(split => split[source].share))
      const spare = sourcesOf(result)
        .sort((a, b) => most(a) - most(b))
        .map(source => table.head.indexOf(wordsOf[source]))
      return [
        '',
        ...wrap(`${table.title}${model.convex ? ' (convex)' : ''}`, width),
        ...textTable({ ...table, spare }, width)
      ]
    }),
    '',
    ...[...varianceConclusion(result), ...models.flatMap(m => m.notes)].flatMap(text => wrap(text, width))
  ].join('\n')
}

const shownRows = 12

function rowsTable(model: ModelVariance, result: VarianceResult): Table {
  const shown = sourcesOf(result)
  return {
    title: 'Rows with the widest predictions',
    head: ['row', 'mean', 'deviation', ...shown.map(s => wordsOf[s])],
    words: [],
    rows: model.rows
      .slice(0, shownRows)
      .map(row => [
        String(row.row),
        short(row.mean),
        short(row.deviation, 3),
        ...shown.map(s => percent(Math.round(1000 * row.shares[s]) / 1000))
      ])
  }
}

const endsTable = ({ minima, runs }: ModelVariance): Table => ({
  title: 'Minimum reached',
  head: ['', 'loss', 'runs', 'share'],
  rows: minima
    .slice(0, shownRows)
    .map(({ end, loss, runs: n }) => [end, short(loss, 8), formatCount(n), percent(n / runs)])
})

/** Intervals of all shares. */
function intervalTable(model: ModelVariance, result: VarianceResult): Table {
  const shown = sourcesOf(result)
  return {
    title: '95 % intervals, in percent',
    head: ['', ...shown.map(s => wordsOf[s])],
    rows: Object.entries(model.metrics).map(([name, split]) => [
      metricWords(name),
      ...shown.map(s => (isNil(split) ? none : intervalText(split[s].interval)))
    ])
  }
}

const tablesOf = (model: ModelVariance, result: VarianceResult): Table[] => [
  varianceTable(model, result),
  intervalTable(model, result),
  endsTable(model),
  ...(model.rows.length > 0 ? [rowsTable(model, result)] : [])
]

/** Every table of the page; titles say whose each is. */
export const varianceTables = (result: VarianceResult): Table[] =>
  [result, ...(result.twin ? [result.twin] : [])].flatMap(model =>
    tablesOf(model, result).map((table, i) => (i === 0 ? table : { ...table, title: `${table.title}: ${model.name}` }))
  )

/** What a page of several models says of it: the answer, the bars and the shares of each model. */
export async function varianceSection(result: VarianceResult): Promise<string> {
  const models = [result, ...(result.twin ? [result.twin] : [])]
  const tables = models.map(model => varianceTable(model, result))
  return [
    ...varianceConclusion(result).map(text => paragraph(text)),
    figure(await varianceBars(result), false),
    ...tables.map(table => titled(table)),
    paragraph(`${designText(result)}; ${result.problem.optimizer}. ${result.method}`, 'small')
  ].join('\n')
}

/** One self-contained page. */
export async function renderVariance(result: VarianceResult): Promise<string> {
  const { problem, engine, twin, method } = result
  const models = [result, ...(twin ? [twin] : [])]
  const parts = models.map(model =>
    fold(
      model.name,
      tablesOf(model, result).map(titled).join('\n') + model.notes.map(text => paragraph(text, 'note')).join('')
    )
  )
  return page(
    `${problem.data}: why runs differ`,
    `<div class="answer">${varianceConclusion(result)
      .map(text => paragraph(text))
      .join('')}</div>
<div class="figures">${figure(await varianceBars(result))}</div>
${parts.join('\n')}
${fold(
  'What was run',
  facts([
    [
      'data',
      `${problem.data}: ${count(problem.rows, 'row', 'rows')}${problem.testRows > 0 ? ` and ${formatCount(problem.testRows)} held out` : ''}, target ${problem.target}`
    ],
    ['design', designText(result)],
    ['starts', `${problem.init}, seed ${problem.seed}`],
    ['optimiser', problem.optimizer],
    ['engine', `${engine.name} ${engine.precision} on ${computer(engine)}; ${engine.why}`],
    ['estimator', method]
  ])
)}`
  )
}
