// What a machine tells of itself while it is measured: clocks, throttling, energy, read from folders as Linux has them.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { conditionsText, readConditions, warningsOf, type Conditions } from '../../src/bench/conditions.js'
import { energyOf, joulesBetween, raplCounters } from '../../src/bench/energy.js'
import { freshOut } from '../helpers/files.js'

/** A folder with the given files. */
function tree(files: Readonly<Record<string, string>>): string {
  const root = freshOut()
  mkdirSync(root, { recursive: true })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

const readings = (given: Partial<Conditions>[]): Conditions[] =>
  given.map(g => ({ date: '', load: 0, clocksMegahertz: null, governor: null, throttled: null, ...g }))

describe('conditions', () => {
  it('clocks, governor and counts of throttling are read of every core', () => {
    const folder = tree({
      'cpu0/cpufreq/scaling_cur_freq': '2000000\n',
      'cpu0/cpufreq/scaling_governor': 'powersave\n',
      'cpu0/thermal_throttle/core_throttle_count': '2\n',
      'cpu0/thermal_throttle/package_throttle_count': '1\n',
      'cpu1/cpufreq/scaling_cur_freq': '3000000\n',
      'cpu1/cpufreq/scaling_governor': 'powersave\n',
      'cpu1/thermal_throttle/core_throttle_count': '4\n',
      'cpuidle/current_driver': 'none'
    })
    const { clocksMegahertz, governor, throttled } = readConditions(folder)
    expect(clocksMegahertz).toEqual({ least: 2000, median: 3000, largest: 3000 })
    expect(governor).toBe('powersave')
    expect(throttled).toBe(7)
  })

  it('what is not told is null, and the text says so', () => {
    const bare = readConditions(tree({}))
    expect(bare.governor).toBeNull()
    expect(bare.throttled).toBeNull()
    expect(conditionsText([{ ...bare, load: null, clocksMegahertz: null }])).toBe(
      'load not readable, clock not readable, throttling not readable'
    )
  })

  it('a busy machine and heat are warned of', () => {
    expect(warningsOf(readings([{ load: 0.4 }, { load: 2 }]), 2)).toEqual([])
    expect(warningsOf(readings([{ load: 0.6 }]), 2)).toEqual([expect.stringMatching(/load of 0\.6 on 2 cores/)])
    const hot = readings([{ throttled: 3 }, { throttled: 5 }])
    expect(warningsOf(hot, 2)).toEqual([expect.stringMatching(/Heat/)])
    expect(conditionsText(hot)).toMatch(/throttled by heat 2 times/)
  })
})

describe('energy', () => {
  const counters = {
    'intel-rapl:0/energy_uj': '900\n',
    'intel-rapl:0/max_energy_range_uj': '1000\n',
    'intel-rapl:0:0/energy_uj': '5\n'
  }
  it('packages alone are counted, and counters wrap around', () => {
    const before = raplCounters(tree(counters))
    const after = raplCounters(tree({ ...counters, 'intel-rapl:0/energy_uj': '100' }))
    if (typeof before === 'string' || typeof after === 'string') throw new Error('no counters')
    expect(before).toEqual([{ microjoules: 900, range: 1000 }])
    expect(joulesBetween(before, after)).toBeCloseTo(200e-6, 15)
  })
  it('says why it cannot be read', () => {
    expect(raplCounters('no/such/folder')).toBe('this system has no no/such/folder')
    expect(raplCounters(tree({}))).toMatch(/has no counter of a processor package/)
    const folder = tree(counters)
    chmodSync(join(folder, 'intel-rapl:0/energy_uj'), 0)
    // Root reads it all the same.
    if (process.getuid?.() !== 0) expect(raplCounters(folder)).toMatch(/readable by root alone/)
  })
  it('of a card counts with the processor, and is not known in part', () => {
    expect(energyOf({ processor: 2, cards: 3 }, false)).toBe(2)
    expect(energyOf({ processor: 2, cards: 3 }, true)).toBe(5)
    expect(energyOf({ processor: 2, cards: null }, true)).toBeNull()
    expect(energyOf({ processor: null, cards: 3 }, true)).toBeNull()
  })
})
