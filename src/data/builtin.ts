/** Data sets that come with the program, and a generator of two-class data. */
import { InputError } from '../core/errors.js'
import { knownNames } from '../core/names.js'
import { quoted } from '../core/printable.js'
import { Stream, normalQuantile, uniform, words } from '../core/rng.js'
import { totalmem } from 'node:os'
import { formatBytes } from '../core/units.js'
import { parseTable } from './delimited.js'
import { numberColumnOf, type Table } from './table.js'
import { endometrial, insectSprays, iris, longley } from './tables/tables.js'

/** Share of the machine's memory that a table may take. */
const memoryShare = 0.25

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
export async function builtinTable(name: string): Promise<{ table: Table; target: string }> {
  const found = Object.hasOwn(builtins, name) ? builtins[name] : undefined
  if (!found)
    throw new InputError(
      `There is no file and no built-in data set ${quoted(name)}; ${knownNames(name, Object.keys(builtins))}, or give the path of a CSV or Parquet file.`
    )
  return { table: await parseTable(found.text(), name), target: found.target }
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
  const bytes = 8 * rows * (inputs + 1)
  if (bytes > memoryShare * totalmem())
    throw new InputError(
      `data.generate asks for ${rows} rows of ${inputs} inputs, which take ${formatBytes(bytes)} of memory; ask for fewer.`
    )
  const columns = Array.from({ length: inputs + 1 }, () => new Float64Array(rows))
  for (let i = 0; i < rows; i++) {
    const y = i % 2
    const random = words(seed, Stream.generator, i, 0, inputs)
    for (let d = 0; d < inputs; d++) columns[d][i] = normalQuantile(uniform(random[d])) + (y === 1 ? shift : -shift)
    columns[inputs][i] = y
  }
  return {
    source: 'generated data',
    header: [...Array.from({ length: inputs }, (_, d) => `x${d + 1}`), 'y'],
    rows,
    columns: columns.map(numberColumnOf),
    notes: []
  }
}
