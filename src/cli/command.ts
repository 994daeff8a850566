/** What a command of the program is: plain data from which parsing, help, suggestions and shell completion follow. */
import type { Options } from 'yargs'

/** Values by flag. Numbers stay text until they are looked at. */
export type Flags = Readonly<Record<string, string | number | boolean | undefined>>

/** A flag; `value` names what it takes in the help, such as FILE. */
export type Flag = Options & { readonly value?: string }
export type FlagTable = Readonly<Record<string, Flag>>

export interface Positional {
  readonly name: string
  readonly describe: string
  readonly required: boolean
  /** One or more words. */
  readonly many?: boolean
}

export interface Command {
  readonly positionals?: readonly Positional[]
  /** Flags by the heading that they stand under in the help. */
  readonly flags?: Readonly<Record<string, FlagTable>>
  /** Lines to copy, each with what it does. */
  readonly examples?: readonly (readonly [line: string, what: string])[]
  /** Commands below this one; where none is named, the command itself runs. */
  readonly commands?: Readonly<Record<string, SubCommand>>
  /** @param program all commands, for those that speak of the others */
  run?(flags: Flags, program: Readonly<Record<string, Entry>>): Promise<void>
}

export interface SubCommand extends Command {
  readonly describe: string
}

/** One of the program's commands: what the list of commands says, and the way to the rest, which is loaded when it is needed. */
export interface Entry {
  readonly describe: string
  readonly group: 'Ask' | 'Look again' | 'Many machines' | 'This machine'
  load(): Promise<Command>
}

/** All flags of a command, headings aside. */
export const flagsOf = (command: Command): FlagTable =>
  Object.assign({}, ...Object.values(command.flags ?? {})) as FlagTable

/** Names of all flags of a command and of those below it. */
export const flagNames = (command: Command): string[] => [
  ...Object.keys(flagsOf(command)),
  ...Object.values(command.commands ?? {}).flatMap(flagNames)
]

/** `<directory>`, `[config]`, `<shards..>` */
export const positionalUsage = ({ name, required, many }: Positional): string =>
  required ? `<${name}${many === true ? '..' : ''}>` : `[${name}]`

/** `study [config]` */
export const usageOf = (name: string, { positionals = [], commands }: Command): string =>
  [name, ...(commands ? [`[${Object.keys(commands).join('|')}]`] : []), ...positionals.map(positionalUsage)].join(' ')
