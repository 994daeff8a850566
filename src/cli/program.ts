/** The program without its process: finds the command and runs it. */
import { statSync } from 'node:fs'
import { exhausted, InputError, isExhausted, stoppedCode, WorkError } from '../core/errors.js'
import { closeName, nearestName } from '../core/names.js'
import { quoted, sentence } from '../core/printable.js'
import { version } from '../core/version.js'
import type { Command } from './command.js'
import { commands } from './commands.js'
import { commandHelp, guide, programHelp } from './help.js'
import { widthOf, writeSentence } from './terminal.js'

const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** The exit code of an error, 1 where the work failed and 2 for wrong usage or input, and what to say of it. */
export function failure(error: unknown): { readonly code: 1 | 2; readonly text: string } {
  if (error instanceof InputError || error instanceof WorkError)
    return { code: error instanceof InputError ? 2 : 1, text: sentence(error.message) }
  if (isExhausted(error)) return { code: 1, text: exhausted }
  const text = error instanceof Error ? error.message : String(error)
  return {
    code: 1,
    text: `Unexpected failure: ${sentence(text)} (set MANYSTART_DEBUG=1 for the place in the program)`
  }
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

/** @throws InputError where the name of the working directory does not lead to it: relative names would lead elsewhere */
function checkFolder(): void {
  const folder = process.cwd()
  if (!folder.includes('\ufffd') || statSync(folder, { throwIfNoEntry: false })?.ino === statSync('.').ino) return
  throw new InputError(
    `The name of the working directory ${quoted(folder)} holds bytes that are not UTF-8, so files would be made elsewhere; rename it, or change to another.`
  )
}

/** @param words what stands behind the name of the program @throws InputError, WorkError */
export async function runProgram(words: readonly string[]): Promise<void> {
  // What a terminal in another encoding says of a path arrives as this sign, which stands for any byte that was not understood.
  const garbled = words.find(word => word.includes('\ufffd'))
  if (garbled !== undefined)
    throw new InputError(
      `The argument ${quoted(garbled)} holds bytes that are not UTF-8, so it names another file than was meant; set the terminal to UTF-8, or give another name.`
    )
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
    if (sub === undefined && word !== '' && !word.startsWith('-')) {
      const known = Object.keys(command.commands)
      throw new InputError(
        `Unknown command "${word}" of \`manystart ${name}\`; did you mean ${nearestName(word, known)}? Known: ${known.join(', ')}.`
      )
    }
    if (sub) {
      command = sub
      describe = sub.describe
      ;[name, rest] = [`${name} ${word}`, rest.slice(1)]
    }
  }
  if (asksHelp(rest)) return print(commandHelp(name, describe, command, width))
  checkFolder()
  const { parseFlags } = await import('./parse.js')
  await command.run?.(await parseFlags(name, command, rest), commands)
}

/**
 * Runs the program and says on stderr what failed, in one sentence.
 * @returns the exit code of a failure; undefined where the program ran, and `process.exitCode` tells
 */
export async function exitCodeOf(words: readonly string[]): Promise<number | undefined> {
  try {
    await runProgram(words)
    return undefined
  } catch (error) {
    const { code, text } = failure(error)
    writeSentence(text)
    const expected = error instanceof InputError || error instanceof WorkError
    if (!expected && process.env['MANYSTART_DEBUG'] && error instanceof Error)
      process.stderr.write(`${error.stack ?? ''}\n`)
    return expected && process.exitCode === stoppedCode ? stoppedCode : code
  }
}
