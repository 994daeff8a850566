/**
 * Two coordinate systems of one model (DESIGN §3): the user's columns and target, and conditioned ones that arithmetic likes. All
 * numerical work is on the conditioned problem; a `Frame` holds the exact linear maps between the two, and from the coordinates in
 * which starts are drawn and the ridge is asked for (the user's, or standardised ones where they were asked for).
 *
 *     x_c = A (x − m),  y_c = (y − my) / sy, f_user = sy² f_c (squared loss; Huber's and Student's alike)
 *
 * m is the column's mean and A = diag(1 / sd), so that offsets and units drop out; so does the mean of an offset column, which the
 * last biases take up. Without biases, or with a ridge that falls on biases
 * of raw columns, nothing may be moved, and columns are divided by their rms. For models without hidden layer and ridge whose centred
 * and scaled design is badly conditioned, A also makes columns orthonormal (gram.ts). sy is a power of two: losses map exactly.
 */
import { InputError } from '../core/errors.js'
import { DoubleDouble } from '../core/doubleDouble.js'
import { lossTable, type ScalarLoss } from '../models/losses/index.js'
import { biasMask, layers, penalizedMask } from '../models/network/network.js'
import { parameterCount } from '../models/model.js'
import type { ParameterMap } from '../models/network/parameterMap.js'
import type { Network, Problem } from '../models/types.js'
import { powersOfTwo, rankOf, whiten, type GramFactor, type Whitening } from './gram.js'

type InUnit = NonNullable<ScalarLoss['inUnit']>

/** Rows before any standardising. */
export interface GivenRows {
  readonly rows: number
  /** [N, D] row-major. */
  readonly x: Float64Array
  /** [N], or [N, C] row-major for squared loss with several outputs. */
  readonly y: Float64Array
  readonly weight?: Float64Array
  readonly offset?: Float64Array
}

/** Standardised coordinates that were asked for, of the columns, of the target, or of both. */
export interface Standardization {
  readonly columns?: { readonly mean: readonly number[]; readonly sd: readonly number[] }
  readonly target?: { readonly mean: number; readonly sd: number }
}

/** Columns are measured from `means`; z_user = scale · z_c + shift. Kept for rows that come later. */
export interface Centring {
  /** [D] */
  readonly means: readonly number[]
  readonly scale: number
  /** [C] */
  readonly shift: readonly number[]
}

export interface Frame {
  /** From conditioned parameters to the user's, and back. */
  readonly toUser: ParameterMap
  readonly fromUser: ParameterMap
  /** From conditioned parameters to those that were asked for (the user's, or standardised ones). */
  readonly toAsked: ParameterMap
  /** From the coordinates in which starts are drawn; absent where they are the conditioned ones. */
  readonly fromAsked: ParameterMap | undefined
  /** Whether standardised coordinates were asked for. */
  readonly standardized: boolean
  /** f_user = lossScale · f_c, a power of two; and the unit of residuals, 1 for losses that have none. */
  readonly lossScale: number
  readonly targetScale: number
  /** [C] y_user = targetScale · y_c + targetOrigin */
  readonly targetOrigin: Float64Array
  /** f_user = askedLossScale · f in the coordinates that were asked for. */
  readonly askedLossScale: number
  /** Of the design without its column of ones. */
  readonly design: GramFactor
  /** Where columns are moved: by what, and how the last layer's conditioned biases become the user's. */
  readonly centring: Centring | undefined
  /** Other rows in conditioned coordinates. */
  readonly rows: (given: GivenRows) => GivenRows
}

/** Powers of two that the spread of a target may have: losses are its square, and need room. */
const widestUnit = 450

/** Centred and scaled designs worse than this are whitened. */
const whitenAbove = 1e3

/** Mean [D] of weighted columns of x [N, D], to the last bit or nearly. */
export function columnMeans({ rows, x, weight }: GivenRows, D: number): Float64Array {
  const total = new DoubleDouble()
  for (let i = 0; i < rows; i++) total.add(weight ? weight[i] : 1)
  const sum = new DoubleDouble()
  return Float64Array.from({ length: D }, (_, d) => {
    sum.set(0)
    for (let i = 0; i < rows; i++) {
      if (weight) sum.addProduct(weight[i], x[i * D + d])
      else sum.add(x[i * D + d])
    }
    return sum.divide(total.hi, total.lo).value
  })
}

/** Root mean square [D] of x − shift over weighted rows; 0 where a column does not vary. */
export function columnSpread({ rows, x, weight }: GivenRows, D: number, shift: ArrayLike<number>): Float64Array {
  const out = new Float64Array(D)
  let total = 0
  for (let i = 0; i < rows; i++) total += weight ? weight[i] : 1
  for (let d = 0; d < D; d++) {
    let top = 0
    for (let i = 0; i < rows; i++) if (!weight || weight[i] > 0) top = Math.max(top, Math.abs(x[i * D + d] - shift[d]))
    if (!(top > 0)) continue
    // In units of the largest, so that squares of 1e±200 neither overflow nor vanish.
    let sum = 0
    for (let i = 0; i < rows; i++) sum += (weight ? weight[i] : 1) * ((x[i * D + d] - shift[d]) / top) ** 2
    out[d] = top * Math.sqrt(sum / total)
  }
  return out
}

