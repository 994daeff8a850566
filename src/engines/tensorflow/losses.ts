/** ℓ with its first two derivatives in z (models/losses), and φ, φ′, φ″ (models/activations.ts), on whole tensors. */
import type { Activation } from '../../models/activations.js'
import type { ScalarLossName } from '../../models/losses/index.js'
import type { Device, Tensor } from './device.js'
import { cloglogEvent, cloglogRatio, normal, normalCdf, sigmoids, sines } from './special.js'

export type LossTensors = {
  readonly value: Tensor
  readonly first: Tensor
  readonly second: Tensor
}

/** z: [R, n]; y: [n], or [R, n]; `constants` of the loss (models/losses). */
export function lossTensors(
  device: Device,
  loss: ScalarLossName,
  z: Tensor,
  y: Tensor,
  [a, b, c]: readonly [number, number, number]
): LossTensors {
  const { tf, select } = device
  const not = tf.sub(1, y)
  switch (loss) {
    case 'squared': {
      const d = tf.sub(z, y)
      return { value: tf.mul(tf.mul(d, d), 0.5), first: d, second: tf.onesLike(z) }
    }
    case 'logistic': {
      const { size, e, up, down } = sigmoids(device, z)
      // (1 − y) z⁺ + y (−z)⁺
      const linear = tf.mul(tf.add(tf.mul(not, tf.add(size, z)), tf.mul(y, tf.sub(size, z))), 0.5)
      return {
        value: tf.add(linear, device.log1p(e)),
        first: tf.sub(tf.mul(not, up), tf.mul(y, down)),
        second: tf.mul(up, down)
      }
    }
    case 'brier': {
      const { up, down } = sigmoids(device, z)
      const d = tf.sub(tf.mul(not, up), tf.mul(y, down))
      const s = tf.mul(up, down)
      return {
        value: tf.mul(tf.mul(d, d), 0.5),
        first: tf.mul(d, s),
        second: tf.add(tf.mul(s, s), tf.mul(tf.mul(d, s), tf.sub(down, up)))
      }
    }
    case 'probit': {
      const { logUpper, logLower, upper, lower } = normal(device, tf.abs(z))
      const positive = tf.greater(z, 0)
      const side = (at: Tensor, from: Tensor): Tensor => select(positive, at, from)
      const a = { r: side(upper.r, lower.r), excess: side(upper.excess, lower.excess) }
      const b = { r: side(lower.r, upper.r), excess: side(lower.excess, upper.excess) }
      return {
        value: tf.neg(tf.add(tf.mul(y, side(logUpper, logLower)), tf.mul(not, side(logLower, logUpper)))),
        first: tf.sub(tf.mul(not, b.r), tf.mul(y, a.r)),
        second: tf.add(tf.mul(tf.mul(y, a.r), a.excess), tf.mul(tf.mul(not, b.r), b.excess))
      }
    }
    case 'cloglog': {
      const u = tf.exp(z)
      const { q, slope } = cloglogRatio(device, u)
      // A term with weight nought is not there, even where it is infinite.
      const rest = select(tf.equal(not, 0), tf.zerosLike(u), tf.mul(not, u))
      return {
        value: tf.add(tf.mul(y, cloglogEvent(device, z, u)), rest),
        first: tf.sub(rest, tf.mul(y, q)),
        second: tf.sub(rest, tf.mul(y, slope))
      }
    }
    case 'poisson': {
      const u = tf.exp(z)
      return { value: tf.sub(u, tf.mul(y, z)), first: tf.sub(u, y), second: u }
    }
    case 'gamma': {
      const u = tf.mul(y, tf.exp(tf.neg(z)))
      return { value: tf.add(z, u), first: tf.sub(1, u), second: u }
    }
    case 'negativeBinomial': {
      const w = tf.add(z, b)
      const { e, up, down } = sigmoids(device, w)
      const size = tf.add(y, c)
      const linear = select(tf.greater(w, 0), tf.add(tf.mul(w, c), tf.mul(y, b)), tf.neg(tf.mul(y, z)))
      return {
        value: tf.add(linear, tf.mul(size, device.log1p(e))),
        first: tf.sub(tf.mul(up, c), tf.mul(y, down)),
        second: tf.mul(tf.mul(size, up), down)
      }
    }
    case 'huber': {
      const r = tf.sub(z, y)
      const size = tf.abs(r)
      const far = tf.greater(size, a)
      const near = tf.onesLike(r)
      return {
        value: select(far, tf.mul(tf.sub(size, 0.5 * a), a), tf.mul(tf.mul(r, r), 0.5)),
        first: select(far, tf.mul(tf.sign(r), a), r),
        second: select(far, tf.zerosLike(r), near)
      }
    }
    case 'student': {
      const r = tf.sub(z, y)
      const t = tf.mul(tf.mul(r, r), b)
      const down = tf.div(1, tf.add(t, 1))
      return {
        value: tf.mul(device.log1p(t), a),
        first: tf.mul(tf.mul(r, down), c),
        second: tf.mul(tf.mul(tf.sub(1, t), tf.mul(down, down)), c)
      }
    }
    default:
      return loss satisfies never
  }
}

