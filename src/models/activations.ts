/** The hidden activations: facts that the analysis reads in place of names, φ with its derivatives, and φ by its definition. */
import { sigmoidOf, softplusOf, scaled, type Algebra } from './algebra.js'
import { erfc, sigmoid, softplus } from './special.js'

export interface ActivationDefinition {
  /** φ(u) in exported functions: of Python, where `_logistic` is at hand, and of base R on matrices. */
  readonly code: { readonly python: string; readonly r: string }
  /** c where φ(−u) = c − φ(u) for every u (0: odd), so that a unit's sign can be flipped; absent where there is no such number. */
  readonly reflection?: 0 | 1
  /** a where φ(u + a) = −φ(u) for every u: a bias can be moved by a where the outgoing weights change their signs. */
  readonly antiperiod?: number
  /** φ(s u) = s φ(u) for s > 0. */
  readonly homogeneous?: boolean
  /** φ(u) = u: units of a layer can be mixed. */
  readonly linear?: boolean
  /** φ(u) − u → 0 as u → ∞: a unit with a large bias is a line. */
  readonly affineTail?: boolean
  /** Whether φ has two continuous derivatives. */
  readonly smooth: boolean
  /** Of a φ of two straight lines that meet at 0: their slopes below and above. */
  readonly slopes?: readonly [number, number]
  /** Writes φ(u), φ′(u), φ″(u) into `out`. */
  terms(u: number, out: Float64Array): void
  value<T>(A: Algebra<T>, u: T): T
}

const table = {
  identity: {
    code: { python: 'u', r: 'u' },
    reflection: 0,
    homogeneous: true,
    linear: true,
    smooth: true,
    terms(u, out) {
      out[0] = u
      out[1] = 1
      out[2] = 0
    },
    value: (_, u) => u
  },
  tanh: {
    code: { python: 'math.tanh(u)', r: 'tanh(u)' },
    reflection: 0,
    smooth: true,
    terms(u, out) {
      const t = Math.tanh(u)
      // 1 − tanh² as 4e/(1+e)², e = e^(−2|u|): keeps its digits in the tails.
      const e = Math.exp(-2 * Math.abs(u))
      const s = (4 * e) / ((1 + e) * (1 + e))
      out[0] = t
      out[1] = s
      out[2] = -2 * t * s
    },
    value(A, u) {
      const e = A.expm1(scaled(A, 2, u))
      return A.div(e, A.add(e, A.constant(2)))
    }
  },
  logistic: {
    code: { python: '_logistic(u)', r: 'plogis(u)' },
    reflection: 1,
    smooth: true,
    terms(u, out) {
      const up = sigmoid(u)
      const down = sigmoid(-u)
      out[0] = up
      out[1] = up * down
      out[2] = up * down * (down - up)
    },
    value: sigmoidOf
  },
  softplus: {
    code: { python: 'max(u, 0.0) + math.log1p(math.exp(-abs(u)))', r: 'pmax(u, 0) + log1p(exp(-abs(u)))' },
    affineTail: true,
    smooth: true,
    terms(u, out) {
      const up = sigmoid(u)
      out[0] = softplus(u)
      out[1] = up
      out[2] = up * sigmoid(-u)
    },
    value: softplusOf
  },
  relu: {
    code: { python: 'max(u, 0.0)', r: 'pmax(u, 0)' },
    homogeneous: true,
    smooth: false,
    slopes: [0, 1],
    /** φ′(0) = 0. */
    terms(u, out) {
      out[0] = u <= 0 ? 0 : u
      out[1] = u > 0 ? 1 : 0
      out[2] = 0
    },
    value: (A, u) =>
      A.positive(
        u,
        () => u,
        () => A.constant(0)
      )
  },
  sin: {
    code: { python: 'math.sin(u)', r: 'sin(u)' },
    reflection: 0,
    antiperiod: Math.PI,
    smooth: true,
    terms(u, out) {
      out[0] = Math.sin(u)
      out[1] = Math.cos(u)
      out[2] = -out[0]
    },
    value: (A, u) => A.sin(u)
  },
  /** u Φ(u) (Hendrycks and Gimpel 2016), by the error function. */
  gelu: {
    code: { python: '0.5 * u * math.erfc(-u / math.sqrt(2.0))', r: 'u * pnorm(u)' },
    affineTail: true,
    smooth: true,
    terms(u, out) {
      const tail = 0.5 * erfc(Math.abs(u) * Math.SQRT1_2)
      const cdf = u < 0 ? tail : 1 - tail
      const density = Math.exp(-0.5 * u * u) / Math.sqrt(2 * Math.PI)
      out[0] = u * cdf
      out[1] = cdf + u * density
      out[2] = density * (2 - u * u)
    },
    value: (A, u) => A.mul(u, A.normalCdf(u))
  }
} as const satisfies Readonly<Record<string, ActivationDefinition>>

export type Activation = keyof typeof table
export const activationTable: Readonly<Record<Activation, ActivationDefinition>> = table
export const activations = Object.keys(table) as Activation[]
export const defaultActivation: Activation = 'tanh'

/** Writes φ(u), φ′(u), φ″(u) into `out`. */
export const activate = (activation: Activation, u: number, out: Float64Array): void =>
  activationTable[activation].terms(u, out)
