/** Summaries → one self-contained HTML page: no script, no network, charts as inline SVG. */
import type { StationaryPoint, Summary } from '../core/result.js'
import { formatCount, formatRate, formatSeconds } from '../core/units.js'
import { churnMatrix } from './charts/churn.js'
import { convergence } from './charts/convergence.js'
import { discovery } from './charts/discovery.js'
import { growthChart } from './charts/growth.js'
import { histogram, histogramLooks } from './charts/histogram.js'
import { landscapeChart } from './charts/landscape.js'
import { multiplicityCurve } from './charts/multiplicity.js'
import { predictionRanges, resampledRanges } from './charts/ranges.js'
import { ridgePathChart } from './charts/ridgePath.js'
import { scores } from './charts/scores.js'
import { shares } from './charts/shares.js'
import { spectrum } from './charts/spectrum.js'
import { waterfall } from './charts/waterfall.js'
import { bestOfChart } from './charts/bestOf.js'
import { conclusion, coverageText } from './conclusion.js'
import { fullNotes, fullTable } from './contrast.js'
import {
  coefficientsTable,
  effectsTable,
  errorsText,
  fitText,
  inferenceNotes,
  type CoefficientOptions
} from './inference.js'
import { markSign } from './charts/svg.js'
import { bestOfNotes, bestOfTable, restartsText } from './restarts.js'
import { facts, figure, fold, htmlTable, page, paragraph, titled } from './page.js'
import { landscapeText } from './landscape.js'
import {
  agree,
  minimaSetsTable,
  multiplicityNotes,
  multiplicityText,
  runSetsTable,
  widestTable
} from './multiplicity.js'
import { decided, overview } from './overview.js'
import type { VarianceResult } from '../core/varianceResult.js'
import { varianceSection } from './variance.js'
import { separationTable, separationText } from './separation.js'
import { ridgePathText } from './ridgePath.js'
import { bootstrapTable, crossValidationTable, resamplingNotes, resamplingText } from './resampling.js'
import {
  limitsTable,
  meaning,
  met,
  metricsTable,
  pointKinds,
  pointsTable,
  thresholdsTable,
  type PointKind
} from './tables.js'
import {
  computer,
  count,
  escape,
  fixed,
  infiniteText,
  isSeparated,
  moreText,
  percent,
  remedyText,
  short
} from './words.js'

const shownPoints = 30
const shownFlat = 5
/** Names of flat parameters in a note. */
const shownNames = 8

/** The first points of a kind, and how many more there are. */
function pointsPart(kind: PointKind, s: Summary): string {
  const points = s[pointKinds[kind]]
  const more = moreText(shownPoints, points.length, s.distinct[pointKinds[kind]].points)
  return titled(pointsTable(kind, s, shownPoints)) + (more === '' ? '' : paragraph(more)) + proofNotes(points)
}

/** Limits of runs to infinity, and how many more there are. */
function limitsPart(s: Summary): string {
  const more = moreText(shownPoints, s.limits.length)
  return titled(limitsTable(s, shownPoints)) + (more === '' ? '' : paragraph(more))
}

/** How many are proved, and different; why others are not, each reason once. */
function proofNotes(points: readonly StationaryPoint[]): string {
  const proved = points.filter(p => p.proof?.status === 'proved')
  const distinct = proved.filter(p => p.proof?.distinct).length
  const texts: string[] = []
  if (distinct > 1)
    texts.push(
      distinct === points.length
        ? 'All are proved, and proved to be different.'
        : `${formatCount(distinct)} are proved to be different from all others that are proved.`
    )
  const reasons = new Map<string, number>()
  for (const { proof } of points) if (proof?.reason) reasons.set(proof.reason, (reasons.get(proof.reason) ?? 0) + 1)
  for (const [reason, n] of reasons) texts.push(`Not proved (${formatCount(n)}): ${reason}`)
  return texts.map(text => paragraph(text, 'note')).join('')
}

/** What is left of separated data, and how the rest runs away. */
async function separationPart(s: Summary): Promise<string> {
  const sentences = separationText(s).map(text => paragraph(text))
  return [titled(separationTable(s)), ...sentences, figure(await growthChart(s))].join('\n')
}

/** Coefficients with their tests, the fit, and effects on the mean response. */
function coefficientsPart(s: Summary, options: CoefficientOptions): string {
  const [errors, fit] = [errorsText(s), fitText(s)]
  return [
    titled(coefficientsTable(s, 'full', options)),
    errors === '' ? '' : paragraph(errors),
    fit === '' ? '' : paragraph(fit),
    ...inferenceNotes(s).map(text => paragraph(text, 'note')),
    titled(effectsTable(s))
  ].join('\n')
}

