/**
 * Tensor forms of models/special.ts: the same branches and rational approximations, element by element in f32. Both sides of a
 * branch are computed, so that arguments are first brought to where a side is finite.
 */
import type { Device, TF, Tensor } from './device.js'

// Cody's rational approximations to erf and erfc (Mathematics of Computation 23, 1969), highest power last.
const erfP = [3209.37758913846947, 377.485237685302021, 113.864154151050156, 3.1611237438705656, 0.185777706184603153]
const erfQ = [2844.23683343917062, 1282.61652607737228, 244.024637934444173, 23.6012909523441209, 1]
const midP = [
  1230.33935479799725, 2051.07837782607147, 1712.04761263407058, 881.95222124176909, 298.635138197400131,
  66.1191906371416295, 8.88314979438837594, 0.564188496988670089, 2.15311535474403846e-8
]
const midQ = [
  1230.33935480374942, 3439.36767414372164, 4362.61909014324716, 3290.79923573345963, 1621.38957456669019,
  537.181101862009858, 117.693950891312499, 15.7449261107098347, 1
]
const farP = [
  6.58749161529837803e-4, 0.0160837851487422766, 0.125781726111229246, 0.360344899949804439, 0.305326634961232344,
  0.0163153871373020978
]
const farQ = [
  0.00233520497626869185, 0.0605183413124413191, 0.527905102951428412, 1.87295284992346725, 2.56852019228982242, 1
]
const SQRT_PI = 1.7724538509055160273
const SQRT_2_OVER_PI = 0.79788456080286535588
/** Where the approximation in 1/x² applies: t = 4√2, so that x = t/√2 = 4. */
const FAR = 5.65685424949238

function poly(tf: TF, coefficients: readonly number[], x: Tensor): Tensor {
  let y = tf.mul(x, coefficients[coefficients.length - 1])
  for (let i = coefficients.length - 2; i > 0; i--) y = tf.mul(tf.add(y, coefficients[i]), x)
  return tf.add(y, coefficients[0])
}

export interface Sigmoids {
  /** |z|, and e^−|z| */
  readonly size: Tensor
  readonly e: Tensor
  /** 1 / (1 + e^−z) and 1 / (1 + e^z) */
  readonly up: Tensor
  readonly down: Tensor
}

/** The logistic function on both sides from e^−|z|, so that both tails keep their digits. */
export function sigmoids({ tf, select }: Device, z: Tensor): Sigmoids {
  const size = tf.abs(z)
  const e = tf.exp(tf.neg(size))
  const large = tf.div(1, tf.add(e, 1))
  const small = tf.mul(e, large)
  const positive = tf.greater(z, 0)
  return { size, e, up: select(positive, large, small), down: select(positive, small, large) }
}

/** What the probit loss needs at t = |z| ≥ 0, on the near (t) and the far (−t) side. */
export interface Normal {
  /** log Φ(t), log Φ(−t) */
  readonly logUpper: Tensor
  readonly logLower: Tensor
  /** The hazards φ/Φ at t and −t with their excesses r(z) + z. */
  readonly upper: { readonly r: Tensor; readonly excess: Tensor }
  readonly lower: { readonly r: Tensor; readonly excess: Tensor }
}

/** e^{x²} erfc(x) at x = t/√2 for t ≥ 0, and what its far branch is made of. */
function scaledTail(tf: TF, select: Device['select'], t: Tensor) {
  const x = tf.mul(t, Math.SQRT1_2)
  const nearX = tf.minimum(x, 0.46875)
  const nearSquare = tf.mul(nearX, nearX)
  const near = tf.mul(
    tf.exp(nearSquare),
    tf.sub(1, tf.div(tf.mul(nearX, poly(tf, erfP, nearSquare)), poly(tf, erfQ, nearSquare)))
  )
  const midX = tf.minimum(x, 4)
  const mid = tf.div(poly(tf, midP, midX), poly(tf, midQ, midX))
  const farT = tf.maximum(t, FAR)
  const y = tf.div(2, tf.mul(farT, farT))
  const ratio = tf.div(tf.mul(y, poly(tf, farP, y)), poly(tf, farQ, y))
  const far = tf.div(tf.sub(1 / SQRT_PI, ratio), tf.mul(farT, Math.SQRT1_2))
  const beyond = tf.greater(x, 4)
  // erfcx(x) = e^{x²} erfc(x)
  const scaled = select(tf.lessEqual(x, 0.46875), near, select(beyond, far, mid))
  return { scaled, ratio, farT, beyond }
}

