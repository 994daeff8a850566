/** The card of `manystart bench` for a terminal and as Markdown. */
import { markdownTable, textTable, type Table } from '../../report/table.js'
import { wrap } from '../../core/text.js'
import { formatRate, formatSeconds } from '../../core/units.js'
import { conditionsText, warningsOf } from '../conditions.js'
import { engineText, networkText, percent, type KernelRecord } from '../kernels/records.js'
import { roofsOf } from '../kernels/roofline.js'
import { missingLine } from '../kernels/tables.js'
import { studyTitles } from './definition.js'
import type { CardResults, Score } from './card.js'

const none = '–'
const figure = (value: number | null): string => (value === null ? none : value.toPrecision(3))

/** "12.3 k" of "12.3 k/s". */
const bare = (perSecond: number): string => formatRate(perSecond).replace(/\/s$/, '')

export const scoreText = (s: Score): string =>
  `${bare(s.value)} certified runs/s (95 %: ${bare(s.low)} to ${bare(s.high)})`

export const whereText = (s: Score): string =>
  `${engineText(s)}, ${s.threads} ${s.threads === 1 ? 'thread' : 'threads'}`

const titles = {
  gradient: 'gradients',
  hessian: 'Hessians',
  update: 'updates',
  eigh: 'eigen-decompositions',
  study: 'runs'
}

/** "gradients 4-5-1, 96 rows", "runs, iris2 4-5-1, Newton" */
const nameOf = (r: KernelRecord): string =>
  r.kernel === 'study' ? (studyTitles[r.name] ?? r.name) : `${titles[r.kernel]} ${networkText(r)}, ${r.sizes.N} rows`

const perWatt = (r: KernelRecord): string => (r.joulesPerRun ? bare(1 / r.joulesPerRun) : none)

/** Rates of one engine, device and precision: its runs first. */
export function cardTable(title: string, records: readonly KernelRecord[]): Table {
  const energy = records.some(r => r.joulesPerRun)
  const [studies, kernels] = [true, false].map(wanted => records.filter(r => (r.kernel === 'study') === wanted))
  return {
    title,
    head: ['', 'per second', 'GFLOP/s', 'of the peak', ...(energy ? ['per joule'] : [])],
    rows: [...studies, ...kernels].map(r => [
      nameOf(r),
      r.error === undefined ? bare(r.perSecond) : 'wrong',
      r.kernel === 'study' ? '' : figure(r.gflops),
      r.kernel === 'study' ? '' : percent(r.share),
      ...(energy ? [perWatt(r)] : [])
    ])
  }
}

/** Engines of a card, the one with the best score first, each with its records. */
export function groupsOf({ records, card }: CardResults): { name: string; records: KernelRecord[] }[] {
  const names = [...card.scores.map(engineText), ...records.map(engineText)]
  return [...new Set(names)].map(name => ({ name, records: records.filter(r => engineText(r) === name) }))
}

const roofLine = (records: readonly KernelRecord[]): string[] =>
  roofsOf(records).map(
    r => `Peak in the same run: ${figure(r.peak)} GFLOP/s; a copy in memory ${figure(r.memory)} GB/s.`
  )

/** Sentences of what a reader must know before quoting. */
export function cautions(results: CardResults): string[] {
  const { card, conditions = [], machine, records } = results
  return [
    ...(card.quick ? ['A quick card, to see that it works: nothing to quote.'] : []),
    ...warningsOf(conditions, machine.cpu.cores),
    ...records.flatMap(r => (r.error === undefined ? [] : [`${engineText(r)}, ${nameOf(r)}: ${r.error}`]))
  ]
}

export function energyLine({ machine }: CardResults): string {
  const { why = [] } = machine.energy
  return why.length === 0
    ? 'Energy read: processor (RAPL) and graphics cards (nvidia-smi); per joule is per second and watt.'
    : `Energy not readable: ${why.join('; ')}.`
}

/** What a card was taken on: processor and cards, system and versions, what the engines say of themselves. */
export function machineText({ machine: m, engines = [] }: CardResults): string[] {
  const cards =
    m.gpus?.map(g => `${g.name} (driver ${g.driver})`).join(', ') ?? 'no graphics card that nvidia-smi lists'
  return [
    `${m.cpu.name}, ${m.cpu.cores} cores, ${Math.round(m.memoryBytes / 2 ** 30)} GiB; ${cards}`,
    `${m.system}, Node ${m.node}, manystart ${m.versions['manystart']}, commit ${m.commit ?? 'unknown'}, ${m.date.slice(0, 10)}`,
    ...engines.map(e => `${[e.engine, e.device].filter(Boolean).join(' ')}: ${e.detail}`)
  ]
}

/** At most `width` columns. */
export function cardText(results: CardResults, width: number): string {
  const { card, conditions = [] } = results
  const lines = (text: string): string[] => wrap(text, width)
  return [
    ...(card.scores.length === 0 ? ['No study ended.'] : []),
    ...card.scores.flatMap(s => [scoreText(s), `on ${whereText(s)}; score version ${card.version}`]),
    ...cautions(results).flatMap(lines),
    '',
    // What a score was searched in; the other precisions stand on the page.
    ...groupsOf(results)
      .filter(g => card.scores.some(s => engineText(s) === g.name))
      .flatMap(g => [...textTable(cardTable(g.name, g.records), width), ...roofLine(g.records).flatMap(lines), '']),
    ...machineText(results).flatMap(lines),
    ...lines(`While measured: ${conditionsText(conditions)}.`),
    ...lines(energyLine(results)),
    ...lines(`Measured in ${formatSeconds(results.wallSeconds)}.`)
  ].join('\n')
}

export function cardMarkdown(results: CardResults): string {
  const { card, conditions = [] } = results
  return [
    `## Manystart bench: ${card.scores[0] ? scoreText(card.scores[0]) : 'no study ended'}`,
    '',
    ...card.scores.map(s => `- ${whereText(s)}: ${scoreText(s)}`),
    ...machineText(results).map(line => `- ${line}`),
    `- While measured: ${conditionsText(conditions)}.`,
    `- ${energyLine(results)}`,
    ...cautions(results).map(text => `- **${text}**`),
    '',
    ...groupsOf(results).flatMap(g => [markdownTable(cardTable(g.name, g.records)), ...roofLine(g.records), '']),
    card.definition,
    ...results.missing.map(m => `\nNot measured: ${missingLine(m)}`)
  ].join('\n')
}
