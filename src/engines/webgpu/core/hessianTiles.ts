/**
 * The Hessian of a network in tiles (kernels/webgpu/hessian.wgsl): which elements a tile holds, and of which fields in workgroup
 * memory they are made. Formulas: kernels/README.md.
 */
import { layers, type Layer } from '../../../models/network/network.js'
import type { Network } from '../../../models/types.js'

/** Where the fields lie that every block of tiles has: their numbers, of one number for each row and run. */
export interface Fields {
  /** 1 */
  readonly one: number
  /** Of each hidden layer: 1 where there are biases, then φ. */
  readonly values: readonly number[]
  /** φ′ */
  readonly slopes: readonly number[]
  /** φ″ s */
  readonly bends: readonly number[]
  /** δ, of the outputs too. Of hidden layers only where there are several. */
  readonly deltas: readonly number[]
  /** One hidden layer: ∂z_c/∂u_j, [C][2h], every unit twice; and ∂δ_c/∂u_j, [C][h]. */
  readonly along: number
  readonly turns: number
  /** Several: the fields of each source begin at sources + number × perSource. */
  readonly sources: number
  readonly perSource: number
  /** Within a source: of each hidden layer 0 where there are biases, then φ′ T; R of every layer; T of the outputs. */
  readonly reach: readonly number[]
  readonly turn: readonly number[]
  readonly out: number
  /** c ∂²ℓ/∂z_a∂z_b of the pairs that a block of tiles takes: behind the block's sources. */
  readonly curvatures: (sourceCount: number) => number
}

/** Numbers the fields, in the order of the interface; `total` without those of sources. */
export function numberFields(network: Network): Fields & { readonly total: number } {
  const all = layers(network)
  const last = all.length - 1
  const extra = network.bias ? 1 : 0
  const deep = last > 1
  let next = 0
  const take = (count: number): number => {
    next += count
    return next - count
  }
  const one = take(1)
  const hidden = all.slice(0, last)
  const values = hidden.map(l => take(extra + l.units))
  const slopes = hidden.map(l => take(l.units))
  const bends = hidden.map(l => take(l.units))
  const deltas = all.map((l, m) => (m === last || deep ? take(l.units) : 0))
  const C = network.outputs
  const along = last === 1 ? take(2 * C * all[0].units) : 0
  const turns = last === 1 ? take(C * all[0].units) : 0
  const total = next
  next = 0
  const reach = deep ? hidden.map(l => take(extra + l.units)) : []
  const turn = deep ? all.map(l => take(l.units)) : []
  const out = deep ? take(C) : 0
  const perSource = next
  return {
    one,
    values,
    slopes,
    bends,
    deltas,
    along,
    turns,
    sources: total,
    perSource,
    reach,
    turn,
    out,
    curvatures: (sourceCount: number) => total + sourceCount * perSource,
    total
  }
}

/** Rows of H that belong to one source times columns that belong to some targets: ρ_i π_m summed over the rows of data. */
export interface Patch {
  /** Field of ρ's left factor for the first term, or a + 65536 b of the outputs whose curvature it is; of its right one for i = 0. */
  readonly left: number | { readonly pair: number }
  /** Steps from term to term. */
  readonly leftStep: number
  readonly right: number
  readonly rightStep: number
  readonly terms: number
  /** ρ_special has the product of the fields extra and other more. */
  readonly special?: { readonly at: number; readonly extra: number; readonly other: number }
  /** π: products of inputs, inputs of the data, or fields from a number on. */
  readonly pi: 'products' | 'inputs' | number
  readonly rhoCount: number
  readonly piCount: number
  /** H's first row; first column, or for products the first unit. */
  readonly p: number
  readonly q: number
  /** Rows and columns are those of one unit: elements with row ≤ column do. */
  readonly symmetric: boolean
}

/** A unit whose slice of θ gives rows of H, with all its patches; layer by layer, unit by unit. */
export interface Source {
  readonly layer: number
  readonly unit: number
  /** `sourceNumber`: its place among the sources of its block. */
  patches(sourceNumber: number): Patch[]
}

/** Products of two of the S inputs of the first layer, the bias's 1 included: d + 65536 e for d ≤ e. */
export function productPairs(S: number): number[] {
  const pairs: number[] = []
  for (let d = 0; d < S; d++) for (let e = d; e < S; e++) pairs.push(d + 65536 * e)
  return pairs
}

