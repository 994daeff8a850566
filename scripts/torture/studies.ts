/** Studies that differ in what is under way when they are killed: the model, what is kept and judged, where starts come from. */
import { writeFileSync } from 'node:fs'
import type { Random } from '../random.js'

interface Kind {
  readonly flags: readonly string[]
  /** As many as the cpu engine goes through in a second or few. */
  readonly starts: number
  /** Whether starts may be of a design, or come from a file with the columns a and b. */
  readonly points?: boolean
  /** Flags that the cpu engine alone takes. */
  readonly cpu?: readonly string[]
}

const normal = '{init: {normal: 1}}'
const near = '{init: {uniform: [-3, 3]}}'

const kinds: Readonly<Record<string, Kind>> = {
  'a small network': {
    flags: [
      ...['--data', 'iris2', '--standardize', '--hidden', '3', '--ridge', '0.001'],
      ...['--penalize-bias', '--design', 'sobol']
    ],
    starts: 20_000
  },
  'a convex model': { flags: ['--data', 'iris2', '--standardize'], starts: 150_000 },
  'mini-batches': {
    flags: [
      ...['--data', 'iris2', '--standardize', '--hidden', '2', '--optimizer', 'adam'],
      ...['--batch-size', '10', '--steps', '300']
    ],
    starts: 1000
  },
  'held-out rows': {
    flags: ['--data', 'iris2', '--standardize', '--hidden', '2', '--ridge', '0.01', '--test-fraction', '0.3'],
    starts: 10_000,
    cpu: ['--precision', 'f32']
  },
  'a formula': {
    flags: [
      ...['--generate', 'rows:60,inputs:2,overlap:0.1,seed:1', '--formula', 'a + b * tanh(c * x1 + d * x2)'],
      ...['--parameters', `{a: ${normal}, b: ${normal}, c: ${normal}, d: ${normal}}`, '--steps', '100']
    ],
    starts: 5000
  },
  'an objective': {
    flags: [
      ...['--objective', '20 + a^2 + b^2 - 10 * (cos(6.283185307179586 * a) + cos(6.283185307179586 * b))'],
      ...['--parameters', `{a: ${near}, b: ${near}}`]
    ],
    starts: 20_000,
    points: true
  }
}

/** How many starts other engines go through in the time in which the cpu engine does one, on a machine without a GPU; of each study at least a few. */
const pace: Readonly<Record<string, number>> = { reference: 1 / 60, tensorflow: 1 / 60, webgpu: 1 / 60 }
const fewest = 60

export interface TortureStudy {
  readonly name: string
  /** All but the number of starts. */
  readonly flags: readonly string[]
  readonly starts: number
  /** With how many it begins: the others are added later. */
  readonly first: number
}

/** @param points where to put a file of starts of the study's own */
export function drawStudy(
  round: number,
  engine: string,
  device: string | undefined,
  random: Random,
  points: string
): TortureStudy {
  const [name, kind] = Object.entries(kinds)[round % Object.keys(kinds).length]
  const starts = Math.max(fewest, Math.round(kind.starts * (pace[engine] ?? 1)))
  const flags = [...kind.flags, '--engine', engine, ...(device === undefined ? [] : ['--device', device])]
  const words = [name]
  const add = (...more: readonly string[]): void => {
    flags.push(...more)
    words.push(more.join(' '))
  }
  if (kind.cpu && engine === 'cpu') flags.push(...kind.cpu)
  if (kind.points === true && random.chance(0.5)) {
    const coordinate = (): string => (6 * random.next() - 3).toFixed(6)
    writeFileSync(
      points,
      ['a,b', ...Array.from({ length: starts }, () => `${coordinate()},${coordinate()}`)].join('\n')
    )
    flags.push('--starts-file', points)
    words.push('own starts')
  } else if (!flags.includes('--design') && random.chance(0.2)) add('--design', 'sobol')
  const keep = random.of(['', 'all', 'end', 'none'])
  if (keep !== '') add('--keep', keep)
  const judge = random.of(['', '', 'sample:0.3', 'best:0.2'])
  if (judge !== '') add('--judge', judge)
  const stops = random.chance(0.2)
  if (stops) add('--unseen', random.of(['0.02', '0.1']))
  add('--seed', String(1 + random.below(1000)))
  // The best runs are those of each part, and parts that are there stay as they are.
  const first = !stops && !judge.startsWith('best') && random.chance(0.4) ? 1 + random.below(starts - 1) : starts
  words.push(`${starts} starts${first < starts ? `, ${first} at first` : ''}`)
  return { name: words.join(', '), flags, starts, first }
}
