/** Opens GPUs in Node, through Dawn (npm `webgpu`). */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type * as Dawn from 'webgpu'
import { WorkError } from '../../../core/errors.js'
import { root } from '../../../core/prebuilt.js'
import { firstSentence, Gpu, requestDevice } from '../core/device.js'
import type { Sources } from '../core/text.js'

/** Whoever waits for longer than this, in ms, is looked after now and then. */
const eagerMilliseconds = 1

/**
 * Dawn looks whether something has ended in each round of the event loop, through the global `setImmediate`, and takes a whole core
 * for it as long as the GPU is at work or a kernel is compiled. Here it rests a millisecond between looks once it has waited for one;
 * the run loop has the next submit under way by then.
 */
function restBetweenLooks(): void {
  const { setImmediate: soon } = globalThis
  /** When the wait began whose look is running. A look asks for the next one itself; others ask from outside. */
  let began: number | undefined
  const rested = (callback: (...args: unknown[]) => void, ...args: unknown[]): unknown => {
    const since = began ?? performance.now()
    const look = (): void => {
      began = since
      try {
        callback(...args)
      } finally {
        began = undefined
      }
    }
    return performance.now() - since < eagerMilliseconds ? soon(look) : setTimeout(look, 1)
  }
  globalThis.setImmediate = rested as typeof setImmediate
}

let loaded: Promise<typeof Dawn> | undefined

/** Dawn, and WebGPU's constants where browsers have them: the core takes them from there. */
const load = (): Promise<typeof Dawn> =>
  (loaded ??= import('webgpu').then(dawn => {
    restBetweenLooks()
    if (!('GPUBufferUsage' in globalThis)) Object.assign(globalThis, dawn.globals)
    return dawn
  }))

/** Options of npm `webgpu`, `NAME=VALUE`, and the instance they gave. */
const instances = new Map<string, GPU>()

/**
 * Drivers that compute on the processor. Dawn marks those that it knows as fallback adapters.
 */
const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i

/**
 * Dawn with these options. Instances stay in a module-level map for the life of the process: Dawn crashes after some thousand submits when
 * the object that `create` returned has been collected, even while its device is in use.
 */
export async function instance(options: readonly string[]): Promise<GPU> {
  const key = options.join(' ')
  let gpu = instances.get(key)
  if (!gpu) {
    const { create } = await load()
    gpu = create([...options])
    instances.set(key, gpu)
  }
  return gpu
}

export interface Adapter {
  readonly adapter: GPUAdapter
  readonly name: string
  /** Driver and its version. */
  readonly driver: string
  /** Whether it computes on the processor. */
  readonly software: boolean
}

/** Name and driver as reports show them. */
export const describe = (name: string, driver: string): string =>
  [name, driver && `(${driver})`].filter(Boolean).join(' ')

/**
 * The adapter with `name` in its name, else the one that the system prefers.
 * @throws WorkError, in one sentence, where there is none
 */
export async function findAdapter(name?: string): Promise<Adapter> {
  const named = name === undefined ? [] : [`adapter=${name}`]
  const look = async (options: readonly string[]): Promise<Adapter> => {
    let adapter: GPUAdapter | null
    try {
      adapter = await (await instance(options)).requestAdapter({ powerPreference: 'high-performance' })
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND'
      if (missing || String(error).includes('dawn.node'))
        throw new WorkError(
          'The npm package "webgpu" is not installed or has no binary for this system; run `npm install webgpu`, or use --engine cpu.'
        )
      if (name !== undefined)
        throw new WorkError(
          `No GPU here has "${name}" in its name (${firstSentence(error)}); look at \`manystart engines\`.`
        )
      throw new WorkError(`WebGPU could not be started (${firstSentence(error)}); use --engine cpu.`)
    }
    if (!adapter)
      throw new WorkError(
        'No GPU was found; install its driver and the Vulkan loader (Debian and Ubuntu: libvulkan1), or use --engine cpu.'
      )
    const { vendor, device, description, isFallbackAdapter } = adapter.info
    const software = isFallbackAdapter || softwareNames.test(`${device} ${description}`)
    return { adapter, name: device || vendor, driver: description, software }
  }
  // Kernels index within their arrays by construction; clamping every index costs an instruction for each number read.
  const lean = [...named, 'enable-dawn-features=disable_robustness']
  // Browsers round the clock against spying.
  const without = 'disable-dawn-features=timestamp_quantization'
  const found = await look([...lean, without])
  // Their compile time grows with workgroup memory that Vulkan is asked to clear.
  const plain = `${without},use_vulkan_zero_initialize_workgroup_memory_extension`
  return found.software ? look([...lean, plain]) : found
}

const folder = join(root, 'kernels/webgpu')

/** The kernels of the package. */
export const readSources = (): Sources =>
  Object.fromEntries(
    readdirSync(folder)
      .filter(file => file.endsWith('.wgsl'))
      .map(file => [file, readFileSync(join(folder, file), 'utf8')])
  )

/**
 * Opens a device with all that its adapter can do.
 * @param number of this GPU among those of its name, where there are several
 * @throws WorkError where there is no adapter of that name, or none at all
 */
export async function openGpu(name?: string, number?: number): Promise<Gpu> {
  const found = await findAdapter(name)
  const own = number === undefined ? found.name : `${found.name} #${number}`
  return new Gpu(await requestDevice(found.adapter), readSources(), {
    name: describe(own, found.driver),
    kind: describe(found.name, found.driver),
    software: found.software
  })
}
