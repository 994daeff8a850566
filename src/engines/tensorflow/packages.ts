/**
 * The TF.js packages that this engine can use, where they are, and what is wrong with the one that does not work: absent, installed
 * without its binding, a library that does not load, or a GPU package that computes on the CPU. Each has its own sentence.
 */
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Support } from '../types.js'

/** In the order in which they are preferred. */
export const deviceNames = ['gpu', 'cpu', 'wasm'] as const
export type DeviceName = (typeof deviceNames)[number]

export const packageOf: Readonly<Record<DeviceName, string>> = {
  gpu: '@tensorflow/tfjs-node-gpu',
  cpu: '@tensorflow/tfjs-node',
  wasm: '@tensorflow/tfjs-backend-wasm'
}

/** What the child process says once it has loaded a package. */
export interface Loaded {
  /** Of the TF.js package, and of the TensorFlow library behind it where there is one. */
  readonly version: string
  readonly library?: string
  readonly gpu: boolean
}

/** Why a package did not load: the error's words, and what TensorFlow wrote to the error stream. */
export interface LoadFailure {
  readonly message: string
  readonly log: string
}

/**
 * The folder of a package as seen from this program or from the working directory, or null. `from`: where to look instead.
 */
export function findPackage(
  name: string,
  from: readonly string[] = [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json')).href]
): string | null {
  for (const place of from) {
    try {
      return dirname(createRequire(place).resolve(`${name}/package.json`))
    } catch {
      // Not there: look on.
    }
  }
  return null
}

const no = (reason: string): Support => ({ ok: false, reason })

/** What can be told from the files alone, or null when the package must be tried. */
export function missingParts(device: DeviceName, folder: string | null): Support | null {
  const name = packageOf[device]
  if (folder === null) {
    const more = device === 'wasm' ? '@tensorflow/tfjs-core@4 @tensorflow/tfjs-backend-wasm@4' : `${name}@4`
    return no(`${name} is not installed; run \`npm install ${more}\`.`)
  }
  if (device === 'wasm') return null
  const lib = join(folder, 'lib')
  const built = existsSync(lib) && readdirSync(lib).some(version => existsSync(join(lib, version, 'tfjs_binding.node')))
  if (built) return null
  return no(
    `${name} is installed in ${folder} without its binding: its install script was blocked or failed; run ` +
      `\`npm rebuild ${name}\`, after \`npm approve-scripts ${name}\` where npm blocks scripts.`
  )
}

/** Library files that the dynamic linker or TensorFlow did not find, in the order in which they were missed. */
export function missingFiles(text: string): string[] {
  const patterns = [
    /([\w.+-]+\.so(?:\.\d+)*): cannot open shared object file/g,
    /Could not load dynamic library '([^']+)'/g
  ]
  return [...new Set(patterns.flatMap(pattern => Array.from(text.matchAll(pattern), match => match[1])))]
}

const cuda = 'CUDA 11.2 and cuDNN 8'

/** The sentence for a package whose library does not load. */
export function loadFailure(device: DeviceName, { message, log }: LoadFailure): Support {
  const name = packageOf[device]
  const files = missingFiles(`${message}\n${log}`)
  const remedy =
    device === 'gpu'
      ? `install ${cuda} and put their folder on LD_LIBRARY_PATH, or use --device cpu`
      : device === 'cpu'
        ? `run \`npm rebuild ${name}\`, or use --device wasm`
        : `install it again, or use --engine cpu`
  const words = message.split('\n')[0].trim()
  const why =
    files.length > 0 ? `the system does not find ${files.join(', ')}` : words.replace(/(; use --engine cpu)?\.$/, '')
  return no(`${name} is installed but does not load (${why}); ${remedy}.`)
}

/** What a package that loaded is good for. A GPU package that computes on the CPU is of no use as one. */
export function loadedSupport(device: DeviceName, loaded: Loaded, log: string): Support {
  const name = packageOf[device]
  const { version, library } = loaded
  const words = `${name.replace('@tensorflow/', '')} ${version}${library ? `, TensorFlow ${library}` : ''}`
  if (device !== 'gpu') return { ok: true, detail: `${words}${device === 'cpu' ? ' on the CPU' : ''}`, software: true }
  if (loaded.gpu) return { ok: true, detail: `${words} on the GPU` }
  const files = missingFiles(log)
  const why = files.length > 0 ? `it does not find ${files.join(', ')}` : 'it finds no CUDA device'
  return no(`${name} (${words}) computes on the CPU because ${why}; install ${cuda} for it, or use --device cpu.`)
}
