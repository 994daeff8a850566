/** The values of an expression graph, as the rule builder makes them and the compiler reads them. */
import type { OpName, Slot } from './program.js'

export type Kind = 'vector' | 'scalar' | 'matrix'
export type Source = 'leaf' | 'constant' | 'operation' | 'second'

/** A value of the graph. Made by `Rule`'s methods only. */
export interface Node<K extends Kind = Kind> {
  readonly kind: K
  readonly id: number
  readonly source: Source
  readonly op: OpName | null
  readonly args: readonly Node[]
  readonly value: number
}
export type Vector = Node<'vector'>
export type Scalar = Node<'scalar'>
export type Matrix = Node<'matrix'>
/** A value that a run keeps from step to step. */
export type State<K extends Kind = Kind> = Node<K>
export type Elementwise = Vector | Scalar

export interface StateEntry {
  readonly node: Node
  readonly initial: number
  /** Its name, where every run may bring a value of its own. */
  readonly input?: string
  next: Node | null
}

export interface RuleOutputs {
  /** The point that `loss` and `gradientNorm` belong to. */
  readonly point: Vector
  readonly loss: Scalar
  /** max |g_p| at `point`. */
  readonly gradientNorm: Scalar
  readonly stalled?: Scalar
  readonly report?: Readonly<Record<string, Scalar>>
}

export interface Graph {
  readonly name: string
  readonly needs: 'g' | 'H'
  readonly leaves: Readonly<Record<keyof typeof Slot, Node>>
  readonly nodes: readonly Node[]
  readonly states: readonly StateEntry[]
  readonly outputs: RuleOutputs
}