/** Means and standard deviations (population, weighted) for standardising; 1 for a column that does not vary. */
export function standardizationOf(rows: GivenRows, D: number): { mean: number[]; sd: number[] } {
  const mean = columnMeans(rows, D)
  // Beside a large mean its rounding counts: Σ (x − m)² is more than the sum about the true mean by the square of what is left.
  const left = columnMeans({ ...rows, x: rows.x.map((v, n) => v - mean[n % D]) }, D)
  const spread = columnSpread(rows, D, mean).map((s, d) => s * Math.sqrt(1 - (s > 0 ? left[d] / s : 0) ** 2))
  return { mean: [...mean], sd: [...orOne(spread)] }
}

const orOne = (values: Float64Array): Float64Array => values.map(s => (s > 0 ? s : 1))

/** How a loss of residuals is written in another unit; undefined for the others. */
function unitOf({ loss, lossParameters = [] }: Network): ((unit: number) => ReturnType<InUnit>) | undefined {
  const definition = lossTable[loss]
  const inUnit = definition.response === 'class' ? undefined : definition.inUnit
  return inUnit && (unit => inUnit(unit, lossParameters))
}

/** Columns measured as A (x − shift), A = diag(1 / scale) or whitening. */
interface Columns {
  readonly shift: Float64Array
  readonly scale: Float64Array
  readonly whitening: Whitening | undefined
}
/** z_user = scale · z_c + shift, y_c = (y − origin) / scale, offset_c = (offset − offset's mean) / scale. */
interface Target {
  readonly shift: Float64Array
  readonly scale: number
  readonly origin: Float64Array
  readonly offset: number
  /** f_user = lossScale · f_c */
  readonly lossScale: number
}

/** What an offset is moved by: its mean, or an end of its range where the loss of a model that is all zeros overflows with the mean. */
function levelOf({ loss, outputs, lossParameters = [] }: Network, given: GivenRows & { offset: Float64Array }): number {
  const { rows, y, offset, weight } = given
  const mean = columnMeans({ rows, x: offset, y, ...(weight ? { weight } : {}) }, 1)[0]
  const definition = lossTable[loss]
  if (definition.response === 'class') return mean
  const terms = new Float64Array(3)
  const levels = [mean, offset.reduce((a, b) => Math.max(a, b)), offset.reduce((a, b) => Math.min(a, b))]
  const isFinite = (level: number): boolean =>
    y.every((v, n) => {
      definition.terms(offset[Math.floor(n / outputs)] - level, v, terms, lossParameters)
      return terms.every(Number.isFinite)
    })
  return levels.find(isFinite) ?? mean
}

/**
 * The target of a loss of residuals: centred where biases can take that up, in units of a power of two near its spread. An offset is
 * centred likewise.
 * @param shifted where z is 0, if biases cannot take up the mean
 */
function targetOf(network: Network, given: GivenRows, shifted: Float64Array | 'mean' | undefined): Target {
  const C = network.outputs
  const { rows, y, weight, offset } = given
  const inUnit = unitOf(network)
  const weights = weight ? { weight } : {}
  const movable = inUnit !== undefined || shifted === 'mean'
  const level = offset && movable ? levelOf(network, { ...given, offset }) : 0
  if (!inUnit)
    return {
      shift: new Float64Array(C).fill(-level),
      scale: 1,
      origin: new Float64Array(C),
      offset: level,
      lossScale: 1
    }
  const x = offset ? y.map((v, i) => v - (offset[Math.floor(i / C)] - level)) : y
  const residual = { rows, x, y, ...weights }
  const origin = shifted === 'mean' ? columnMeans(residual, C) : (shifted ?? new Float64Array(C)).map(v => v + level)
  const spread = Math.max(...columnSpread(residual, C, origin))
  const scale = spread > 0 ? 2 ** Math.round(Math.log2(spread)) : 1
  if (Math.abs(Math.log2(scale)) > widestUnit)
    throw new InputError(
      `The target varies by ${spread.toExponential(1)}, whose square is hardly a number any more; measure it in another unit.`
    )
  return { shift: origin.map(v => v - level), scale, origin, offset: level, lossScale: inUnit(scale).scale }
}

