/** `manystart engines`: what can run here, what cannot, and why. */
import type { CommandModule } from 'yargs'
import { chooseEngine, listEngines } from '../../engines/registry.js'
import { asFlags, print } from '../common.js'
import type { Flags } from '../flags.js'

export const enginesCommand: CommandModule<object, Flags> = {
  command: 'engines',
  describe: 'what can run here, what cannot, and why',
  builder: yargs => asFlags(yargs.options({ json: { type: 'boolean', describe: 'print the result as JSON' } })),
  async handler(flags) {
    const list = await listEngines()
    if (flags['json'] === true) {
      print(
        JSON.stringify(
          list.map(({ entry, support, devices }) => ({
            name: entry.name,
            precisions: entry.precisions,
            ...support,
            ...(devices.length > 0 ? { devices: devices.map(d => ({ name: d.name, ...d.support })) } : {})
          }))
        )
      )
      return
    }
    for (const { entry, support, devices } of list) {
      const none = devices.length > 0 ? 'none of its devices can run' : undefined
      const state = support.ok
        ? `ready (${entry.precisions.join(', ')}): ${support.detail}`
        : `not here: ${none ?? support.reason}`
      print(`${entry.name.padEnd(11)} ${state}`)
      for (const { name, support: there } of devices)
        print(`  ${name.padEnd(9)} ${there.ok ? `ready: ${there.detail}` : `not here: ${there.reason}`}`)
    }
    const { engine, why } = await chooseEngine('auto', {})
    print(`auto takes ${engine.name}: ${why}.`)
    engine.dispose()
  }
}
