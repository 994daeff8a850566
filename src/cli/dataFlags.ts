/** Flags of the `data` part of a study. */
import { existsSync } from 'node:fs'
import { InputError } from '../core/errors.js'
import { quoted } from '../core/printable.js'
import { builtins } from '../data/builtin.js'
import type { Flags, FlagTable } from './command.js'
import { fieldFlags, flag, given, listFlag, numberFlag, text } from './flagValues.js'

export const dataOptions: FlagTable = {
  ...fieldFlags('data'),
  data: text(
    'FILE',
    `CSV or Parquet file, - for standard input, or built-in data set (${Object.keys(builtins).join(', ')})`
  ),
  'drop-missing': flag('leave out rows with a missing or unreadable value in a column that is used'),
  'test-fraction': text('0.3', 'share of rows held out'),
  'test-seed': text('N', 'seed of the split'),
  'test-csv': text('FILE', 'file of held-out rows')
}

/** rows:200,inputs:3 → {rows: 200, inputs: 3}; what the names and numbers may be, the schema knows. */
function generateFlag(flags: Flags): Record<string, unknown> {
  return Object.fromEntries(
    (listFlag(flags, 'generate') ?? []).map(part => {
      const [name = '', size = ''] = part.split(':')
      if (size.trim() === '' || !Number.isFinite(Number(size)))
        throw new InputError(
          `--generate is ${quoted(String(flags['generate']))}; give pairs such as rows:200,inputs:3,overlap:0.1,seed:1.`
        )
      return [name, Number(size)]
    })
  )
}

/** Where the table comes from; a flag takes the place of whatever the file names. */
function sourceFlag(flags: Flags): Record<string, unknown> {
  const named = flags['data']
  const generated = flags['generate']
  if (named !== undefined && generated !== undefined)
    throw new InputError('--data and --generate both name the data; give one of them.')
  const nothing = {
    csv: undefined,
    parquet: undefined,
    builtin: undefined,
    generate: undefined,
    columns: undefined,
    rows: undefined,
    hash: undefined
  }
  if (generated !== undefined) return { ...nothing, generate: generateFlag(flags) }
  if (named === undefined) return {}
  const name = String(named)
  if (Object.hasOwn(builtins, name) && !existsSync(name)) return { ...nothing, builtin: name }
  return /\.(parquet|pq)$/i.test(name) ? { ...nothing, parquet: name } : { ...nothing, csv: name }
}

function testFlag(flags: Flags, fromFile: unknown): unknown {
  const whole = flags['test']
  const fraction = numberFlag(flags, 'test-fraction')
  const seed = numberFlag(flags, 'test-seed')
  const file = flags['test-csv']
  if (whole === 'none') {
    if (fraction !== undefined || seed !== undefined || file !== undefined)
      throw new InputError('--test none holds no rows out; leave the other flags of held-out rows away.')
    return 'none'
  }
  if (file !== undefined) return { csv: file }
  const share = whole === undefined || whole === '' ? NaN : Number(whole)
  if (whole !== undefined && Number.isNaN(share)) return { csv: whole }
  if (whole === undefined && fraction === undefined && seed === undefined) return undefined
  const before = typeof fromFile === 'object' && fromFile !== null && !('csv' in fromFile) ? fromFile : {}
  return { ...before, ...given({ fraction: fraction ?? (whole === undefined ? undefined : share), seed }) }
}

/** `--reference region=north,sex=f` */
function referenceFlag(flags: Flags): Record<string, string> | undefined {
  const pairs = listFlag(flags, 'reference')
  return (
    pairs &&
    Object.fromEntries(
      pairs.map(pair => {
        const at = pair.lastIndexOf('=')
        if (at < 1)
          throw new InputError(`--reference is ${quoted(pair)}; give the column and its level, such as region=north.`)
        return [pair.slice(0, at), pair.slice(at + 1)]
      })
    )
  )
}

function delimiterFlag(flags: Flags): string | undefined {
  const value = flags['delimiter']
  if (value === undefined) return undefined
  const words: Readonly<Record<string, string>> = {
    tab: '\t',
    '\\t': '\t',
    comma: ',',
    semicolon: ';',
    space: ' ',
    bar: '|'
  }
  const sign = Object.hasOwn(words, String(value)) ? words[String(value)] : String(value)
  if (sign.length !== 1)
    throw new InputError(`--delimiter is ${quoted(String(value))}; give one character, such as ";", or the word tab.`)
  return sign
}

/** The data fields of the study file with those of the flags over them. */
export function mergeData(file: Readonly<Record<string, unknown>>, flags: Flags): Record<string, unknown> {
  return given({
    ...file,
    ...sourceFlag(flags),
    ...given({
      target: flags['target'],
      trials: flags['trials'],
      features: flags['features'] === 'none' ? [] : listFlag(flags, 'features'),
      exclude: listFlag(flags, 'exclude'),
      categorical: listFlag(flags, 'categorical'),
      numeric: listFlag(flags, 'numeric'),
      reference: referenceFlag(flags),
      missing: flags['drop-missing'] === undefined ? undefined : flags['drop-missing'] === true ? 'drop' : 'refuse',
      dropAliased: flags['drop-aliased'],
      missingValues: listFlag(flags, 'missing', true),
      delimiter: delimiterFlag(flags),
      decimal: flags['decimal'],
      weights: flags['weights'],
      offset: flags['offset'],
      exposure: flags['exposure'],
      standardize: flags['standardize'],
      standardizeTarget: flags['standardize-target'],
      test: testFlag(flags, file['test'])
    })
  })
}
