// What TypeScript and C++ must say alike: the numbers of the instructions, and the names of losses and activations.
import { describe, expect, it } from 'vitest'
import { loadAddon } from '../../src/engines/cpu/addon.js'
import { Op } from '../../src/language/program.js'
import { activations } from '../../src/models/activations.js'
import { losses } from '../../src/models/losses/index.js'

const found = loadAddon()

describe.runIf('addon' in found)('the addon', () => {
  const numbering = 'addon' in found ? found.addon.numbering() : undefined
  it('gives instructions the numbers of the language', () => expect(numbering?.instructions).toEqual({ ...Op }))
  it('knows every loss and every activation', () => {
    expect([...(numbering?.losses ?? [])].sort()).toEqual([...losses].sort())
    expect([...(numbering?.activations ?? [])].sort()).toEqual([...activations].sort())
  })
})
