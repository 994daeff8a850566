#!/usr/bin/env node
/** The command-line program: wires the commands, turns errors into one sentence and an exit code. No numerics here. */
import yargs, { type CommandModule } from 'yargs'
import { hideBin } from 'yargs/helpers'
import { InputError, WorkError } from '../core/errors.js'
import { nearestName } from '../core/names.js'
import { version } from '../study/study.js'
import { benchCommand, benchFlags } from './commands/bench.js'
import { checkCommand } from './commands/check.js'
import { contrastCommand } from './commands/contrast.js'
import { enginesCommand } from './commands/engines.js'
import { replayCommand } from './commands/replay.js'
import { reportCommand, reportFlags } from './commands/report.js'
import { studyCommand } from './commands/study.js'
import { dataOptions, modelOptions, outputOptions, runOptions, type Flags } from './flags.js'

const commands: readonly CommandModule<object, Flags>[] = [
  contrastCommand,
  studyCommand,
  checkCommand,
  replayCommand,
  reportCommand,
  enginesCommand,
  benchCommand
]
const commandNames = commands.map(c => String(c.command).split(' ')[0])
const knownFlags = [
  ...Object.keys({ ...dataOptions, ...modelOptions, ...runOptions, ...outputOptions }),
  ...benchFlags,
  ...reportFlags,
  'start',
  'help'
]

/** yargs' complaint as one sentence with the nearest known name. */
function usageSentence(message: string): string {
  const [, bare] = /^Not enough arguments following: (.+)/.exec(message) ?? []
  if (bare !== undefined) return `--${bare} needs a value; \`manystart --help\` lists each command's flags with --help.`
  const [, missing] = /^Missing required arguments?: (\S+)/.exec(message) ?? []
  if (missing !== undefined)
    return `--${missing} is missing; give it a value (\`manystart ${process.argv[2]} --help\`).`
  const [unknown] = /Unknown arguments?: (.+)/.exec(message)?.[1].split(', ') ?? []
  if (unknown !== undefined && process.argv[2] === unknown)
    return `Unknown command "${unknown}"; did you mean ${nearestName(unknown, commandNames)}? Known: ${commandNames.join(', ')}.`
  if (unknown !== undefined && process.argv.includes(unknown))
    return `"${unknown}" is one word too many; each command takes one file or directory, and values of flags follow their flag.`
  if (unknown !== undefined && knownFlags.includes(unknown))
    return `\`manystart ${process.argv[2]}\` has no flag --${unknown}, though another command has; \`manystart ${process.argv[2]} --help\` lists its own.`
  if (unknown !== undefined)
    return `Unknown flag --${unknown}; did you mean --${nearestName(unknown, knownFlags)}? \`manystart --help\` lists all commands and each command's --help its flags.`
  return `${message
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.?$/, '.')} \`manystart --help\` shows the usage.`
}

/** Flags that take a list gather all that they are given; of any other, all but one value would be lost. */
function onlyListsTwice(flags: Readonly<Record<string, unknown>>, parser?: Lists): void {
  const lists = parser?.getOptions().array ?? []
  for (const [name, value] of Object.entries(flags))
    if (name !== '_' && Array.isArray(value) && !lists.includes(name))
      throw new InputError(`--${name} is given ${value.length} times (${value.join(', ')}); leave one.`)
}
/** What yargs hands to middleware beside the flags. */
interface Lists {
  getOptions(): { readonly array: readonly string[] }
}

/** Exit codes: 0 done, 1 the work failed, 2 wrong usage or input. */
function fail(error: unknown): never {
  if (error instanceof InputError || error instanceof WorkError) {
    process.stderr.write(`${error.message}\n`)
    process.exit(error instanceof InputError ? 2 : 1)
  }
  const text = error instanceof Error ? error.message : String(error)
  process.stderr.write(`Unexpected failure: ${text} (set MANYSTART_DEBUG=1 for the place in the program)\n`)
  if (process.env['MANYSTART_DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
  process.exit(1)
}

// A reader that has seen enough and leaves, such as `head`, is no failure; the work goes on.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })

let parser = yargs(hideBin(process.argv))
  .scriptName('manystart')
  .usage('$0 <command>: train one small model from many random starts and say what lies at the end of every run')
  .parserConfiguration({
    'parse-numbers': false,
    'parse-positional-numbers': false
  })
  .middleware(onlyListsTwice, true)
  .version(version)
  .strict()
  .demandCommand(1, 'A command is missing.')
  .wrap(Math.min(110, process.stdout.columns || 110))
  .fail((message, error) => {
    // yargs' own errors are about usage.
    const usage = (error as Error | undefined)?.name === 'YError' ? error.message : message
    fail(error && usage !== error.message ? error : new InputError(usageSentence(usage)))
  })
for (const command of commands) parser = parser.command(command)
try {
  await parser.parseAsync()
} catch (error) {
  fail(error)
}
