/** `manystart engines`: what can run here, what cannot, and why. */
import { chooseEngine, listEngines } from '../../engines/registry.js'
import type { Command } from '../command.js'
import { print, printJson } from '../common.js'
import { jsonFlag } from '../flags.js'
import { lines, namedLines } from '../terminal.js'

export const enginesCommand: Command = {
  flags: { Output: jsonFlag },
  async run(flags) {
    const list = await listEngines()
    if (flags['json'] === true) {
      printJson(
        list.map(({ entry, support, devices, limits }) => ({
          name: entry.name,
          precisions: entry.precisions,
          ...support,
          limits,
          ...(devices.length > 0 ? { devices: devices.map(d => ({ name: d.name, ...d.support })) } : {})
        }))
      )
      return
    }
    const width = Math.max(...list.map(({ entry }) => entry.name.length))
    for (const { entry, support, devices, limits } of list) {
      const none = devices.length > 0 ? 'none of its devices can run' : undefined
      const state = support.ok
        ? `ready (${entry.precisions.join(', ')}): ${support.detail}`
        : `not here: ${none ?? support.reason}`
      print(namedLines([[entry.name.padEnd(width), state]], 0))
      for (const { name, support: there } of devices)
        print(
          namedLines([[name.padEnd(width - 2), there.ok ? `ready: ${there.detail}` : `not here: ${there.reason}`]], 2)
        )
      // Of an engine that is not here, the reason may be its answer to every job.
      const reason = support.ok ? undefined : support.reason
      for (const limit of limits.filter(limit => limit !== reason))
        print(namedLines([['', limit.replace(/; use --engine cpu\.$/, '.')]], 0))
    }
    const { engine, why } = await chooseEngine('auto', {})
    print(lines([`auto takes ${engine.name}: ${why}.`]))
    engine.dispose()
  }
}
