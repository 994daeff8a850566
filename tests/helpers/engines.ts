// Which engines the conformance suite runs on this machine. One that cannot run is listed with its reason, and fails the suite
// where REQUIRE_ENGINES names it: an engine, or one of its devices (REQUIRE_ENGINES=reference,cpu,tensorflow/cpu).
import { inject } from 'vitest'
import { loadAddon } from '../../src/engines/cpu/addon.js'
import { cpuEntry, type CpuOptions } from '../../src/engines/cpu/index.js'
import { engines } from '../../src/engines/registry.js'
import type { Engine, EngineName, Objective, Precision, RunBlock, RunRequest } from '../../src/engines/types.js'
import { engineRows, type EngineRow, type FoundEngine } from './foundEngines.js'
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

// A software GPU beside those of the machine.
useSwiftshader()

function candidatesOf({ name, device, support }: FoundEngine): Candidate[] {
  if (!support.ok) return []
  const entry = engines.find(entry => entry.name === name)!
  const addon = name === 'cpu' ? loadAddon() : undefined
  const targets = addon && 'addon' in addon ? addon.addon.targets().filter(t => t.usable) : []
  return entry.precisions.flatMap(precision => {
    const options = (threads?: number) => ({
      precision,
      ...(device === undefined ? {} : { device }),
      ...(threads === undefined ? {} : { threads })
    })
    if (targets.length > 0)
      return targets.map(({ id }) => ({
        label: `cpu ${precision} ${id}`,
        name,
        precision,
        open: (threads?: number) => cpuEntry.load({ ...options(threads), target: id } as CpuOptions)
      }))
    return [
      {
        label: [name, precision, device].filter(Boolean).join(' '),
        name,
        precision,
        ...(device === undefined ? {} : { device }),
        open: (threads?: number) => entry.load(options(threads))
      }
    ]
  })
}

const found = inject('engines')

/** Everything that can run here, `reference` included. */
export const candidates: readonly Candidate[] = found.flatMap(candidatesOf)

/** Those of each engine and precision that come first: where the instruction set makes no difference of kind. */
export const firstCandidates: readonly Candidate[] = candidates.filter(
  (c, i) => candidates.findIndex(d => d.name === c.name && d.precision === c.precision) === i
)

/** What `required`, a list as in REQUIRE_ENGINES, names and cannot run here. An engine runs when one of its devices does. */
export const missingEngines = (
  required = process.env['REQUIRE_ENGINES'] ?? '',
  rows: readonly EngineRow[] = engineRows(found)
): string[] =>
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
