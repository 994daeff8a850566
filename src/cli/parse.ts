/** Words of the command line → flags of a command. yargs reads them; its complaints become one sentence each. */
import yargs from 'yargs'
import { InputError } from '../core/errors.js'
import { closeName, nearestName } from '../core/names.js'
import { flagNames, flagsOf, positionalUsage, usageOf, type Command, type Flags } from './command.js'
import { commands } from './commands.js'

/** Another command that has a flag, if one has. */
async function ownerOf(flag: string): Promise<string | undefined> {
  for (const [name, entry] of Object.entries(commands)) if (flagNames(await entry.load()).includes(flag)) return name
  return undefined
}

async function unknownFlag(name: string, flag: string, own: readonly string[]): Promise<string> {
  const close = closeName(flag, own)
  const shown = flag.length === 1 ? `-${flag}` : `--${flag}`
  const help = `\`manystart ${name} --help\` lists its flags.`
  const owner = close === undefined ? await ownerOf(flag) : undefined
  if (owner !== undefined) return `\`manystart ${name}\` has no flag ${shown}, though \`${owner}\` has; ${help}`
  const nearest = close ?? nearestName(flag, own)
  return `Unknown flag ${shown} of \`manystart ${name}\`${nearest === undefined ? '' : `; did you mean --${nearest}?`} ${help}`
}

/** yargs' complaint as one sentence with the nearest known name. */
async function usageSentence(
  message: string,
  name: string,
  command: Command,
  words: readonly string[]
): Promise<string> {
  const [, bare] = /^Not enough arguments following: (.+)/.exec(message) ?? []
  if (bare !== undefined)
    return `--${bare} needs a value; \`manystart ${name} --help\` lists the flags and what they take.`
  const [, missing] = /^Missing required arguments?: (\S+)/.exec(message) ?? []
  if (missing !== undefined) return `--${missing} is missing; give it a value (\`manystart ${name} --help\`).`
  if (/^Not enough non-option arguments/.test(message))
    return `\`manystart ${usageOf(name, command)}\` needs ${(command.positionals ?? [])
      .filter(p => p.required)
      .map(p => `a ${p.name} (${p.describe})`)
      .join(' and ')}; \`manystart ${name} --help\` shows the usage.`
  const [unknown] = /Unknown (?:arguments?|commands?): (.+)/.exec(message)?.[1].split(', ') ?? []
  if (unknown !== undefined && words.includes(unknown)) {
    const below = Object.keys(command.commands ?? {})
    if (below.length > 0 && words[0] === unknown)
      return `Unknown command "${unknown}" of \`manystart ${name}\`; did you mean ${nearestName(unknown, below)}? Known: ${below.join(', ')}.`
    return `"${unknown}" is one word too many; \`manystart ${usageOf(name, command)}\` takes what stands there, and values of flags follow their flag.`
  }
  if (unknown !== undefined) return unknownFlag(name, unknown, Object.keys(flagsOf(command)))
  return `${message
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.?$/, '.')} \`manystart ${name} --help\` shows the usage.`
}

/** Flags that take a list gather all that they are given; of any other, all but one value would be lost. */
function onlyListsTwice(flags: Flags, command: Command): void {
  const table = flagsOf(command)
  for (const [name, value] of Object.entries(flags) as [string, unknown][])
    if (name !== '_' && Array.isArray(value) && table[name] !== undefined && table[name].type !== 'array')
      throw new InputError(`--${name} is given ${value.length} times (${value.join(', ')}); leave one.`)
}

/**
 * @param name the command as typed, such as `study` or `bench compare`
 * @param words what follows it
 * @throws InputError for flags and words that the command does not take
 */
export async function parseFlags(name: string, command: Command, words: readonly string[]): Promise<Flags> {
  const positionals = command.positionals ?? []
  const usage = ['$0', ...positionals.map(positionalUsage)].join(' ')
  let complaint: string | undefined
  const flags = (await yargs([...words])
    .scriptName('manystart')
    .detectLocale(false)
    .parserConfiguration({ 'parse-numbers': false, 'parse-positional-numbers': false })
    .command(
      usage,
      '',
      builder => {
        for (const p of positionals) builder.positional(p.name, { type: 'string', describe: p.describe })
        return builder.options(flagsOf(command))
      },
      () => undefined
    )
    .strict()
    .help(false)
    .version(false)
    .exitProcess(false)
    .fail((message, error) => {
      // yargs' own errors are about usage; the first is the one to tell.
      if (error && error.name !== 'YError') throw error
      complaint ??= message ?? error.message
    })
    .parseAsync()) as Flags
  if (complaint !== undefined) throw new InputError(await usageSentence(complaint, name, command, words))
  onlyListsTwice(flags, command)
  return flags
}
