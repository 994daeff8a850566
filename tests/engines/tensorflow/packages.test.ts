// The states of the TF.js packages that `manystart engines` tells apart, each with packages made for it, and with the real one where
// it is installed. Every package is tried in a process of its own, as the engine does.
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { tensorflowEntry, tryPackage } from '../../../src/engines/tensorflow/index.js'
import { mendUtil } from '../../../src/engines/tensorflow/load.js'
import { deviceNames, findPackage, packageOf, type DeviceName } from '../../../src/engines/tensorflow/packages.js'
import type { Support } from '../../../src/engines/types.js'
import { knownNames } from '../../../src/core/names.js'
import { scratch } from '../../helpers/files.js'

let made = 0
/** A package of that name in a folder of its own: its main file, and whether there is a binding. */
function fakePackage(name: string, main: string, binding = true): string {
  const folder = join(scratch, String(++made), 'node_modules', name)
  mkdirSync(join(folder, 'lib', 'napi-v8'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '4.22.0', main: 'index.js' }))
  writeFileSync(join(folder, 'index.js'), main)
  if (binding) writeFileSync(join(folder, 'lib', 'napi-v8', 'tfjs_binding.node'), 'not a library')
  return folder
}

/** A package whose backend says that it uses, or does not use, a GPU. */
const backend = (gpu: boolean, before = ''): string => `
  ${before}
  exports.ready = async () => {}
  exports.getBackend = () => 'tensorflow'
  exports.backend = () => ({ isUsingGpuDevice: ${gpu}, binding: { TF_Version: '2.9.1' } })`

const reasonOf = (support: Support): string => {
  expect(support.ok, 'it must not be called usable').toBe(false)
  const { reason } = support as Extract<Support, { ok: false }>
  expect(reason).toMatch(/^[^\n]+\.$/)
  return reason
}
const notFound = (file: string): string => `${file}: cannot open shared object file: No such file or directory`

describe.each(['gpu', 'cpu'] as const)('the package of device %s', device => {
  const name = packageOf[device]

  it('is absent: how to install it', async () => {
    expect(reasonOf(await tryPackage(device, null))).toBe(`${name} is not installed; run \`npm install ${name}@4\`.`)
  })

  it('has no binding: the commands that mend it', async () => {
    const folder = fakePackage(name, 'throw new Error("must not be loaded")', false)
    const reason = reasonOf(await tryPackage(device, folder))
    expect(reason).toContain(`${name} is installed in ${folder} without its binding`)
    expect(reason).toContain(`\`npm rebuild ${name}\``)
    expect(reason).toContain(`\`npm approve-scripts ${name}\``)
  })

  it('does not load: which file is missing', async () => {
    const folder = fakePackage(name, `throw new Error(${JSON.stringify(notFound('libcudart.so.11.0'))})`)
    const reason = reasonOf(await tryPackage(device, folder))
    expect(reason).toContain(`${name} is installed but does not load (the system does not find libcudart.so.11.0);`)
    expect(reason).toMatch(device === 'gpu' ? /CUDA 11\.2 and cuDNN 8.*--device cpu/ : /npm rebuild.*--device wasm/)
  })

  it('works: device and version of TensorFlow', async () => {
    const support = await tryPackage(device, fakePackage(name, backend(device === 'gpu')))
    const short = name.replace('@tensorflow/', '')
    expect(support).toEqual(
      device === 'gpu'
        ? { ok: true, detail: `${short} 4.22.0, TensorFlow 2.9.1 on the GPU` }
        : { ok: true, detail: `${short} 4.22.0, TensorFlow 2.9.1 on the CPU`, software: true }
    )
  })
})

describe('a package that does not load', () => {
  it('has a binding that is no library: what the system says', async () => {
    const folder = fakePackage(
      packageOf.gpu,
      `process.dlopen(module, require('node:path').join(__dirname, 'lib/napi-v8/tfjs_binding.node'))`
    )
    expect(reasonOf(await tryPackage('gpu', folder))).toMatch(/does not load \(.*tfjs_binding\.node.*\); /)
  })

  it('ends its process: how', async () => {
    const reason = reasonOf(await tryPackage('gpu', fakePackage(packageOf.gpu, `process.kill(process.pid, 'SIGKILL')`)))
    expect(reason).toContain('does not load (The process that holds TensorFlow ended with signal SIGKILL);')
  })

  it('is no TensorFlow', async () => {
    const folder = fakePackage(packageOf.gpu, `${backend(false)}\nexports.getBackend = () => 'cpu'`)
    expect(reasonOf(await tryPackage('gpu', folder))).toContain('it offers the backend cpu instead of tensorflow')
  })
})

