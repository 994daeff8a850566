/** The peers' figures as tables. */
import { markdownTable } from '../../src/bench/kernels/tables.js'
import { formatRate } from '../../src/core/units.js'
import type { KnownPoint, PeerResults, PeerRow } from './types.js'

type Render = (header: readonly string[], rows: readonly (readonly string[])[]) => string

/** Stationary points with a column of their own; further ones share one. */
const shownPoints = 5

const three = (v: number): string => (v >= 999.5 ? v.toFixed(0) : v.toPrecision(3))

function ratioText({ ratio, error }: PeerRow): string {
  if (error !== undefined) return `wrong: ${error}`
  return ratio ? `${three(ratio.ratio)} (${three(ratio.low)} to ${three(ratio.high)})` : ''
}

const common = (r: PeerRow): string[] => [
  r.peer,
  r.method + (r.ownStarts ? ' (its own starts)' : ''),
  String(r.count),
  r.error === undefined ? formatRate(r.perSecond) : '–'
]

/** Rows with the fastest first, Manystart's among them. */
const byRate = (rows: readonly PeerRow[]): PeerRow[] => [...rows].sort((a, b) => b.perSecond - a.perSecond)

function studyTable(rows: readonly PeerRow[], points: readonly KnownPoint[], render: Render): string {
  const reached = (at: number): number => rows.reduce((n, r) => n + (r.ends?.known[at] ?? 0), 0)
  const shown = points
    .map((_, at) => at)
    .sort((a, b) => reached(b) - reached(a))
    .slice(0, shownPoints)
    .sort((a, b) => a - b)
  const others = points.length > shown.length
  const header = [
    'peer',
    'method',
    'starts',
    'runs per second',
    'Manystart is faster by',
    ...shown.map(at => `${points[at].loss.toFixed(6)}${points[at].kind === 'minimum' ? '' : ` ${points[at].kind}`}`),
    ...(others ? ['other known'] : []),
    'elsewhere',
    'not converged'
  ]
  const counts = ({ ends, ...r }: PeerRow): string[] => {
    if (!ends) return header.slice(5).map(() => '–')
    const known = shown.map(at => ends.known[at])
    const rest = ends.known.reduce((a, b) => a + b, 0) - known.reduce((a, b) => a + b, 0)
    const all = [...known, ...(others ? [rest] : []), ends.unknown, ends.unfinished]
    return all.map(n => (n === 0 ? '' : `${((100 * n) / r.count).toFixed(1)} %`))
  }
  return render(
    header,
    byRate(rows).map(r => [...common(r), ratioText(r), ...counts(r)])
  )
}

const evaluationTable = (rows: readonly PeerRow[], what: string, render: Render): string =>
  render(
    ['peer', 'method', 'R', `${what} per second`, 'Manystart is faster by'],
    byRate(rows).map(r => [...common(r), ratioText(r)])
  )

const titles = { study: 'Runs', gradient: 'Gradients', hessian: 'Exact Hessians' } as const

/** One table for each kind of figure and problem, then versions, notes and what is missing. */
export function peerTables(results: PeerResults, render: Render = markdownTable): string[] {
  const { rows, points, versions, notes, missing, threads, date } = results
  const groups = [...new Set(rows.map(r => `${r.what} ${r.problem}`))]
  const tables = groups.flatMap(group => {
    const own = rows.filter(r => `${r.what} ${r.problem}` === group)
    const { what, problem } = own[0]
    const table =
      what === 'study' ? studyTable(own, points[problem] ?? [], render) : evaluationTable(own, titles[what], render)
    return [`${titles[what]}, ${problem}, f64 unless named, ${threads} cores:`, '', table, '']
  })
  const versionList = Object.entries(versions).map(
    ([peer, list]) =>
      `${peer} (${Object.entries(list)
        .map(([name, v]) => `${name} ${v}`)
        .join(', ')})`
  )
  return [
    'The same data, starts, stopping test (largest gradient element at most 1e-8, by Manystart\'s gradient), precision and cores, one program after the other in one run. Compilation and warm-up do not count. Only runs that met the test count; every program is shown with its best batch size of those that its script in [peers/](peers/) tries, and Manystart without its verdicts, which no peer gives, and in a row of its own with all that a study does from its first start to its last file. The columns with a loss say which share of the runs ended at that stationary point. "Faster by": seconds for each run, gradient or Hessian over those of Manystart\'s fastest row, with the 95 % bootstrap interval.',
    '',
    ...tables,
    `Versions: ${versionList.join('; ')}. Measured on ${date.slice(0, 10)}.`,
    '',
    ...notes.map(note => `- ${note}`),
    ...missing.map(m => `- ${m.peer} is missing or not complete: ${m.reason}`),
    ''
  ]
}

/** A line for each ratio that was wanted. */
export const barLines = ({ bars }: PeerResults): string[] =>
  bars.map(b => `${b.what}: ${three(b.ratio)} times, wanted ${b.wanted}: ${b.ratio >= b.wanted ? 'met' : 'not met'}.`)
