/** Data sets that come with the program, and a generator of two-class data. */
import { InputError } from '../core/errors.js'
import { knownNames } from '../core/names.js'
import { Stream, normalQuantile, uniform, words } from '../core/rng.js'
import { parseTable, type Table } from './csv.js'
import { endometrial, insectSprays, iris, longley } from './tables/tables.js'

interface Builtin {
  readonly text: () => string
  readonly target: string
  readonly about: string
  /** Two columns that a contrast takes unless told otherwise, so that what the models decide can be drawn. */
  readonly drawn?: readonly [string, string]
}

/** Versicolor and virginica only: rows 51-150. */
const iris2Text = (): string => {
  const [header, ...rows] = iris.trim().split('\n')
  return [header, ...rows.slice(50)].join('\n')
}

export const builtins: Readonly<Record<string, Builtin>> = {
  iris2: {
    text: iris2Text,
    target: 'Species',
    about: 'iris, versicolor against virginica: 100 rows, 4 columns',
    drawn: ['Sepal.Length', 'Petal.Width']
  },
  iris3: { text: () => iris, target: 'Species', about: 'iris, three species: 150 rows, 4 columns' },
  endometrial: {
    text: () => endometrial,
    target: 'HG',
    about: 'endometrial cancer: 79 rows, 3 columns, quasi-separated'
  },
  insect_sprays: { text: () => insectSprays, target: 'count', about: 'insect counts under six sprays: 72 rows' },
  longley: { text: () => longley, target: 'Employed', about: 'macroeconomic series: 16 rows, 6 collinear columns' },
  xor: { text: () => 'a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n', target: 'y', about: 'exclusive or: 4 rows, 2 columns' }
}

/** @throws InputError for an unknown name. */
export function builtinTable(name: string): { table: Table; target: string } {
  const found = Object.hasOwn(builtins, name) ? builtins[name] : undefined
  if (!found)
    throw new InputError(
      `There is no file and no built-in data set "${name}"; ${knownNames(name, Object.keys(builtins))}, or give the path of a CSV file.`
    )
  return { table: parseTable(found.text(), name), target: found.target }
}

/**
 * Two classes, N(±δ, 1) in every input, equally many rows each. `overlap` is the error rate of the best rule, in (0, 0.5]: the centres
 * lie 2δ√D apart with Φ(−δ√D) = overlap.
 */
export function generateTable(options: { rows: number; inputs: number; overlap: number; seed: number }): Table {
  const { rows, inputs, overlap, seed } = options
  if (!(overlap > 0 && overlap <= 0.5))
    throw new InputError(
      `data.generate.overlap is ${overlap}; it is the best rule's error rate, above 0 and at most 0.5.`
    )
  const shift = -normalQuantile(overlap) / Math.sqrt(inputs)
  const header = [...Array.from({ length: inputs }, (_, d) => `x${d + 1}`), 'y']
  const cells = Array.from({ length: rows }, (_, i) => {
    const y = i % 2
    const random = words(seed, Stream.generator, i, 0, inputs)
    return [...Array.from(random, w => String(normalQuantile(uniform(w)) + (y === 1 ? shift : -shift))), String(y)]
  })
  return { source: 'generated data', header, cells, lines: cells.map((_, i) => i + 2) }
}
