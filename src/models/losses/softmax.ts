import type { ClassLoss } from './types.js'

/** log Σ_c e^{z_c} − z_y */
export const softmax: ClassLoss = {
  response: 'class',
  allowed: 'numbers of classes',
  fits: y => Number.isInteger(y) && y >= 0,
  parameters: [],
  model: 'multinomial regression',
  link: 'shares',
  convex: true,
  ratio: 'odds ratio against the first class',
  // The same number added to all outputs changes nothing.
  strictlyConvex: false,
  value: (A, z, y) => A.sub(A.log(z.map(v => A.exp(v)).reduce((a, b) => A.add(a, b))), z[y])
}

/**
 * Softmax: returns ℓ = log Σ_c e^{z_c} − z_k and writes p_c and ∂ℓ/∂z_c = p_c − [c = k]; the entry of class k is minus the sum of
 * the other probabilities, so that it keeps its digits when p_k is near 1. ∂²ℓ/∂z_c∂z_d = p_c ([c = d] − p_d).
 */
export function softmaxTerms(z: Float64Array, k: number, p: Float64Array, d: Float64Array): number {
  const C = z.length
  let top = -Infinity
  for (let c = 0; c < C; c++) top = Math.max(top, z[c])
  let total = 0
  for (let c = 0; c < C; c++) total += p[c] = Math.exp(z[c] - top)
  let others = 0
  for (let c = 0; c < C; c++) {
    p[c] = p[c] / total
    d[c] = p[c]!
    if (c !== k) others += p[c]
  }
  d[k] = -others
  if (z[k] === top) {
    let rest = 0
    for (let c = 0; c < C; c++) if (c !== k) rest += Math.exp(z[c] - top)
    return Math.log1p(rest)
  }
  return top - z[k] + Math.log(total)
}

/** Second derivative of softmax; 1 − p_c for large p_c as the sum of the others, from d. */
export const softmaxSecond = (p: Float64Array, c: number, d: number): number => {
  if (c !== d) return -p[c] * p[d]
  let others = 0
  for (let e = 0; e < p.length; e++) if (e !== c) others += p[e]
  return p[c] * others
}
