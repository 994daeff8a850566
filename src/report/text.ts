/** A study or a contrast in plain text for the terminal, and the answer in words. Pure functions of summaries. */
import type { Quantiles, Summary } from '../core/result.js'
import { formatCount, formatRate, formatSeconds } from '../core/units.js'

/** Up to four significant digits, without a tail of zeros. */
export function short(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return String(value)
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 1e6 || size < 1e-4) return value.toExponential(Math.max(0, digits - 2)).replace('e+', 'e')
  return String(Number(value.toPrecision(digits)))
}

const spreadOf = (q: Quantiles | undefined): string => {
  if (!q || Number.isNaN(q.median)) return '–'
  return q.min === q.max ? short(q.median) : `${short(q.median)} [${short(q.min)}, ${short(q.max)}]`
}

const count = (n: number, one: string, many: string): string => `${formatCount(n)} ${n === 1 ? one : many}`

/** "accuracy" where there are classes, else "R²". */
const hasAccuracy = (s: Summary): boolean => s.metrics.train.accuracy !== undefined

const verdictOrder = ['minimum', 'degenerate', 'saddle', 'diverging', 'unfinished', 'failed'] as const

function convexityText(s: Summary): string {
  if (!s.convex.model)
    return s.convex.witness ? `no: eigenvalue ${short(s.convex.witness.eigenvalue, 3)}` : 'no (no witness met)'
  if (s.convex.modulus !== null) return `yes, modulus ${short(s.convex.modulus, 3)}`
  return s.verdicts.diverging > 0 ? 'yes, no minimiser' : 'yes, minimisers not unique'
}

function minimaText(s: Summary): string {
  const copies = s.minima.reduce((sum, m) => sum + m.copies, 0)
  const strict =
    s.minima.length === 0
      ? '0'
      : copies > s.minima.length
        ? `${s.minima.length} (${copies} copies)`
        : `${s.minima.length}`
  return s.degenerate.length > 0 ? `${strict} + ${s.degenerate.length} flat` : strict
}

type Row = readonly [string, (s: Summary) => string]

