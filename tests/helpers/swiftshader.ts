// A GPU for machines that have none: SwiftShader, a Vulkan driver that computes on the processor, out of an npm package.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const archive = join(
  dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')),
  '../../bin/swiftshader.tar.br'
)
const wanted = ['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json']
/** RTLD_NODELETE of glibc: the library stays although it is no Node addon. */
const keepLoaded = 0x1000

/** Files of a tar archive by name (POSIX ustar: 512-byte headers, name at 0, octal size at 124). */
function* tarFiles(tar: Buffer): Generator<{ name: string; data: Buffer }> {
  for (let at = 0; at + 512 <= tar.length;) {
    const field = (from: number, length: number): string =>
      tar.toString('latin1', at + from, at + from + length).split('\0')[0]
    const name = field(0, 100)
    if (name === '') return
    const size = parseInt(field(124, 12), 8)
    yield { name, data: tar.subarray(at + 512, at + 512 + size) }
    at += 512 * (1 + Math.ceil(size / 512))
  }
}

/** The folder of driver and loader, unpacked once; it appears under its name only when it is complete. */
export function swiftshaderFolder(): string {
  const cache = join(root, 'node_modules/.cache')
  const folder = join(cache, 'swiftshader-147')
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const making = mkdtempSync(join(cache, 'swiftshader-'))
  for (const { name, data } of tarFiles(brotliDecompressSync(readFileSync(archive))))
    if (wanted.includes(name)) writeFileSync(join(making, name), data)
  try {
    renameSync(making, folder)
  } catch (error) {
    // Another process was first.
    rmSync(making, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  return folder
}

/**
 * Makes the driver known to this process, which must not have asked for a GPU before. Main threads only: the environment of a
 * worker thread is a copy that the Vulkan loader does not see.
 * @returns the name by which the webgpu engine takes the driver, or undefined where it cannot run (other systems than Linux on x64)
 */
export function useSwiftshader(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined
  const folder = swiftshaderFolder()
  // Beside the drivers of the machine, if it has any; child processes find the loader by its folder.
  process.env['VK_ADD_DRIVER_FILES'] = join(folder, 'vk_swiftshader_icd.json')
  const folders = (process.env['LD_LIBRARY_PATH'] ?? '').split(':').filter(Boolean)
  if (!folders.includes(folder)) process.env['LD_LIBRARY_PATH'] = [...folders, folder].join(':')
  try {
    process.dlopen({ exports: {} }, join(folder, 'libvulkan.so.1'), constants.dlopen.RTLD_NOW | keepLoaded)
  } catch (error) {
    // It is loaded all the same: Node complains that it is no addon.
    if (!String(error).includes('did not self-register')) throw error
  }
  return 'SwiftShader'
}
