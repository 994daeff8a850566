/** How the Hessian of a network is shared out: shape of the tiles, blocks of tiles, teams of threads, memory. */
import { InputError } from '../../../core/errors.js'
import { layers } from '../../../models/network/network.js'
import { parameterCount, penaltyOf } from '../../../models/model.js'
import type { Network, Problem } from '../../../models/types.js'
import { commonValues, constants, easyBytes, layerTables, mostBytes } from './gradientPlan.js'
import {
  numberFields,
  productPairs,
  sourcesOf,
  tileCount,
  tileNumbers,
  tileRow,
  tilesOf,
  type Fields,
  type HessianTile,
  type Patch,
  type Source,
  type TileShape
} from './hessianTiles.js'
import type { Values } from './text.js'

export interface HessianPlan {
  readonly values: Values
  readonly width: number
  readonly rowMultiple: number
  /** Runs of a workgroup. */
  readonly runs: number
  /** Number of blocks, each the work of one workgroup for its runs. */
  readonly blocks: number
  /** The kernel's tables. */
  readonly blockTable: Uint32Array<ArrayBuffer>
  readonly tileTable: Uint32Array<ArrayBuffer>
  readonly pairTable: Uint32Array<ArrayBuffer>
}

/** Threads of a run at most, and of a workgroup about. */
const mostTeam = 64
const groupThreads = 192
/** Products of inputs that a block forms for each row, at most. */
const mostProducts = 256
/** Sources with fields of their own that a block takes, at most. */
const mostSources = 8

/** Tiles of one workgroup, and what they need. */
interface TileBlock {
  readonly tiles: HessianTile[]
  readonly firstProduct: number
  readonly productCount: number
  readonly layer: number
  readonly firstSource: number
  readonly sourceCount: number
}

/** Registers for the sums and for ρ of one pack of rows. */
const registersOf = ({ held, span }: TileShape): number => held * span + 4 * held

/**
 * The shape of tile that costs a row least: its multiply-adds, those of elements that do not count included, and twice the numbers
 * that it reads from workgroup memory, whose pipe is narrower.
 */
function shapeOf(sources: readonly Source[]): TileShape {
  // Patches of one kind cost the same.
  const kinds = new Map<string, { patch: Patch; count: number }>()
  for (const source of sources)
    for (const patch of source.patches(0)) {
      const key = [patch.rhoCount, patch.piCount, patch.terms, patch.special !== undefined, patch.symmetric].join()
      const kind = kinds.get(key)
      if (kind) kind.count++
      else kinds.set(key, { patch, count: 1 })
    }
  let best: TileShape = { held: 8, span: 8 }
  let least = Infinity
  for (let held = 2; held <= 16; held++)
    for (let span = 2; span <= 16; span++) {
      const shape = { held, span }
      if (registersOf(shape) > 100) continue
      let cost = 0
      for (const { patch, count } of kinds.values()) {
        const numbers = patch.terms * (1 + held) + (patch.special ? 2 : 0) + span
        cost += count * tileCount(patch, shape) * (held * span + 2 * numbers)
      }
      if (cost < least) {
        least = cost
        best = shape
      }
    }
  return best
}

/** As even as possible: `list` in parts of at most `most`. */
function split<T>(list: readonly T[], most: number): T[][] {
  const parts = Math.ceil(list.length / most)
  const each = Math.ceil(list.length / parts)
  return Array.from({ length: parts }, (_, i) => list.slice(i * each, (i + 1) * each)).filter(part => part.length > 0)
}

function productRange(tiles: readonly HessianTile[], span: number): { firstProduct: number; productCount: number } {
  const with_ = tiles.filter(({ patch }) => patch.pi === 'products')
  if (with_.length === 0) return { firstProduct: 0, productCount: 0 }
  const firstProduct = Math.min(...with_.map(t => t.pi))
  const end = Math.max(...with_.map(t => Math.min(t.pi + span, t.patch.piCount)))
  return { firstProduct, productCount: end - firstProduct }
}

/** Tiles by their π, so that a block's products lie together. */
const byProducts = (a: HessianTile, b: HessianTile): number =>
  Number(b.patch.pi === 'products') - Number(a.patch.pi === 'products') || a.pi - b.pi

/** Pairs of outputs whose curvature some tiles take, a + 65536 b. */
const pairsOf = (tiles: readonly HessianTile[]): number[] => [
  ...new Set(tiles.flatMap(({ patch }) => (typeof patch.left === 'number' ? [] : [patch.left.pair])))
]

/** Cuts a list of tiles where its products become too many. */
function cutProducts(tiles: readonly HessianTile[], span: number): HessianTile[][] {
  const parts: HessianTile[][] = []
  let part: HessianTile[] = []
  for (const tile of tiles) {
    if (
      part.length > 0 &&
      productRange([...part.slice(0, 1), tile], span).productCount > mostProducts &&
      tile.patch.pi === 'products'
    ) {
      parts.push(part)
      part = []
    }
    part.push(tile)
  }
  return part.length > 0 ? [...parts, part] : parts
}

/** Blocks of a network with at most one hidden layer, whose fields all blocks share. */
function shallowBlocks(sources: readonly Source[], shape: TileShape): TileBlock[] {
  const tiles = sources.flatMap(source => source.patches(0).flatMap(patch => tilesOf(patch, shape))).sort(byProducts)
  return cutProducts(tiles, shape.span)
    .flatMap(part => split(part, mostTeam))
    .map(part => ({
      tiles: part,
      ...productRange(part, shape.span),
      layer: 0,
      firstSource: 0,
      sourceCount: 0
    }))
}