function rows(summaries: readonly Summary[]): Row[] {
  const held = summaries.some(s => s.metrics.test)
  const classes = summaries.some(hasAccuracy)
  const recall = summaries.some(s => s.metrics.train.recall)
  const list: Row[] = [
    ['parameters', s => String(s.problem.parameters)],
    ['runs', s => formatCount(s.starts)],
    ['distinct minima (copies met)', minimaText],
    ['lowest loss', s => (s.minima[0] ? short(s.minima[0].loss, 6) : '–')],
    ['share of the best minimum', s => (s.minima[0] ? short(s.minima[0].share, 3) : '–')],
    [
      'spread of the end points',
      s => (s.minima.length + s.degenerate.length > 0 ? short(s.spread.parameters, 2) : '–')
    ],
    ['runs: minimum', s => formatCount(s.verdicts.minimum)],
    ['runs: degenerate', s => formatCount(s.verdicts.degenerate)],
    ['runs: saddle', s => formatCount(s.verdicts.saddle)],
    ['runs: diverging', s => formatCount(s.verdicts.diverging)],
    ['runs: unfinished, failed', s => `${formatCount(s.verdicts.unfinished)}, ${formatCount(s.verdicts.failed)}`],
    ['convex', convexityText]
  ]
  const metric = (label: string, name: 'accuracy' | 'recall' | 'r2' | 'rmse'): void => {
    list.push([`training ${label}`, s => spreadOf(s.metrics.train[name])])
    if (held) list.push([`held-out ${label}`, s => spreadOf(s.metrics.test?.[name])])
  }
  if (classes) metric('accuracy', 'accuracy')
  if (recall) metric('recall', 'recall')
  if (!classes) {
    metric('R²', 'r2')
    metric('rmse', 'rmse')
  }
  list.push(['runs as good as the best', s => short(s.metrics.asGoodAsBest, 3)])
  if (classes) list.push(['two runs disagree on a row', s => short(s.metrics.disagreement, 3)])
  list.push(
    ['steps to the end', s => `${short(s.steps.median, 3)} [${short(s.steps.q25, 3)}, ${short(s.steps.q75, 3)}]`],
    ['runs per second', s => formatRate(s.timing.runsPerSecond).replace('/s', '')]
  )
  return list
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** Models as columns, aligned; at most 120 characters wide for four models. */
export function contrastTable(summaries: readonly Summary[]): string {
  const table = rows(summaries)
  const label = Math.max(...table.map(([name]) => name.length))
  const cells = table.map(([, value]) => summaries.map(value))
  const widths = summaries.map((s, c) =>
    Math.max(...cells.map(row => row[c].length), ...wrap(s.name, 20).map(l => l.length))
  )
  const heads = summaries.map((s, c) => wrap(s.name, widths[c]))
  const line = (first: string, rest: readonly string[]): string =>
    [first.padEnd(label), ...rest.map((cell, c) => cell.padStart(widths[c]))].join('  ').trimEnd()
  const { problem } = summaries[0]
  const held = problem.testRows > 0 ? `, ${problem.testRows} held out` : ''
  const coding = problem.coding === '' ? '' : ` (${problem.coding})`
  const out = [
    `${problem.data}: ${problem.rows} rows${held}, ${count(problem.inputs, 'column', 'columns')}, target ${problem.target}${coding}`,
    `seed ${problem.seed}, starts ${problem.init}, ${problem.optimizer.replace(/ \(.*/, '')} on ${summaries[0].engine.name} ` +
      `(${summaries[0].engine.precision}, ${summaries[0].engine.device}, ${count(summaries[0].engine.threads, 'thread', 'threads')})`,
    ''
  ]
  const tall = Math.max(...heads.map(h => h.length))
  for (let i = 0; i < tall; i++)
    out.push(
      line(
        '',
        heads.map(h => h[i - (tall - h.length)] ?? '')
      )
    )
  out.push(
    line(
      '-'.repeat(label),
      widths.map(w => '-'.repeat(w))
    )
  )
  table.forEach(([name], r) => out.push(line(name, cells[r])))
  if (cells.some(row => row.some(cell => cell.includes('['))))
    out.push('', 'Metrics: median [min, max] over the runs. Steps: median [quartiles]. Minima: up to symmetry.')
  return out.join('\n')
}

/** Where the runs of a model end, in one sentence. */
function sentence(s: Summary): string {
  const runs = s.starts
  const { verdicts: v } = s
  const q = s.metrics.train.accuracy
  const accuracy =
    q && q.min !== q.max ? ` Training accuracy over the runs goes from ${short(q.min)} to ${short(q.max)}.` : ''
  const some = (n: number): string =>
    n === runs ? `all ${formatCount(runs)} runs` : `${formatCount(n)} of ${formatCount(runs)} runs`
  const name = s.name.charAt(0).toUpperCase() + s.name.slice(1)
  if (s.separation.status === 'complete' || s.separation.status === 'quasi-complete') {
    const list = Object.entries(s.separation.infinite).map(([p, sign]) => `${p} to ${sign > 0 ? '+' : '−'}∞`)
    return (
      `${name}: the data are separated (${s.separation.status}), so there is no finite minimiser: wherever it is started, ` +
      `${list.join(', ')}, and the result is where the optimiser happens to stop; a ridge would make it unique.`
    )
  }
  if (s.convex.model && s.minima.length === 1 && v.minimum === runs)
    return (
      `${name}: the same result whichever way it is started, because the loss is convex and has one minimiser ` +
      `(smallest curvature ${short(s.convex.modulus ?? NaN, 3)}); ${some(runs)} reached it, to within ${short(s.spread.parameters, 2)}.`
    )
  if (s.convex.model && s.minima.length === 1)
    return `${name}: one minimiser, because the loss is convex; ${some(v.minimum)} reached it and the others did not get that far.`
  if (s.convex.model && s.degenerate.length > 0)
    return (
      `${name}: the loss is convex but has a flat set of minimisers, so the weights depend on the start while the ` +
      `predictions do not: ${some(v.degenerate)} ended on it.`
    )
  const open = v.diverging + v.unfinished + v.failed
  const away =
    v.diverging > 0
      ? `in ${some(v.diverging)} the weights run away while the loss goes on falling, so there is nothing to converge to in that direction`
      : ''
  if (s.minima.length === 0 && v.diverging > 0)
    return `${name}: ${away}; where such a run stops depends on the start.${accuracy}`
  if (s.minima.length === 0 && s.degenerate.length === 0)
    return `${name}: no run reached a minimum (${some(open + v.saddle)} ended elsewhere), so these starts do not tell.${accuracy}`
  const k = s.minima.length + s.degenerate.length
  if (k === 1 && open === 0)
    return `${name}: the loss is not convex, yet all ${formatCount(runs)} starts led to one minimum up to symmetric copies.${accuracy}`
  const kinds = s.degenerate.length > 0 ? ` (${s.degenerate.length} of them flat)` : ''
  return (
    `${name}: the result depends on the start, because the loss is not convex: ` +
    `${count(k, 'distinct minimum was', 'distinct minima were')} found${kinds}` +
    (s.minima[0] ? `, the best by ${short(100 * (s.minima[0].count / runs), 3)} % of the runs` : '') +
    (away === '' ? '' : `, and ${away}`) +
    `.${accuracy}`
  )
}

/** The answer in plain words: is each model's result the same whichever way it is started, and why. One sentence or two a model. */
export const conclusion = (summaries: readonly Summary[]): string[] => summaries.map(sentence)

/** What the starts say about what they did not find. */
export function coverageText(s: Summary): string {
  if (s.minima.length === 0) return 'No run ended in a strict minimum, so nothing can be said about others.'
  const { unseenUpperBound, confidence, moreStartsForOnePercent } = s.coverage
  const bound = `With ${100 * confidence} % confidence a further run ends in a minimum not seen so far with probability at most ${short(unseenUpperBound, 2)}`
  return moreStartsForOnePercent > 0
    ? `${bound}; ${formatCount(moreStartsForOnePercent)} more starts without a new minimum would bring that to 1 %.`
    : `${bound}.`
}

const shownMinima = 10

/** The result of one study for a terminal. */
export function studyText(s: Summary): string {
  const { problem } = s
  const out = [
    `${s.name} on ${problem.data}: ${problem.rows} rows, ${count(problem.parameters, 'parameter', 'parameters')}, ${formatCount(s.starts)} starts`,
    `${problem.optimizer}; ${s.engine.name} ${s.engine.precision}, ${count(s.engine.threads, 'thread', 'threads')}: ${formatSeconds(s.timing.wallSeconds)}, ${formatRate(s.timing.runsPerSecond, 'runs')}`,
    '',
    `verdicts: ${verdictOrder
      .filter(v => s.verdicts[v] > 0)
      .map(v => `${v} ${formatCount(s.verdicts[v])}`)
      .join(', ')}`
  ]
  if (s.minima.length > 0) {
    out.push('', `minima (${s.minima.length}):`, '      loss              runs      share  copies  smallest eigenvalue')
    s.minima
      .slice(0, shownMinima)
      .forEach((m, i) =>
        out.push(
          [
            String(i + 1).padStart(3),
            m.loss.toPrecision(10).padStart(15),
            formatCount(m.count).padStart(9),
            short(m.share, 3).padStart(9),
            String(m.copies).padStart(7),
            short(m.eigenvalues[0] ?? NaN, 3).padStart(20)
          ].join(' ')
        )
      )
    if (s.minima.length > shownMinima) out.push(`    and ${s.minima.length - shownMinima} more in summary.json`)
  }
  const best = s.minima[0]
  if (best && problem.hidden.length === 0) {
    out.push('', 'coefficients:')
    const width = Math.max(...best.names.map(n => n.length))
    best.names.forEach((name, p) => {
      const se = best.standardErrors?.[p]
      out.push(
        `  ${name.padEnd(width)} ${best.parameters[p].toPrecision(8).padStart(16)}${se === undefined ? '' : `  ± ${short(se, 4)}`}`
      )
    })
  }
  for (const d of s.degenerate.slice(0, 3))
    out.push(
      `flat minimum at loss ${d.loss.toPrecision(8)}: ${formatCount(d.count)} runs, ${count(d.nullity ?? 0, 'flat direction', 'flat directions')} (${(d.flatParameters ?? []).slice(0, 6).join(', ')})`
    )
  const train = Object.entries(s.metrics.train).map(([name, q]) => `${name} ${spreadOf(q)}`)
  out.push('', `training: ${train.join(', ')}`)
  if (s.metrics.test)
    out.push(
      `held out: ${Object.entries(s.metrics.test)
        .map(([name, q]) => `${name} ${spreadOf(q)}`)
        .join(', ')}`
    )
  out.push('', ...conclusion([s]), coverageText(s), ...s.notes)
  return out.join('\n')
}
