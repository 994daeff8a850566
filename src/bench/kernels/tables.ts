/** Records as a table for a terminal or a Markdown page. */
import { wrap } from '../../core/text.js'
import { formatRate, formatSeconds } from '../../core/units.js'
import { textTable as fitted, type Table } from '../../report/table.js'
import type { Machine } from '../machine.js'
import { engineText, networkText, percent, type KernelRecord, type KernelResults, type Missing } from './records.js'

const none = '–'
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
    engineText(r),
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
  engineText(r),
  r.name,
  String(r.threads),
  String(r.sizes.R),
  r.error === undefined ? formatRate(r.perSecond) : `wrong: ${r.error}`,
  r.searchPerSecond === undefined ? none : formatRate(r.searchPerSecond),
  percent(r.occupancy),
  percent(r.occupancyWithoutRefill)
]

/** Columns of words, and those that a narrow terminal goes without, in this order. */
const kernelColumns = { words: [0, 1, 3], spare: [7, 9, 5, 4, 8, 10, 2] }
const studyColumns = { words: [0, 1], spare: [7, 2, 3, 6, 5] }
const ratioColumns = { words: [0, 2], spare: [4, 3, 1] }

/** Kernels and whole studies, as far as there are any. */
export function kernelTables(records: readonly KernelRecord[]): Table[] {
  const kernels = records.filter(r => r.kernel !== 'study')
  const studies = records.filter(r => r.kernel === 'study')
  return [
    ...(kernels.length > 0
      ? [{ title: 'Kernels', head: kernelHeader, rows: kernels.map(kernelRow), ...kernelColumns }]
      : []),
    ...(studies.length > 0
      ? [{ title: 'Studies', head: studyHeader, rows: studies.map(studyRow), ...studyColumns }]
      : [])
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
  for (const r of records) if (r.secondsPerSubmit !== undefined) times.set(engineText(r), r.secondsPerSubmit)
  return [...times].map(([name, seconds]) => `${name}: a submit and its answer take ${formatSeconds(seconds)}.`)
}

/** "tensorflow wasm f32 hessian: why" */
export const missingLine = (m: Missing): string =>
  `${[m.engine, m.device, m.precision, m.kernel].filter(Boolean).join(' ')}: ${m.reason}`

export const engineLines = (results: Pick<KernelResults, 'engines'>): string[] =>
  (results.engines ?? []).map(e => `${[e.engine, e.device].filter(Boolean).join(' ')}: ${e.detail}`)

/** The engine that the others are set beside. */
const beside = 'cpu f32'

/** Rates of the other f32 engines beside that of the `cpu` engine, and how many times as fast that is; null with none of the others. */
export function ratioTable(records: readonly KernelRecord[]): Table | null {
  const good = records.filter(r => r.error === undefined)
  const others = [...new Set(good.filter(r => r.precision === 'f32').map(engineText))].filter(e => e !== beside)
  const key = (r: KernelRecord): string =>
    JSON.stringify([r.kernel, r.name, r.sizes.N, networkText(r), r.threads, r.kernel === 'study' && r.sizes.R])
  const rows = good
    .filter(r => engineText(r) === beside)
    .flatMap(own => {
      const there = others.map(o => good.find(r => engineText(r) === o && key(r) === key(own)))
      if (there.every(r => r === undefined)) return []
      return [
        [
          [own.kernel, own.name].filter(Boolean).join(' '),
          String(own.sizes.N),
          networkText(own),
          own.kernel === 'study' ? `${own.sizes.R} starts` : none,
          String(own.threads),
          formatRate(own.perSecond),
          ...there.flatMap(r => (r ? [formatRate(r.perSecond), timesText(own.perSecond / r.perSecond)] : [none, none]))
        ]
      ]
    })
  if (rows.length === 0) return null
  const header = [
    'kernel',
    'N',
    'network',
    'study',
    'threads',
    beside,
    ...others.flatMap(o => [o, `${beside} over it`])
  ]
  return { title: `${beside} and the others`, head: header, rows, ...ratioColumns }
}

const timesText = (ratio: number): string => `${ratio >= 100 ? ratio.toFixed(0) : ratio.toPrecision(3)}×`

/** Every table of a result. */
export function allTables(records: readonly KernelRecord[]): Table[] {
  const ratios = ratioTable(records)
  return [...kernelTables(records), ...(ratios ? [ratios] : [])]
}

/** The result on lines of a terminal's width. */
export function kernelText(results: KernelResults, width: number): string {
  const { missing, records } = results
  const lines = (text: string): string[] => wrap(text, width)
  return [
    ...[...machineLines(results.machine), ...engineLines(results)].flatMap(lines),
    '',
    ...allTables(records).flatMap(table => [...fitted(table, width), '']),
    ...(missing.length > 0
      ? ['Not measured:', ...missing.flatMap(m => wrap(missingLine(m), width - 2).map(line => `  ${line}`)), '']
      : []),
    ...submitLines(records).flatMap(lines),
    ...lines(
      'per second: from the median sample. GFLOP/s counts matrix products only; peak is what multiply-adds in registers reached meanwhile.'
    ),
    `Measured in ${formatSeconds(results.wallSeconds)}.`
  ].join('\n')
}