/** Blocks of a deeper network: tiles of up to `together` sources of one layer. */
function deepBlocks(network: Network, sources: readonly Source[], shape: TileShape, together: number): TileBlock[] {
  return layers(network).flatMap((_, layer) =>
    split(
      sources.filter(source => source.layer === layer),
      together
    ).flatMap(group => {
      const tiles = group.flatMap((source, i) => source.patches(i).flatMap(patch => tilesOf(patch, shape)))
      return cutProducts(tiles.sort(byProducts), shape.span)
        .flatMap(part => split(part, mostTeam))
        .map(part => ({
          tiles: part,
          ...productRange(part, shape.span),
          layer,
          firstSource: group[0].unit,
          sourceCount: group.length
        }))
    })
  )
}

interface Layout {
  readonly width: number
  readonly packs: number
  readonly runs: number
}

/** Bytes of workgroup memory, term by term as the kernel declares it. */
const bytesOf = (shared: number, fields: number, outputs: number, { width, packs, runs }: Layout): number =>
  4 * width * packs * (shared + fields * runs + 2 * outputs * runs)

function fitLayout(shared: number, fields: number, outputs: number, team: number): Layout | undefined {
  let most = 1
  while (most < 64 && 2 * most * team <= groupThreads) most *= 2
  for (const width of [4, 1])
    for (const leastThreads of [64, 1])
      for (const packs of [4, 2, 1])
        for (let runs = most; runs >= 1 && runs * team >= Math.min(leastThreads, most * team); runs /= 2) {
          const layout = { width, packs, runs }
          if (bytesOf(shared, fields, outputs, layout) <= (packs > 1 ? easyBytes : mostBytes)) return layout
        }
  return undefined
}

function valuesOf(problem: Problem<Network>, fields: Fields, layout: Layout, shape: TileShape, team: number): Values {
  const { model: network } = problem
  const all = layers(network)
  const last = all.length - 1
  const { width, packs, runs } = layout
  return {
    ...commonValues(problem, width),
    hessian: true,
    ...shape,
    runs,
    team,
    packs,
    threads: runs * team,
    tiles: Math.ceil(problem.rows / (width * packs)),
    ridged: penaltyOf(problem).some(v => v > 0),
    deep: last > 1,
    products: last > 0,
    productsAt: all[0].stride,
    one: fields.one,
    ones: network.bias ? fields.values : [],
    ...layerTables(all),
    valuesAt: constants(fields.values),
    slopesAt: constants(fields.slopes),
    bendsAt: constants(fields.bends),
    deltasAt: constants(fields.deltas),
    alongAt: fields.along,
    turnsAt: fields.turns,
    sourcesAt: fields.sources,
    sourceFields: fields.perSource,
    reachAt: constants(fields.reach),
    turnAt: constants(fields.turn),
    outAt: fields.out
  }
}

/** @throws InputError for networks whose fields do not fit the memory of a workgroup */
export function planHessian(problem: Problem<Network>): HessianPlan {
  const { model: network, rows } = problem
  const S = layers(network)[0].stride
  const fields = numberFields(network)
  const sources = sourcesOf(network, fields)
  const shape = shapeOf(sources)
  const deep = network.hidden.length > 1
  for (let together = deep ? mostSources : 1; together >= 1; together--) {
    const blocks = deep ? deepBlocks(network, sources, shape, together) : shallowBlocks(sources, shape)
    const team = Math.max(...blocks.map(b => b.tiles.length))
    const products = Math.max(...blocks.map(b => b.productCount))
    const sourceCount = Math.max(...blocks.map(b => b.sourceCount))
    const curvaturesAt = fields.curvatures(sourceCount)
    const pairs = blocks.map(b => pairsOf(b.tiles))
    const shared = S + products
    // A tile may read beyond the last field that it needs, not beyond the memory.
    const count = curvaturesAt + Math.max(...pairs.map(p => p.length)) + Math.max(shape.held, shape.span)
    const layout = fitLayout(shared, count, network.outputs, team)
    if (!layout) continue
    const pairTable = network.hidden.length > 0 ? productPairs(S) : []
    const tileTable: number[] = []
    const blockTable = blocks.flatMap((b, i) => {
      const [firstTile, firstCurvature] = [tileTable.length / tileNumbers, pairTable.length]
      const places = new Map(pairs[i].map((pair, n) => [pair, curvaturesAt + n]))
      pairTable.push(...pairs[i])
      for (const tile of b.tiles) tileTable.push(...tileRow(tile, shape, places, S, b.firstProduct))
      const ranges = [b.firstProduct, b.productCount, b.layer, b.firstSource, b.sourceCount]
      return [firstTile, b.tiles.length, ...ranges, firstCurvature, pairs[i].length]
    })
    return {
      values: {
        ...valuesOf(problem, fields, layout, shape, team),
        curvaturesAt,
        shared,
        fields: count
      },
      width: layout.width,
      rowMultiple: layout.width * layout.packs,
      runs: layout.runs,
      blocks: blocks.length,
      blockTable: Uint32Array.from(blockTable),
      tileTable: Uint32Array.from(tileTable),
      pairTable: Uint32Array.from(pairTable)
    }
  }
  throw new InputError(
    `The Hessian of a network with ${parameterCount(network)} parameters for ${rows} rows does not fit the memory of a GPU's workgroup; use --engine cpu.`
  )
}
