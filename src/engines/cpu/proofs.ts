/** Proofs about stationary points by the addon's interval arithmetic (kernels/cpu/prove.h), and its operations for tests. */
import type { Proofs, ProofStatus } from '../types.js'
import type { NativeProofs } from './addon.js'

/** In the order of `ProofStatus` in kernels/cpu/prover.h. */
const statuses: readonly ProofStatus[] = ['proved', 'kink', 'singular', 'notFinite', 'noBox', 'inertia']

/** In the order of `ProofNumber` there. */
const numbers = [
  'status',
  'index',
  'radius',
  'error',
  'contraction',
  'rounded',
  'loss',
  'gradient',
  'condition'
] as const

/** Operations on intervals and balls, in the order of `Operation` in kernels/cpu/prover.h. */
export const enclosedOperations = [
  'add',
  'subtract',
  'multiply',
  'divide',
  'exp',
  'expm1',
  'log1p',
  'log',
  'tanh',
  'tanhFirst',
  'tanhSecond',
  'logistic',
  'logisticFirst',
  'logisticSecond',
  'softplus',
  'hazard',
  'excess',
  'logNormal',
  'sine',
  'cosine',
  'gelu',
  'geluFirst',
  'geluSecond',
  'squareRoot',
  'arcTangent',
  'errorFunction',
  'power',
  'powerLog',
  'powerLog2'
] as const
export type EnclosedOperation = (typeof enclosedOperations)[number]

export function readProofs(native: NativeProofs): Proofs {
  const K = numbers.length
  const count = native.numbers.length / K
  const column = (name: (typeof numbers)[number]): Float64Array => {
    const k = numbers.indexOf(name)
    return Float64Array.from({ length: count }, (_, i) => native.numbers[i * K + k])
  }
  return {
    count,
    status: Array.from(column('status'), s => statuses[s]),
    index: Uint32Array.from(column('index')),
    radius: column('radius'),
    radii: native.radii,
    error: column('error'),
    contraction: column('contraction'),
    theta: native.rounded,
    isRounded: Uint8Array.from(column('rounded')),
    loss: column('loss'),
    gradientNorm: column('gradient'),
    condition: column('condition')
  }
}
