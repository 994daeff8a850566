// Two software GPUs of one name instead of those of the machine. To be imported before what asks for GPUs.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scratch } from './files.js'
import { swiftshaderFolder, useSwiftshader } from './swiftshader.js'

/** By which reports tell the two apart. */
export const drivers = ['SwiftShader driver', 'SwiftShadow driver'] as const

const manifest = 'vk_swiftshader_icd.json'

/** A copy of the software driver with another name for itself, but the same one for its GPU. */
function secondDriver(): string {
  const [from, to] = [swiftshaderFolder(), join(scratch, 'second driver')]
  const library = readFileSync(join(from, 'libvk_swiftshader.so'))
  const at = library.indexOf(drivers[0])
  if (at < 0) throw new Error('the software driver does not call itself as it did')
  library.write(drivers[1], at, 'latin1')
  mkdirSync(to)
  writeFileSync(join(to, 'libvk_swiftshader.so'), library)
  copyFileSync(join(from, manifest), join(to, manifest))
  return join(to, manifest)
}

/** Whether they can be had: Linux on x64. */
export const twoGpus = useSwiftshader() !== undefined
if (twoGpus) process.env['VK_DRIVER_FILES'] = [join(swiftshaderFolder(), manifest), secondDriver()].join(':')
