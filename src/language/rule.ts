/**
 * The language that update rules are written in: a small expression graph over per-run vectors [P], per-run scalars and
 * matrices, compiled to the flat `Program` that engines execute. A rule has no loops and no branches; what would be a
 * branch is a `select`, and a line-search trial or a rejected step is a step like any other.
 */
import { compile } from './compile/compile.js'
import type {
  Elementwise,
  Kind,
  Matrix,
  Node,
  RuleOutputs,
  Scalar,
  Source,
  State,
  StateEntry,
  Vector
} from './graph.js'
import type { OpName, Program } from './program.js'

/** Builds one update rule. Arithmetic on a vector and a scalar broadcasts the scalar. */
export class Rule {
  private readonly nodes: Node[] = []
  private readonly states: StateEntry[] = []
  private readonly constants = new Map<number, Scalar>()
  /** Point to evaluate next; a state that starts at θ0. */
  readonly x: Vector
  /** Gradient at x. */
  readonly g: Vector
  /** 1 / rms of the input column for first-layer weights, 1 elsewhere. */
  readonly scale: Vector
  /** Loss at x. */
  readonly f: Scalar
  /** Steps taken before this one. */
  readonly step: Scalar
  /** Hessian at x; only rules that need 'H' may use it. */
  readonly H: Matrix

  constructor(
    readonly name: string,
    readonly needs: 'g' | 'H'
  ) {
    this.x = this.make('vector', 'leaf', null, [])
    this.g = this.make('vector', 'leaf', null, [])
    this.scale = this.make('vector', 'leaf', null, [])
    this.f = this.make('scalar', 'leaf', null, [])
    this.step = this.make('scalar', 'leaf', null, [])
    this.H = this.make('matrix', 'leaf', null, [])
    this.states.push({ node: this.x, initial: 0, next: null })
  }

  private make<K extends Kind>(kind: K, source: Source, op: OpName | null, args: readonly Node[], value = 0): Node<K> {
    const node = { kind, source, op, args, value, id: this.nodes.length }
    this.nodes.push(node)
    return node
  }

  private state<K extends Kind>(kind: K, initial: number): State<K> {
    const node = this.make(kind, 'leaf', null, [])
    this.states.push({ node, initial, next: null })
    return node
  }
  vectorState(initial = 0): State<'vector'> {
    return this.state('vector', initial)
  }
  scalarState(initial = 0): State<'scalar'> {
    return this.state('scalar', initial)
  }
  private input<K extends 'vector' | 'scalar'>(kind: K, name: string, value: number): Node<K> {
    if (this.states.some(s => s.input === name)) throw new Error(`${this.name}: the input ${name} is declared twice`)
    const node = this.make(kind, 'leaf', null, [])
    this.states.push({ node, initial: value, input: name, next: null })
    return node
  }
  /** A vector that may differ between runs and stays the same from step to step; `value` where a run brings none. */
  vectorInput(name: string, value = 0): Vector {
    return this.input('vector', name, value)
  }
  scalarInput(name: string, value = 0): Scalar {
    return this.input('scalar', name, value)
  }
  /** A factorisation kept between steps; written by `tridiagonalize` only. */
  factorState(): State<'matrix'> {
    return this.state('matrix', 0)
  }

  /** The value that `state` takes for the next step. A state without one keeps its value. */
  next<K extends 'vector' | 'scalar'>(state: State<K>, node: K extends 'vector' ? Elementwise : Scalar): void {
    const entry = this.states.find(s => s.node === state)
    if (!entry || entry.next || entry.input !== undefined)
      throw new Error(`${this.name}: not a state, or its next value is given twice`)
    entry.next = node
  }

  constant(value: number): Scalar {
    let node = this.constants.get(value)
    if (!node) {
      node = this.make('scalar', 'constant', null, [], value)
      this.constants.set(value, node)
    }
    return node
  }

  private operand<T extends Elementwise>(a: T | number): T | Scalar {
    return typeof a === 'number' ? this.constant(a) : a
  }
  private elementwise(op: OpName, ...operands: (Elementwise | number)[]): never {
    const args = operands.map(a => this.operand(a))
    const kind: Kind = args.some(a => a.kind === 'vector') ? 'vector' : 'scalar'
    // The public signatures below give the precise kind; this one place trusts them.
    return this.make(kind, 'operation', op, args) as never
  }

