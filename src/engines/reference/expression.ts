/** Loss, gradient and exact Hessian of a model given as an expression at one θ, one row at a time, by its graph. */
import { Tape } from '../../language/formula/evaluate.js'
import { compileExpression } from '../../models/expression/expression.js'
import { scalarLoss } from '../../models/losses/index.js'
import type { Expression } from '../../models/expression/types.js'
import type { Problem } from '../../models/types.js'

export class ExpressionEvaluator {
  readonly parameters: number
  private readonly expression: Expression
  /** z; z and its gradient; all. */
  private readonly tapes: readonly [Tape, Tape, Tape]
  private readonly second: readonly { readonly p: number; readonly q: number }[]
  private readonly terms = new Float64Array(3)
  private readonly totalWeight: number

  constructor(
    readonly problem: Problem,
    expression: Expression
  ) {
    this.expression = expression
    this.parameters = expression.parameters.length
    const { graph, z, first, second } = compileExpression(expression)
    const gradient = [z, ...first]
    this.tapes = [
      new Tape(graph, [z]),
      new Tape(graph, gradient),
      new Tape(graph, [...gradient, ...second.map(s => s.node)])
    ]
    this.second = second
    this.totalWeight = problem.weight ? problem.weight.reduce((s, w) => s + w, 0) : problem.rows
  }

  private row(i: number): Float64Array {
    const D = this.problem.model.inputs
    return this.problem.x.subarray(i * D, (i + 1) * D)
  }

  /** z [N], offset included. */
  predict(theta: Float64Array): Float64Array {
    const { rows, offset } = this.problem
    return Float64Array.from({ length: rows }, (_, i) => {
      this.tapes[0].run(this.row(i), theta)
      return this.tapes[0].root(0) + (offset ? offset[i] : 0)
    })
  }

  /** ℓ, ℓ′ and ℓ″ at z on row i, in `terms`. */
  private loss(z: number, i: number): void {
    const { model, y, offset } = this.problem
    if (this.expression.objective) this.terms.set([z, 1, 0])
    else scalarLoss(model.loss).terms(z + (offset ? offset[i] : 0), y[i], this.terms, model.lossParameters ?? [])
  }

  /** f, and g [P] and H [P, P] where arrays are given, over all rows or over `rows` (a mini-batch, with the mean over its weights). `own` [N]: weights that take the place of the problem's. */
  evaluate(theta: Float64Array, g?: Float64Array, H?: Float64Array, rows?: Uint32Array, own?: Float64Array): number {
    const weight = own ?? this.problem.weight
    const P = this.parameters
    g?.fill(0)
    H?.fill(0)
    const total = rows
      ? rows.reduce((sum, i) => sum + (weight ? weight[i] : 1), 0)
      : own
        ? own.reduce((sum, w) => sum + w, 0)
        : this.totalWeight
    const tape = this.tapes[H ? 2 : g ? 1 : 0]
    let f = 0
    const count = rows ? rows.length : this.problem.rows
    for (let n = 0; n < count; n++) {
      const i = rows ? rows[n] : n
      // A mini-batch whose rows all weigh nothing says nothing.
      const c = total > 0 ? (weight ? weight[i] : 1) / total : 0
      if (c === 0) continue
      tape.run(this.row(i), theta)
      this.loss(tape.root(0), i)
      f += c * this.terms[0]
      const [first, curvature] = [c * this.terms[1], c * this.terms[2]]
      if (g) for (let p = 0; p < P; p++) g[p] += first * tape.root(1 + p)
      if (!H) continue
      if (curvature !== 0)
        for (let p = 0; p < P; p++) {
          const left = curvature * tape.root(1 + p)
          for (let q = p; q < P; q++) H[p * P + q] += left * tape.root(1 + q)
        }
      this.second.forEach(({ p, q }, k) => (H[p * P + q] += first * tape.root(1 + P + k)))
    }
    if (H) for (let p = 0; p < P; p++) for (let q = 0; q < p; q++) H[p * P + q] = H[q * P + p]!
    return f
  }
}
