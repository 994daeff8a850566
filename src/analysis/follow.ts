/** Programs run from given points, results in the order of the points; and what rounding does to a loss. */
import type { Objective, Program, RunBlock } from '../engines/types.js'

/** What judging asks of an objective. */
export type JudgedObjective = Pick<Objective, 'parameters' | 'evaluate' | 'minimise' | 'certifier'>
export type ValuedObjective = Pick<Objective, 'parameters' | 'evaluate'>

export type Runs = Omit<RunBlock, 'start' | 'traces'>

/** Runs a program from points [count, P], of all the steps or until max |g| is at most `gradient`; results in the order of the points. */
export async function inOrder(
  objective: JudgedObjective,
  program: Program,
  theta: Float64Array,
  count: number,
  steps: number,
  gradient = 0
): Promise<Runs> {
  const P = objective.parameters
  const K = program.report.length
  const out = {
    count,
    theta: new Float64Array(count * P),
    loss: new Float64Array(count),
    gradientNorm: new Float64Array(count),
    steps: new Uint32Array(count),
    status: new Uint8Array(count),
    report: new Float64Array(count * K)
  }
  if (count === 0) return out
  const request = { program, starts: { kind: 'given' as const, theta, count }, stop: { steps, gradient } }
  for await (const block of objective.minimise(request))
    for (let i = 0; i < block.count; i++) {
      const to = block.start[i]
      out.theta.set(block.theta.subarray(i * P, (i + 1) * P), to * P)
      out.report.set(block.report.subarray(i * K, (i + 1) * K), to * K)
      out.loss[to] = block.loss[i]!
      out.gradientNorm[to] = block.gradientNorm[i]!
      out.steps[to] = block.steps[i]!
      out.status[to] = block.status[i]!
    }
  return out
}

/** Rows `which` of theta [·, P], in that order. */
export function pick(theta: Float64Array, P: number, which: ArrayLike<number>): Float64Array {
  const out = new Float64Array(which.length * P)
  // By number: of rows as short as these a view of each takes longer.
  for (let n = 0, to = 0; n < which.length; n++)
    for (let p = 0, from = which[n] * P; p < P; p++) out[to++] = theta[from + p]
  return out
}

/** Numbers held at a time while points are perturbed. */
const heldNumbers = 4e6
const perturbations = 8
/** Signs of the perturbations that measure rounding. */
const sign = (k: number, p: number): number => (((k * 0x9e3779b1 + p * 0x85ebca6b) >>> 7) & 1 ? 1 : -1)

/**
 * [count] How far the losses of points [count, P] move when every parameter moves by one rounding, and at least 64 roundings of the loss.
 */
export async function lossNoise(
  objective: ValuedObjective,
  points: Float64Array,
  losses: ArrayLike<number>,
  eps: number
): Promise<Float64Array> {
  const P = objective.parameters
  const count = losses.length
  const out = new Float64Array(count)
  const chunk = Math.max(1, Math.floor(heldNumbers / (perturbations * P)))
  for (let from = 0; from < count; from += chunk) {
    const size = Math.min(chunk, count - from)
    const theta = new Float64Array(size * perturbations * P)
    for (let n = 0; n < size; n++)
      for (let k = 0; k < perturbations; k++)
        for (let p = 0; p < P; p++)
          theta[(n * perturbations + k) * P + p] = points[(from + n) * P + p] * (1 + sign(k, p) * eps)
    const { f } = await objective.evaluate(theta, {})
    for (let n = 0; n < size; n++) {
      const loss = losses[from + n]
      let noise = 64 * eps * Math.abs(loss)
      for (let k = 0; k < perturbations; k++) noise = Math.max(noise, 8 * Math.abs(f[n * perturbations + k] - loss))
      out[from + n] = noise
    }
  }
  return out
}

const breathMilliseconds = 20
/** Gives the event loop a turn when so long has passed. */
export const breathing = (): (() => Promise<void>) => {
  let since = performance.now()
  return async () => {
    if (performance.now() - since < breathMilliseconds) return
    await new Promise(resolve => setImmediate(resolve))
    since = performance.now()
  }
}

/** |θ / scale| of the point [P] that begins at `at`. */
export function scaledLength(theta: Float64Array, scale: Float64Array, at = 0): number {
  let sum = 0
  for (let p = 0; p < scale.length; p++) sum += (theta[at + p] / scale[p]) ** 2
  return Math.sqrt(sum)
}

/** max(1, max |θ_p / scale_p|) of a point [P]. */
export const sizeOf = (scale: Float64Array, theta: Float64Array): number =>
  theta.reduce((m, v, p) => Math.max(m, Math.abs(v / scale[p])), 1)

/** Whether a parameter moves by more than `limit`, relative to max(1, |θ|). */
export const isFarFrom = (scale: Float64Array, from: Float64Array, to: Float64Array, limit: number): boolean =>
  from.some((v, p) => Math.abs(to[p] - v) > limit * Math.max(scale[p], Math.abs(v)))

/** Steps for which a doubtful run is followed on: flat valleys and narrow curved ones take many, which small models can afford. */
export const followSteps = (P: number, convex: boolean): number => {
  const most = convex ? 100 : Math.min(2000, Math.max(100, Math.round(1e7 / P ** 3)))
  return Math.min(most, Math.max(20, Math.round(4e9 / P ** 3)))
}
