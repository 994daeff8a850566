// Whether to look for a GPU at all.
import { expect, it } from 'vitest'
import { noHardware } from '../../../src/engines/webgpu/host/attached.js'

const nothing = (): boolean => false

it('Linux without any device file of a GPU has none, and the reason names what was looked for', () => {
  expect(noHardware('linux', {}, nothing)).toMatch(/No GPU is attached.*\/dev\/dri.*\/dev\/nvidiactl/)
})

it.each(['/dev/dri', '/dev/nvidiactl', '/dev/kfd', '/dev/dxg'])('with %s Dawn is asked', path => {
  expect(noHardware('linux', {}, p => p === path)).toBeUndefined()
})

it('drivers that the user names are asked, and other systems are', () => {
  for (const name of ['VK_DRIVER_FILES', 'VK_ADD_DRIVER_FILES', 'VK_ICD_FILENAMES'])
    expect(noHardware('linux', { [name]: '/somewhere.json' }, nothing)).toBeUndefined()
  for (const platform of ['darwin', 'win32'] as const) expect(noHardware(platform, {}, nothing)).toBeUndefined()
})