function conditionRows(network: Network, columns: Columns, target: Target, given: GivenRows): GivenRows {
  const { rows, y, weight, offset } = given
  const C = network.outputs
  return {
    rows,
    x: conditionColumns(columns, given),
    y: unitOf(network) ? y.map((v, i) => (v - target.origin[i % C]) / target.scale) : y,
    ...(weight ? { weight } : {}),
    ...(offset ? { offset: offset.map(v => (v - target.offset) / target.scale) } : {})
  }
}

function conditionColumns({ shift, scale, whitening }: Columns, { rows, x }: GivenRows): Float64Array {
  const D = shift.length
  if (!whitening) return x.map((v, n) => (v - shift[n % D]) / scale[n % D])
  const out = new Float64Array(x.length)
  const { hi, lo } = whitening.inverse
  const [a, b] = [new Float64Array(D), new Float64Array(D)]
  const sum = new DoubleDouble()
  for (let i = 0; i < rows; i++) {
    for (let d = 0; d < D; d++) {
      sum.set(x[i * D + d]).add(-shift[d])
      a[d] = sum.hi / scale[d]
      b[d] = sum.lo / scale[d]
    }
    for (let d = 0; d < D; d++) {
      sum.set(0)
      for (let e = 0; e < D; e++) {
        const at = d * D + e
        if (hi[at] !== 0) sum.addProducts(hi[at], lo[at], a[e], b[e])
      }
      out[i * D + d] = sum.value
    }
  }
  return out
}

/** [[1, row], [0, block]], or the block alone without biases. */
function sliceMatrix(bias: boolean, row: Float64Array, block: Float64Array): Float64Array {
  const D = row.length
  if (!bias) return block
  const S = D + 1
  const out = new Float64Array(S * S)
  out[0] = 1
  for (let d = 0; d < D; d++) {
    out[1 + d] = row[d]
    for (let e = 0; e < D; e++) out[(1 + d) * S + 1 + e] = block[d * D + e]
  }
  return out
}

/** Maps from parameters of columns (x − mean) / sd and target (y − my) / sy (numbers: the user's) to conditioned ones, and back. */
function mapsOf(
  network: Network,
  columns: Columns,
  target: Target,
  from: { readonly mean: ArrayLike<number>; readonly sd: ArrayLike<number>; readonly y: { mean: number; sd: number } }
): { forth: ParameterMap; back: ParameterMap } {
  const D = network.inputs
  const { shift, scale, whitening } = columns
  const forward = new Float64Array(D * D)
  const backward = new Float64Array(D * D)
  for (let d = 0; d < D; d++)
    for (let e = 0; e < D; e++) {
      const unit = d === e ? 1 : 0
      forward[d * D + e] = ((whitening ? whitening.L[e * D + d] : unit) * scale[e]) / from.sd[e]
      backward[d * D + e] =
        ((whitening ? whitening.inverse.hi[e * D + d] + whitening.inverse.lo[e * D + d] : unit) / scale[d]) * from.sd[d]
    }
  const moved = Float64Array.from(shift, (m, d) => (m - from.mean[d]) / from.sd[d])
  const sum = new DoubleDouble()
  // The bias takes up what the columns were moved by, through sums that may cancel.
  const taken = Float64Array.from({ length: D }, (_, e) => {
    sum.set(0)
    for (let d = 0; d < D; d++) {
      if (!whitening) {
        if (d === e) sum.addProduct(-moved[d], backward[d * D + e])
        continue
      }
      const part = new DoubleDouble(shift[d]).add(-from.mean[d])
      sum.addProducts(
        -part.hi / scale[d],
        -part.lo / scale[d],
        whitening.inverse.hi[e * D + d],
        whitening.inverse.lo[e * D + d]
      )
    }
    return sum.value
  })
  const C = network.outputs
  const { mean: my, sd: sy } = from.y
  const all = (of: (k: number) => number): Float64Array => Float64Array.from({ length: C }, (_, k) => of(k))
  return {
    forth: {
      first: sliceMatrix(network.bias, moved, forward),
      scale: all(() => sy / target.scale),
      shift: all(k => (my - target.shift[k]) / target.scale)
    },
    back: {
      first: sliceMatrix(network.bias, taken, backward),
      scale: all(() => target.scale / sy),
      shift: all(k => (target.shift[k] - my) / sy)
    }
  }
}

/** Whether a map changes nothing. */
function isIdentity({ first, scale, shift }: ParameterMap): boolean {
  const S = Math.round(Math.sqrt(first.length))
  return (
    first.every((v, n) => v === (n % (S + 1) === 0 ? 1 : 0)) && scale.every(v => v === 1) && shift.every(v => v === 0)
  )
}

