// Which engines the conformance suite runs on this machine. One that cannot run is listed with its reason, and fails the suite
// where REQUIRE_ENGINES names it: an engine, or one of its devices (REQUIRE_ENGINES=reference,cpu,tensorflow/cpu).
import { loadAddon } from '../../src/engines/cpu/addon.js'
import { cpuEntry, type CpuOptions } from '../../src/engines/cpu/index.js'
import { engines } from '../../src/engines/registry.js'
import type {
  Engine,
  EngineName,
  Objective,
  Precision,
  RunBlock,
  RunRequest,
  Support
} from '../../src/engines/types.js'
import { useSwiftshader } from './swiftshader.js'

/** One way to compute: an engine at a precision, for `cpu` with one instruction set. */
export interface Candidate {
  readonly label: string
  readonly name: EngineName
  readonly precision: Precision
  /** By name, where the engine has several. */
  readonly device?: string
  open(threads?: number): Promise<Engine>
}

// A software GPU beside those of the machine, before any engine looks for them.
useSwiftshader()

export interface EngineRow {
  /** Of the engine, or `engine/device` where it has several. */
  readonly name: string
  readonly ran: boolean
  readonly why: string
}

async function look(): Promise<{ candidates: Candidate[]; rows: EngineRow[] }> {
  const candidates: Candidate[] = []
  const rows: EngineRow[] = []
  for (const entry of engines) {
    const row = (name: string, support: Support): void =>
      void rows.push({ name, ran: support.ok, why: support.ok ? support.detail : support.reason })
    const devices = (await entry.devices?.()) ?? []
    for (const { name, support } of devices) {
      row(`${entry.name}/${name}`, support)
      if (support.ok)
        for (const precision of entry.precisions)
          candidates.push({
            label: `${entry.name} ${precision} ${name}`,
            name: entry.name,
            precision,
            device: name,
            open: threads => entry.load({ precision, device: name, ...(threads === undefined ? {} : { threads }) })
          })
    }
    if (devices.length > 0) continue
    const support = await entry.available()
    row(entry.name, support)
    if (!support.ok) continue
    const addon = entry.name === 'cpu' ? loadAddon() : undefined
    const targets = addon && 'addon' in addon ? addon.addon.targets().filter(t => t.usable) : []
    for (const precision of entry.precisions) {
      const threaded = (threads?: number) => ({ precision, ...(threads === undefined ? {} : { threads }) })
      if (targets.length === 0)
        candidates.push({
          label: `${entry.name} ${precision}`,
          name: entry.name,
          precision,
          open: threads => entry.load(threaded(threads))
        })
      for (const { id } of targets)
        candidates.push({
          label: `cpu ${precision} ${id}`,
          name: 'cpu',
          precision,
          open: threads => cpuEntry.load({ ...threaded(threads), target: id } as CpuOptions)
        })
    }
  }
  return { candidates, rows }
}

/** Everything that can run here, `reference` included, and one row for every engine and device with what became of it. */
export const { candidates, rows: engineRows } = await look()

/** Those of each engine and precision that come first: where the instruction set makes no difference of kind. */
export const firstCandidates: readonly Candidate[] = candidates.filter(
  (c, i) => candidates.findIndex(d => d.name === c.name && d.precision === c.precision) === i
)

/** What `required`, a list as in REQUIRE_ENGINES, names and cannot run here. An engine runs when one of its devices does. */
export const missingEngines = (required = process.env['REQUIRE_ENGINES'] ?? '', rows = engineRows): string[] =>
  required
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '' && !rows.some(row => row.ran && (row.name === name || row.name.startsWith(`${name}/`))))

/** All finished runs as one block, in the order of their start numbers. */
export async function collect(objective: Objective, request: RunRequest): Promise<RunBlock> {
  const blocks: RunBlock[] = []
  for await (const block of objective.minimise(request)) blocks.push(block)
  const P = objective.parameters
  const K = request.program.report.length
  const places = blocks.flatMap(block => Array.from({ length: block.count }, (_, i) => ({ block, i })))
  places.sort((a, b) => a.block.start[a.i] - b.block.start[b.i])
  return {
    count: places.length,
    start: Float64Array.from(places, ({ block, i }) => block.start[i]),
    theta: Float64Array.from(places.flatMap(({ block, i }) => [...block.theta.subarray(i * P, (i + 1) * P)])),
    loss: Float64Array.from(places, ({ block, i }) => block.loss[i]),
    gradientNorm: Float64Array.from(places, ({ block, i }) => block.gradientNorm[i]),
    steps: Uint32Array.from(places, ({ block, i }) => block.steps[i]),
    status: Uint8Array.from(places, ({ block, i }) => block.status[i]),
    report: Float64Array.from(places.flatMap(({ block, i }) => [...block.report.subarray(i * K, (i + 1) * K)])),
    ...(request.trace ? { traces: places.map(({ block, i }) => block.traces?.[i] ?? new Float64Array(0)) } : {})
  }
}
