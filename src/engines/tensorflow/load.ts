/** Loads one TF.js package. A process loads one at most: a second would get the first one's backend, and their libraries collide. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { deviceOf, type Device, type TF } from './device.js'
import type { DeviceName, Loaded } from './packages.js'

/** tfjs-node 4 calls two functions of node:util that Node 23 removed. */
export function mendUtil(util: Record<string, unknown>): void {
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined
  util['isArray'] ??= Array.isArray
}

interface WasmPackage {
  setWasmPaths(folder: string): void
}
interface NativeParts {
  readonly isUsingGpuDevice?: boolean
  readonly binding?: { readonly TF_Version?: string }
}

/**
 * @param folder of the package, as `findPackage` gives it
 * @throws Error when the package does not load or start, in its own words
 */
export async function loadDevice(name: DeviceName, folder: string): Promise<{ device: Device; loaded: Loaded }> {
  const require = createRequire(join(folder, 'package.json'))
  mendUtil(require('node:util') as Record<string, unknown>)
  const { version } = require(join(folder, 'package.json')) as { version: string }
  if (name === 'wasm') {
    const tf = require('@tensorflow/tfjs-core') as TF
    const wasm = require(folder) as WasmPackage
    wasm.setWasmPaths(`${dirname(require.resolve(folder))}/`)
    if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend does not start')
    await tf.ready()
    return { device: deviceOf(tf), loaded: { version, gpu: false } }
  }
  const tf = require(folder) as TF
  await tf.ready()
  if (tf.getBackend() !== 'tensorflow')
    throw new Error(`it offers the backend ${tf.getBackend()} instead of tensorflow`)
  const { isUsingGpuDevice, binding } = tf.backend() as unknown as NativeParts
  const library = binding?.TF_Version ?? 'of unknown version'
  return { device: deviceOf(tf), loaded: { version, library, gpu: isUsingGpuDevice === true } }
}