function metricsPart(s: Summary): string {
  const table = metricsTable(s)
  if (!table) return ''
  const { train, asGoodAsBest, disagreement } = s.metrics
  const same = [`As good as the best run: ${percent(asGoodAsBest)} of the runs.`]
  if (train.accuracy) same.push(`Two runs predict different classes on ${percent(disagreement)} of the rows.`)
  return titled(table) + paragraph(same.join(' '))
}

function multiplicityTables(s: Summary): string {
  if (!s.multiplicity) return ''
  return (
    [runSetsTable(s), minimaSetsTable(s), widestTable(s)].map(titled).join('') + paragraph(multiplicityNotes, 'small')
  )
}

function notes(s: Summary): string {
  const list: string[] = []
  if (isSeparated(s)) {
    const which = infiniteText(s)
    const remedy = remedyText(s)
    list.push(
      `The data are separated (${s.separation.status})${which === '' ? '' : `: ${which}`}. ` +
        `There is no finite estimate${remedy === '' ? '' : `; ${remedy}`}.`
    )
  }
  for (const d of s.degenerate.slice(0, shownFlat)) {
    const names = d.flatParameters ?? []
    const more = names.length > shownNames ? ` and ${formatCount(names.length - shownNames)} more` : ''
    const free = names.length > 0 ? `; not identified: ${names.slice(0, shownNames).join(', ')}${more}` : ''
    list.push(
      `Flat minimum at loss ${fixed(d.loss, 8)} (${count(d.count, 'run', 'runs')}): ` +
        `${count(d.nullity ?? 0, 'flat direction', 'flat directions')}, ` +
        `${formatCount(d.nullityExplained ?? 0)} explained by symmetries and dead units${free}.`
    )
  }
  if (s.distinct.degenerate.points > shownFlat)
    list.push(
      `Of flat minima there are ${moreText(shownFlat, s.degenerate.length, s.distinct.degenerate.points).replace(/^and /, '')}.`
    )
  if (s.interrupted)
    list.push(`Interrupted: ${formatCount(s.starts)} of ${formatCount(s.startsRequested)} starts were run.`)
  return [...list, ...s.notes].map(text => paragraph(text, 'note')).join('')
}

/** Columns and levels of a column that are listed; the rest is counted. */
const shownFeatures = 12
const shownLevels = 6

/** The features as they were read: numbers, or labels with their levels. */
function featuresText({ features }: Summary['dataset']): string {
  const list = features.slice(0, shownFeatures).map(({ column, levels }) => {
    if (!levels) return column
    const more = levels.length > shownLevels ? ` and ${formatCount(levels.length - shownLevels)} more` : ''
    return `${column} (labels ${levels.slice(0, shownLevels).join(', ')}${more}; reference ${levels[0]})`
  })
  const more = features.length - list.length
  return list.join(', ') + (more > 0 ? ` and ${formatCount(more)} more` : '')
}

/** How the table was read; nothing of a model without data. */
function datasetFacts({ dataset }: Summary): (readonly [string, string])[] {
  const { read, dropped, training, heldOut } = dataset.rows
  if (dataset.features.length === 0) return []
  const left = dropped > 0 ? `, ${formatCount(dropped)} left out because of missing values` : ''
  const held = heldOut > 0 ? `, ${formatCount(heldOut)} held out` : ''
  return [
    ['rows', `${formatCount(read)} read${left}, ${formatCount(training)} for training${held}`],
    ['features', featuresText(dataset)]
  ]
}

/** What was run, fact by fact. */
function factsOf(s: Summary): (readonly [string, string])[] {
  const { problem: p, timing, engine } = s
  const net = p.expression
    ? p.expression.text
    : p.hidden.length === 0
      ? 'no hidden layer'
      : `hidden ${p.hidden.length === 1 ? 'layer' : 'layers'} of ${p.hidden.join(', ')} ${p.activation} units`
  const held = p.testRows > 0 ? ` and ${formatCount(p.testRows)} held out` : ''
  const ridge =
    p.ridge > 0
      ? `, ridge ${p.ridge} on ${p.penalizeBias ? 'weights and biases' : 'weights'}`
      : p.firth
        ? ', Firth’s penalty'
        : ''
  const columns = `${count(p.inputs, 'column', 'columns')}${p.standardize ? ', standardised' : ''}`
  const { f, g, H } = timing.evaluations
  const parameters = count(p.parameters, 'parameter', 'parameters')
  const model: readonly (readonly [string, string])[] = p.expression?.objective
    ? [['objective', `${net}, ${parameters}`]]
    : [
        ['data', `${p.data}: ${count(p.rows, 'row', 'rows')}${held}, ${columns}`],
        ...datasetFacts(s),
        ['target', `${p.target}${p.coding === '' ? '' : ` (${p.coding})`}`],
        ['model', `${net}, ${p.loss} loss, ${parameters}${ridge}`]
      ]
  return [
    ...model,
    ['starts', `${formatCount(s.starts)} from ${p.init}, seed ${p.seed}`],
    [
      'optimiser',
      `${p.optimizer}; stops at max |g| ≤ ${short(p.stop.gradient)} or after ${formatCount(p.stop.steps)} steps`
    ],
    ['engine', `${engine.name} ${engine.precision} on ${computer(engine)}`],
    ['why that engine', engine.why],
    ['time', `${formatSeconds(timing.wallSeconds)}, ${formatRate(timing.runsPerSecond, 'runs')}`],
    ['evaluations', `${formatCount(f)} losses, ${formatCount(g)} gradients, ${formatCount(H)} Hessians`],
    ['convex', s.convex.reason]
  ]
}

