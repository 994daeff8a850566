/** Writes benchmarks/README.md from the stored results: figures, machine, date, and how to repeat them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { engineText, type KernelRecord } from '../src/bench/kernels/records.js'
import { roofline } from '../src/bench/kernels/roofline.js'
import {
  engineLines,
  kernelTables,
  machineLines,
  markdownTable,
  missingLine,
  ratioTable,
  recordName
} from '../src/bench/kernels/tables.js'
import type { Table } from '../src/report/table.js'
import { formatBytes, formatRate, formatSeconds } from '../src/core/units.js'
import { barsOf } from './bars.js'
import { formulaTable } from './formulas/table.js'
import { peerTables } from './peers/table.js'
import { folder, latestResults, storePicture, type StoredResults } from './store.js'

const count = (n: number): string => n.toLocaleString('en').replaceAll(',', ' ')

/** Rooflines of the engines that have one, stored beside the results. */
async function rooflines(name: string, records: readonly KernelRecord[]): Promise<string[]> {
  const lines: string[] = []
  for (const engine of [...new Set(records.map(engineText))]) {
    const picture = await roofline(records.filter(r => engineText(r) === engine))
    if (picture === undefined) continue
    const file = name.replace(/\.json$/, `-roofline-${engine.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.svg`)
    lines.push(`![Roofline of ${engine}](${storePicture(file, picture.replaceAll('currentColor', '#555'))})`)
  }
  return lines
}

function limitsTable(result: StoredResults): string {
  return markdownTable(
    ['starts', 'study', 'threads', 'study', 'with files written', 'memory at most', 'distinct minima', 'verdicts'],
    (result.limits ?? []).map(l => [
      count(l.starts),
      l.name,
      String(l.threads),
      formatSeconds(l.studySeconds),
      formatSeconds(l.processSeconds),
      formatBytes(l.peakBytes),
      String(l.minima),
      Object.entries(l.verdicts)
        .filter(([, n]) => n > 0)
        .map(([verdict, n]) => `${verdict} ${count(n)}`)
        .join(', ')
    ])
  )
}

/** Rates of the studies by number of threads, over that of one. */
function scalingTable(records: readonly KernelRecord[]): string | undefined {
  const studies = records.filter(r => r.kernel === 'study' && r.engine === 'cpu' && r.searchPerSecond !== undefined)
  const threads = [...new Set(studies.map(r => r.threads))].sort((a, b) => a - b)
  if (threads.length < 2) return undefined
  const groups = [...new Set(studies.map(recordName))]
  const rows = groups.flatMap(group => {
    const own = studies.filter(r => recordName(r) === group)
    const one = own.find(r => r.threads === 1)
    if (!one) return []
    return [
      [
        group,
        ...threads.map(n => {
          const r = own.find(x => x.threads === n)
          return r
            ? `${formatRate(r.searchPerSecond!)} (${(r.searchPerSecond! / one.searchPerSecond!).toFixed(2)})`
            : '–'
        })
      ]
    ]
  })
  return markdownTable(['search', ...threads.map(n => `${n} thread${n > 1 ? 's' : ''}`)], rows)
}

async function section(name: string, result: StoredResults): Promise<string> {
  const bars = barsOf(result)
  const inMarkdown = ({ head, rows }: Table): string => markdownTable(head, rows)
  const [kernels, studies] = kernelTables(result.records).map(inMarkdown)
  const scaling = scalingTable(result.records)
  const pictures = await rooflines(name, result.records)
  const ratioed = ratioTable(result.records)
  const ratios = ratioed ? inMarkdown(ratioed) : null
  const missing = result.missing.map(m => `- ${missingLine(m)}`)
  return [
    `## ${result.machine.cpu.name}, ${result.machine.date.slice(0, 10)}`,
    '',
    ...[...machineLines(result.machine), ...engineLines(result)].map(line => `- ${line}`),
    `- Every sample: [results/${name}](results/${name})`,
    '',
    ...(bars.length > 0
      ? [
          '### Bars',
          '',
          markdownTable(
            ['what', 'wanted', 'measured', ''],
            bars.map(b => [b.what, b.wanted, b.measured, b.met ? 'met' : '**not met**'])
          ),
          ...(bars.every(b => b.met)
            ? []
            : ['', 'Where the time of a step goes stands in [kernels/README.md](../kernels/README.md#on-the-cpu).']),
          ''
        ]
      : []),
    ...(kernels
      ? [
          '### Kernels',
          '',
          'Per second from the median sample, on one core for the `cpu` and `reference` engines. GFLOP/s counts what no kernel goes without: for gradients the matrix products (4 D h for each row and run), for Hessians one multiply-add for each row and each sum that differs from the others (within a layer a quarter of the products, between layers all), for eigen-decompositions one sweep. Peak: multiply-adds in registers, measured between the samples.',
          '',
          kernels,
          ''
        ]
      : []),
    ...pictures.flatMap(picture => [picture, '']),
    ...(studies
      ? [
          '### Studies',
          '',
          'Runs per second with verdicts and clusters, and of the search alone; share of lane-steps in which a lane held a run, and what it would be if batches waited for their slowest run.',
          '',
          studies,
          ''
        ]
      : []),
    ...(ratios === null
      ? []
      : [
          '### Fused kernels beside composed operations',
          '',
          'The `tensorflow` engine composes the same formulas from tensor operations, each of which reads and writes whole arrays; the kernels of the `cpu` engine are fused. Kernels have one thread. Ratios are of medians.',
          '',
          ratios,
          ''
        ]),
    ...(scaling
      ? ['### Threads', '', 'Runs per second of the search alone, and its ratio to one thread.', '', scaling, '']
      : []),
    ...(result.limits ? ['### Large studies', '', limitsTable(result), ''] : []),
    ...(result.formulas ? ['### Formulas', '', ...formulaTable(result.formulas), ''] : []),
    ...(result.peers ? ['### Peers', '', ...peerTables(result.peers)] : []),
    ...(missing.length > 0 ? ['### Not measured', '', ...missing, ''] : [])
  ].join('\n')
}

/** Writes the page from the latest result of each machine. */
export async function writePage(): Promise<void> {
  const sections: string[] = []
  for (const { name, result } of latestResults()) sections.push(await section(name, result))
  const text = `# Benchmarks

This page is written by the benchmarks; a change by hand is lost at the next run. It shows the latest result of each machine.

To repeat it, on a machine with nothing else to do:

    npm run bench              # kernels, studies, large studies; writes results/ and this page
    npm run bench kernels      # the kernels and studies alone
    npm run bench:formulas     # restart studies of formulas beside JAX and scipy
    npm run bench:peers        # other programs on the same study, in a virtual environment of their own
    node dist/cli/main.js bench compare benchmarks/results/A.json benchmarks/results/B.json --fail-above 5%
    node dist/cli/main.js bench convergence

A kernel is timed only after its result agrees with the \`reference\` engine; a wrong one scores 0 and is named.

${sections.join('\n')}`
  writeFileSync(join(folder, 'README.md'), `${text.trimEnd()}\n`)
}
