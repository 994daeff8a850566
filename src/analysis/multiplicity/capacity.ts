/**
 * Rashomon capacity (Hsu and Calmon 2022): how far models differ in the probabilities that they give a row's classes. With models as the
 * inputs of a channel and classes as its outputs, C = max_w min_q Σ_m w_m D(p_m ‖ q) is its capacity in bits, and 2^C, from 1 (all say the
 * same) to the number of classes, the number of classes that the models effectively choose among.
 */

/** C is known within this, in nats. */
const tolerance = 1e-7
/** Turns of Blahut and Arimoto's algorithm, and models that are added to its inputs, at most. */
const mostTurns = 20_000
const mostInputs = 256

/** D(p ‖ q) in nats, with 0 log 0 = 0. */
function divergence(p: Float64Array, at: number, q: Float64Array): number {
  let sum = 0
  for (let c = 0; c < q.length; c++) if (p[at + c] > 0) sum += p[at + c] * Math.log(p[at + c] / q[c])
  return Math.max(0, sum)
}

/** The models that give each class its largest probability. */
function extremes(p: Float64Array, K: number, models: number): number[] {
  const found = new Set<number>()
  for (let c = 0; c < K; c++) {
    let top = 0
    for (let m = 1; m < models; m++) if (p[m * K + c] > p[top * K + c]) top = m
    found.add(top)
  }
  return [...found]
}

/**
 * Capacity in nats of the channel of a few models, by the algorithm of Blahut (1972) and Arimoto (1972): w_m ← w_m exp(D_m) / Σ, where
 * log Σ w_m exp(D_m) ≤ C ≤ max D_m.
 * @param q receives the best single prediction
 * @param weights w, to begin with and as found
 */
function blahutArimoto(p: Float64Array, inputs: readonly number[], weights: number[], q: Float64Array): number {
  const K = q.length
  const D = new Float64Array(inputs.length)
  for (let turn = 0; ; turn++) {
    q.fill(0)
    inputs.forEach((m, n) => {
      for (let c = 0; c < K; c++) q[c] += weights[n] * p[m * K + c]
    })
    let sum = 0
    let upper = 0
    inputs.forEach((m, n) => {
      D[n] = divergence(p, m * K, q)
      upper = Math.max(upper, D[n])
      sum += weights[n] * Math.exp(D[n])
    })
    const lower = Math.log(sum)
    if (upper - lower <= tolerance || turn === mostTurns) return lower
    weights.forEach((w, n) => (weights[n] = (w * Math.exp(D[n])) / sum))
  }
}

/**
 * 2^C of models that give one row the probabilities p [M, K] row-major, within 1e-6 times the result. At most K models are needed to reach
 * the capacity (its optimality conditions), so that the algorithm runs on a few, to which those that lie farthest from the best prediction
 * are added until none lies beyond.
 */
export function rashomonCapacity(p: Float64Array, K: number, models = p.length / K): number {
  if (models < 2) return 1
  const inputs = extremes(p, K, models)
  const q = new Float64Array(K)
  let weights: number[] = inputs.map(() => 1 / inputs.length)
  for (;;) {
    const capacity = blahutArimoto(p, inputs, weights, q)
    let farthest = -1
    let most = capacity + 2 * tolerance
    for (let m = 0; m < models; m++) {
      const D = divergence(p, m * K, q)
      if (D > most) [farthest, most] = [m, D]
    }
    if (farthest < 0 || inputs.includes(farthest) || inputs.length === mostInputs) return Math.exp(capacity)
    inputs.push(farthest)
    weights = inputs.map(() => 1 / inputs.length)
  }
}

/** 2^C of two classes, where the capacity is that of the two models farthest apart: they give class 1 the probabilities low and high. */
export const twoClassCapacity = (low: number, high: number): number =>
  high > low ? rashomonCapacity(Float64Array.of(1 - low, low, 1 - high, high), 2) : 1
