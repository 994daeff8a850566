/** The engines by name, loaded only when asked for, and the choice among them. */
import { InputError, WorkError } from '../core/errors.js'
import type { Problem } from '../models/types.js'
import { limitsOf } from './limits.js'
import type {
  Capability,
  DeviceEntry,
  Engine,
  EngineEntry,
  EngineName,
  EngineOptions,
  Precision,
  Support,
  WorkNeeds
} from './types.js'

const lazy = (
  name: EngineName,
  precisions: EngineEntry['precisions'],
  open: () => Promise<EngineEntry>
): EngineEntry => ({
  name,
  precisions,
  available: async hardware => (await open()).available(hardware),
  devices: async () => (await (await open()).devices?.()) ?? [],
  supports: async (problem, needs) => (await open()).supports(problem, needs),
  load: async options => (await open()).load(options)
})

/** An engine on devices that may fail: the processor takes over what they had begun. */
const withFallback = (entry: EngineEntry): EngineEntry => ({
  ...entry,
  load: options =>
    entry.load({
      fallback: async () => {
        const { threads, precision } = options
        const cpu = engines.find(e => e.name === 'cpu')
        const support = await cpu?.available()
        if (cpu && support?.ok) return cpu.load({ precision, ...(threads === undefined ? {} : { threads }) })
        return (await import('./reference/index.js')).referenceEntry.load({ precision: 'f64' })
      },
      ...options
    })
})

/** In the order in which `auto` looks at them. */
export const engines: readonly EngineEntry[] = [
  withFallback(lazy('webgpu', ['f32'], async () => (await import('./webgpu/index.js')).webgpuEntry)),
  lazy('tensorflow', ['f32'], async () => (await import('./tensorflow/index.js')).tensorflowEntry),
  lazy('cpu', ['f64', 'f32'], async () => (await import('./cpu/index.js')).cpuEntry),
  lazy('reference', ['f64'], async () => (await import('./reference/index.js')).referenceEntry)
]

/** An engine with what it says of itself here, and of its devices where it has several. */
export interface ListedEngine {
  readonly entry: EngineEntry
  readonly support: Support
  readonly devices: readonly DeviceEntry[]
  /** What it cannot do wherever it runs, in sentences. */
  readonly limits: readonly string[]
}

/** What each engine says of itself here. */
export async function listEngines(): Promise<ListedEngine[]> {
  const list: ListedEngine[] = []
  for (const entry of engines)
    list.push({
      entry,
      support: await entry.available(),
      devices: (await entry.devices?.()) ?? [],
      limits: await limitsOf(entry)
    })
  return list
}

/** Engines that `auto` takes for the sake of a GPU. */
const onGpu = (entry: EngineEntry): boolean => entry.name === 'webgpu' || entry.name === 'tensorflow'

export interface ChoiceOptions extends Omit<EngineOptions, 'precision'> {
  /** Default: the best that the engine has. */
  readonly precision?: Precision
  /** What it is for: an engine that cannot do that is not taken. */
  readonly job?: { readonly problem: Problem; readonly needs: WorkNeeds }
}

export interface Chosen {
  readonly engine: Engine
  readonly why: string
  /** Reasons of engines that come before it: of those that can run here but not do the job, and of the processor’s. */
  readonly unable: readonly string[]
}

/**
 * Loads an engine. `auto`: a hardware GPU, unless f64 is asked for, else cpu, else reference. `certify`: the best f64 engine on the
 * CPU.
 * @returns the engine, in a few words why it was taken, and what could run here but not do the job
 * @throws InputError for a device or a precision that the named engine does not have, and for a device without an engine; WorkError
 * when the engine cannot run here
 */
export async function chooseEngine(
  name: EngineName | 'auto' | 'certify',
  options: ChoiceOptions,
  among: readonly EngineEntry[] = engines
): Promise<Chosen> {
  const { job: _, ...loadOptions } = options
  const load = (entry: EngineEntry): Promise<Engine> =>
    entry.load({ ...loadOptions, precision: options.precision ?? entry.precisions[0] })
  const named = among.find(e => e.name === name)
  if (named) {
    const able = await capability(named, options)
    if (!able.ok) throw new InputError(able.reason)
    await expectToRun(named, options)
    return { engine: await load(named), why: `${name} was asked for`, unable: [] }
  }
  if (options.device !== undefined && name === 'auto')
    throw new InputError(`Device "${options.device}" belongs to an engine; name it with --engine webgpu or tensorflow.`)
  const missing: string[] = []
  const unable: string[] = []
  for (const entry of among) {
    if (name === 'certify' && onGpu(entry)) continue
    // Asking what runs here may start a process, so engines that could not be taken are not asked.
    if (!computes(entry, options)) {
      missing.push(`${entry.name} does not compute in ${options.precision}.`)
      continue
    }
    const able = await capability(entry, options)
    const support = await entry.available(onGpu(entry))
    // A GPU that is not here is no news; the processor's engine is to be had everywhere.
    const isNews = support.ok ? support.software !== true : !onGpu(entry)
    const refusal = able.ok ? (support.ok ? undefined : support.reason) : able.reason
    if (refusal !== undefined) {
      missing.push(refusal)
      if (isNews) unable.push(refusal)
    } else if (support.ok && support.software)
      missing.push(`${entry.name}: ${support.detail} computes on the processor.`)
    else {
      const first =
        missing.length > 0 ? `is the first that can run here (${missing.join(' ').replace(/\.$/, '')})` : 'comes first'
      const certified = onGpu(entry) ? '; it searches in f32, and end points are certified in f64 on the processor' : ''
      return { engine: await load(entry), why: `${entry.name} ${first}${certified}`, unable }
    }
  }
  throw new WorkError(
    `No engine here computes in ${options.precision ?? 'any precision'}: ${missing.join(' ')} Use --precision f64, which every machine can run.`
  )
}

const capability = async (entry: EngineEntry, { job }: ChoiceOptions): Promise<Capability> =>
  job ? entry.supports(job.problem, job.needs) : { ok: true }

const computes = (entry: EngineEntry, { precision }: ChoiceOptions): boolean =>
  precision === undefined || entry.precisions.includes(precision)

async function expectToRun(entry: EngineEntry, options: ChoiceOptions): Promise<void> {
  const { name, precisions } = entry
  if (!computes(entry, options))
    throw new InputError(
      `Engine ${name} does not compute in ${options.precision}; choose --precision ${precisions.join(' or ')}.`
    )
  if (options.device === undefined) {
    const support = await entry.available()
    if (!support.ok) throw new WorkError(`Engine ${name} cannot run here: ${support.reason}`)
  } else if (name === 'cpu' || name === 'reference')
    throw new InputError(`The ${name} engine has no devices to choose from; leave out --device.`)
  // The engine itself says what is wrong with a device that it does not have.
}
