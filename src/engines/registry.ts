/** The engines by name, loaded only when asked for, and the choice among them. */
import { InputError, WorkError } from '../core/errors.js'
import type { DeviceEntry, Engine, EngineEntry, EngineName, EngineOptions, Support } from './types.js'

const lazy = (
  name: EngineName,
  precisions: EngineEntry['precisions'],
  open: () => Promise<EngineEntry>
): EngineEntry => ({
  name,
  precisions,
  available: async () => (await open()).available(),
  devices: async () => (await (await open()).devices?.()) ?? [],
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
}

/** What each engine says of itself here. */
export async function listEngines(): Promise<ListedEngine[]> {
  const list: ListedEngine[] = []
  for (const entry of engines)
    list.push({ entry, support: await entry.available(), devices: (await entry.devices?.()) ?? [] })
  return list
}

/**
 * Loads an engine. `auto`: a hardware GPU, else cpu, else reference. `certify`: the best f64 engine on the CPU.
 * @returns the engine, and in one sentence why it was taken
 * @throws InputError for a device without an engine, or that the engine does not have; WorkError when the named engine cannot run
 * here or does not compute in the precision asked for
 */
export async function chooseEngine(
  name: EngineName | 'auto' | 'certify',
  options: EngineOptions
): Promise<{ engine: Engine; why: string }> {
  const named = engines.find(e => e.name === name)
  if (named) {
    if (options.device !== undefined && (name === 'cpu' || name === 'reference'))
      throw new InputError(`The ${name} engine has no devices to choose from; leave out --device.`)
    // The engine itself says what is wrong with a device that was named.
    const support: Support = options.device === undefined ? await named.available() : { ok: true, detail: '' }
    if (!support.ok) throw new WorkError(`Engine ${name} cannot run here: ${support.reason}`)
    if (!named.precisions.includes(options.precision))
      throw new WorkError(
        `Engine ${name} does not compute in ${options.precision}; choose --precision ${named.precisions.join(' or ')}.`
      )
    return { engine: await named.load(options), why: `${name} was asked for` }
  }
  if (options.device !== undefined && name === 'auto')
    throw new InputError(`Device "${options.device}" belongs to an engine; name it with --engine webgpu or tensorflow.`)
  const missing: string[] = []
  for (const entry of engines) {
    const onCpu = entry.name === 'cpu' || entry.name === 'reference'
    if (name === 'certify' && !onCpu) continue
    // Asking what runs here may start a process, so engines that could not be taken are not asked.
    if (!onCpu && !entry.precisions.includes(options.precision)) continue
    const support = await entry.available()
    if (support.ok && support.software) continue
    if (support.ok && entry.precisions.includes(options.precision))
      return {
        engine: await entry.load(options),
        why:
          missing.length > 0
            ? `${entry.name} is the first that can run here (${missing.join(' ')})`
            : `${entry.name} comes first`
      }
    if (!support.ok && onCpu) missing.push(support.reason)
  }
  throw new WorkError(
    `No engine here computes in ${options.precision}: ${missing.join(' ')} Use --precision f64, which every machine can run.`
  )
}