describe('the search for a package', () => {
  it('finds it where it lies, and nothing where there is none', () => {
    const folder = fakePackage('@tensorflow/tfjs-made-up', '')
    const from = (place: string): string => pathToFileURL(join(place, 'package.json')).href
    expect(findPackage('@tensorflow/tfjs-made-up', [from(scratch)])).toBe(null)
    expect(findPackage('@tensorflow/tfjs-made-up', [from(scratch), from(join(folder, '../../..'))])).toBe(folder)
  })
})

describe('the GPU package on the CPU', () => {
  const tryGpu = async (before?: string): Promise<string> =>
    reasonOf(await tryPackage('gpu', fakePackage(packageOf.gpu, backend(false, before))))

  it('names the files that TensorFlow misses', async () => {
    const warn = (file: string): string => `Could not load dynamic library '${file}'; dlerror: ${notFound(file)}`
    const lines = [warn('libcudart.so.11.0'), warn('libcudnn.so.8')].join('\n')
    const reason = await tryGpu(`require('node:fs').writeSync(2, ${JSON.stringify(lines)})`)
    expect(reason).toContain('computes on the CPU because it does not find libcudart.so.11.0, libcudnn.so.8;')
    expect(reason).toMatch(/install CUDA 11\.2 and cuDNN 8.*--device cpu/)
  })

  it('finds no device where nothing is missing', async () => {
    expect(await tryGpu()).toContain('computes on the CPU because it finds no CUDA device;')
  })
})

describe('the package of device wasm', () => {
  it('is absent: both packages that it needs', async () => {
    expect(reasonOf(await tryPackage('wasm', null))).toContain(
      'run `npm install @tensorflow/tfjs-core@4 @tensorflow/tfjs-backend-wasm@4`'
    )
  })
  it('does not load without the other', async () => {
    const folder = fakePackage(packageOf.wasm, 'exports.setWasmPaths = () => {}')
    const reason = reasonOf(await tryPackage('wasm', folder))
    expect(reason).toMatch(/tfjs-backend-wasm is installed but does not load \(.+\); .*--engine cpu/)
  })
})

describe('a real package', () => {
  const real: Readonly<Record<DeviceName, string | null>> = {
    gpu: findPackage(packageOf.gpu),
    cpu: findPackage(packageOf.cpu),
    wasm: findPackage(packageOf.wasm)
  }

  it('is what the list of devices says, in the order of preference', async () => {
    const devices = await tensorflowEntry.devices!()
    expect(devices.map(d => d.name)).toEqual([...deviceNames])
    for (const { name, support } of devices) {
      const folder = real[name as DeviceName]
      expect(support).toEqual(await tryPackage(name as DeviceName, folder))
      if (folder === null) expect(reasonOf(support)).toContain('is not installed')
    }
    const first = devices.find(d => d.support.ok)
    if (first) expect(await tensorflowEntry.available()).toEqual(first.support)
  })

  // The same code is in both packages: without a GPU, the one for the CPU stands for the other.
  const { cpu } = real
  if (cpu !== null && existsSync(join(cpu, 'deps', 'lib')))
    it('computes on the CPU as the GPU package, and does not load away from its library', async () => {
      expect(reasonOf(await tryPackage('gpu', cpu))).toMatch(/TensorFlow \d.* computes on the CPU because /)
      const torn = join(scratch, 'torn', 'node_modules', packageOf.cpu)
      for (const part of ['package.json', 'dist', 'lib']) cpSync(join(cpu, part), join(torn, part), { recursive: true })
      writeFileSync(join(torn, 'dist', 'index.js'), `require('../lib/napi-v8/tfjs_binding.node')`)
      expect(reasonOf(await tryPackage('cpu', torn))).toMatch(/does not load \(the system does not find libtensorflow/)
    })
})

describe('what is asked for', () => {
  it('is refused for a device that there is not, and for f64', async () => {
    await expect(tensorflowEntry.load({ precision: 'f32', device: 'cuda' })).rejects.toThrow(
      `no device "cuda" (${knownNames('cuda', deviceNames)})`
    )
    await expect(tensorflowEntry.load({ precision: 'f64' })).rejects.toThrow(/f32 only; use --precision f32/)
  })
})

describe('node:util of Node 23', () => {
  it('gets back the two functions that tfjs-node calls, and keeps those that are there', () => {
    const util: Record<string, unknown> = {}
    mendUtil(util)
    const { isArray, isNullOrUndefined } = util as Record<string, (value: unknown) => boolean>
    expect([null, undefined, 0, '', []].map(isNullOrUndefined)).toEqual([true, true, false, false, false])
    expect([[], {}, 'a', null].map(isArray)).toEqual([true, false, false, false])
    const own = { isArray: () => true, isNullOrUndefined: () => false }
    const before = { ...own }
    mendUtil(own)
    expect(own).toEqual(before)
  })
})
