/** How fast a sequence of errors falls: its kind and contraction, fitted to the tail, and what theory says it should be. */
import { median } from '../statistics.js'

export const rateKinds = ['quadratic', 'superlinear', 'linear', 'sublinear', 'unclear'] as const
export type RateKind = (typeof rateKinds)[number]

export interface RateFit {
  readonly kind: RateKind
  /** q in e_{k+1} ≈ C e_k^q, median over the last steps; null when unclear. */
  readonly order: number | null
  /** Factor by which the error falls per step in the tail, exp of the fitted slope of log e; null when unclear. */
  readonly contraction: number | null
  /** Errors above the floor that were looked at. */
  readonly points: number
}

const unclear = (points: number): RateFit => ({ kind: 'unclear', order: null, contraction: null, points })

/** Fewer errors than this say nothing. */
const leastPoints = 4
/** A power law needs a long tail to be told from a slow line. */
const powerLawPoints = 20
/**
 * Towards the minimum of xᵐ, m = 4, 6 …, losses fall like k^(−m/(m−2)) under gradient descent, k⁻² or slower, and no faster than the
 * square of that under acceleration. What falls like a steeper power is a line that bends a little.
 */
const steepestPower = 4
const quadraticOrder = 1.7
const superlinearOrder = 1.2
/** Steps of a fast sequence contract at least so much at the end; slower ones are linear whatever their noise. */
const fastContraction = 0.2
/** How much steeper the second half of log e is where contraction goes to zero. */
const steepening = 1.5

interface Line {
  readonly slope: number
  readonly residual: number
}

/** Least squares y ≈ a + b x. */
function line(x: readonly number[], y: readonly number[]): Line {
  const n = x.length
  const mx = x.reduce((a, b) => a + b, 0) / n
  const my = y.reduce((a, b) => a + b, 0) / n
  let sxx = 0
  let sxy = 0
  let syy = 0
  for (let i = 0; i < n; i++) {
    sxx += (x[i] - mx) ** 2
    sxy += (x[i] - mx) * (y[i] - my)
    syy += (y[i] - my) ** 2
  }
  return { slope: sxy / sxx, residual: Math.max(0, syy - (sxy * sxy) / sxx) }
}

/**
 * Fits the rate of a sequence of positive errors, one for each step. The sequence is cut at the first error at or below
 * `floor` (rounding), and replaced by its upper envelope max_{j ≥ k} e_j, so that oscillation does not count (the R-rate of
 * Ortega and Rheinboldt 1970).
 */
export function fitRate(errors: ArrayLike<number>, floor: number): RateFit {
  const e: number[] = []
  for (let k = 0; k < errors.length && errors[k] > floor && Number.isFinite(errors[k]); k++) e.push(errors[k])
  const n = e.length
  for (let k = n - 2; k >= 0; k--) e[k] = Math.max(e[k], e[k + 1])
  if (n < leastPoints) return unclear(n)
  const logs = e.map(Math.log)
  if (!(logs[n - 1] < logs[0])) return unclear(n)
  const half = Math.min(Math.floor(n / 2), n - leastPoints)
  const steps = Array.from({ length: n - half }, (_, i) => half + i + 1)
  const tail = logs.slice(half)
  const straight = line(steps, tail)
  const contraction = Math.exp(straight.slope)

  const drops = logs.slice(1).map((v, k) => v - logs[k])
  const orders: number[] = []
  for (let k = Math.max(1, drops.length - 3); k < drops.length; k++)
    if (drops[k - 1] < 0) orders.push(drops[k] / drops[k - 1])
  const order = orders.length > 0 ? median(orders) : null
  const fast = Math.exp(drops[drops.length - 1]) <= fastContraction
  if (fast && order !== null && order >= quadraticOrder) return { kind: 'quadratic', order, contraction, points: n }
  if (fast && order !== null && order >= superlinearOrder) return { kind: 'superlinear', order, contraction, points: n }
  const middle = Math.floor((n - 1) / 2)
  const first = (logs[middle] - logs[0]) / middle
  const second = (logs[n - 1] - logs[middle]) / (n - 1 - middle)
  const falling = drops.slice(-3).every((d, i, last) => i === 0 || d < last[i - 1])
  if (fast && falling && second < steepening * first) return { kind: 'superlinear', order, contraction, points: n }
  const power = line(steps.map(Math.log), tail)
  if (n >= powerLawPoints && -power.slope <= steepestPower && power.residual < straight.residual)
    return { kind: 'sublinear', order, contraction, points: n }
  return { kind: 'linear', order, contraction, points: n }
}

export interface Theory {
  readonly kind: RateKind
  /** Contraction of the gradient norm per step near the minimiser; that of the loss gap is its square. null where unknown. */
  readonly contraction: number | null
  /** 1 − μ/L: what gradient descent with step 1/L is guaranteed on the loss gap. null without a strict minimum. */
  readonly bound: number | null
  readonly reason: string
}

/** Largest modulus of the eigenvalues of [[a, b], [c, d]]. */
function spectralRadius(a: number, b: number, c: number, d: number): number {
  const half = (a + d) / 2
  const determinant = a * d - b * c
  const root = half * half - determinant
  return root < 0 ? Math.sqrt(determinant) : Math.abs(half) + Math.sqrt(root)
}

/**
 * What is known of an optimiser near a minimiser whose Hessian has these eigenvalues, μ the smallest and L the largest:
 * gradient descent max |1 − λ η|; heavy ball and Nesterov by the spectral radius of their two-step recursion; Newton quadratic;
 * L-BFGS linear (Liu and Nocedal 1989).
 */
export function theoryOf(
  optimizer: string,
  options: Readonly<Record<string, unknown>>,
  eigenvalues: readonly number[]
): Theory {
  const L = Math.max(...eigenvalues)
  const mu = Math.min(...eigenvalues)
  const strict = mu > 0 && mu > 1e-12 * L
  const bound = strict ? 1 - mu / L : null
  const rate = Number(options['learningRate'])
  const linear = (contraction: number, reason: string): Theory =>
    contraction < 1
      ? { kind: 'linear', contraction, bound, reason }
      : { kind: 'unclear', contraction, bound, reason: `${reason}: not below 1, so it does not settle there` }
  if (!strict)
    return {
      kind: 'sublinear',
      contraction: null,
      bound,
      reason: 'the minimiser is not strict, so no linear rate is known'
    }
  switch (optimizer) {
    case 'gd':
      return linear(Math.max(...eigenvalues.map(v => Math.abs(1 - rate * v))), 'max |1 − η λ| over the eigenvalues λ')
    case 'momentum': {
      const beta = Number(options['momentum'])
      const radius = eigenvalues.map(v =>
        options['nesterov'] === true
          ? spectralRadius(1 - rate * v * (1 + beta), beta * beta, -rate * v, beta)
          : spectralRadius(1 - rate * v, beta, -rate * v, beta)
      )
      return linear(Math.max(...radius), 'spectral radius of the two-step recursion')
    }
    case 'newton':
      return { kind: 'quadratic', contraction: null, bound, reason: 'the Hessian is exact and the minimum strict' }
    case 'gaussNewton':
      return { kind: 'linear', contraction: null, bound, reason: 'the curvature of z is left out' }
    case 'lbfgs':
      return { kind: 'linear', contraction: null, bound, reason: 'a limited memory gives a linear rate' }
    default:
      return { kind: 'unclear', contraction: null, bound, reason: 'no local rate is known for this rule' }
  }
}