/** Facts that all studies share, which are said once. */
function sharedFacts(summaries: readonly Summary[]): (readonly [string, string])[] {
  const [first, ...others] = summaries.map(factsOf)
  return first.filter(([name, text]) => others.every(facts => facts.some(([n, t]) => n === name && t === text)))
}

/** Pictures side by side, each under the name of its study. */
async function pictures(
  summaries: readonly Summary[],
  draw: (s: Summary) => Promise<string | undefined>
): Promise<string> {
  const list: string[] = []
  for (const s of summaries) {
    const picture = await draw(s)
    if (picture) list.push(`<article>${summaries.length > 1 ? `<h2>${escape(s.name)}</h2>` : ''}${picture}</article>`)
  }
  return list.length === 0 ? '' : `<div class="panels">${list.join('')}</div>`
}

/** How the scores of the runs are spread, and those of a convex model in the same picture. */
async function scoresPart(summaries: readonly Summary[]): Promise<string> {
  const convex = summaries.find(s => s.convex.model)
  const spread = figure(await scores(summaries))
  const drawn = await pictures(
    summaries.filter(s => s !== convex),
    s => histogram(s, convex)
  )
  if (drawn === '') return spread
  const signs = Object.values(histogramLooks).map(
    (colour, i) => `<li>${markSign(colour, 'square')}${['training', 'held out'][i]}</li>`
  )
  const held = summaries.some(s => s.metrics.test)
  const line = convex ? ` Dashed: ${convex.name}, whose runs all score the same.` : ''
  return (
    `${spread}<h3>How many runs score how well</h3>${drawn}<ul class="legend">${signs.slice(0, held ? 2 : 1).join('')}</ul>` +
    paragraph(`Bars: shares of the runs by their score, where the optimiser left them.${line}`, 'small')
  )
}

/** How far the predictions of good runs differ. */
async function multiplicityPart(summaries: readonly Summary[]): Promise<string> {
  const some = summaries.filter(s => s.multiplicity)
  if (some.length === 0) return ''
  const [{ multiplicity: first }] = some
  const [near, far] = [first!.epsilon[0], first!.epsilon[first!.epsilon.length - 1]].map(e => short(e))
  const differ = some.filter(s => !agree(s))
  const drawn = await pictures(differ, predictionRanges)
  const told = some.map(s => paragraph((some.length > 1 ? `${s.name}: ` : '') + multiplicityText(s).join(' ')))
  return [
    ...told,
    differ.length === 0 ? '' : figure(await multiplicityCurve(some), false),
    drawn === ''
      ? ''
      : `<h3>What good runs predict, row by row</h3>${drawn}` +
        paragraph(
          `Line: the best run’s prediction, by which the rows are sorted. Blue: the range of the runs within ${near} of it; orange, of those within ${far}.`,
          'small'
        )
  ].join('\n')
}

/** What the fit owes to the rows: bootstrap and cross-validation. */
async function resamplingPart(summaries: readonly Summary[]): Promise<string> {
  const some = summaries.filter(s => s.resampling)
  if (some.length === 0) return ''
  const told = some.map(s =>
    [
      some.length > 1 ? `<h3>${escape(s.name)}</h3>` : '',
      ...resamplingText(s).map(text => paragraph(text)),
      titled(crossValidationTable(s)),
      titled(bootstrapTable(s))
    ].join('')
  )
  const drawn = await pictures(some, resampledRanges)
  const picture =
    drawn === ''
      ? ''
      : `<h3>Predictions over resamples of the rows</h3>${drawn}` +
        paragraph(
          'Line: the prediction of the best minimum, by which the rows are sorted. Blue: its 95 % interval.',
          'small'
        )
  return [...told, picture, paragraph(resamplingNotes, 'small')].join('\n')
}

/** The minimiser against the ridge, of each study that has it. */
async function regularisation(summaries: readonly Summary[]): Promise<string> {
  const parts: string[] = []
  for (const s of summaries) {
    const chart = await ridgePathChart(s)
    if (!chart) continue
    const title = summaries.length > 1 ? s.name : chart.title
    parts.push(
      ridgePathText(s)
        .map(text => paragraph(text))
        .join('') + figure({ ...chart, title })
    )
  }
  return parts.join('\n')
}

