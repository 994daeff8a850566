/** The data of a model given as an expression, and what is found out about it before the first run. */
import { createHash } from 'node:crypto'
import { designRank } from '../analysis/rank.js'
import { InputError } from '../core/errors.js'
import { columnsIn } from '../data/load.js'
import type { ReadOptions } from '../data/read.js'
import type { DataConfig, Dataset } from '../data/types.js'
import { build } from '../language/formula/build.js'
import { Tape } from '../language/formula/evaluate.js'
import { Graph, arity, opNames, type NodeId } from '../language/formula/graph.js'
import { parse } from '../language/formula/parse.js'
import { compileExpression } from '../models/expression/expression.js'
import { defaultLosses } from '../models/losses/index.js'
import type { Expression } from '../models/expression/types.js'
import type { Problem } from '../models/types.js'
import type { StartPoints } from './starts.js'
import { formulaColumns, type FormulaModel } from './formulaConfig.js'

/** What stands in the place of data for an objective: one row without columns. */
export function noData(objective: string): Dataset {
  return {
    name: 'no data',
    rows: 1,
    x: new Float64Array(0),
    y: new Float64Array(1),
    inputs: 0,
    columns: [],
    targets: [],
    target: '',
    coding: '',
    // Not used: the objective is its own.
    loss: defaultLosses.numbers,
    hash: createHash('sha256').update(objective).digest('hex'),
    preprocessing: {
      terms: [],
      columns: [],
      target: { column: '', loss: defaultLosses.numbers, coding: '' },
      missingValues: [],
      rows: { read: 0, dropped: 0, training: 0, heldOut: 0 },
      heldOut: [],
      notes: []
    }
  }
}

/**
 * Names of a formula against the columns of the data.
 * @throws InputError for a name that is neither a parameter nor a column, and for one that is both
 */
export async function checkColumns(model: FormulaModel, data: DataConfig, options: ReadOptions): Promise<string[]> {
  const { free, apart, source } = await columnsIn(data, options)
  const text = model.formula ?? ''
  const used = formulaColumns(model)
  const parameters = Object.keys(model.parameters ?? {})
  const twice = parameters.find(name => free.includes(name) || apart.includes(name))
  if (twice !== undefined)
    throw new InputError(`The name ${twice} is both a parameter and a column of ${source}; rename the parameter.`)
  const clash = used.find(name => apart.includes(name))
  if (clash !== undefined)
    throw new InputError(
      `The formula uses ${clash}, which is the target, weights or offset of the study; a formula may use the other columns: ${free.join(', ')}.`
    )
  const graph = new Graph()
  const any = (): NodeId => graph.constant(NaN)
  build(graph, parse(text), text, new Map([...parameters, ...free].map(name => [name, any])), 'Parameters and columns')
  return used
}

/** Starts that are tried before a study of which no run could begin. */
const triedStarts = 256

/**
 * @throws InputError when the formula has no value at any of the first starts, with the operation, its argument and the row; or when
 * parameters that are called exchangeable are not
 */
export function checkStarts(problem: Problem, expression: Expression, starts: StartPoints, count: number): void {
  const { graph, z } = compileExpression(expression)
  const tape = new Tape(graph, [z])
  const D = problem.model.inputs
  const used = Array.from({ length: problem.rows }, (_, i) => i).filter(i => !problem.weight || problem.weight[i] > 0)
  const valueAt = (theta: Float64Array): { sum: number; row: number } => {
    let sum = 0
    for (const i of used) {
      tape.run(problem.x.subarray(i * D, (i + 1) * D), theta)
      if (!Number.isFinite(tape.root(0))) return { sum: NaN, row: i }
      sum += tape.root(0) * (1 + (i % 7))
    }
    return { sum, row: -1 }
  }
  let fault: { row: number; theta: Float64Array } | undefined
  let finite = false
  for (let start = 0; start < Math.min(count, triedStarts) && !finite; start++) {
    const theta = starts.at(start)
    const { sum, row } = valueAt(theta)
    finite = row < 0
    if (finite) checkSymmetry(expression, theta, sum, t => valueAt(t).sum)
    else fault ??= { row, theta }
  }
  if (finite || !fault) return
  tape.run(problem.x.subarray(fault.row * D, (fault.row + 1) * D), fault.theta)
  const at = tape.firstFault()
  const operation = at < 0 ? '' : describe(graph.op[tape.nodes[at]], tape.argumentsOf(at))
  const where = expression.objective ? '' : ` on row ${fault.row + 1}`
  throw new InputError(
    `The ${expression.objective ? 'objective' : 'formula'} has no finite value at any of the first ${Math.min(count, triedStarts)} starts` +
      `${operation ? `: at the first of them it takes ${operation}${where}` : where}; change the inits or bounds of its parameters.`
  )
}

const shown = (v: number): string => String(Number(v.toPrecision(6)))
const signs: Readonly<Record<string, string>> = { add: '+', sub: '−', mul: '·', div: '/', pow: '^' }
function describe(op: (typeof Graph.prototype.op)[number], args: readonly number[]): string {
  const name = opNames[op]
  if (arity(op) === 2 && signs[name] !== undefined) return args.map(shown).join(` ${signs[name]} `)
  return `${name}(${args.map(shown).join(', ')})`
}

/** Exchanges neighbouring groups and compares. */
function checkSymmetry(
  { symmetry, parameters }: Expression,
  theta: Float64Array,
  value: number,
  valueAt: (theta: Float64Array) => number
): void {
  for (const groups of symmetry)
    for (let k = 0; k + 1 < groups.length; k++) {
      const other = theta.slice()
      groups[k].forEach((p, i) => {
        other[p] = theta[groups[k + 1][i]]
        other[groups[k + 1][i]] = theta[p]
      })
      const exchanged = valueAt(other)
      if (!(Math.abs(exchanged - value) <= 1e-9 * Math.max(1, Math.abs(value)))) {
        const names = [groups[k], groups[k + 1]].map(group => `[${group.map(p => parameters[p].name).join(', ')}]`)
        throw new InputError(
          `model.symmetry says that ${names.join(' and ')} may change places, but that changes the formula's values; remove or mend it.`
        )
      }
    }
}

/** Rank of the Jacobian ∂z/∂θ of a formula that is linear in its parameters, on the rows that count. */
export function linearRank(
  { model, rows, x, weight }: Problem,
  expression: Expression
): { rank: number; columns: number } {
  const { graph, first } = compileExpression(expression)
  const P = first.length
  const D = model.inputs
  const tape = new Tape(graph, first)
  const used = Array.from({ length: rows }, (_, i) => i).filter(i => !weight || weight[i] > 0)
  const J = new Float64Array(used.length * P)
  used.forEach((i, n) => {
    tape.run(x.subarray(i * D, (i + 1) * D), new Float64Array(P))
    for (let p = 0; p < P; p++) J[n * P + p] = tape.root(p)
  })
  return { rank: designRank(J, used.length, P).rank, columns: P }
}