export type SoftmaxTensors = {
  /** [R, n] */
  readonly value: Tensor
  /** [R, C, n] */
  readonly first: Tensor
  readonly p: Tensor
}

/** z: [R, C, n]; `label` and `other` (1 − label): 1 at the row's class, [C, n] or [R, C, n]. */
export function softmaxTensors({ tf, select, log1p }: Device, z: Tensor, label: Tensor, other: Tensor): SoftmaxTensors {
  const below = tf.sub(tf.max(z, 1, true), z)
  const e = tf.exp(tf.neg(below))
  const total = tf.sum(e, 1, true)
  const p = tf.div(e, total)
  const gap = tf.sum(tf.mul(below, label), 1)
  const rest = tf.sum(tf.mul(e, other), 1)
  const elsewhere = tf.mul(p, other)
  return {
    value: select(tf.equal(gap, 0), log1p(rest), tf.add(gap, tf.log(tf.squeeze(total, [1])))),
    // Minus the sum of the others, so that the entry of the row's class keeps its digits when its probability is near 1.
    first: tf.sub(elsewhere, tf.mul(label, tf.sum(elsewhere, 1, true))),
    p
  }
}

export type ActivationTensors = {
  readonly value: Tensor
  readonly first: Tensor
  /** Absent: not wanted, or zero everywhere. */
  readonly second: Tensor | undefined
}

/** @param curved whether φ″ is wanted */
export function activationTensors(
  device: Device,
  activation: Activation,
  u: Tensor,
  curved: boolean
): ActivationTensors {
  const { tf, select } = device
  switch (activation) {
    case 'identity':
      return { value: u, first: tf.onesLike(u), second: undefined }
    case 'tanh': {
      const value = tf.tanh(u)
      const e = tf.exp(tf.mul(tf.abs(u), -2))
      const root = tf.add(e, 1)
      const first = tf.div(tf.mul(e, 4), tf.mul(root, root))
      return { value, first, second: curved ? tf.mul(tf.mul(value, first), -2) : undefined }
    }
    case 'logistic': {
      const { up, down } = sigmoids(device, u)
      const first = tf.mul(up, down)
      return { value: up, first, second: curved ? tf.mul(first, tf.sub(down, up)) : undefined }
    }
    case 'softplus': {
      const { size, e, up, down } = sigmoids(device, u)
      return {
        value: tf.add(tf.mul(tf.add(size, u), 0.5), device.log1p(e)),
        first: up,
        second: curved ? tf.mul(up, down) : undefined
      }
    }
    case 'relu':
      return {
        // Not tf.relu, which drops a NaN on some devices.
        value: select(tf.lessEqual(u, 0), tf.zerosLike(u), u),
        first: tf.cast(tf.greater(u, 0), 'float32'),
        second: undefined
      }
    case 'sin': {
      const { sine: value, cosine } = sines(device, u)
      return { value, first: cosine, second: curved ? tf.neg(value) : undefined }
    }
    case 'gelu': {
      const { cdf, density } = normalCdf(device, u)
      return {
        value: tf.mul(u, cdf),
        first: tf.add(cdf, tf.mul(u, density)),
        second: curved ? tf.mul(density, tf.sub(2, tf.mul(u, u))) : undefined
      }
    }
    default:
      return activation satisfies never
  }
}
