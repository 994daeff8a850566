/** The peers' figures as tables. */
import { markdownTable } from '../../src/bench/tables.js'
import { formatRate } from '../../src/core/units.js'
import type { PeerResults, PeerRow } from './types.js'

type Render = (header: readonly string[], rows: readonly (readonly string[])[]) => string

const share = (v: number | undefined): string => (v === undefined ? '–' : `${(100 * v).toFixed(0)} %`)
const ratio = (r: PeerRow): string => `${r.ratio.toPrecision(3)} (${r.low.toPrecision(3)} to ${r.high.toPrecision(3)})`

const headers = {
  study: [
    'peer',
    'method',
    'starts',
    'runs per second',
    'converged',
    'known end points',
    'best loss less ours',
    'Manystart is faster by'
  ],
  gradient: ['peer', 'method', 'R', 'gradients per second', 'Manystart is faster by'],
  hessian: ['peer', 'method', 'R', 'Hessians per second', 'Manystart is faster by']
} as const

const row = (r: PeerRow): string[] => [
  r.peer,
  r.method + (r.ownStarts ? ' (its own starts)' : ''),
  String(r.count),
  formatRate(r.perSecond),
  ...(r.what === 'study'
    ? [share(r.converged), share(r.agrees), r.bestGap === undefined ? '–' : r.bestGap.toExponential(0)]
    : []),
  r.ratio === 1 && r.low === 1 ? '' : ratio(r)
]

/** One table for each kind of figure and problem, with what is missing below. */
export function peerTables(results: PeerResults, render: Render = markdownTable): string[] {
  const all = [...results.own, ...results.rows]
  const groups = [...new Set(all.map(r => `${r.what} ${r.problem}`))]
  const titles = { study: 'Runs to the end', gradient: 'Gradients', hessian: 'Exact Hessians' } as const
  const tables = groups.flatMap(group => {
    const own = all.filter(r => `${r.what} ${r.problem}` === group)
    const { what, problem } = own[0]
    return [
      `${titles[what]}, ${problem}, f64, ${results.threads} threads:`,
      '',
      render(headers[what], own.map(row)),
      ''
    ]
  })
  const versions = Object.entries(results.versions).map(
    ([peer, list]) =>
      `${peer} (${Object.entries(list)
        .map(([name, v]) => `${name} ${v}`)
        .join(', ')})`
  )
  return [
    'The same data, starts, stopping test, precision and cores, measured in one run; compilation and warm-up are left out. Manystart is set beside them with its search alone, since the peers give no verdicts. "Known end points": the loss is that of a stationary point that Manystart found too.',
    '',
    ...tables,
    `Versions: ${versions.join('; ')}. Measured on ${results.date.slice(0, 10)}.`,
    '',
    ...results.notes.map(note => `- ${note}`),
    ...results.missing.map(m => `- ${m.peer} is missing: ${m.reason}`),
    ''
  ]
}
