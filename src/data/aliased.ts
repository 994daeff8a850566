/** Columns of a design that depend on those before them, and the data without them: what R's lm and glm do. */
import { listed } from '../core/printable.js'
import { columnMeans, type GivenRows } from './conditioning.js'
import { designColumns } from './design.js'
import type { Dataset, Rows, Term } from './types.js'

/**
 * Numbers of the columns of x [N, D] that are combinations of those before them, and of a constant where there is a bias: by Gram and
 * Schmidt's method, twice over. What is left of a column counts as rounding below 16 max(N, D) ε of its size as given.
 */
export function aliasedColumns(given: GivenRows, D: number, bias: boolean): number[] {
  const { rows, x, weight } = given
  const means = bias ? columnMeans(given, D) : new Float64Array(D)
  const root = Float64Array.from({ length: rows }, (_, i) => Math.sqrt(weight ? weight[i] : 1))
  const tolerance = 16 * Math.max(rows, D) * Number.EPSILON
  const basis: Float64Array[] = []
  const out: number[] = []
  const length = (v: Float64Array): number => Math.sqrt(v.reduce((sum, a) => sum + a * a, 0))
  for (let d = 0; d < D; d++) {
    const raw = Float64Array.from({ length: rows }, (_, i) => x[i * D + d] * root[i])
    const v = raw.map((_, i) => (x[i * D + d] - means[d]) * root[i])
    for (let pass = 0; pass < 2; pass++)
      for (const b of basis) {
        let part = 0
        for (let i = 0; i < rows; i++) part += b[i] * v[i]
        for (let i = 0; i < rows; i++) v[i] = v[i] - part * b[i]
      }
    const left = length(v)
    if (left > tolerance * length(raw)) basis.push(v.map(a => a / left))
    else out.push(d)
  }
  return out
}

/** Terms without some columns of their design. */
function termsWithout(terms: readonly Term[], gone: ReadonlySet<string>): Term[] {
  return terms.flatMap((term): Term[] => {
    if (term.kind === 'number') return gone.has(term.column) ? [] : [term]
    const without = term.levels.slice(1).filter(level => gone.has(term.column + level))
    return without.length === 0 ? [term] : [{ ...term, without }]
  })
}

/** The data without columns that depend on those before them, with a note that names them. */
export function withoutAliased(data: Dataset, bias: boolean): Dataset {
  const D = data.inputs
  const aliased = new Set(aliasedColumns(data, D, bias))
  if (aliased.size === 0) return data
  const kept = data.columns.map((_, d) => d).filter(d => !aliased.has(d))
  const pick = <T>(list: readonly T[]): T[] => kept.map(d => list[d])
  const part = <R extends Rows>(of: R): R => ({
    ...of,
    x: Float64Array.from(
      { length: of.rows * kept.length },
      (_, n) => of.x[Math.floor(n / kept.length) * D + kept[n % kept.length]]
    )
  })
  const names = [...aliased].map(d => data.columns[d])
  const terms = termsWithout(data.preprocessing.terms, new Set(names))
  const { standardization } = data
  const scaling = standardization && { mean: pick(standardization.mean), sd: pick(standardization.sd) }
  const columns = designColumns(terms)
  return {
    ...part(data),
    ...(data.test ? { test: part(data.test) } : {}),
    inputs: kept.length,
    columns,
    ...(scaling ? { standardization: scaling } : {}),
    preprocessing: {
      ...data.preprocessing,
      terms,
      columns,
      ...(scaling ? { standardization: scaling } : {}),
      notes: [
        ...data.preprocessing.notes,
        `${listed(names, 10)} ${names.length === 1 ? 'depends' : 'depend'} on the columns before and ${names.length === 1 ? 'was' : 'were'} left out, as R does.`
      ]
    }
  }
}
