/** Values of flags: what kinds there are, and how their text becomes lists and numbers. */
import { parse } from 'csv-parse/sync'
import { InputError } from '../core/errors.js'
import { quoted } from '../core/printable.js'
import { parseYaml } from '../core/yaml.js'
import { fields } from '../study/schema.js'
import type { Flag, Flags, FlagTable } from './command.js'

/** A flag with a value, which stays text until it is looked at. */
export const text = (value: string, describe: string): Flag => ({ type: 'string', requiresArg: true, describe, value })
export const flag = (describe: string): Flag => ({ type: 'boolean', describe })

/** The flags that set the fields of a study at and below a path, by name. */
export function fieldFlags(...paths: readonly string[]): FlagTable {
  const table: Record<string, Flag> = {}
  for (const { path, meaning, facts, flag: name, isBoolean } of fields) {
    if (name === undefined || Object.hasOwn(table, name)) continue
    if (!paths.some(at => path === at || path.startsWith(`${at}.`))) continue
    const otherwise = facts.absent === undefined ? '' : `; default: ${facts.absent.replaceAll('`', '')}`
    table[name] = isBoolean ? flag(meaning) : text(facts.value ?? 'NAME', meaning + otherwise)
  }
  return table
}

/** A list: commas between its items, quotation marks around an item with a comma. Without empty items unless `empty`. */
export function listFlag(flags: Flags, name: string, empty = false): string[] | undefined {
  const value = flags[name]
  if (typeof value !== 'string') return undefined
  if (value.trim() === '') return []
  try {
    const [items = []] = parse(value, { trim: true, relax_column_count: true, to: 1 })
    return empty ? items : items.filter(item => item !== '')
  } catch {
    throw new InputError(
      `--${name} is ${quoted(value)}; give names with commas between them, and quotation marks around a name that has one: '"a,b",c'.`
    )
  }
}

/** A flag's number. @throws InputError for anything else */
export function numberFlag(flags: Flags, name: string): number | undefined {
  const value = flags[name]
  if (value === undefined) return undefined
  const n = typeof value === 'number' ? value : Number(value)
  if (String(value).trim() === '' || !Number.isFinite(n))
    throw new InputError(`--${name} is ${quoted(String(value))}; give a number.`)
  return n
}

/** A flag's positive whole number. */
export function countFlag(flags: Flags, name: string): number | undefined {
  const n = numberFlag(flags, name)
  if (n !== undefined && !(Number.isInteger(n) && n >= 1))
    throw new InputError(`--${name} is ${n}; give a whole number of at least 1.`)
  return n
}

/** Fields of the study that a flag sets; those that it leaves alone are not there. */
export const given = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** A flag's value as YAML, of which JSON is a part. */
export function yamlFlag(flags: Flags, name: string): unknown {
  const value = flags[name]
  if (value === undefined) return undefined
  try {
    return parseYaml(String(value), 0, `--${name}`)
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(`--${name} is ${quoted(String(value))}; give it as in a study file, on one line.`)
  }
}
