#!/usr/bin/env node
/** The command-line program: finds the command, turns errors into one sentence and an exit code. No numerics here. */
import { setFlagsFromString } from 'node:v8'
import { InputError, stoppedCode, WorkError } from '../core/errors.js'
import { closeName, nearestName } from '../core/names.js'
import { sentence } from '../core/printable.js'
import { version } from '../core/version.js'
import type { Command } from './command.js'
import { commands } from './commands.js'
import { commandHelp, guide, programHelp } from './help.js'
import { widthOf } from './terminal.js'

const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** Exit codes: 0 done, 1 the work failed, 2 wrong usage or input. */
function fail(error: unknown): never {
  if (error instanceof InputError || error instanceof WorkError) {
    process.stderr.write(`${sentence(error.message)}\n`)
    process.exit(process.exitCode === stoppedCode ? stoppedCode : error instanceof InputError ? 2 : 1)
  }
  const text = error instanceof Error ? error.message : String(error)
  process.stderr.write(`Unexpected failure: ${sentence(text)} (set MANYSTART_DEBUG=1 for the place in the program)\n`)
  if (process.env['MANYSTART_DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
  process.exit(1)
}

const asksHelp = (words: readonly string[]): boolean => words.some(word => word === '--help' || word === '-h')

/** The command among the words, and the words without it. It stands first, or behind flags. */
function split(words: readonly string[]): { name: string; rest: string[] } {
  const names = Object.keys(commands)
  const at = words[0]?.startsWith('-') ? words.findIndex(word => names.includes(word)) : 0
  const name = words[at]
  if (name === undefined)
    throw new InputError(
      `A command is missing; \`manystart contrast ${words.join(' ')}\` compares models, \`manystart study\` runs one, \`manystart --help\` lists all.`
    )
  if (!names.includes(name))
    throw new InputError(
      `Unknown command "${name}"; did you mean ${closeName(name, names) ?? nearestName(name, names)}? Known: ${names.join(', ')}.`
    )
  return { name, rest: words.filter((_, i) => i !== at) }
}

async function main(words: readonly string[]): Promise<void> {
  const width = widthOf()
  if (words.length === 0) return print(guide(width))
  if (words[0] === '--version' || words[0] === '-v') return print(version)
  const first = words[0] === 'help' ? words.slice(1) : words
  if (first.length === 0 || first[0] === '--help' || first[0] === '-h') return print(programHelp(commands, width))
  let { name, rest } = split(first)
  const entry = commands[name]
  let command: Command = await entry.load()
  let describe = entry.describe
  if (words[0] === 'help' && command.commands === undefined) rest = ['--help']
  if (command.commands) {
    const [word = ''] = rest
    const sub = Object.hasOwn(command.commands, word) ? command.commands[word] : undefined
    if (sub === undefined && asksHelp(rest)) return print(commandHelp(name, describe, command, width))
    const [most] = Object.keys(command.commands)
    if (sub === undefined && word !== '' && !word.startsWith('-')) {
      const known = Object.keys(command.commands)
      throw new InputError(
        `Unknown command "${word}" of \`manystart ${name}\`; did you mean ${nearestName(word, known)}? Known: ${known.join(', ')}.`
      )
    }
    command = sub ?? command.commands[most]
    describe = (sub ?? command.commands?.[most])?.describe ?? describe
    if (sub) [name, rest] = [`${name} ${word}`, rest.slice(1)]
  }
  if (asksHelp(rest)) return print(commandHelp(name, describe, command, width))
  const { parseFlags } = await import('./parse.js')
  await command.run?.(await parseFlags(name, command, rest), commands)
}

// Optimising WebAssembly early costs a short program more processor time than it saves: most of what `check` on a small table took.
// A hundred times the usual budget still optimises what runs for seconds. V8 complains aloud of flags that it does not know, so later
// ones, which may have dropped it, are left as they are.
if (Number(process.versions.v8.split('.')[0]) <= 13) setFlagsFromString('--wasm-tiering-budget=100000000')

// A reader that has seen enough and leaves, such as `head`, is no failure, nor is a terminal that closes; the work goes on.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || error.code === 'EIO') return
    if (stream === process.stdout)
      process.stderr.write(`The output cannot be written (${error.code}); free some space.\n`)
    process.exit(1)
  })

try {
  await main(process.argv.slice(2))
} catch (error) {
  fail(error)
}
