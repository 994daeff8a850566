/**
 * Decides before any training whether a model without hidden layer has a finite minimiser (Albert and Anderson 1984), by linear
 * programmes over the recession cone of the loss (after Konis 2007), solved by HiGHS. Where the cone holds a direction, the
 * loss falls along it from every point, so that there is no stationary point at all; that is true of `brier` too. Rows give one constraint each:
 * a direction may only lower a row's loss (≥ 0), or must not touch it (= 0, where the loss grows both ways).
 */
import * as highsModule from 'highs'
import type { Highs } from 'highs'
import type { Summary } from '../core/result.js'
import { lossTable } from '../models/losses/index.js'
import { parameterCount, penalizedMask } from '../models/network/network.js'
import type { Problem } from '../models/types.js'
import { designRank } from './rank.js'

export type Separation = Summary['separation']

interface Constraint {
  /** Coefficients of the direction, [P]. */
  readonly a: Float64Array
  readonly equality: boolean
}

/** Entries of a direction, in units of the scaled columns, below this are zero; HiGHS keeps constraints to 1e-7. */
const zero = 1e-5
/** Directions a programme may leave rows violated by, relative to the largest row. */
const violation = 1e-6

/** [N, D + bias]: the design with its column of ones. */
function design(problem: Problem): { X: Float64Array; columns: number } {
  const { rows, x, network } = problem
  const bias = network.bias ? 1 : 0
  const columns = network.inputs + bias
  const X = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++) {
    if (bias) X[i * columns] = 1
    X.set(x.subarray(i * network.inputs, (i + 1) * network.inputs), i * columns + bias)
  }
  return { X, columns }
}

function constraints(problem: Problem, X: Float64Array, columns: number): Constraint[] {
  const { rows, y, weight, network } = problem
  const P = parameterCount(network)
  const definition = lossTable[network.loss]
  const list: Constraint[] = []
  const seen = new Set<string>()
  const add = (a: Float64Array, equality: boolean): void => {
    const key = `${equality ? '=' : '>'}${a.join(' ')}`
    if (seen.has(key)) return
    seen.add(key)
    list.push({ a, equality })
  }
  for (let i = 0; i < rows; i++) {
    if (weight && weight[i] === 0) continue
    const row = X.subarray(i * columns, (i + 1) * columns)
    if (definition.response === 'class') {
      for (let c = 0; c < network.outputs; c++) {
        if (c === y[i]) continue
        const a = new Float64Array(P)
        row.forEach((v, d) => {
          a[y[i] * columns + d] = v
          a[c * columns + d] = -v
        })
        add(a, false)
      }
    } else {
      const way = definition.recedes?.(y[i]) ?? 0
      add(way < 0 ? row.map(v => -v) : Float64Array.from(row), way === 0)
    }
  }
  return list
}

type Solver = Highs
// The package's types describe its CommonJS file; what Node loads here is its ES module, whose default is the loader.
const load = (highsModule as unknown as { default: () => Promise<Solver> }).default
let solver: Promise<Solver> | undefined

/** One programme in CPLEX LP format over −1 ≤ d ≤ 1 (entries in `fixed` are 0); with `margin`, also t in [0, 1] below every row. */
function maximise(
  highs: Solver,
  objective: ReadonlyMap<string, number>,
  rows: readonly Constraint[],
  P: number,
  fixed: ReadonlySet<number>,
  margin: boolean
): { value: number; d: Float64Array } {
  const expression = (terms: Iterable<readonly [string, number]>): string => {
    const parts: string[] = []
    for (const [name, c] of terms) if (c !== 0) parts.push(`${c < 0 ? '-' : '+'} ${Math.abs(c)} ${name}`)
    // A line of LP format may hold 560 characters.
    const lines: string[] = []
    for (let i = 0; i < parts.length; i += 8) lines.push(parts.slice(i, i + 8).join(' '))
    return lines.join('\n ') || '0 d0'
  }
  const text = ['Maximize', ` obj: ${expression(objective)}`, 'Subject To']
  rows.forEach((row, i) => {
    const terms: [string, number][] = []
    row.a.forEach((v, p) => {
      if (!fixed.has(p)) terms.push([`d${p}`, v])
    })
    if (margin && !row.equality) terms.push(['t', -1])
    text.push(` c${i}: ${expression(terms)} ${row.equality ? '=' : '>='} 0`)
  })
  text.push('Bounds')
  for (let p = 0; p < P; p++) text.push(fixed.has(p) ? ` d${p} = 0` : ` -1 <= d${p} <= 1`)
  if (margin) text.push(' 0 <= t <= 1')
  text.push('End')
  const result = highs.solve(text.join('\n'))
  if (result.Status !== 'Optimal') throw new Error(`The separation programme ended with status ${result.Status}.`)
  const d = new Float64Array(P)
  for (let p = 0; p < P; p++) {
    const column = result.Columns[`d${p}`] as { Primal?: number } | undefined
    d[p] = column?.Primal ?? 0
  }
  return { value: result.ObjectiveValue, d }
}