/** Φ(z) and its density. */
export function normalCdf({ tf, select }: Device, z: Tensor): { cdf: Tensor; density: Tensor } {
  const t = tf.abs(z)
  const gauss = tf.exp(tf.mul(tf.mul(t, t), -0.5))
  const lower = tf.mul(tf.mul(scaledTail(tf, select, t).scaled, gauss), 0.5)
  return {
    cdf: tf.add(select(tf.less(z, 0), lower, tf.sub(1, lower)), tf.mul(z, 0)),
    density: tf.mul(gauss, 1 / Math.sqrt(2 * Math.PI))
  }
}

/** As `logNormalCdf` and `normalHazard` in models/special.ts. */
export function normal({ tf, select, log1p }: Device, t: Tensor): Normal {
  const { scaled, ratio, farT, beyond } = scaledTail(tf, select, t)
  const w = tf.mul(ratio, SQRT_PI)
  const inverse = tf.div(1, tf.sub(1, w))
  const halfSquare = tf.mul(tf.mul(t, t), 0.5)
  const density = tf.exp(tf.neg(halfSquare))
  const tail = tf.mul(tf.mul(density, scaled), 0.5)
  const nearHazard = tf.div(SQRT_2_OVER_PI, scaled)
  const upperR = tf.div(tf.mul(density, 0.5 * SQRT_2_OVER_PI), tf.sub(1, tail))
  // tf.minimum and tf.maximum may drop a NaN; adding 0·t brings it back.
  const lost = tf.mul(t, 0)
  return {
    logUpper: tf.add(log1p(tf.neg(tail)), lost),
    logLower: tf.sub(tf.log(tf.mul(scaled, 0.5)), halfSquare),
    upper: { r: upperR, excess: tf.add(upperR, t) },
    lower: {
      r: tf.add(select(beyond, tf.mul(farT, inverse), nearHazard), lost),
      excess: tf.add(select(beyond, tf.mul(tf.mul(farT, w), inverse), tf.sub(nearHazard, t)), lost)
    }
  }
}

/** −log(1 − exp(−u)) for u = e^z */
export function cloglogEvent({ tf, select, log1p }: Device, z: Tensor, u: Tensor): Tensor {
  const minus = tf.neg(u)
  const small = tf.neg(tf.log(tf.neg(tf.expm1(minus))))
  const large = tf.neg(log1p(tf.neg(tf.exp(minus))))
  return select(tf.less(z, -36), tf.neg(z), select(tf.less(u, 0.7), small, large))
}

/** As `cloglogRatio` in models/special.ts: q = u/(e^u − 1) and u dq/du. */
export function cloglogRatio({ tf, select }: Device, u: Tensor): { q: Tensor; slope: Tensor } {
  const zero = tf.zerosLike(u)
  const q = select(tf.equal(u, 0), tf.onesLike(u), tf.div(u, tf.expm1(u)))
  const s = tf.mul(u, u)
  const series = poly(tf, [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160], s)
  const exact = tf.sub(1, tf.div(u, tf.neg(tf.expm1(tf.neg(u)))))
  const k = select(tf.less(u, 0.25), tf.sub(tf.mul(u, -0.5), tf.mul(s, series)), exact)
  const large = tf.greater(u, 700)
  return { q: select(large, zero, q), slope: select(large, zero, tf.mul(q, k)) }
}

/**
 * sin u and cos u from u less a multiple of π/2 in three parts (Cody and Waite 1980) and their series, because devices' own functions are
 * good to 1e-7 of 1 only.
 */
export function sines({ tf, select }: Device, u: Tensor): { sine: Tensor; cosine: Tensor } {
  const k = tf.round(tf.mul(u, 2 / Math.PI))
  const less = (from: Tensor, part: number): Tensor => tf.sub(from, tf.mul(k, part))
  const r = less(less(less(u, 1.5703125), 4.837512969970703e-4), 7.549789948768648e-8)
  const s = tf.mul(r, r)
  const nearSine = tf.add(r, tf.mul(tf.mul(r, s), poly(tf, [-1 / 6, 1 / 120, -1 / 5040, 1 / 362880], s)))
  const high = tf.mul(tf.mul(s, s), poly(tf, [1 / 24, -1 / 720, 1 / 40320, -1 / 3628800], s))
  const nearCosine = tf.add(tf.sub(1, tf.mul(s, 0.5)), high)
  // The quadrant: 0, 1, 2 or 3.
  const quadrant = tf.sub(k, tf.mul(tf.floor(tf.mul(k, 0.25)), 4))
  const is = (q: number): Tensor => tf.equal(quadrant, q)
  const odd = tf.logicalOr(is(1), is(3))
  const a = select(odd, nearCosine, nearSine)
  const b = select(odd, nearSine, nearCosine)
  return {
    sine: select(tf.logicalOr(is(2), is(3)), tf.neg(a), a),
    cosine: select(tf.logicalOr(is(1), is(2)), tf.neg(b), b)
  }
}
