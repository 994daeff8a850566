/** Summaries → one self-contained HTML page: no script, no network, charts as inline SVG. */
import type { MetricSet, StationaryPoint, Summary, Verdict } from '../core/result.js'
import { formatCount, formatRate, formatSeconds } from '../core/units.js'
import { convergence, discovery, scores, shares, spectrum, waterfall, type Chart } from './charts.js'
import { style } from './style.js'
import { conclusion, coverageText } from './conclusion.js'
import { short } from './words.js'

/** The one way in which text enters the page. */
export const escape = (text: string): string => text.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`)

const shownPoints = 30

const meaning: Readonly<Record<Verdict, string>> = {
  minimum: 'A strict minimum: stationary, and every eigenvalue of the Hessian is positive.',
  degenerate: 'Stationary with flat directions: no eigenvalue is negative, some are zero.',
  saddle: 'Stationary, but some direction leads down.',
  diverging: 'No finite minimum that way: the loss goes on falling while the weights grow.',
  unfinished: 'The budget ran out, or the gradient is small where no stationary point is near.',
  failed: 'The loss or its gradient was not a finite number.'
}

const table = (head: readonly string[], rows: readonly (readonly string[])[], numeric = 1): string =>
  `<div class="scroll"><table><thead><tr>${head
    .map((h, i) => `<th${i >= numeric ? ' class="n"' : ''}>${escape(h)}</th>`)
    .join('')}</tr></thead><tbody>${rows
    .map(r => `<tr>${r.map((c, i) => `<td${i >= numeric ? ' class="n"' : ''}>${escape(c)}</td>`).join('')}</tr>`)
    .join('')}</tbody></table></div>`

const figure = (chart: Chart | undefined, name = ''): string =>
  chart
    ? `<figure><h3>${escape(chart.title)}${name === '' ? '' : `: ${escape(name)}`}</h3><div class="scroll chart">${chart.svg}</div><figcaption>${escape(chart.caption)}</figcaption></figure>`
    : ''

const metricText = (m: MetricSet<number> | undefined, name: keyof MetricSet<number>): string => {
  const value = m?.[name]
  return value === undefined || Number.isNaN(value) ? '–' : short(value)
}

function pointRows(points: readonly StationaryPoint[], s: Summary): string[][] {
  const metric = s.metrics.train.accuracy ? 'accuracy' : 'r2'
  return points
    .slice(0, shownPoints)
    .map((m, i) => [
      String(i + 1),
      m.loss.toPrecision(10),
      formatCount(m.count),
      `${short(m.share, 3)} [${short(m.shareInterval[0], 3)}, ${short(m.shareInterval[1], 3)}]`,
      `${formatCount(m.copies)} of ${Number.isFinite(m.copiesPossible) ? formatCount(m.copiesPossible) : 'very many'}`,
      m.eigenvalues.length > 0 ? short(m.eigenvalues[0], 3) : '–',
      short(m.gradientNorm, 2),
      metricText(m.metrics?.train, metric),
      ...(s.metrics.test ? [metricText(m.metrics?.test, metric)] : [])
    ])
}

function pointsTable(title: string, points: readonly StationaryPoint[], s: Summary): string {
  if (points.length === 0) return ''
  const label = s.metrics.train.accuracy ? 'accuracy' : 'R²'
  const head = ['#', 'loss', 'runs', 'share', 'copies met', 'smallest eigenvalue', 'max |g|', `training ${label}`]
  if (s.metrics.test) head.push(`held-out ${label}`)
  const more =
    points.length > shownPoints ? `<p>and ${formatCount(points.length - shownPoints)} more in summary.json</p>` : ''
  return `<h3>${escape(title)}</h3>${table(head, pointRows(points, s))}${more}`
}

/** Like R's table of coefficients, for models without hidden layer. */
function coefficients(s: Summary): string {
  const best = s.minima[0]
  if (!best || s.problem.hidden.length > 0) return ''
  const rows = best.names.map((name, p) => {
    const b = best.parameters[p]
    const se = best.standardErrors?.[p]
    return [name, b.toPrecision(8), ...(se === undefined ? [] : [se.toPrecision(6), short(b / se, 4)])]
  })
  const head = ['coefficient', 'estimate', ...(best.standardErrors ? ['standard error', 'z'] : [])]
  const scale = s.problem.scale === 'standardized' ? ' (standardised columns)' : ''
  return `<h3>Coefficients${scale}</h3>${table(head, rows)}`
}

function warnings(s: Summary): string {
  const list: string[] = []
  const infinite = Object.entries(s.separation.infinite)
  if (infinite.length > 0)
    list.push(
      `The data are separated (${s.separation.status}): ${infinite
        .map(([name, sign]) => `${name} goes to ${sign > 0 ? '+' : '−'}∞`)
        .join(', ')}. There is no finite maximum-likelihood estimate; a ridge makes it finite.`
    )
  for (const d of s.degenerate.slice(0, 5))
    list.push(
      `A flat minimum at loss ${d.loss.toPrecision(8)} (${formatCount(d.count)} runs): ${d.nullity ?? 0} flat directions, ` +
        `${d.nullityExplained ?? 0} of them explained by symmetries and dead units; not identified: ${(d.flatParameters ?? []).slice(0, 8).join(', ')}.`
    )
  if (s.interrupted)
    list.push(`Interrupted: ${formatCount(s.starts)} of ${formatCount(s.startsRequested)} starts were run.`)
  return [...list, ...s.notes].map(text => `<p class="note">${escape(text)}</p>`).join('')
}

function studied(s: Summary): string {
  const p = s.problem
  const net = p.hidden.length === 0 ? 'no hidden layer' : `hidden ${p.hidden.join(', ')} ${p.activation}`
  const items: [string, string][] = [
    [
      'data',
      `${p.data}, ${p.rows} rows${p.testRows > 0 ? ` and ${p.testRows} held out` : ''}, ${p.inputs} columns${p.standardize ? ', standardised' : ''}`
    ],
    ['target', `${p.target}${p.coding === '' ? '' : ` (${p.coding})`}`],
    [
      'model',
      `${net}, ${p.loss} loss, ${p.parameters} parameters${p.ridge > 0 ? `, ridge ${p.ridge} on ${p.penalizeBias ? 'weights and biases' : 'weights'}` : ''}`
    ],
    ['starts', `${formatCount(s.starts)}, ${p.init}, seed ${p.seed}`],
    ['optimiser', `${p.optimizer}; stops at max |g| ≤ ${p.stop.gradient} or ${p.stop.steps} steps`],
    ['engine', `${s.engine.name} ${s.engine.precision} on ${s.engine.device}, ${s.engine.threads} threads`],
    [
      'time',
      `${formatSeconds(s.timing.wallSeconds)}, ${formatRate(s.timing.runsPerSecond, 'runs')}; evaluations f ${formatCount(s.timing.evaluations.f)}, g ${formatCount(s.timing.evaluations.g)}, H ${formatCount(s.timing.evaluations.H)}`
    ],
    ['convex', s.convex.reason]
  ]
  return `<dl>${items.map(([k, v]) => `<dt>${escape(k)}</dt><dd>${escape(v)}</dd>`).join('')}</dl>`
}

function verdictTable(summaries: readonly Summary[]): string {
  const kinds = Object.keys(meaning) as Verdict[]
  const rows = kinds
    .filter(v => summaries.some(s => s.verdicts[v] > 0))
    .map(v => [v, ...summaries.map(s => formatCount(s.verdicts[v])), meaning[v]])
  const head = ['verdict', ...summaries.map(s => (summaries.length > 1 ? s.name : 'runs')), 'meaning']
  return table(head, rows).replaceAll(/<(t[hd]) class="n">([^<]*)<\/\1><\/tr>/g, '<$1>$2</$1></tr>')
}

async function section(s: Summary, alone: boolean): Promise<string> {
  const charts = [await waterfall(s), await shares(s), await spectrum(s), await discovery(s)]
  return `<section>${alone ? '' : `<h2>${escape(s.name)}</h2>`}${studied(s)}${warnings(s)}${pointsTable('Minima', s.minima, s)}${pointsTable('Flat minima', s.degenerate, s)}${pointsTable('Saddles', s.saddles, s)}${coefficients(s)}<p>${escape(coverageText(s))}</p><div class="figures">${charts.map(c => figure(c)).join('')}</div></section>`
}

/** One page for one study, or for several side by side. */
export async function renderReport(
  summaries: readonly Summary[],
  options: { readonly title: string }
): Promise<string> {
  const alone = summaries.length === 1
  const parts: string[] = []
  for (const s of summaries) parts.push(await section(s, alone))
  const { thresholds } = summaries[0]
  const thresholdRows = Object.entries(thresholds).map(([name, { value, meaning: why }]) => [
    name,
    short(value, 3),
    why
  ])
  const thresholdTable = table(['threshold', 'value', 'meaning'], thresholdRows).replaceAll(
    /<(t[hd]) class="n">([^<]*)<\/\1><\/tr>/g,
    '<$1>$2</$1></tr>'
  )
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
    .map(text => `<p>${escape(text)}</p>`)
    .join('')}</div>
<h2>Verdicts</h2>
${verdictTable(summaries)}
<div class="figures wide">${figure(await convergence(summaries))}${figure(await scores(summaries))}</div>
${parts.join('\n')}
<h2>Thresholds</h2>
${thresholdTable}
</main>
</body>
</html>
`
}