/** Lowest and highest change of a row along d, over inequality rows; equality rows count with minus their size. */
function reach(rows: readonly Constraint[], d: Float64Array): { low: number; high: number } {
  let low = 0
  let high = 0
  for (const { a, equality } of rows) {
    let v = 0
    for (let p = 0; p < d.length; p++) v += a[p] * d[p]
    low = Math.min(low, equality ? -Math.abs(v) : v)
    if (!equality) high = Math.max(high, v)
  }
  return { low, high }
}

const none = (status: Separation['status'], reason: string): Separation => ({
  status,
  infinite: {},
  direction: [],
  reason
})

/**
 * Separation of the data by a model without hidden layer.
 * @param names [P], for `infinite`
 */
export async function separation(problem: Problem, names: readonly string[]): Promise<Separation> {
  const { network } = problem
  if (network.hidden.length > 0)
    return none('not-applicable', 'Separation is decided for models without a hidden layer only.')
  const definition = lossTable[network.loss]
  if (definition.response !== 'class' && !definition.recedes)
    return none('not-applicable', `The ${network.loss} loss grows in every direction that changes a prediction.`)
  const penalized = penalizedMask(network)
  const ridge = network.ridge > 0
  if (ridge && penalized.every(p => p === 1)) return none('not-applicable', 'With a ridge no weight can run away.')
  const { X, columns } = design(problem)
  const P = parameterCount(network)
  // Columns in units of their largest entry: tolerances then mean the same for all.
  const unit = new Float64Array(columns).fill(0)
  X.forEach((v, n) => {
    unit[n % columns] = Math.max(unit[n % columns], Math.abs(v))
  })
  const scaled = X.map((v, n) => (unit[n % columns] > 0 ? v / unit[n % columns] : 0))
  const fixed = new Set<number>()
  const { aliased } = designRank(scaled, problem.rows, columns)
  for (let c = 0; c < network.outputs; c++) for (const d of aliased) fixed.add(c * columns + d)
  // Adding one vector to all classes changes nothing: class 0 stays where it is.
  if (definition.response === 'class') for (let d = 0; d < columns; d++) fixed.add(d)
  // A ridge holds the weights; biases may still run away, as they do when all counts are 0.
  if (ridge) for (let p = 0; p < P; p++) if (penalized[p] === 1) fixed.add(p)
  const rows = constraints(problem, scaled, columns)
  const inequalities = rows.filter(r => !r.equality)
  solver ??= load()
  const highs = await solver

  const total = new Map<string, number>()
  for (let p = 0; p < P; p++) {
    if (fixed.has(p)) continue
    let sum = 0
    for (const { a } of inequalities) sum += a[p] / inequalities.length
    total.set(`d${p}`, sum)
  }
  const found = maximise(highs, total, rows, P, fixed, false)
  const { low, high } = reach(rows, found.d)
  if (!(high > zero && low >= -violation * Math.max(1, high))) {
    if (ridge) return none('not-applicable', 'With a ridge no weight can run away.')
    const bounded = definition.bounded
      ? ' The loss is bounded, though, so runs that give up on some rows may run away.'
      : ''
    return none('none', `No direction lowers the loss of some rows without raising that of others.${bounded}`)
  }

  const original = (d: Float64Array): number[] =>
    Array.from(d, (v, p) => (Math.abs(v) > zero ? v / unit[p % columns] : 0))
  const normalised = (d: number[]): number[] => {
    const length = Math.sqrt(d.reduce((s, v) => s + v * v, 0))
    return d.map(v => (length > 0 ? v / length : 0))
  }
  if (inequalities.length === rows.length) {
    const strict = maximise(highs, new Map([['t', 1]]), rows, P, fixed, true)
    if (strict.value > zero) {
      const infinite: Record<string, 1 | -1> = {}
      strict.d.forEach((v, p) => {
        if (Math.abs(v) > zero) infinite[names[p]] = v > 0 ? 1 : -1
      })
      return {
        status: 'complete',
        infinite,
        direction: normalised(original(strict.d)),
        reason: 'A direction lowers the loss of every row: there is no finite minimiser.'
      }
    }
  }
  // Which coefficients move somewhere in the cone; the sum of the extreme directions lies in its relative interior.
  const inner = Float64Array.from(found.d)
  const moves = new Map<number, Set<1 | -1>>()
  for (let p = 0; p < P; p++) {
    if (fixed.has(p)) continue
    for (const sign of [1, -1] as const) {
      const { value, d } = maximise(highs, new Map([[`d${p}`, sign]]), rows, P, fixed, false)
      if (!(value > zero)) continue
      d.forEach((v, q) => (inner[q] += v))
      moves.set(p, (moves.get(p) ?? new Set()).add(sign))
    }
  }
  const infinite: Record<string, 1 | -1> = {}
  for (const [p, signs] of moves) infinite[names[p]] = signs.size === 1 ? [...signs][0] : inner[p] >= 0 ? 1 : -1
  return {
    status: 'quasi-complete',
    infinite,
    direction: normalised(original(inner)),
    reason: 'A direction lowers the loss of some rows and leaves the others as they are: there is no finite minimiser.'
  }
}
