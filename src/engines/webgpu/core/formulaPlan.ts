/**
 * Kernels of models given as formulas (kernels/webgpu/formula.wgsl): the graph of the formula with its derivatives as WGSL statements,
 * one name for each value, so that compilers keep them in registers. What depends on the row alone is a column of the data.
 */
import { lossConstants } from '../../../models/losses/index.js'
import { arity, Op, type Graph, type NodeId } from '../../../language/formula/graph.js'
import { kinds, onParameters, onRow } from '../../../language/formula/registers.js'
import { compileExpression } from '../../../models/expression/expression.js'
import type { Expression } from '../../../models/expression/types.js'
import { losses, type ExpressionModel, type Problem } from '../../../models/types.js'
import { chunksOf, type GradientPlan, type GradientRequest } from './gradientPlan.js'
import { literal, type Values } from './text.js'

/** Entries of H that a kernel sums, one register each. */
const entriesOfKernel = 48
/** Values of a kernel, beyond which drivers take minutes to compile it. */
const mostValues = 4096
/** P up to which there are kernels of H: they grow with P². */
const mostHessianParameters = 64

/** WGSL of an operation on its arguments. */
function written(op: Op, a: string, b: string, c: string): string {
  switch (op) {
    case Op.add:
      return `${a} + ${b}`
    case Op.sub:
      return `${a} - ${b}`
    case Op.mul:
      return `${a} * ${b}`
    case Op.div:
      return `quotient(${a}, ${b})`
    case Op.neg:
      return `-${a}`
    case Op.exp:
      return `exponential(${a})`
    case Op.log:
      return `logarithm(${a})`
    case Op.sqrt:
      return `root(${a})`
    case Op.sin:
      return `sineOf(${a})`
    case Op.cos:
      return `cosineOf(${a})`
    case Op.tanh:
      return `hyperbolicTangent(${a}).value`
    case Op.sech2:
      return `hyperbolicTangent(${a}).slope`
    case Op.atan:
      return `arctangent(${a})`
    case Op.erf:
      return `errorFunction(${a})`
    case Op.abs:
      return `abs(${a})`
    case Op.sign:
      return `signOf(${a})`
    case Op.min:
      return `smaller(${a}, ${b})`
    case Op.max:
      return `larger(${a}, ${b})`
    case Op.pow:
      return `power(${a}, ${b}, 0u)`
    case Op.powLog:
      return `power(${a}, ${b}, 1u)`
    case Op.powLog2:
      return `power(${a}, ${b}, 2u)`
    case Op.less:
      return `truth(isLess(${a}, ${b}))`
    case Op.lessEqual:
      return `truth(isAtMost(${a}, ${b}))`
    case Op.equal:
      return `truth(isEqual(${a}, ${b}))`
    case Op.where:
      return `select(${c}, ${b}, isTrue(${a}))`
    case Op.constant:
    case Op.column:
    case Op.parameter:
      throw new Error('a leaf is no operation')
    default:
      return op satisfies never
  }
}

/** A constant in f32; what is too large for it is infinite. */
function constantText(value: number): string {
  if (Number.isNaN(value)) return 'notANumber()'
  if (Number.isFinite(Math.fround(value))) return literal(value)
  return value > 0 ? 'infinity()' : '(-infinity())'
}

interface Statements {
  /** Once for a run, and for every row. */
  readonly prelude: readonly string[]
  readonly body: readonly string[]
  /** By which a value goes. */
  readonly name: (id: NodeId) => string
}

/** The nodes that `roots` need and a kernel computes, arguments first: constants, parameters and columns of the data are there. */
function computed(graph: Graph, kind: Uint8Array, roots: readonly NodeId[]): NodeId[] {
  const wanted = (id: NodeId): boolean => (kind[id] & onParameters) !== 0 && graph.op[id] !== Op.parameter
  const marked = new Set(roots.filter(wanted))
  const list: NodeId[] = []
  for (let id = graph.op.length - 1; id >= 0; id--) {
    if (!marked.has(id)) continue
    list.push(id)
    for (const k of [graph.a[id], graph.b[id], graph.c[id]].slice(0, arity(graph.op[id]))) if (wanted(k)) marked.add(k)
  }
  return list.reverse()
}

function statementsOf(expression: Expression, roots: readonly NodeId[]): Statements {
  const { graph, registers } = compileExpression(expression)
  const kind = kinds(graph)
  const places = new Map(registers.rowNodes.map((id, s) => [id, s]))
  const name = (id: NodeId): string => {
    if (graph.op[id] === Op.parameter) return `t${graph.value[id]}`
    if (kind[id] === 0) return constantText(graph.value[id])
    return kind[id] === onRow ? `x[row * columns + ${places.get(id)!}u]` : `n${id}`
  }
  const prelude: string[] = []
  const body: string[] = []
  for (const id of computed(graph, kind, roots)) {
    const text = written(graph.op[id], name(graph.a[id]), name(graph.b[id]), name(graph.c[id]))
    if (kind[id] === onParameters) prelude.push(`  let n${id} = ${text};`)
    else body.push(`    let n${id} = ${text};`)
  }
  return { prelude, body, name }
}

const shared = ({ expression, loss, lossParameters }: ExpressionModel): Values => ({
  ...Object.fromEntries(losses.map(name => [`loss_${name}`, name === loss])),
  lossConstants: lossConstants(loss, lossParameters).map(literal),
  objective: expression.objective,
  own: false
})