/** λ_p [P] in conditioned coordinates of a ridge that was asked for in others. */
function penaltyIn(network: Network, forth: ParameterMap, unit: number): Float64Array {
  const P = parameterCount(network)
  const mask = penalizedMask(network)
  const bias = biasMask(network)
  const all = layers(network)
  const out = new Float64Array(P)
  const S = all[0].stride
  all.forEach((layer, l) => {
    for (let k = 0; k < layer.units; k++)
      for (let i = 0; i < layer.stride; i++) {
        const p = layer.at + k * layer.stride + i
        // Conditioned parameter per unit of the one asked for; maps of penalised models are diagonal but for their biases.
        const ratio =
          (l === 0 && bias[p] === 0 ? forth.first[i * S + i] : 1) * (l === all.length - 1 ? forth.scale[k] : 1)
        if (mask[p] === 1) out[p] = network.ridge * (unit / ratio) ** 2
      }
  })
  return out
}

/**
 * The conditioned problem of a model on rows as given, and its frame.
 * @param asked standardised coordinates in which starts are drawn and the ridge falls; absent: the user's
 */
export function conditionProblem(
  network: Network,
  given: GivenRows,
  asked?: Standardization
): { problem: Problem<Network>; frame: Frame } {
  const D = network.inputs
  const { bias } = network
  const ridge = network.ridge > 0
  const means = bias ? columnMeans(given, D) : new Float64Array(D)
  const spread = orOne(columnSpread(given, D, means))
  const design = rankOf({ ...given, shift: means, scale: spread })
  // A penalty on biases holds them where they were asked for.
  const free = bias && !(ridge && network.penalizeBias)
  const own = asked?.columns
  const origin = own ? Float64Array.from(own.mean) : free ? means : new Float64Array(D)
  const plain: Columns = {
    shift: origin,
    scale: own ? Float64Array.from(own.sd) : orOne(columnSpread(given, D, origin)),
    whitening: undefined
  }
  const badly = network.hidden.length === 0 && !ridge && design.condition > whitenAbove
  const measured = { shift: means, scale: powersOfTwo(spread) }
  const columns: Columns = badly ? { ...measured, whitening: whiten({ ...given, ...measured }) } : plain
  const y = asked?.target ?? { mean: 0, sd: 1 }
  const kept = asked?.target ? new Float64Array(network.outputs).fill(y.mean) : undefined
  const target = targetOf(network, given, free ? 'mean' : kept)
  const inUnit = unitOf(network)
  const { lossParameters } = network
  const askedLossScale = inUnit ? inUnit(y.sd).scale : 1
  const unscaled = { mean: new Float64Array(D), sd: new Float64Array(D).fill(1), y: { mean: 0, sd: 1 } }
  const user = mapsOf(network, columns, target, unscaled)
  const wanted = asked ? mapsOf(network, columns, target, { ...unscaled, ...own, y }) : user
  const rows = (of: GivenRows): GivenRows => conditionRows(network, columns, target, of)
  const conditioned = rows(given)
  // What depends on other columns is left with rounding beside them: nothing.
  if (badly) for (const d of design.aliased) for (let i = 0; i < given.rows; i++) conditioned.x[i * D + d] = 0
  return {
    problem: {
      model: inUnit && lossParameters ? { ...network, lossParameters: inUnit(target.scale).parameters } : network,
      ...conditioned,
      ...(ridge ? { penalty: penaltyIn(network, wanted.forth, Math.sqrt(askedLossScale / target.lossScale)) } : {})
    },
    frame: {
      toUser: user.back,
      fromUser: user.forth,
      toAsked: wanted.back,
      fromAsked: isIdentity(wanted.forth) ? undefined : wanted.forth,
      standardized: asked !== undefined,
      lossScale: target.lossScale,
      targetScale: target.scale,
      targetOrigin: target.origin,
      askedLossScale,
      design,
      centring:
        bias && columns.shift.some(m => m !== 0)
          ? { means: [...columns.shift], scale: target.scale, shift: [...target.shift] }
          : undefined,
      rows
    }
  }
}

/** The frame of a model given as an expression, whose inner coordinates are conditioned: `userPoints` knows the way. */
export function identityFrame(rank: number): Frame {
  const none = new Float64Array(0)
  const map: ParameterMap = { first: none, scale: none, shift: none }
  return {
    toUser: map,
    fromUser: map,
    toAsked: map,
    fromAsked: undefined,
    standardized: false,
    lossScale: 1,
    targetScale: 1,
    targetOrigin: new Float64Array(1),
    askedLossScale: 1,
    design: { rank, aliased: [], condition: 1 },
    centring: undefined,
    rows: given => given
  }
}

/**
 * First-layer biases of a conditioned point where every column is at its mean: the user's take up means times weights, and lose digits
 * beside large means.
 */
export function biasesAtMeans(network: Network, { scale, shift }: Centring, theta: ArrayLike<number>): number[] {
  const [{ at, units, stride }] = layers(network)
  const last = network.hidden.length === 0
  return Array.from({ length: units }, (_, k) => {
    const own = theta[at + k * stride]
    return last ? scale * own + shift[k] : own
  })
}