  add(a: Scalar | number, b: Scalar | number): Scalar
  add(a: Elementwise | number, b: Elementwise | number): Vector
  add(a: Elementwise | number, b: Elementwise | number): Elementwise {
    return this.elementwise('add', a, b)
  }
  sub(a: Scalar | number, b: Scalar | number): Scalar
  sub(a: Elementwise | number, b: Elementwise | number): Vector
  sub(a: Elementwise | number, b: Elementwise | number): Elementwise {
    return this.elementwise('sub', a, b)
  }
  mul(a: Scalar | number, b: Scalar | number): Scalar
  mul(a: Elementwise | number, b: Elementwise | number): Vector
  mul(a: Elementwise | number, b: Elementwise | number): Elementwise {
    return this.elementwise('mul', a, b)
  }
  div(a: Scalar | number, b: Scalar | number): Scalar
  div(a: Elementwise | number, b: Elementwise | number): Vector
  div(a: Elementwise | number, b: Elementwise | number): Elementwise {
    return this.elementwise('div', a, b)
  }
  min(a: Scalar | number, b: Scalar | number): Scalar
  min(a: Elementwise | number, b: Elementwise | number): Vector
  min(a: Elementwise | number, b: Elementwise | number): Elementwise {
    return this.elementwise('min', a, b)
  }
  max(a: Scalar | number, b: Scalar | number): Scalar
  max(a: Elementwise | number, b: Elementwise | number): Vector
  max(a: Elementwise | number, b: Elementwise | number): Elementwise {
    return this.elementwise('max', a, b)
  }
  /** a b + c */
  fma(a: Scalar | number, b: Scalar | number, c: Scalar | number): Scalar
  fma(a: Elementwise | number, b: Elementwise | number, c: Elementwise | number): Vector
  fma(a: Elementwise | number, b: Elementwise | number, c: Elementwise | number): Elementwise {
    return this.elementwise('fma', a, b, c)
  }
  /** mask ≠ 0 ? a : b */
  select(mask: Scalar, a: Scalar | number, b: Scalar | number): Scalar
  select(mask: Elementwise, a: Elementwise | number, b: Elementwise | number): Vector
  select(mask: Elementwise, a: Elementwise | number, b: Elementwise | number): Elementwise {
    return this.elementwise('select', mask, a, b)
  }
  abs(a: Scalar): Scalar
  abs(a: Vector): Vector
  abs(a: Elementwise): Elementwise {
    return this.elementwise('abs', a)
  }
  neg(a: Scalar): Scalar
  neg(a: Vector): Vector
  neg(a: Elementwise): Elementwise {
    return this.elementwise('neg', a)
  }
  sqrt(a: Scalar): Scalar
  sqrt(a: Vector): Vector
  sqrt(a: Elementwise): Elementwise {
    return this.elementwise('sqrt', a)
  }
  /** 1 where a < b, else 0. */
  less(a: Scalar | number, b: Scalar | number): Scalar
  less(a: Elementwise | number, b: Elementwise | number): Vector
  less(a: Elementwise | number, b: Elementwise | number): Elementwise {
    return this.elementwise('less', a, b)
  }
  lessEqual(a: Scalar | number, b: Scalar | number): Scalar
  lessEqual(a: Elementwise | number, b: Elementwise | number): Vector
  lessEqual(a: Elementwise | number, b: Elementwise | number): Elementwise {
    return this.elementwise('lessEqual', a, b)
  }
  finite(a: Scalar): Scalar {
    return this.elementwise('finite', a)
  }
  // Masks are 0 or 1.
  and(a: Scalar, b: Scalar): Scalar {
    return this.mul(a, b)
  }
  or(a: Scalar, b: Scalar): Scalar {
    return this.max(a, b)
  }
  not(a: Scalar): Scalar {
    return this.sub(1, a)
  }

  private reduction(op: OpName, ...args: Vector[]): Scalar {
    return this.make('scalar', 'operation', op, args)
  }
  dot(a: Vector, b: Vector): Scalar {
    return this.reduction('dot', a, b)
  }
  sum(a: Vector): Scalar {
    return this.reduction('sum', a)
  }
  /** NaN when an element is. */
  maxAbs(a: Vector): Scalar {
    return this.reduction('maxAbs', a)
  }
  minimum(a: Vector): Scalar {
    return this.reduction('minimum', a)
  }
  norm(a: Vector): Scalar {
    return this.sqrt(this.dot(a, a))
  }

  /** Sets `factor` to diag(scale) A diag(scale) = Q T Qᵀ in the lanes where `mask` is not 0; returns its new value. */
  tridiagonalize(factor: State<'matrix'>, a: Matrix, scale: Vector, mask: Scalar): Matrix {
    const entry = this.states.find(s => s.node === factor)
    if (!entry || entry.next) throw new Error(`${this.name}: not a factor state, or set twice`)
    const node = this.make('matrix', 'operation', 'tridiagonalize', [a, scale, mask, factor])
    entry.next = node
    return node
  }
  /** The step p that minimises gᵀp + ½ pᵀBp over ‖p‖₂ ≤ radius, and the decrease that it predicts. */
  trustRegion(factor: Matrix, g: Vector, radius: Scalar): { p: Vector; predicted: Scalar } {
    const p = this.make('vector', 'operation', 'trustRegion', [factor, g, radius])
    return { p, predicted: this.make('scalar', 'second', null, [p]) }
  }
  /** Eigenvalues, ascending, and eigenvectors (columns) of diag(scale) A diag(scale). */
  eigh(a: Matrix, scale: Vector): { values: Vector; vectors: Matrix } {
    const values = this.make('vector', 'operation', 'eigh', [a, scale])
    return { values, vectors: this.make('matrix', 'second', null, [values]) }
  }
  multiply(a: Matrix, v: Vector): Vector {
    return this.make('vector', 'operation', 'multiply', [a, v])
  }
  multiplyTransposed(a: Matrix, v: Vector): Vector {
    return this.make('vector', 'operation', 'multiplyTransposed', [a, v])
  }

  compile(outputs: RuleOutputs): Program {
    const leaves = { x: this.x, g: this.g, scale: this.scale, f: this.f, step: this.step, H: this.H }
    return compile({ name: this.name, needs: this.needs, leaves, nodes: this.nodes, states: this.states, outputs })
  }
}

export type { Matrix, RuleOutputs, Scalar, State, Vector } from './graph.js'
