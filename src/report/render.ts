/** Summaries → one self-contained HTML page: no script, no network, charts as inline SVG. */
import { verdicts, type MetricSet, type StationaryPoint, type Summary, type Verdict } from '../core/result.js'
import { formatCount, formatRate, formatSeconds } from '../core/units.js'
import { convergence, discovery, scores, shares, spectrum, waterfall, type Chart } from './charts.js'
import { conclusion, coverageText } from './conclusion.js'
import { contrastNotes, contrastRows } from './contrast.js'
import { style } from './style.js'
import {
  computer,
  count,
  escape,
  fixed,
  infiniteText,
  isSeparated,
  mainMetric,
  none,
  percent,
  short,
  spreadOf
} from './words.js'

const shownPoints = 30
const shownFlat = 5
/** Names of flat parameters in a note. */
const shownNames = 8

const meaning: Readonly<Record<Verdict, string>> = {
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

/** `words`: columns that hold text and are aligned left; the others hold numbers. */
function table(head: readonly string[], rows: readonly (readonly string[])[], words: readonly number[] = [0]): string {
  const cell = (tag: 'th' | 'td', text: string, i: number): string => {
    const kind = words.includes(i) ? '' : ' class="n"'
    return `<${tag}${kind}${tag === 'th' ? ' scope="col"' : ''}>${escape(text)}</${tag}>`
  }
  const line = (tag: 'th' | 'td', cells: readonly string[]): string =>
    `<tr>${cells.map((text, i) => cell(tag, text, i)).join('')}</tr>`
  return (
    `<div class="scroll"><table><thead>${line('th', head)}</thead>` +
    `<tbody>${rows.map(cells => line('td', cells)).join('')}</tbody></table></div>`
  )
}

const paragraph = (text: string, kind = ''): string => `<p${kind === '' ? '' : ` class="${kind}"`}>${escape(text)}</p>`

const legend = (items: NonNullable<Chart['legend']>): string =>
  items.length > 0
    ? `<ul class="legend">${items.map(({ sign, name }) => `<li>${sign}${escape(name)}</li>`).join('')}</ul>`
    : ''

const figure = (chart: Chart | undefined): string =>
  chart
    ? `<figure><h3>${escape(chart.title)}</h3><div class="charts">${chart.svgs.join('')}</div>` +
      legend(chart.legend ?? []) +
      `<figcaption>${escape(chart.caption)}</figcaption></figure>`
    : ''

const facts = (items: readonly (readonly [string, string])[], kind = ''): string =>
  `<dl${kind === '' ? '' : ` class="${kind}"`}>${items.map(([k, v]) => `<dt>${escape(k)}</dt><dd>${escape(v)}</dd>`).join('')}</dl>`

/** The smallest eigenvalue; that of a flat minimum is zero but for rounding. */
function smallest({ eigenvalues, nullity, index }: StationaryPoint): string {
  if (eigenvalues.length === 0) return none
  return (nullity ?? 0) > 0 && (index ?? 0) === 0 ? '≈ 0' : short(eigenvalues[0], 3)
}

function pointsTable(title: string, points: readonly StationaryPoint[], s: Summary): string {
  if (points.length === 0) return ''
  const metric = mainMetric(s)
  const named = metric ? [`training ${metric.label}`, ...(s.metrics.test ? [`held-out ${metric.label}`] : [])] : []
  const proofs = points.some(m => m.proof)
  const head = [
    '',
    'loss',
    'runs',
    'share',
    'interval',
    'copies met',
    'smallest eigenvalue',
    'max |g|',
    ...(proofs ? ['proved in a box of'] : []),
    ...named
  ]
  const rows = points.slice(0, shownPoints).map((m, i) => {
    const scored = metric
      ? [m.metrics?.train[metric.name], ...(s.metrics.test ? [m.metrics?.test?.[metric.name]] : [])]
      : []
    return [
      String(i + 1),
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
  const more =
    points.length > shownPoints ? paragraph(`and ${formatCount(points.length - shownPoints)} more in summary.json`) : ''
  return `<h3>${escape(title)} (${formatCount(points.length)})</h3>${table(head, rows, [])}${more}${unproved(points)}`
}

const proofText = ({ proof }: StationaryPoint): string =>
  proof === undefined ? none : proof.status === 'proved' ? `± ${short(proof.radius, 2)}` : 'not proved'

/** Why points are not proved, each reason once. */
function unproved(points: readonly StationaryPoint[]): string {
  const reasons = new Map<string, number>()
  for (const { proof } of points) if (proof?.reason) reasons.set(proof.reason, (reasons.get(proof.reason) ?? 0) + 1)
  return [...reasons].map(([reason, n]) => paragraph(`Not proved (${formatCount(n)}): ${reason}`, 'note')).join('')
}

/** Like R's table of coefficients, for models without hidden layer. */
function coefficients(s: Summary): string {
  const best = s.minima[0]
  if (!best || s.problem.hidden.length > 0) return ''
  const errors = best.standardErrors
  const rows = best.names.map((name, p) => {
    const [b, se] = [best.parameters[p], errors?.[p]]
    return [name, fixed(b, 8), ...(errors ? [fixed(se, 6), se ? short(b / se) : none] : [])]
  })
  const head = ['coefficient', 'estimate', ...(errors ? ['standard error', 'z'] : [])]
  const scale = s.problem.scale === 'standardized' ? ' (standardised columns)' : ''
  return `<h3>Coefficients${scale}</h3>${table(head, rows)}`
}

function metricsTable(s: Summary): string {
  const { train, test, asGoodAsBest, disagreement } = s.metrics
  const names = (Object.keys(metricLabels) as (keyof MetricSet<number>)[]).filter(name => train[name])
  if (names.length === 0) return ''
  const head = ['median [min, max] over the runs', 'training', ...(test ? ['held out'] : [])]
  const rows = names.map(name => [metricLabels[name], spreadOf(train[name]), ...(test ? [spreadOf(test[name])] : [])])
  const same = [`As good as the best run: ${percent(asGoodAsBest)} of the runs.`]
  if (train.accuracy) same.push(`Two runs predict different classes on ${percent(disagreement)} of the rows.`)
  return `<h3>Predictions</h3>${table(head, rows)}${paragraph(same.join(' '))}`
}

function notes(s: Summary): string {
  const list: string[] = []
  if (isSeparated(s)) {
    const which = infiniteText(s)
    list.push(
      `The data are separated (${s.separation.status})${which === '' ? '' : `: ${which}`}. ` +
        `There is no finite estimate; ${s.problem.ridge > 0 ? 'a ridge on the biases too' : 'a ridge'} makes it finite.`
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
  if (s.degenerate.length > shownFlat)
    list.push(
      `${count(s.degenerate.length - shownFlat, 'more flat minimum is', 'more flat minima are')} in summary.json.`
    )
  if (s.interrupted)
    list.push(`Interrupted: ${formatCount(s.starts)} of ${formatCount(s.startsRequested)} starts were run.`)
  return [...list, ...s.notes].map(text => paragraph(text, 'note')).join('')
}

function studied(s: Summary): string {
  const { problem: p, timing, engine } = s
  const net =
    p.hidden.length === 0
      ? 'no hidden layer'
      : `hidden ${p.hidden.length === 1 ? 'layer' : 'layers'} of ${p.hidden.join(', ')} ${p.activation} units`
  const held = p.testRows > 0 ? ` and ${formatCount(p.testRows)} held out` : ''
  const ridge = p.ridge > 0 ? `, ridge ${p.ridge} on ${p.penalizeBias ? 'weights and biases' : 'weights'}` : ''
  const columns = `${count(p.inputs, 'column', 'columns')}${p.standardize ? ', standardised' : ''}`
  const { f, g, H } = timing.evaluations
  return facts([
    ['data', `${p.data}: ${count(p.rows, 'row', 'rows')}${held}, ${columns}`],
    ['target', `${p.target}${p.coding === '' ? '' : ` (${p.coding})`}`],
    ['model', `${net}, ${p.loss} loss, ${count(p.parameters, 'parameter', 'parameters')}${ridge}`],
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
  ])
}

const met = (summaries: readonly Summary[]): Verdict[] => verdicts.filter(v => summaries.some(s => s.verdicts[v] > 0))

function verdictTable(s: Summary): string {
  const rows = met([s]).map(v => [v, formatCount(s.verdicts[v]), meaning[v]])
  return `<h2>Verdicts</h2>${table(['verdict', 'runs', 'meaning'], rows, [0, 2])}`
}

/** Models as columns, with what their verdicts mean below. */
function sideBySide(summaries: readonly Summary[]): string {
  const head = ['', ...summaries.map(s => s.name)]
  const rows = contrastRows(summaries).map(([label, cells]) => [label, ...cells])
  const verdictMeanings = facts(
    met(summaries).map(v => [v, meaning[v]]),
    'small'
  )
  return `<h2>Side by side</h2>${table(head, rows).replace('<table>', '<table class="models">')}${paragraph(contrastNotes(summaries), 'small')}${verdictMeanings}`
}

async function section(s: Summary, alone: boolean): Promise<string> {
  const charts = [await waterfall(s), await shares(s), await spectrum(s), await discovery(s)]
  return [
    `<section><h2>${escape(alone ? 'The study' : s.name)}</h2>`,
    studied(s),
    notes(s),
    pointsTable('Minima', s.minima, s),
    pointsTable('Flat minima', s.degenerate, s),
    pointsTable('Saddles', s.saddles, s),
    paragraph(coverageText(s)),
    coefficients(s),
    metricsTable(s),
    `<div class="figures">${charts.map(figure).join('')}</div></section>`
  ].join('\n')
}

/**
 * One page for one study, or for several side by side.
 * @param summaries at least one
 */
export async function renderReport(
  summaries: readonly Summary[],
  options: { readonly title: string }
): Promise<string> {
  const alone = summaries.length === 1
  const parts: string[] = []
  for (const s of summaries) parts.push(await section(s, alone))
  const thresholds = Object.entries(summaries[0].thresholds).map(([name, { value, meaning: why }]) => [
    name,
    short(value, 6),
    why
  ])
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(options.title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escape(options.title)}</h1>
<div class="answer">${conclusion(summaries)
    .map(text => paragraph(text))
    .join('')}</div>
${alone ? verdictTable(summaries[0]) : sideBySide(summaries)}
${figure(await convergence(summaries))}
${figure(await scores(summaries))}
${parts.join('\n')}
<h2>Thresholds</h2>
<p class="small">What the verdicts and the comparison of end points rest on.</p>
${table(['threshold', 'value', 'meaning'], thresholds, [0, 2])}
</main>
</body>
</html>
`
}
