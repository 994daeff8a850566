// Random update rules over whole numbers, with an evaluator that walks their expression graph. All values stay so small that every
// engine, in any precision and any order of sums, must compute them exactly.
import { uniform, words } from '../../src/core/rng.js'
import { Rule, type Scalar, type State, type Vector } from '../../src/language/rule.js'
import type { Node } from '../../src/language/graph.js'
import type { Program } from '../../src/language/program.js'

type Value = Float64Array | number

interface StateEntry {
  readonly node: Node
  readonly initial: number
  next: Node
}

export interface RandomRule {
  readonly program: Program
  readonly states: readonly StateEntry[]
  readonly outputs: { readonly point: Vector; readonly loss: Scalar; readonly gradientNorm: Scalar }
  readonly report: readonly Scalar[]
  readonly x: Node
  readonly step: Node
}

/** Vectors stay within ±500, so that a sum of products over 60 parameters is below 2²⁴. */
const bound = 500

export function randomRule(seed: number, operations = 40): RandomRule {
  const draws = words(seed, 3, 9, 0, 40 * operations)
  let at = 0
  const below = (n: number): number => Math.floor(uniform(draws[at++]) * n)
  const r = new Rule(`random ${seed}`, 'g')
  const states: StateEntry[] = []
  const keep = <T extends Node>(node: T, initial: number): T => {
    states.push({ node, initial, next: node })
    return node
  }
  const vectors: Vector[] = [r.x, keep(r.vectorState(2), 2), keep(r.vectorState(-1), -1), keep(r.vectorState(), 0)]
  const scalars: Scalar[] = [r.step, r.constant(3), r.constant(-2), keep(r.scalarState(5), 5), keep(r.scalarState(), 0)]
  const vector = (): Vector => vectors[below(vectors.length)]
  const scalar = (): Scalar => scalars[below(scalars.length)]
  const either = (): Vector | Scalar => (below(3) === 0 ? scalar() : vector())
  const clampV = (v: Vector): Vector => r.max(-bound, r.min(v, bound))
  const clampS = (s: Scalar): Scalar => r.max(-bound, r.min(s, bound))
  for (let n = 0; n < operations; n++) {
    const vectorOps: (() => Vector)[] = [
      () => r.add(vector(), either()),
      () => r.sub(either(), vector()),
      () => r.mul(vector(), either()),
      () => r.fma(vector(), either(), either()),
      () => r.fma(scalar(), scalar(), vector()),
      () => r.min(either(), vector()),
      () => r.max(vector(), either()),
      () => r.abs(vector()),
      () => r.neg(vector()),
      () => r.select(r.less(vector(), either()), either(), either()),
      () => r.select(r.lessEqual(scalar(), scalar()), vector(), either())
    ]
    const scalarOps: (() => Scalar)[] = [
      () => r.dot(vector(), vector()),
      () => r.sum(vector()),
      () => r.maxAbs(vector()),
      () => r.minimum(vector()),
      () => r.add(scalar(), scalar()),
      () => r.mul(scalar(), scalar()),
      () => r.fma(scalar(), scalar(), scalar()),
      () => r.sub(scalar(), 1),
      () => r.select(r.less(scalar(), scalar()), scalar(), scalar()),
      () => r.and(r.finite(scalar()), r.not(r.lessEqual(scalar(), scalar()))),
      () => r.abs(scalar())
    ]
    if (below(2) === 0) vectors.push(clampV(vectorOps[below(vectorOps.length)]()))
    else scalars.push(clampS(scalarOps[below(scalarOps.length)]()))
  }
  keep(r.x, 0)
  for (const state of states) {
    if (below(6) === 0) continue
    // Often the old value of another state, so that states trade places; sometimes their own.
    const old = states.filter(s => s.node.kind === state.node.kind).map(s => s.node)
    if (state.node.kind === 'scalar') {
      state.next = below(3) === 0 ? old[below(old.length)] : scalar()
      r.next(state.node as State<'scalar'>, state.next as Scalar)
    } else {
      state.next = below(3) === 0 ? old[below(old.length)] : below(5) === 0 ? scalar() : vector()
      r.next(state.node as State<'vector'>, state.next as Vector)
    }
  }
  const point = vector()
  const loss = scalar()
  const gradientNorm = r.max(1, scalar())
  const report = Array.from({ length: 5 }, scalar)
  const named = Object.fromEntries(report.map((node, i) => [`r${i}`, node]))
  return {
    program: r.compile({ point, loss, gradientNorm, report: named }),
    states,
    outputs: { point, loss, gradientNorm },
    report,
    x: r.x,
    step: r.step
  }
}

function apply(op: string, args: readonly number[]): number {
  const [a, b, c] = args
  const table: Record<string, () => number> = {
    add: () => a + b,
    sub: () => a - b,
    mul: () => a * b,
    fma: () => a * b + c,
    min: () => Math.min(a, b),
    max: () => Math.max(a, b),
    abs: () => Math.abs(a),
    neg: () => -a,
    less: () => Number(a < b),
    lessEqual: () => Number(a <= b),
    finite: () => Number(Number.isFinite(a)),
    select: () => (a === 0 ? c : b)
  }
  return table[op]()
}

function reduce(op: string, args: readonly Float64Array[]): number {
  const [a, b] = args
  if (op === 'dot') return a.reduce((sum, v, i) => sum + v * b[i], 0)
  if (op === 'sum') return a.reduce((sum, v) => sum + v, 0)
  return op === 'maxAbs' ? Math.max(...a.map(Math.abs)) : Math.min(...a)
}

export interface Outcome {
  readonly point: Float64Array
  readonly loss: number
  readonly gradientNorm: number
  readonly report: readonly number[]
}

/** What `steps` steps from θ0 give, by walking the graph: what the last step reported. */
export function outcome(rule: RandomRule, theta0: Float64Array, steps: number): Outcome {
  const P = theta0.length
  const wide = (value: Value): Float64Array => (typeof value === 'number' ? new Float64Array(P).fill(value) : value)
  let held = new Map<Node, Value>(
    rule.states.map(s => [s.node, s.node === rule.x ? theta0 : s.node.kind === 'vector' ? wide(s.initial) : s.initial])
  )
  let last: Outcome | undefined
  for (let step = 0; step < steps; step++) {
    const known = new Map<Node, Value>([...held, [rule.step, step]])
    const value = (node: Node): Value => {
      const found = known.get(node)
      if (found !== undefined) return found
      const made = compute(node)
      known.set(node, made)
      return made
    }
    const compute = (node: Node): Value => {
      if (node.source === 'constant') return node.value
      const args = node.args.map(value)
      if (node.op === 'dot' || node.op === 'sum' || node.op === 'maxAbs' || node.op === 'minimum')
        return reduce(node.op, args.map(wide))
      if (node.kind === 'scalar')
        return apply(
          node.op!,
          args.map(a => Number(a))
        )
      return Float64Array.from({ length: P }, (_, p) =>
        apply(
          node.op!,
          args.map(a => (typeof a === 'number' ? a : a[p]))
        )
      )
    }
    last = {
      point: wide(value(rule.outputs.point)),
      loss: Number(value(rule.outputs.loss)),
      gradientNorm: Number(value(rule.outputs.gradientNorm)),
      report: rule.report.map(node => Number(value(node)))
    }
    held = new Map(rule.states.map(s => [s.node, s.node.kind === 'vector' ? wide(value(s.next)) : value(s.next)]))
  }
  if (!last) throw new Error('no steps were asked for')
  return last
}
