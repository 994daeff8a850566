/** Flags that the commands below `bench` share, and how their words are read. */
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { InputError } from '../../../core/errors.js'
import { knownNames } from '../../../core/names.js'
import type { EngineEntry } from '../../../engines/types.js'
import type { Flag, Flags, FlagTable } from '../../command.js'
import { checkPlace, writeResult } from '../../../runs/ours.js'
import { say } from '../../common.js'

export const list = (describe: string, value?: string): Flag => ({
  type: 'array',
  string: true,
  requiresArg: true,
  describe,
  ...(value === undefined ? {} : { value })
})
export const text = (describe: string, value?: string): Flag => ({
  type: 'string',
  requiresArg: true,
  describe,
  ...(value === undefined ? {} : { value })
})

export const common = {
  quiet: { type: 'boolean', describe: 'no progress' },
  json: { type: 'boolean', describe: 'print the result alone, as JSON' },
  out: text('file for the result as JSON')
} satisfies FlagTable

/** `--engine cpu reference` and `--engine cpu,reference` alike. */
function wordsOf(flags: Flags, name: string): string[] | undefined {
  const value = flags[name] as unknown
  if (value === undefined) return undefined
  return (Array.isArray(value) ? value : [value]).flatMap(v => String(v).split(',')).map(v => v.trim())
}

/** @throws InputError for a word that is not known */
export function listed<T extends string>(flags: Flags, name: string, known: readonly T[]): T[] | undefined {
  return wordsOf(flags, name)?.map(part => {
    const found = known.find(k => k === part)
    if (found === undefined) throw new InputError(`--${name} is "${part}"; ${knownNames(part, known)}.`)
    return found
  })
}

/** @throws InputError now rather than after minutes of work */
export async function checkOut(out: string): Promise<void> {
  if (!existsSync(dirname(out))) throw new InputError(`The directory of --out ${out} does not exist; create it first.`)
  await checkPlace(out)
}

/** Puts a record of what was measured in place; one that a stop has cut short replaces none. @returns whether it was put there */
export async function writeMeasured(path: string, text: string, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted && statSync(path, { throwIfNoEntry: false })?.isFile() === true) {
    say(`The measuring was stopped, so ${path} stays as it was.`)
    return false
  }
  await writeResult(path, text)
  return true
}

/**
 * The devices that the words of --device mean: a name, or a part of one as with `study --device`.
 * @throws InputError for a word that no device of the chosen engines has in its name
 */
export async function chosenDevices(flags: Flags, chosen: readonly EngineEntry[]): Promise<string[] | undefined> {
  const words = wordsOf(flags, 'device')
  if (words === undefined) return undefined
  const known: string[] = []
  for (const entry of chosen) known.push(...((await entry.devices?.()) ?? []).map(d => d.name))
  if (known.length === 0) {
    const have = chosen.length > 1 ? 'have' : 'has'
    const names = chosen.map(e => e.name).join(' and ')
    throw new InputError(`--device is given, but ${names} ${have} no devices to choose from; leave it out.`)
  }
  return words.flatMap(word => {
    if (known.includes(word)) return [word]
    const meant = known.filter(name => name.toLowerCase().includes(word.toLowerCase()))
    if (word === '' || meant.length === 0) throw new InputError(`--device is "${word}"; ${knownNames(word, known)}.`)
    return meant
  })
}
