// Which engines this machine has. Asked once for all files of a run of the tests (tests/setup/build.ts), since TensorFlow and GPUs are
// tried in processes of their own.
import { engines } from '../../src/engines/registry.js'
import type { EngineName, Support } from '../../src/engines/types.js'
import { useSwiftshader } from './swiftshader.js'

declare module 'vitest' {
  interface ProvidedContext {
    engines: readonly FoundEngine[]
  }
}

export interface EngineRow {
  /** Of the engine, or `engine/device` where it has several. */
  readonly name: string
  readonly ran: boolean
  readonly why: string
}

/** An engine, or a device of one that has several, with what became of it. */
export interface FoundEngine {
  readonly name: EngineName
  readonly device?: string
  readonly support: Support
}

/** Asks every engine, and each device of those that have several; processes are started for some. */
export async function findEngines(): Promise<FoundEngine[]> {
  // A software GPU beside those of the machine, before any engine looks for them.
  useSwiftshader()
  const found: FoundEngine[] = []
  for (const entry of engines) {
    const { name } = entry
    const devices = (await entry.devices?.()) ?? []
    for (const device of devices) found.push({ name, device: device.name, support: device.support })
    if (devices.length === 0) found.push({ name, support: await entry.available() })
  }
  return found
}

/** A row for every engine and device with what became of it. */
export const engineRows = (found: readonly FoundEngine[]): EngineRow[] =>
  found.map(({ name, device, support }) => ({
    name: device === undefined ? name : `${name}/${device}`,
    ran: support.ok,
    why: support.ok ? support.detail : support.reason
  }))
