/** Records as a table for a terminal or a Markdown page. */
import { formatRate, formatSeconds } from '../core/units.js'
import type { Comparison } from './compare.js'
import type { Machine } from './machine.js'
import type { KernelRecord, KernelResults } from './records.js'

const none = '–'
const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? none : `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`
const figure = (value: number | null | undefined): string =>
  value === null || value === undefined ? none : value.toPrecision(3)

/** Left-aligned columns; the last is not padded. */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((h, i) => Math.max(h.length, ...rows.map(r => r[i].length)))
  return [header, ...rows]
    .map(row =>
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}

export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(c => c.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}

/** A study record without its threads, for tables with a column for each number of threads. */
export const recordName = (r: KernelRecord): string => `${r.precision} ${r.name}, ${r.sizes.R} starts`

export const networkText = (r: KernelRecord): string => [r.sizes.D, ...r.sizes.hidden, 1].join('-')

const kernelHeader = [
  'engine',
  'kernel',
  'N',
  'network',
  'P',
  'R',
  'per second',
  'middle half',
  'GFLOP/s',
  'peak',
  'share'
]

function kernelRow(r: KernelRecord): string[] {
  const spread = `${formatRate(r.spread.q25)} to ${formatRate(r.spread.q75)}`
  return [
    `${r.engine} ${r.precision}`,
    r.name === '' ? r.kernel : `${r.kernel} ${r.name}`,
    String(r.sizes.N),
    networkText(r),
    String(r.sizes.P),
    String(r.sizes.R),
    r.error === undefined ? formatRate(r.perSecond) : 'wrong',
    r.error === undefined ? spread : r.error,
    figure(r.gflops),
    figure(r.peakGflops),
    percent(r.share)
  ]
}

const studyHeader = [
  'engine',
  'study',
  'threads',
  'starts',
  'runs per second',
  'search alone',
  'lanes busy',
  'without refilling'
]

const studyRow = (r: KernelRecord): string[] => [
  `${r.engine} ${r.precision}`,
  r.name,
  String(r.threads),
  String(r.sizes.R),
  r.error === undefined ? formatRate(r.perSecond) : `wrong: ${r.error}`,
  r.searchPerSecond === undefined ? none : formatRate(r.searchPerSecond),
  percent(r.occupancy),
  percent(r.occupancyWithoutRefill)
]

type Render = (header: readonly string[], rows: readonly (readonly string[])[]) => string

export function kernelTables(records: readonly KernelRecord[], render: Render = textTable): string[] {
  const kernels = records.filter(r => r.kernel !== 'study')
  const studies = records.filter(r => r.kernel === 'study')
  return [
    ...(kernels.length > 0 ? [render(kernelHeader, kernels.map(kernelRow))] : []),
    ...(studies.length > 0 ? [render(studyHeader, studies.map(studyRow))] : [])
  ]
}

export function machineLines(m: Machine): string[] {
  const clocks = m.cpu.clocksMegahertz ? `, ${Math.round(Math.max(...m.cpu.clocksMegahertz))} MHz` : ''
  const gpus = m.gpus?.map(g => `${g.name} (driver ${g.driver})`).join(', ')
  return [
    `${m.cpu.name}, ${m.cpu.cores} cores${clocks}, ${Math.round(m.memoryBytes / 2 ** 30)} GiB; ${gpus ?? 'no GPU that nvidia-smi lists'}`,
    `${m.system}, Node ${m.node}, ${Object.entries(m.versions)
      .map(([name, v]) => `${name} ${v}`)
      .join(', ')}, commit ${m.commit ?? 'unknown'}, ${m.date.slice(0, 10)}`,
    `Energy: processor ${m.energy.cpu ?? 'not readable'}, graphics card ${m.energy.gpu ?? 'not readable'}`
  ]
}

/** One line for each engine that is handed its work in submits. */
function submitLines(records: readonly KernelRecord[]): string[] {
  const times = new Map<string, number>()
  for (const r of records)
    if (r.secondsPerSubmit !== undefined) times.set(`${r.engine} ${r.precision}`, r.secondsPerSubmit)
  return [...times].map(([name, seconds]) => `${name}: a submit and its answer take ${formatSeconds(seconds)}.`)
}

export function kernelText(results: KernelResults): string {
  const missing = results.missing.map(
    m => [m.engine, m.precision, m.kernel].filter(Boolean).join(' ') + `: ${m.reason}`
  )
  return [
    ...machineLines(results.machine),
    '',
    ...kernelTables(results.records).flatMap(table => [table, '']),
    ...(missing.length > 0 ? ['Not measured:', ...missing.map(m => `  ${m}`), ''] : []),
    ...submitLines(results.records),
    'per second: from the median sample. GFLOP/s counts matrix products only; peak is what multiply-adds in registers reached meanwhile.',
    `Measured in ${formatSeconds(results.wallSeconds)}.`
  ].join('\n')
}

export function comparisonText(c: Comparison): string {
  const rows = c.changes.map(x => [
    x.name,
    formatSeconds(x.secondsA),
    formatSeconds(x.secondsB),
    `${x.ratio.toFixed(3)} (${x.low.toFixed(3)} to ${x.high.toFixed(3)})`,
    x.verdict
  ])
  const only = (side: string, names: readonly string[]): string[] =>
    names.length > 0 ? [`Only in ${side}: ${names.join('; ')}.`] : []
  const limit = c.failAbove === null ? '' : ` by more than ${percent(c.failAbove)}`
  return [
    textTable(['measurement', 'A', 'B', 'speed of B over A (95 %)', ''], rows),
    '',
    ...only('A', c.onlyA),
    ...only('B', c.onlyB),
    c.changes.length === 0
      ? 'A and B have no measurement in common.'
      : c.failed.length > 0
        ? `B is slower${limit}, or wrong, in ${c.failed.length} of ${c.changes.length}: ${c.failed.join('; ')}.`
        : `B is not slower${limit || ' than allowed: no --fail-above was given'}.`
  ].join('\n')
}
