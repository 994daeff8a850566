/** Made-up inputs: tables, study files, flags and directories that somebody or something has spoilt. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Random } from '../random.js'

export interface Case {
  readonly kind: string
  readonly args: readonly string[]
  /** Directory that the program may write to, inside the folder of the case; what else is there must stay. */
  readonly out?: string
}

/** Cells and names that have been trouble somewhere. */
const cells: readonly string[] = [
  '',
  ' ',
  '0',
  '-0',
  '1e999',
  '-1e999',
  '1e-320',
  '1e308',
  '-1e308',
  '9007199254740993',
  '1,5',
  '1.5.2',
  '0x10',
  '१',
  'NA',
  'null',
  'true',
  '=1+1',
  '"',
  '""',
  '"a""b"',
  '\u001b[31mred\u001b[0m',
  '\u0007\b\u007f\u009b',
  '\u202egnp',
  '\u0000',
  '2024-01-01',
  '__proto__',
  'constructor',
  'toString',
  '😀'.repeat(40),
  'x'.repeat(300_000)
]

const numbers: readonly unknown[] = [
  0,
  -1,
  1,
  2,
  3,
  0.5,
  -0,
  1e-320,
  1e-300,
  1e300,
  1e999,
  2 ** 31,
  2 ** 53,
  1e21,
  NaN,
  '',
  ' ',
  'x',
  '__proto__',
  null,
  true,
  false,
  [],
  {},
  [1, 2],
  ['a', 'b'],
  { a: 1 },
  [[[]]],
  'y'.repeat(300_000)
]

function table(random: Random): string[][] {
  const columns = 1 + random.below(4)
  const rows = random.of([0, 1, 2, 5, 12, 30])
  const header = Array.from({ length: columns }, (_, c) => `x${c}`)
  const body = Array.from({ length: rows }, () => header.map(() => (random.next() * 10 - 5).toFixed(2)))
  return [[...header, 'y'], ...body.map(row => [...row, random.of(['a', 'b'])])]
}

/** Bytes of a table, a few of them wrong. */
export function spoiltTable(random: Random): Buffer {
  const cellsOf = table(random)
  for (let k = random.below(4); k > 0; k--) {
    const row = random.of(cellsOf)
    row[random.below(row.length)] = random.of(cells)
  }
  if (random.chance(0.15)) random.of(cellsOf).push('1')
  if (random.chance(0.15)) random.of(cellsOf).pop()
  const delimiter = random.of([',', ',', ',', ';', '\t', '|', ' '])
  const end = random.of(['\n', '\n', '\r\n', '\r'])
  const text = cellsOf.map(row => row.join(delimiter)).join(end) + (random.chance(0.8) ? end : '')
  const bytes = Buffer.from(text, random.of(['utf8', 'utf8', 'utf8', 'latin1', 'utf16le'] as const))
  return spoilBytes(bytes, random, random.of([0, 0, 0, 1, 5]))
}

/** Bytes flipped, cut or doubled. */
export function spoilBytes(bytes: Buffer, random: Random, changes: number): Buffer {
  let out: Buffer = Buffer.from(bytes)
  for (let k = 0; k < changes && out.length > 0; k++) {
    const at = random.below(out.length)
    const how = random.below(5)
    if (how === 0) out[at] ^= 1 << random.below(8)
    else if (how === 1) out[at] = random.below(256)
    else if (how === 2) out = out.subarray(0, at)
    else if (how === 3) out = Buffer.concat([out.subarray(0, at), out.subarray(at, at + 20), out.subarray(at)])
    else out = Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + random.below(20))])
  }
  return out
}

type Tree = Record<string, unknown>

/** All paths into a tree, those of inner nodes included. */
function pathsOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (value === null || typeof value !== 'object') return [path]
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  // A list of a thousand alike is as good as its beginning.
  return [path, ...entries.slice(0, 40).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))]
}

/** A copy with a few fields missing, of another type, or under another name. */
export function spoilTree(tree: unknown, random: Random, changes: number): unknown {
  const out = structuredClone(tree)
  for (let k = 0; k < changes; k++) {
    const path = random.of(pathsOf(out).filter(p => p.length > 0))
    if (!path) return structuredClone(random.of(numbers))
    let at = out as Tree
    for (const key of path.slice(0, -1)) at = at[key] as Tree
    const key = path[path.length - 1]
    const how = random.below(4)
    if (how === 0) delete at[key]
    else if (how === 1)
      Object.defineProperty(at, `${key}x`, { value: at[key], enumerable: true, writable: true, configurable: true })
    else at[key] = structuredClone(random.of(numbers))
  }
  return out
}

