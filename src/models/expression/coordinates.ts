/**
 * Inner coordinates u of a user's parameters θ: θ = s u without bounds, s a power of two near the parameter's own size; and, after
 * MINUIT (James and Roos, Computer Physics Communications 10, 1975), θ = l + s (√(u² + 1) − 1) above a bound l, the mirror image of that
 * below one, θ = l + (h − l)(1 + sin u)/2 between two. A minimiser at a bound is a stationary point in u.
 */
import { Op, type Graph, type NodeId } from '../../language/formula/graph.js'
import type { Expression, FreeParameter } from './types.js'

/** θ of one parameter. */
function toUserOne({ lower, upper, scale }: FreeParameter, u: number): number {
  if (lower !== null && upper !== null) return lower + 0.5 * (upper - lower) * (1 + Math.sin(u))
  const away = scale * (Math.sqrt(u * u + 1) - 1)
  if (lower !== null) return lower + away
  if (upper !== null) return upper - away
  return scale * u
}

/** u ≥ 0, or in [−π/2, π/2] between two bounds; values beyond a bound go to it. */
function toInnerOne({ lower, upper, scale }: FreeParameter, theta: number): number {
  if (lower !== null && upper !== null)
    return Math.asin(Math.min(1, Math.max(-1, (2 * (theta - lower)) / (upper - lower) - 1)))
  if (lower === null && upper === null) return theta / scale
  const away = Math.max(0, lower !== null ? theta - lower : upper! - theta) / scale
  return Math.sqrt(away * (away + 2))
}

/** θ [P] from the model's own coordinates. */
export function toUser({ parameters, coordinates }: Expression, u: ArrayLike<number>): Float64Array {
  const theta = new Float64Array(parameters.length)
  for (let k = 0; k < theta.length; k++) theta[k] = coordinates === 'user' ? u[k] : toUserOne(parameters[k], u[k])
  return theta
}

/** What turns a user's value of parameter k into the model's own coordinate. */
export const innerOf = ({ parameters, coordinates }: Expression): ((k: number, theta: number) => number) =>
  coordinates === 'user' ? (_, theta) => theta : (k, theta) => toInnerOne(parameters[k], theta)

/** The model's own coordinates of θ [P]. */
export const fromUser = (model: Expression, theta: ArrayLike<number>): Float64Array => {
  const inner = innerOf(model)
  return Float64Array.from(model.parameters, (_, k) => inner(k, theta[k]))
}

/** dθ/du [P] at u. */
export function slopes({ parameters, coordinates }: Expression, u: ArrayLike<number>): Float64Array {
  return Float64Array.from(parameters, ({ lower, upper, scale }, k) => {
    if (coordinates === 'user') return 1
    if (lower !== null && upper !== null) return 0.5 * (upper - lower) * Math.cos(u[k])
    const away = (scale * u[k]) / Math.sqrt(u[k] * u[k] + 1)
    return lower !== null ? away : upper !== null ? -away : scale
  })
}

/** The one of all u of the same θ that stands for them. */
export function folded({ lower, upper }: FreeParameter, u: number): number {
  if (lower !== null && upper !== null) {
    if (Math.abs(u) <= Math.PI / 2) return u
    const turn = u - 2 * Math.PI * Math.round(u / (2 * Math.PI))
    return turn > Math.PI / 2 ? Math.PI - turn : turn < -Math.PI / 2 ? -Math.PI - turn : turn
  }
  return lower !== null || upper !== null ? Math.abs(u) : u
}

/** The node of θ_k as a function of the model's own coordinates. */
export function parameterNode(graph: Graph, { parameters, coordinates }: Expression, k: number): NodeId {
  const u = graph.parameter(k)
  if (coordinates === 'user') return u
  const { lower, upper, scale } = parameters[k]
  const constant = (v: number): NodeId => graph.constant(v)
  if (lower !== null && upper !== null)
    return graph.add(
      constant(lower),
      graph.mul(constant(0.5 * (upper - lower)), graph.add(constant(1), graph.unary(Op.sin, u)))
    )
  if (lower === null && upper === null) return graph.mul(constant(scale), u)
  const root = graph.unary(Op.sqrt, graph.add(graph.mul(u, u), constant(1)))
  const away = graph.mul(constant(scale), graph.sub(root, constant(1)))
  return lower !== null ? graph.add(constant(lower), away) : graph.sub(constant(upper!), away)
}

/** Parameters that lie on a bound at θ, to 1e-9 of their scale. */
export function atBound(model: Expression, theta: ArrayLike<number>): boolean[] {
  return model.parameters.map(({ lower, upper, scale }, k) => {
    const near = (bound: number | null): boolean =>
      bound !== null && Math.abs(theta[k] - bound) <= 1e-9 * Math.max(scale, Math.abs(bound))
    return near(lower) || near(upper)
  })
}