export function sourcesOf(network: Network, fields: Fields): Source[] {
  const all = layers(network)
  const last = all.length - 1
  const C = network.outputs
  const extra = network.bias ? 1 : 0
  const first = all[0]
  const products = (first.stride * (first.stride + 1)) / 2
  const unitAt = (layer: Layer, k: number): number => layer.at + k * layer.stride
  const plain = { leftStep: 0, rightStep: 0, terms: 1 }

  /** Units of the outputs' layer, whose targets are themselves and the outputs after them. */
  const outputSource = (j: number): Patch[] =>
    Array.from({ length: C - j }, (_, i) => ({
      ...plain,
      left: { pair: j + 65536 * (j + i) },
      right: last === 0 ? 0 : fields.values[last - 1],
      pi: last === 0 ? 'inputs' : fields.values[last - 1],
      rhoCount: all[last].stride,
      piCount: all[last].stride,
      p: unitAt(all[last], j),
      q: unitAt(all[last], j + i),
      symmetric: i === 0
    }))

  /** Unit j of the only hidden layer: cyclic windows of units that meet every pair once, then the outputs. */
  const onlyHidden = (j: number): Patch[] => {
    const h = first.units
    const toOutputs = Array.from({ length: C }, (_, c) => ({
      ...plain,
      left: fields.turns + c * h + j,
      right: fields.values[0],
      special: { at: extra + j, extra: fields.deltas[1] + c, other: fields.slopes[0] + j },
      pi: 'inputs' as const,
      rhoCount: all[1].stride,
      piCount: first.stride,
      p: unitAt(first, j),
      q: unitAt(all[1], c),
      symmetric: false
    }))
    const window: Patch = {
      left: fields.turns + j,
      leftStep: h,
      right: fields.along + j,
      rightStep: 2 * h,
      terms: C,
      special: { at: 0, extra: fields.bends[0] + j, other: fields.one },
      pi: 'products',
      rhoCount: Math.floor(h / 2) + (h % 2 === 1 || j < h / 2 ? 1 : 0),
      piCount: products,
      p: unitAt(first, j),
      q: j,
      symmetric: false
    }
    return [window, ...toOutputs]
  }

  /** Unit j of layer l of a network with several hidden layers, by T and R. */
  const deepSource = (l: number, j: number, sourceNumber: number): Patch[] => {
    const at = fields.sources + sourceNumber * fields.perSource
    const patches: Patch[] = []
    const rows = {
      p: unitAt(all[l], j),
      piCount: all[l].stride,
      pi: l === 0 ? ('inputs' as const) : fields.values[l - 1]
    }
    if (l === 0)
      patches.push({
        ...plain,
        left: fields.one,
        right: at + fields.turn[0] + j,
        pi: 'products',
        rhoCount: first.units - j,
        piCount: products,
        p: rows.p,
        q: j,
        symmetric: false
      })
    for (let m = Math.max(1, l); m <= last; m++)
      for (let k = m === l ? j : 0; k < all[m].units; k++) {
        const left = at + fields.turn[m] + k
        const right = fields.values[m - 1]
        const delta = fields.deltas[m] + k
        patches.push({
          ...plain,
          left,
          right,
          ...(m === l + 1 ? { special: { at: extra + j, extra: delta, other: fields.slopes[l] + j } } : {}),
          ...(m > l + 1 ? { terms: 2, leftStep: delta - left, rightStep: at + fields.reach[m - 1] - right } : {}),
          ...rows,
          rhoCount: all[m].stride,
          q: unitAt(all[m], k),
          symmetric: m === l && k === j
        })
      }
    return patches
  }

  return all.flatMap((layer, l) =>
    Array.from({ length: layer.units }, (_, unit) => ({
      layer: l,
      unit,
      patches: (sourceNumber: number) =>
        last > 1 ? deepSource(l, unit, sourceNumber) : l === last ? outputSource(unit) : onlyHidden(unit)
    }))
  )
}

/** A tile: held ρ times span π of a patch. */
export interface HessianTile {
  readonly patch: Patch
  /** First ρ and first π within the patch. */
  readonly rho: number
  readonly pi: number
}

export interface TileShape {
  readonly held: number
  readonly span: number
}

/** How many tiles `tilesOf` makes. */
export function tileCount({ rhoCount, piCount, symmetric }: Patch, { held, span }: TileShape): number {
  const rhos = Math.ceil(rhoCount / held)
  if (!symmetric) return rhos * Math.ceil(piCount / span)
  let count = 0
  for (let pi = 0; pi < piCount; pi += span) count += rhos - Math.max(0, Math.ceil((pi + 1) / held) - 1)
  return count
}

/** Tiles of a patch that hold at least one element that counts. */
export function tilesOf(patch: Patch, { held, span }: TileShape): HessianTile[] {
  const tiles: HessianTile[] = []
  for (let pi = 0; pi < patch.piCount; pi += span)
    for (let rho = 0; rho < patch.rhoCount; rho += held)
      if (!patch.symmetric || pi <= rho + held - 1) tiles.push({ patch, rho, pi })
  return tiles
}

/** Numbers of a tile in the kernel's table. */
export const tileNumbers = 16

/** The tile as the kernel reads it; `curvatures`: fields by pair; the block's first product, `productAt`, is shared number `productsAt`. */
export function tileRow(
  { patch, rho, pi }: HessianTile,
  { held, span }: TileShape,
  curvatures: ReadonlyMap<number, number>,
  productsAt: number,
  productAt: number
): number[] {
  const shared = typeof patch.pi !== 'number'
  const isProduct = patch.pi === 'products'
  const special = patch.special ? patch.special.at - rho : -1
  const within = special >= 0 && special < held
  return [
    typeof patch.left === 'number' ? patch.left : curvatures.get(patch.left.pair)!,
    patch.leftStep,
    patch.right + rho,
    patch.rightStep,
    patch.terms,
    within ? special : 0xffffffff,
    within ? patch.special!.extra : 0,
    within ? patch.special!.other : 0,
    isProduct ? productsAt + pi - productAt : typeof patch.pi === 'number' ? patch.pi + pi : pi,
    shared ? 1 : 0,
    Math.min(held, patch.rhoCount - rho),
    Math.min(span, patch.piCount - pi),
    isProduct ? 1 : 0,
    isProduct ? patch.p : patch.p + pi,
    patch.q + rho,
    isProduct ? pi : 0
  ]
}
