/** What a model given as an expression computes: its graph with exact derivatives, made once for every model. */
import { build } from '../../language/formula/build.js'
import { derivatives, differentiate, gradient, type Derivatives, type Second } from '../../language/formula/derive.js'
import { Graph, type NodeId } from '../../language/formula/graph.js'
import { parse } from '../../language/formula/parse.js'
import { compileRegisters, type RegisterProgram } from '../../language/formula/registers.js'
import { parameterNode } from './coordinates.js'
import { lossTable } from '../losses/index.js'
import type { Convexity, ExpressionModel, Loss } from '../types.js'
import type { Expression } from './types.js'

export interface CompiledExpression extends Derivatives {
  readonly graph: Graph
  readonly z: NodeId
  readonly registers: RegisterProgram
}

const compiled = new WeakMap<Expression, CompiledExpression>()

/** @throws InputError where the formula cannot be read, names what there is not, or is too large */
export function compileExpression(model: Expression): CompiledExpression {
  const old = compiled.get(model)
  if (old) return old
  const graph = new Graph()
  const z = outputNode(graph, model, k => parameterNode(graph, model, k))
  const all = model.gaussNewton ? gaussNewtonOf(graph, z, model) : derivatives(graph, z, model.parameters.length)
  const made = { graph, z, ...all, registers: compileRegisters(graph, z, all, model.parameters.length) }
  compiled.set(model, made)
  return made
}

/** z, with parameter k as the node that is given for it. */
function outputNode(graph: Graph, model: Expression, parameter: (k: number) => NodeId): NodeId {
  const known = new Map<string, () => NodeId>()
  model.parameters.forEach(({ name }, k) => known.set(name, () => parameter(k)))
  for (const { name, value } of model.fixed) known.set(name, () => graph.constant(value))
  model.columns.forEach((name, d) => known.set(name, () => graph.column(d)))
  const what = model.objective ? 'Parameters' : 'Parameters and columns'
  return build(graph, parse(model.formula), model.formula, known, what)
}

/**
 * First derivatives of z, and of the second ones what bounds make: ∂z/∂θ_p θ_p″(u_p). At a bound θ′ is 0, and with it all that is left of
 * the curvature there.
 */
function gaussNewtonOf(graph: Graph, z: NodeId, model: Expression): Derivatives {
  const P = model.parameters.length
  const second: Second[] = []
  // θ as a variable, which simplification leaves whole.
  const inTheta = outputNode(graph, model, k => graph.parameter(P + k))
  model.parameters.forEach((_, p) => {
    const u = graph.parameter(p)
    const bend = differentiate(graph, [differentiate(graph, [parameterNode(graph, model, p)], u)[0]!], u)[0]
    const slope = differentiate(graph, [inTheta], graph.parameter(P + p))[0]
    if (bend === undefined || slope === undefined) return
    const along = graph.substitute(slope, k => parameterNode(graph, model, k - P))
    second.push({ p, q: p, node: graph.mul(along, bend) })
  })
  return { first: gradient(graph, z, P), second }
}

/** The model whose output an expression gives. */
export const modelOf = (expression: Expression, loss: Loss): ExpressionModel => ({
  kind: 'expression',
  inputs: expression.columns.length,
  outputs: 1,
  loss,
  expression
})

/** The same model in the user's parameters. */
const inUser = new WeakMap<Expression, Expression>()
export function userModel(model: Expression): Expression {
  if (model.coordinates === 'user') return model
  let user = inUser.get(model)
  if (!user) inUser.set(model, (user = { ...model, coordinates: 'user' }))
  return user
}

/** The same model with Gauss and Newton's matrix in place of the Hessian. */
const linearised = new WeakMap<Expression, Expression>()
export function gaussNewtonModel(model: Expression): Expression {
  let own = linearised.get(model)
  if (!own) linearised.set(model, (own = { ...model, gaussNewton: true }))
  return own
}

export function expressionConvexity({ expression, loss }: ExpressionModel): Convexity {
  const { second, first } = compileExpression(expression)
  if (expression.objective) return { model: false, reason: 'Whether the objective is convex is not known.' }
  if (second.length > 0) return { model: false, reason: 'The formula is not linear in its parameters.' }
  if (!lossTable[loss].convex) return { model: false, reason: `The ${loss} loss is not convex.` }
  return {
    model: true,
    reason: `The formula is linear in its ${first.length} parameters and the ${loss} loss is convex in it.`
  }
}