const studyTree = (random: Random): Tree => ({
  data: { csv: 'data.csv', target: 'y', standardize: random.chance(0.5) },
  model: { hidden: random.of([[], [2], [2, 2]]), activation: 'tanh', loss: 'logistic', ridge: 0.01 },
  starts: { count: 3, seed: 1, init: random.of<unknown>([{ normal: 1 }, { uniform: 3 }, 'glorot']) },
  optimizer: random.of<unknown>(['newton', { adam: { learningRate: 0.01, batchSize: 4 } }, 'lbfgs', { gd: {} }]),
  stop: { steps: 20, gradient: 1e-8 },
  keep: random.of(['all', 'end'])
})

/** A study file, mostly nearly right. */
export function spoiltStudy(random: Random): Buffer {
  if (random.chance(0.04))
    return Buffer.from(
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\ndata: {csv: *e}\n`
    )
  if (random.chance(0.04)) return Buffer.from('{'.repeat(1 + random.below(100_000)))
  const tree = spoilTree(studyTree(random), random, random.of([0, 1, 1, 1, 2, 4]))
  const text = random.chance(0.5) ? stringify(tree) : JSON.stringify(tree)
  return spoilBytes(Buffer.from(text), random, random.of([0, 0, 0, 1, 3]))
}

const small = ['--starts', '3', '--steps', '20', '--quiet']

const tableCase = (folder: string, random: Random): Case => {
  writeFileSync(join(folder, 'data.csv'), spoiltTable(random))
  const target = random.chance(0.8) ? ['--target', random.of(['y', 'x0', 'nothing', ''])] : []
  const data = ['--data', 'data.csv', ...target, ...(random.chance(0.2) ? ['--drop-missing'] : [])]
  const args = random.of<readonly string[]>([
    ['check', ...data],
    ['check', ...data, '--json'],
    ['study', ...data, ...small],
    ['study', ...data, ...small, '--json', '--hidden', '2'],
    ['study', ...data, ...small, '--out', 'out']
  ])
  return { kind: 'table', args, ...(args.includes('--out') ? { out: 'out' } : {}) }
}

const goodTable = 'x0,x1,y\n1,2,a\n2,1,b\n3,5,a\n4,1,b\n2.5,2,a\n1.5,0,b\n'

const studyCase = (folder: string, random: Random): Case => {
  writeFileSync(join(folder, 'data.csv'), goodTable)
  writeFileSync(join(folder, 'study.yaml'), spoiltStudy(random))
  return { kind: 'study file', args: ['study', 'study.yaml', '--out', 'out', '--quiet'], out: 'out' }
}

/** Flags that take a value, and those that take none. */
const valued = [
  '--starts --seed --threads --lanes --hidden --loss --activation --ridge --steps --gradient --optimizer --learning-rate --batch-size',
  '--init --engine --precision --target --numeric --categorical --exclude --weights --offset --trials --name --keep --shard --unseen',
  '--test-fraction --data --delimiter --decimal --generate --formula --objective --point --start --best --format --design --starts-file'
].flatMap(line => line.split(' '))
const bare = [
  '--standardize',
  '--json',
  '--force',
  '--drop-missing',
  '--quiet',
  '--penalize-bias',
  '--all',
  '--no-bias',
  '--firth'
]
const values = [
  ...cells.filter(cell => !cell.includes('\u0000')),
  ...[
    '5,3',
    '-1',
    '1e9',
    '1e99',
    '3/4',
    '9/4',
    '0/0',
    'iris2',
    'data.csv',
    '/dev/null',
    '.',
    'newton',
    'cpu',
    'reference',
    'rows:10,inputs:2'
  ],
  ...['y', 'x0', 'softmax', 'squared', 'tanh', 'normal:1', 'sobol', 'json', 'r', 'a*x0', 'a^2']
]

const flagCase = (folder: string, random: Random): Case => {
  writeFileSync(join(folder, 'data.csv'), goodTable)
  const args = [random.of(['study', 'study', 'study', 'check', 'contrast', 'slurm', 'merge', 'nonsense'])]
  if (random.chance(0.8)) args.push('--data', 'data.csv', '--target', 'y')
  for (let k = 1 + random.below(4); k > 0; k--)
    if (random.chance(0.3)) args.push(random.of(bare))
    else args.push(random.of(valued), random.of(values))
  if (random.chance(0.1)) args.push(random.of(values))
  for (const [name, value] of [
    ['--starts', '3'],
    ['--steps', '20']
  ])
    if (!args.includes(name) && (args[0] === 'study' || args[0] === 'contrast')) args.push(name, value)
  return { kind: 'flags', args: [...args, '--out', 'out'], out: 'out' }
}

const filesOf = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .sort()

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // It has been spoilt before.
    return {}
  }
}

/** Spoils one file of a study's directory. */
function spoilFile(directory: string, random: Random): void {
  const path = random.of(filesOf(directory).filter(file => !file.endsWith('.html')))
  const how = random.below(8)
  const bytes = readFileSync(path)
  if (how === 0) rmSync(path)
  else if (how === 1) truncateSync(path, random.below(bytes.length + 1))
  else if (how === 2) {
    rmSync(path)
    mkdirSync(path)
  } else if (how === 3) {
    rmSync(path)
    symlinkSync(join(directory, '..', 'mine.txt'), path)
  } else if (/\.jsonl?$/.test(path) && how < 7) {
    // One value on all lines, or one on each.
    const lines = path.endsWith('.json') ? [bytes.toString()] : bytes.toString().trimEnd().split('\n')
    const at = random.below(lines.length)
    lines[at] = JSON.stringify(spoilTree(parsed(lines[at]), random, 1 + random.below(3))) ?? ''
    writeFileSync(path, `${lines.join('\n')}\n`)
  } else writeFileSync(path, spoilBytes(bytes, random, 1 + random.below(4)))
}

/** @param studies directories of sound studies */
const directoryCase = (folder: string, random: Random, studies: readonly string[]): Case => {
  const from = random.of(studies)
  const directory = join(folder, 'out')
  cpSync(from, directory, { recursive: true })
  writeFileSync(join(folder, 'data.csv'), goodTable)
  writeFileSync(join(folder, 'mine.txt'), 'mine\n')
  if (random.chance(0.1)) {
    const other = random.of(studies)
    const name = random.of(['study.json', 'summary.json', join('runs', 'parts.jsonl')])
    if (existsSync(join(other, name))) cpSync(join(other, name), join(directory, name))
  } else
    for (let k = 1 + random.below(2); k > 0; k--) if (statSync(directory).isDirectory()) spoilFile(directory, random)
  const args = random.of<readonly string[]>([
    ['report', 'out'],
    ['report', 'out', '--loss-tolerance', '1e-6'],
    ['replay', 'out', '--start', '1', '--json'],
    ['predict', 'out', '--data', 'data.csv'],
    ['predict', 'out', '--data', 'data.csv', '--all'],
    ['predict', 'out', '--data', 'data.csv', '--start', '2'],
    ['export', 'out', '--format', random.of(['json', 'python', 'r', 'csv'])],
    ['study', '--resume', 'out', '--quiet'],
    ['study', '--resume', 'out', '--starts', '20', '--quiet'],
    ['study', '--data', 'data.csv', '--target', 'y', ...small, '--out', 'out', '--force'],
    ['merge', 'merged', 'out']
  ])
  return { kind: 'directory', args, out: args[0] === 'merge' ? 'merged' : 'out' }
}

/** Lays a case out in an empty folder. */
export function makeCase(folder: string, random: Random, studies: readonly string[]): Case {
  const kind = random.below(4)
  if (kind === 0) return tableCase(folder, random)
  if (kind === 1) return studyCase(folder, random)
  if (kind === 2) return flagCase(folder, random)
  return directoryCase(folder, random, studies)
}

/** Studies whose directories are spoilt. */
export const soundStudies: readonly (readonly string[])[] = [
  ['--data', 'data.csv', '--target', 'y', '--ridge', '0.1', '--starts', '10'],
  ['--data', 'data.csv', '--target', 'y', '--hidden', '2', '--ridge', '0.01', '--starts', '12', '--steps', '50'],
  ['--data', 'data.csv', '--target', 'x1', '--hidden', '1', '--test-fraction', '0.3', '--starts', '8', '--steps', '50']
]
export const soundTable = goodTable