const textOf = ({ prelude, body }: Statements): Values => ({ prelude: prelude.join('\n'), body: body.join('\n') })

/** f, and g where it is wanted. */
export function planFormula({ problem, gradient, batchSize }: GradientRequest<ExpressionModel>): GradientPlan {
  const { model: network, rows } = problem
  const { expression } = network
  const { z, first, registers } = compileExpression(expression)
  const P = expression.parameters.length
  const slopes = gradient ? first : []
  const statements = statementsOf(expression, [z, ...slopes])
  const items = batchSize ?? rows
  const itemsOfChunk = Math.ceil(items / chunksOf(items))
  const chunks = Math.ceil(items / itemsOfChunk)
  return {
    file: 'formula.wgsl',
    values: {
      ...shared(network),
      ...textOf(statements),
      hessian: false,
      gradient,
      batch: batchSize !== undefined,
      dataRows: rows,
      columns: registers.rowNodes.length,
      parameters: P,
      items,
      itemsOfChunk,
      chunks,
      whole: chunks === 1,
      ridged: false,
      sumsOfChunk: gradient ? 1 + P : 1,
      sums: slopes.length,
      z: statements.name(z),
      accumulate: slopes.map((id, p) => `    sum${p} = fma(slope, ${statements.name(id)}, sum${p});`).join('\n')
    },
    width: 1,
    rowMultiple: 1,
    overread: 0,
    runs: 64,
    chunks,
    finishes: chunks > 1
  }
}

/** p ≤ q */
interface Entry {
  readonly p: number
  readonly q: number
  /** ∂²z/∂θ_p∂θ_q, where it is not identically 0. */
  readonly node: NodeId | undefined
}

/** The constants of formula.wgsl for each kernel of H, of some of its entries. */
export function planFormulaHessian({ model: network, rows }: Problem<ExpressionModel>): Values[] {
  const { expression } = network
  const { graph, z, first, second, registers } = compileExpression(expression)
  const P = expression.parameters.length
  const nodes = new Map(second.map(({ p, q, node }) => [p * P + q, node]))
  const all = Array.from({ length: P }, (_, p) =>
    Array.from({ length: P - p }, (_, k): Entry => ({ p, q: p + k, node: nodes.get(p * P + p + k) }))
  ).flat()
  const curved = !expression.objective
  const varies = (p: number): boolean => !graph.isConstant(first[p], 0)
  return Array.from({ length: Math.ceil(all.length / entriesOfKernel) }, (_, block) => {
    const entries = all.slice(block * entriesOfKernel, (block + 1) * entriesOfKernel)
    const bent = entries.filter(({ p, q }) => curved && varies(p) && varies(q))
    const roots = [z, ...bent.flatMap(({ p, q }) => [first[p], first[q]])]
    const statements = statementsOf(expression, [...roots, ...entries.flatMap(({ node }) => node ?? [])])
    const { name } = statements
    const accumulate = entries.flatMap((entry, n) => {
      const { p, q, node } = entry
      return [
        // Without curvature a slope may be infinite.
        ...(bent.includes(entry)
          ? [`    sum${n} += select(bend * ${name(first[p])} * ${name(first[q])}, 0.0, bend == 0.0);`]
          : []),
        ...(node === undefined ? [] : [`    sum${n} = fma(slope, ${name(node)}, sum${n});`])
      ]
    })
    const store = entries.flatMap(({ p, q }, n) =>
      (p === q
        ? [[p, q]]
        : [
            [p, q],
            [q, p]
          ]
      ).map(([i, j]) => `  H[${i * P + j}u * lanes + lane] = sum${n};`)
    )
    return {
      ...shared(network),
      ...textOf(statements),
      hessian: true,
      gradient: false,
      batch: false,
      columns: registers.rowNodes.length,
      parameters: P,
      items: rows,
      itemsOfChunk: rows,
      sums: entries.length,
      z: name(z),
      accumulate: accumulate.join('\n'),
      store: store.join('\n')
    }
  })
}

/** The constants of formula_predict.wgsl for so many rows. */
export function predictFormula(network: ExpressionModel, rows: number): Values {
  const { expression } = network
  const { z, registers } = compileExpression(expression)
  const statements = statementsOf(expression, [z])
  const columns = registers.rowNodes.length
  const P = expression.parameters.length
  return { ...textOf(statements), rows, columns, parameters: P, z: statements.name(z) }
}

/** Why there are no kernels for a formula, as a sentence; undefined where there are. */
export function formulaTooLarge(network: ExpressionModel, H: boolean): string | undefined {
  const { expression } = network
  const { graph, z, first, second } = compileExpression(expression)
  const P = expression.parameters.length
  if (H && P > mostHessianParameters)
    return `The webgpu engine takes Hessians of formulas of up to ${mostHessianParameters} parameters and this one has ${P}; use lbfgs or --engine cpu.`
  const roots = [z, ...first, ...(H ? second.map(s => s.node) : [])]
  const values = computed(graph, kinds(graph), roots).length
  return values > mostValues
    ? `The webgpu engine takes formulas of up to ${mostValues} operations, derivatives included, and this one has ${values}; use --engine cpu.`
    : undefined
}
