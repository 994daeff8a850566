/** `manystart replay`: one start again, with its path, on any engine. */
import { InputError } from '../../core/errors.js'
import { knownNames } from '../../core/names.js'
import { engines } from '../../engines/registry.js'
import type { StudyConfig } from '../../study/config.js'
import { replay } from '../../study/replay.js'
import type { Command } from '../command.js'
import { print, printJson } from '../common.js'
import { lines } from '../terminal.js'
import { countFlag, jsonFlag, machineOptions, numberFlag } from '../flags.js'

/** Steps of the path that are printed; --json has them all. */
const shownSteps = 20

export const replayCommand: Command = {
  positionals: [{ name: 'directory', describe: 'directory of a study', required: true }],
  flags: {
    Start: {
      start: { type: 'string', value: 'N', requiresArg: true, demandOption: true, describe: 'number of the start' }
    },
    Run: {
      engine: machineOptions['engine'],
      device: machineOptions['device'],
      precision: machineOptions['precision'],
      threads: machineOptions['threads']
    },
    Output: jsonFlag
  },
  examples: [['manystart replay DIR --start 17', 'start 17 of the study in DIR']],
  async run(flags) {
    const threads = countFlag(flags, 'threads')
    const engine = flags['engine']
    const known = [...engines.map(e => e.name), 'auto']
    if (engine !== undefined && !known.includes(String(engine)))
      throw new InputError(`--engine is "${String(engine)}"; ${knownNames(String(engine), known)}.`)
    const precision = flags['precision']
    if (precision !== undefined && precision !== 'f64' && precision !== 'f32' && precision !== 'mixed')
      throw new InputError(`--precision is "${String(precision)}"; give f64, f32 or mixed.`)
    const result = await replay(String(flags['directory']), numberFlag(flags, 'start') ?? 0, {
      ...(engine === undefined ? {} : { engine: String(engine) as StudyConfig['engine'] }),
      ...(flags['device'] === undefined ? {} : { device: String(flags['device']) }),
      ...(precision === undefined ? {} : { precision }),
      ...(threads === undefined ? {} : { threads })
    })
    if (flags['json'] === true) {
      printJson(result)
      return
    }
    print(
      lines([
        `start ${result.start} on ${result.engine}: ${result.verdict} after ${result.steps} steps (${result.status})`
      ])
    )
    print(lines([`loss ${result.loss}, gradient norm ${result.gradientNorm}`]))
    result.names.forEach((name, p) => print(`  ${name.padEnd(24)} ${result.parameters[p]}`))
    const every = Math.max(1, Math.ceil(result.path.length / shownSteps))
    print('  step  loss                    gradient norm')
    result.path
      .filter((_, i) => i % every === 0 || i === result.path.length - 1)
      .forEach(p =>
        print(
          `  ${String(p.step).padStart(4)}  ${p.loss.toExponential(14).padEnd(22)}  ${p.gradientNorm.toExponential(3)}`
        )
      )
  }
}
