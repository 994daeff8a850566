/** The texts of `--help` and of `manystart` alone, at the terminal's width. */
import { definitions, wrap } from '../core/text.js'
import { usageOf, type Command, type Entry, type FlagTable } from './command.js'
import { bold } from './terminal.js'

const about =
  'Manystart trains one small model from many random starts and says what lies at the end of every run: which minima there are, ' +
  'how often each is found, and whether the result depends on the start.'

const firstSteps: readonly (readonly [string, string])[] = [
  ['manystart contrast --data iris2', 'convex and non-convex models side by side, one report'],
  ['manystart check --data FILE.csv --target COLUMN', 'is there a minimiser at all?'],
  ['manystart study --data FILE.csv --target COLUMN --hidden 3', 'a network with three hidden units, 1000 starts'],
  ['manystart engines', 'what can compute here']
]

/** A command to be copied: where it is wider than the terminal, on lines that a shell reads as one. */
function toCopy(line: string, width: number): string[] {
  if (2 + line.length <= width) return [`  ${line}`]
  // A flag and its value stay together.
  const [first, ...parts] = line.match(/--\S+(?: (?!-)\S+)?|\S+/g)!
  const lines = [`  ${first}`]
  for (const part of parts) {
    const longer = `${lines[lines.length - 1]} ${part}`
    if (longer.length + 2 <= width) lines[lines.length - 1] = longer
    else lines.push(`    ${part}`)
  }
  return lines.map((text, i) => (i < lines.length - 1 ? `${text} \\` : text))
}

/** Lines to copy with what they do: beside each other where both fit, else one below the other. */
function examples(rows: readonly (readonly [string, string])[], width: number): string[] {
  const longest = Math.max(...rows.map(([line]) => line.length))
  const beside = rows.every(([, what]) => 2 + longest + 2 + what.length <= width)
  return rows.flatMap(([line, what]) =>
    beside
      ? [`  ${line.padEnd(longest)}  ${what}`]
      : [...toCopy(line, width), ...wrap(what, width - 6).map(text => `      ${text}`)]
  )
}

/** What `manystart` alone prints. */
export const guide = (width: number): string =>
  [
    ...wrap(about, width),
    '',
    bold('Try:'),
    ...examples(firstSteps, width),
    '',
    ...wrap('manystart --help lists all commands, manystart COMMAND --help the flags of one.', width)
  ].join('\n')

/** What `manystart --help` prints. */
export function programHelp(commands: Readonly<Record<string, Entry>>, width: number): string {
  const groups = [...new Set(Object.values(commands).map(entry => entry.group))]
  return [
    ...wrap(about, width),
    '',
    `${bold('Usage:')} manystart <command> [flags]`,
    ...groups.flatMap(group => [
      '',
      bold(`${group}:`),
      ...definitions(
        Object.entries(commands)
          .filter(([, entry]) => entry.group === group)
          .map(([name, entry]) => [name, entry.describe]),
        width
      )
    ]),
    '',
    bold('Try:'),
    ...examples(firstSteps, width),
    '',
    ...wrap('manystart COMMAND --help shows the flags of a command and examples. --version shows the version.', width)
  ].join('\n')
}

/** `--hidden 5,3`, `--quiet` */
function flagText(name: string, flag: FlagTable[string]): string {
  if (flag.type === 'boolean') return `--${name}`
  return `--${name} ${flag.value ?? name.split('-').at(-1)!.toUpperCase()}`
}

const described = ({ describe = '', alias }: FlagTable[string]): string =>
  alias === undefined ? describe : `${describe}; --${String(alias)} is the same`

/** What `manystart NAME --help` prints. */
export function commandHelp(name: string, describe: string, command: Command, width: number): string {
  const below = Object.entries(command.commands ?? {})
  return [
    ...wrap(`Usage: manystart ${usageOf(name, command)} [flags]`, width).map((line, i) =>
      i === 0 ? line.replace('Usage:', bold('Usage:')) : line
    ),
    '',
    ...wrap(describe, width),
    ...(below.length > 0
      ? [
          '',
          bold('Commands:'),
          ...definitions(
            below.map(([word, sub]) => [word, sub.describe] as const),
            width
          )
        ]
      : []),
    ...((command.positionals ?? []).length > 0
      ? [
          '',
          ...definitions(
            (command.positionals ?? []).map(p => [p.name, p.describe] as const),
            width
          )
        ]
      : []),
    ...Object.entries(command.flags ?? {}).flatMap(([title, flags]) => [
      '',
      bold(`${title}:`),
      ...definitions(
        Object.entries(flags).map(([flag, options]) => [flagText(flag, options), described(options)]),
        width
      )
    ]),
    ...(command.examples ? ['', bold('Examples:'), ...examples(command.examples, width)] : [])
  ].join('\n')
}
