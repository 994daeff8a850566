/** What `bench compare` sets beside each other: result files, builds, commands. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../../core/errors.js'
import type { CardResults } from '../card/card.js'
import { networkText, recordKey, type KernelRecord, type KernelResults } from '../kernels/records.js'
import type { Blocks } from './ratio.js'

/** A result of `bench kernels`, or of `bench` alone, which has a card. */
export type Results = KernelResults & Partial<Pick<CardResults, 'card'>>

/** A result file, a folder with a built program, or a command line. */
export type Side =
  | { readonly kind: 'results'; readonly text: string; readonly results: Results }
  | { readonly kind: 'build'; readonly text: string; readonly program: string }
  | { readonly kind: 'command'; readonly text: string }

function readResults(path: string): Results {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new InputError(`${path} cannot be read as JSON (${why}); give a file that \`manystart bench --out\` wrote.`)
  }
  const { format, version, records } = (value ?? {}) as { format?: unknown; version?: unknown; records?: unknown }
  if (format !== 'manystart/bench' || version !== 1 || !Array.isArray(records))
    throw new InputError(
      `${path} is no result of version 1 of \`manystart bench\`; give a file that \`manystart bench --out\` wrote.`
    )
  return value as Results
}

/** @throws InputError for a file or folder that holds nothing to compare */
export function sideOf(text: string): Side {
  if (text.endsWith('.json')) {
    if (!existsSync(text))
      throw new InputError(`There is no result file ${text}; \`manystart bench --out\` writes one.`)
    return { kind: 'results', text, results: readResults(text) }
  }
  if (existsSync(text) && statSync(text).isDirectory()) {
    const program = join(text, 'dist/cli/main.js')
    if (!existsSync(program))
      throw new InputError(`${text} holds no built program (dist/cli/main.js); run \`npm run build\` there first.`)
    return { kind: 'build', text, program }
  }
  return { kind: 'command', text }
}

const wrong: Blocks = [[Infinity]]

/** Samples of a record per unit of work; a wrong result takes for ever. */
function blocksOf(record: KernelRecord): Blocks {
  if (record.error !== undefined || record.seconds.length === 0) return wrong
  const units = record.sizes.R * record.repeats
  const size = Math.ceil(record.seconds.length / record.rounds)
  return Array.from({ length: record.rounds }, (_, k) =>
    record.seconds.slice(k * size, (k + 1) * size).map(s => s / units)
  ).filter(block => block.length > 0)
}

/**
 * A card is of the whole machine: what its threads, lanes and numbers of starts are belongs to the machine, not to the question.
 * Devices are told apart where a card has several of one engine.
 */
function cardKey(r: KernelRecord, all: readonly KernelRecord[]): string {
  const devices = new Set(all.filter(x => x.engine === r.engine).map(x => x.device))
  return [
    r.engine,
    devices.size > 1 ? r.device : undefined,
    r.precision,
    ...(r.kernel === 'study' ? ['runs,', r.name] : [`${r.kernel}s`, `${networkText(r)},`, `${r.sizes.N} rows`])
  ]
    .filter(part => part !== undefined)
    .join(' ')
}

/** Measurements by name, a card's score first. */
export function blocksOfResults({ records, card }: Results): Record<string, Blocks> {
  if (!card) return Object.fromEntries(records.map(r => [recordKey(r), blocksOf(r)]))
  const [best] = card.scores
  return {
    ...(best ? { [`score, version ${card.version}`]: best.repeats.map(rate => [rate > 0 ? 1 / rate : Infinity]) } : {}),
    ...Object.fromEntries(records.map(r => [cardKey(r, records), blocksOf(r)]))
  }
}

/** What the machines of results differ in from the first's, in sentences; of old results not all is known. */
export function machineDifferences(names: readonly string[], all: readonly Results[]): string[] {
  const facts = ({ machine, engines = [] }: Results): Record<string, string> => ({
    processor: `${machine.cpu.name}, ${machine.cpu.cores} cores`,
    'graphics cards': machine.gpus?.map(g => `${g.name} (driver ${g.driver})`).join(', ') ?? 'none',
    memory: `${Math.round(machine.memoryBytes / 2 ** 30)} GiB`,
    system: machine.system,
    node: machine.node,
    versions: Object.entries(machine.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    commit: machine.commit ?? 'unknown',
    ...Object.fromEntries(engines.map(e => [[e.engine, e.device].filter(Boolean).join(' '), e.detail]))
  })
  const [first, ...others] = all.map(facts)
  return others.flatMap((other, i) =>
    Object.keys(first)
      .filter(name => Object.hasOwn(other, name) && first[name] !== other[name])
      .map(name => `${name}: ${names[0]} has ${first[name]}; ${names[i + 1]} has ${other[name]}.`)
  )
}