/** The loss between the end points of each study, and why it is not convex. */
async function landscapes(summaries: readonly Summary[]): Promise<string> {
  const parts: string[] = []
  for (const s of summaries) {
    const chart = await landscapeChart(s)
    if (!chart) continue
    const alone = summaries.length === 1
    parts.push(
      figure(alone ? chart : { ...chart, title: s.name }, !alone) +
        landscapeText(s)
          .map(text => paragraph(text))
          .join('')
    )
  }
  return parts.join('\n')
}

/** How many starts are needed: the curves of all studies together, and what each of them says. */
async function restarts(summaries: readonly Summary[]): Promise<string> {
  const chart = await bestOfChart(summaries)
  if (!chart) return ''
  const alone = summaries.length === 1
  const texts = summaries.flatMap(s => {
    const text = restartsText(s)
    return text === '' ? [] : [paragraph(alone ? text : `${s.name}: ${text}`)]
  })
  const tables = summaries.map(s => {
    const table = bestOfTable(s)
    return table ? `${alone ? '' : `<h3>${escape(s.name)}</h3>`}${htmlTable(table)}` : ''
  })
  return [...texts, figure(chart), ...tables, paragraph(bestOfNotes, 'small')].join('\n')
}

const copies =
  'Copies: images of a minimum under exchange of hidden units and, for odd activations, change of their sign; they compute the same ' +
  'function and count as one.'

async function section(
  s: Summary,
  alone: boolean,
  shared: readonly (readonly [string, string])[],
  options: CoefficientOptions
): Promise<string> {
  const charts = [
    alone ? undefined : await waterfall(s),
    await shares(s),
    await spectrum(s),
    await discovery(s),
    await churnMatrix(s)
  ]
  const own = factsOf(s).filter(([name]) => !shared.some(([n]) => n === name))
  const points = (Object.keys(pointKinds) as PointKind[]).map(kind => pointsPart(kind, s)).join('')
  return [
    alone
      ? ''
      : conclusion([s])
          .map(text => paragraph(text))
          .join(''),
    facts(own),
    notes(s),
    points,
    limitsPart(s),
    points !== '' && s.problem.hidden.length > 0 ? paragraph(copies, 'small') : '',
    paragraph(coverageText(s)),
    coefficientsPart(s, options),
    await separationPart(s),
    metricsPart(s),
    multiplicityTables(s),
    `<div class="figures">${charts.map(chart => figure(chart)).join('')}</div>`
  ].join('\n')
}

/** Every figure that models are compared by, with what verdicts mean. */
const figures = (summaries: readonly Summary[]): string =>
  htmlTable(fullTable(summaries), 'models') +
  paragraph(fullNotes(summaries), 'small') +
  facts(
    met(summaries).map(v => [v, meaning[v]]),
    'small'
  )

/** What a page takes beside summaries. */
export interface ReportOptions extends CoefficientOptions {
  /** Heading of the page. */
  readonly title: string
  /** The first model on the rows that it gets right and so separates, without and with a ridge. */
  readonly separated?: readonly Summary[]
  /** Why runs of a network and of its convex twin differ. */
  readonly variance?: VarianceResult
}

/**
 * One page for one study, or for several side by side: the answer on the first screen, everything else folded below it.
 * @param summaries at least one
 */
export async function renderReport(summaries: readonly Summary[], options: ReportOptions): Promise<string> {
  const { separated = [], variance } = options
  const alone = summaries.length === 1
  const shared = alone ? [] : sharedFacts(summaries)
  const parts: string[] = []
  for (const s of summaries) parts.push(fold(alone ? 'The study' : s.name, await section(s, alone, shared, options)))
  return page(
    options.title,
    `${await overview(summaries, separated)}
${await decided(summaries)}
${fold('Convergence', figure(await convergence(summaries), false))}
${fold('Predictions', await scoresPart(summaries))}
${variance ? fold('Why runs differ', await varianceSection(variance)) : ''}
${fold('How much good runs disagree', await multiplicityPart(summaries))}
${fold('What the fit owes to the rows', await resamplingPart(summaries))}
${fold('How many starts', await restarts(summaries))}
${fold('What regularisation does here', await regularisation(summaries))}
${fold('Between the end points', await landscapes(summaries))}
${alone ? '' : fold('All figures', figures(summaries))}
${parts.join('\n')}
${alone ? '' : fold('What all of them share', facts(shared))}
${fold('Thresholds', `<p class="small">What the verdicts and the comparison of end points rest on.</p>${htmlTable(thresholdsTable(summaries[0]))}`)}`
  )
}
