/**
 * Which kernel takes the gradient of a network, in which blocks, and the constants of its text. This is the one place that decides.
 *
 * Three kernels share the work. gradient_thread.wgsl keeps a whole run in one thread: P weights and P sums in registers. It is taken
 * while they fit. gradient_group.wgsl spreads a run over a team of threads, each of which owns a block of units × inputs of
 * every layer. Both count on some hundred registers a thread; the sums below estimate them. gradient_any.wgsl keeps weights and
 * sums in memory and takes the rest: networks of very many layers or parameters.
 */
import { isScalar, lossConstants } from '../../../models/losses/index.js'
import { InputError } from '../../../core/errors.js'
import { biasMask, layers, type Layer } from '../../../models/network/network.js'
import { parameterCount, penaltyOf } from '../../../models/model.js'
import { activations, losses, type Model, type Network, type Problem } from '../../../models/types.js'
import { targetsOf } from './rowData.js'
import { literal, type Values } from './text.js'

/** What may be tried when kernels are timed on a new GPU. A result's last bits depend on it. */
export interface Tuning {
  /** Registers of a thread that holds a whole run. */
  readonly threadRegisters: number
  /** Registers of a thread of a team, for weights and sums alone. */
  readonly teamRegisters: number
  /** Threads of a workgroup of teams, about. */
  readonly groupThreads: number
}
export const defaultTuning: Tuning = { threadRegisters: 160, teamRegisters: 88, groupThreads: 128 }

export interface GradientPlan {
  readonly file: 'gradient_thread.wgsl' | 'gradient_group.wgsl' | 'gradient_any.wgsl' | 'formula.wgsl'
  readonly values: Values
  /** Rows that lie side by side in the buffers of data. */
  readonly width: number
  /** The buffers of data are padded to a multiple of so many rows. */
  readonly rowMultiple: number
  /** Numbers that a thread may read beyond the last row of x. */
  readonly overread: number
  /** Runs of a workgroup. */
  readonly runs: number
  /** Parts of the rows. */
  readonly chunks: number
  /** Whether finish.wgsl adds the sums of several chunks, or a penalty that differs from weight to weight; else f and g are complete. */
  readonly finishes: boolean
}

/** Rows that one thread sums before another takes over; long sums are sums of these. */
const rowsOfChunk = 512
export const mostChunks = 16
/** Workgroup memory that is taken for more than one pack of rows, and at all (every GPU so far has that much). */
export const easyBytes = 28672
export const mostBytes = 32768
const mostThreads = 256
/** Layers of weights that are written out in a kernel's text, one after the other. */
const mostLayers = 6
/** Threads of a run where weights and sums are in memory. */
const anyTeam = 64

/** Chunks of so many rows: depends on the problem only, never on the number of lanes. */
export const chunksOf = (items: number): number => Math.min(mostChunks, Math.ceil(items / rowsOfChunk))

/** Components of V by number. */
const parts = (width: number): string[] => (width === 1 ? [''] : ['.x', '.y', '.z', '.w'].slice(0, width))

/** Constants that all kernels share. */
export function commonValues(problem: Problem<Network>, width: number): Values {
  const { model: network } = problem
  const all = layers(network)
  const M = all.length
  const numbers = (of: (layer: Layer, m: number) => number): number[] => all.map(of)
  return {
    ...Object.fromEntries(activations.map(name => [`activation_${name}`, name === network.activation])),
    ...Object.fromEntries(losses.map(name => [`loss_${name}`, name === network.loss])),
    scalar: isScalar(network.loss),
    targets: targetsOf(network),
    rowFields: targetsOf(network) + 2,
    lossConstants: lossConstants(network.loss, network.lossParameters).map(literal),
    width,
    width1: width === 1,
    width2: width === 2,
    width4: width === 4,
    part: parts(width),
    pick: width === 1 ? '' : '[row % width]',
    hessian: false,
    own: false,
    inputs: network.inputs,
    outputs: network.outputs,
    depth: M,
    last: M - 1,
    bias: network.bias ? 1 : 0,
    parameters: parameterCount(network),
    at: numbers(l => l.at),
    below: numbers(l => l.inputs),
    units: numbers(l => l.units),
    stride: numbers(l => l.stride),
    isHidden: all.map((_, m) => m < M - 1),
    hiddenLayers: M > 1,
    back: numbers((_, m) => M - 1 - m),
    under: numbers((_, m) => Math.max(0, m - 1)),
    ridge: literal(penaltyOf(problem).reduce((most, v) => Math.max(most, v), 0))
  }
}

/** Elements of an array of WGSL. */
export const constants = (numbers: readonly number[]): string => numbers.map(n => `${n}u`).join(', ')

/** Of each layer, for kernels that go through the layers in a loop. */
export const layerTables = (all: readonly Layer[]): Values => ({
  layerAt: constants(all.map(l => l.at)),
  layerInputs: constants(all.map(l => l.inputs)),
  layerUnits: constants(all.map(l => l.units)),
  layerStride: constants(all.map(l => l.stride))
})

export interface GradientRequest<M extends Model = Network> {
  readonly problem: Problem<M>
  /** Whether g is wanted beside f. */
  readonly gradient: boolean
  /** Rows of a mini-batch, where the lanes have rows of their own. */
  readonly batchSize: number | undefined
}

/** The penalty: none, one ridge on all weights (`bias`: and on all biases), or a number for each parameter. */
function penaltyShape(problem: Problem<Network>): {
  kind: 'none' | 'uniform' | 'mixed'
  bias: boolean
  penalty: Float64Array
} {
  const penalty = penaltyOf(problem)
  const ridge = penalty.reduce((most, v) => Math.max(most, v), 0)
  const mask = biasMask(problem.model)
  const on = (bias: 0 | 1): number[] => [...penalty].filter((_, p) => mask[p] === bias)
  const bias = on(1).length > 0 && on(1).every(v => v === ridge)
  const uniform = on(0).every(v => v === ridge) && (bias || on(1).every(v => v === 0))
  return { kind: ridge === 0 ? 'none' : uniform ? 'uniform' : 'mixed', bias, penalty }
}

/** @param mixes whether the kernel can take a number of the penalty for each parameter */
function resultValues(
  { problem, gradient, batchSize }: GradientRequest,
  chunks: number,
  mixes: boolean
): { finishes: boolean; values: Values } {
  const P = parameterCount(problem.model)
  const { kind, bias, penalty } = penaltyShape(problem)
  const whole = chunks === 1 && (mixes || kind !== 'mixed')
  const ridged = kind !== 'none'
  const values = {
    gradient,
    batch: batchSize !== undefined,
    dataRows: problem.rows,
    items: batchSize ?? problem.rows,
    chunks,
    whole,
    sumsOfChunk: gradient ? 1 + P : 1,
    ridged,
    ridgeOnWeights: whole && ridged,
    ridgeOnBias: whole && ridged && bias,
    ridgeOf: [...penalty].map(v => whole && v > 0),
    ridges: [...penalty].map(literal)
  }
  return { finishes: !whole, values }
}

/** `packs` shared out among about as many chunks as there should be. */
function share(packs: number, chunks: number): { each: number; chunks: number } {
  const each = Math.ceil(packs / chunks)
  return { each, chunks: Math.ceil(packs / each) }
}

/** Registers besides weights, sums and rows: addresses, counters, elementary functions at work. */
const workingRegisters = 24

function planThread(request: GradientRequest, { threadRegisters }: Tuning): GradientPlan | undefined {
  const { problem, gradient, batchSize } = request
  const { model: network } = problem
  const P = parameterCount(network)
  const hidden = network.hidden.reduce((sum, h) => sum + h, 0)
  // Of each row at hand: φ and φ′ of every unit, what the backward pass of a layer takes, z, and y, c, offset.
  const perRow = 2 * hidden + Math.max(0, ...network.hidden) + 2 * network.outputs + targetsOf(network) + 2
  const fixed = (gradient ? 2 : 1) * P + workingRegisters
  const registers = (width: number, inputs: number): number => fixed + width * (perRow + inputs)
  for (const width of [2, 1])
    for (const keepInputs of [true, false]) {
      const inputs = keepInputs ? network.inputs : 2
      // More rows at once hide latency and save loads, as long as they do not cost too many threads.
      if (registers(width, inputs) > threadRegisters * (width === 1 ? 1 : 0.9)) continue
      if (width > 1 && !keepInputs) continue
      const items = batchSize ?? problem.rows
      const packs = Math.ceil(items / width)
      const { each, chunks } = share(packs, chunksOf(items))
      const { finishes, values } = resultValues(request, chunks, true)
      return {
        file: 'gradient_thread.wgsl',
        values: {
          ...commonValues(problem, width),
          ...values,
          packs,
          packsOfChunk: each,
          keepInputs,
          rereads: layers(network).map((_, m) => m === 0 && !keepInputs)
        },
        width,
        rowMultiple: width,
        overread: 0,
        runs: 64,
        chunks,
        finishes
      }
    }
  return undefined
}

/** A layer's weights among the threads of a team: bands of `block` units times slices of `span` inputs. */
interface Blocks {
  readonly block: number
  readonly bands: number
  readonly span: number
  readonly slices: number
}

/**
 * The cheapest blocks for a team. A row costs a thread its multiply-adds and, counted double because the memory pipe is narrower
 * than the arithmetic one, the numbers that it reads and writes in workgroup memory: the inputs twice, and the partial sums that
 * slices and bands exchange.
 */
function blocksOf({ units, inputs }: Layer, first: boolean, team: number): Blocks {
  let best: Blocks | undefined
  let least = Infinity
  for (let wanted = 1; wanted <= Math.min(units, team); wanted++) {
    const block = Math.ceil(units / wanted)
    const bands = Math.ceil(units / block)
    const span = Math.ceil(inputs / Math.floor(team / bands))
    const slices = Math.ceil(inputs / span)
    const arithmetic = (first ? 2 : 3) * block * span
    const memory = 2 * span + (slices > 1 ? 3 : 1) * block + (first ? 0 : bands > 1 ? 3 : 2) * span
    const cost = arithmetic + 2 * memory
    if (cost < least) {
      least = cost
      best = { block, bands, span, slices }
    }
  }
  return best!
}

const registersOf = (blocks: readonly Blocks[], bias: boolean): number =>
  blocks.reduce((sum, { block, span }) => sum + 2 * block * (span + (bias ? 1 : 0)), 0)

/** Slots of layer m's units in workgroup memory: as far as its own blocks and those of the layer above reach. */
const slotsOf = (blocks: readonly Blocks[], m: number): number => {
  const above = m + 1 < blocks.length ? blocks[m + 1].span * blocks[m + 1].slices : 0
  return Math.max(blocks[m].block * blocks[m].bands, above)
}

interface Memory {
  readonly width: number
  readonly packs: number
  readonly runs: number
  readonly staged: boolean
  /** Numbers of V. */
  readonly parts: number
  readonly bytes: number
}

/** Workgroup memory of a tile, term by term as the kernel declares it. */
function memoryOf(
  blocks: readonly Blocks[],
  team: number,
  batch: boolean,
  shape: { width: number; packs: number; runs: number; staged: boolean }
): Memory {
  const { width, packs, runs, staged } = shape
  const last = blocks.length - 1
  const lanes = packs * runs
  const inputs = staged ? 2 * packs * blocks[0].span * blocks[0].slices * (batch ? runs : 1) : 0
  const hiddenSlots = blocks.slice(0, last).reduce((sum, _, m) => sum + slotsOf(blocks, m), 0)
  const outputs = blocks[last].block * blocks[last].bands
  const exchanged = blocks.map(({ block, bands, span, slices }, m) =>
    Math.max(
      m === last || slices > 1 ? slices * bands * block * lanes : 0,
      m > 0 && bands > 1 ? bands * slices * span * lanes : 0
    )
  )
  const parts = Math.max(...exchanged)
  const numbers = inputs + 2 * hiddenSlots * lanes + outputs * lanes + parts
  return { ...shape, parts, bytes: 4 * (width * numbers + team * runs) }
}

/** The first that fits of: several packs, inputs in workgroup memory, many threads, four rows a pack. */
function fitMemory(blocks: readonly Blocks[], team: number, batch: boolean, groupThreads: number): Memory | undefined {
  const most = Math.min(64, Math.max(1, groupThreads / team))
  for (const width of [4, 1])
    for (const leastThreads of [64, 1])
      for (const staged of [true, false])
        for (const packsOf of [[4, 2], [1]])
          for (let runs = most; runs >= 1 && runs * team >= leastThreads; runs /= 2)
            for (const packs of packsOf) {
              const memory = memoryOf(blocks, team, batch, { width, packs, runs, staged })
              if (memory.bytes <= (packs > 1 ? easyBytes : mostBytes)) return memory
            }
  return undefined
}

function planGroup(request: GradientRequest, tuning: Tuning): GradientPlan | undefined {
  const { problem, batchSize } = request
  const { model: network } = problem
  const all = layers(network)
  const last = all.length - 1
  const batch = batchSize !== undefined
  if (all.length > mostLayers) return undefined
  for (let team = 2; team <= mostThreads; team *= 2) {
    const blocks = all.map((layer, m) => blocksOf(layer, m === 0, team))
    if (registersOf(blocks, network.bias) > tuning.teamRegisters) continue
    const memory = fitMemory(blocks, team, batch, tuning.groupThreads)
    if (!memory) continue
    const { width, packs, runs, staged } = memory
    const items = batchSize ?? problem.rows
    const tiles = Math.ceil(items / (width * packs))
    const { each, chunks } = share(tiles, chunksOf(items))
    const { finishes, values } = resultValues(request, chunks, false)
    const slots = blocks.slice(0, last).map((_, m) => slotsOf(blocks, m))
    const slotAt = blocks.map((_, m) => slots.slice(0, m).reduce((sum, n) => sum + n, 0))
    const top = blocks[last]
    return {
      file: 'gradient_group.wgsl',
      values: {
        ...commonValues(problem, width),
        ...values,
        team,
        runs,
        threads: runs * team,
        packs,
        tiles,
        tilesOfChunk: each,
        staged,
        inputSlots: blocks[0].span * blocks[0].slices,
        hiddenSlots: slots.reduce((sum, n) => sum + n, 0),
        outputSlots: top.block * top.bands,
        parts: memory.parts,
        block: blocks.map(b => b.block),
        bands: blocks.map(b => b.bands),
        span: blocks.map(b => b.span),
        slices: blocks.map(b => b.slices),
        slotAt,
        slotUnder: slotAt.map((_, m) => (m > 0 ? slotAt[m - 1] : 0)),
        source: all.map((_, m) => (m === 0 ? 'inputOf' : 'valueOf')),
        direct: blocks.map((b, m) => m < last && b.slices === 1),
        gathers: blocks.map((b, m) => m < last && b.slices > 1),
        single: blocks.map(b => b.bands === 1)
      },
      width,
      rowMultiple: width * packs,
      overread: blocks[0].span * blocks[0].slices,
      runs,
      chunks,
      finishes
    }
  }
  return undefined
}

function planAny(request: GradientRequest, { groupThreads }: Tuning): GradientPlan | undefined {
  const { problem, batchSize } = request
  const all = layers(problem.model)
  const hidden = all.slice(0, -1).reduce((sum, layer) => sum + layer.units, 0)
  const items = batchSize ?? problem.rows
  for (const width of [4, 1])
    for (let runs = Math.max(1, groupThreads / anyTeam); runs >= 1; runs /= 2)
      for (const packs of [4, 2, 1]) {
        const numbers = (2 * hidden + problem.model.outputs) * width * packs * runs
        if (4 * (numbers + anyTeam * runs) > (packs > 1 ? easyBytes : mostBytes)) continue
        const tiles = Math.ceil(items / (width * packs))
        const { each, chunks } = share(tiles, chunksOf(items))
        const { finishes, values } = resultValues(request, chunks, false)
        return {
          file: 'gradient_any.wgsl',
          values: {
            ...commonValues(problem, width),
            ...values,
            ...layerTables(all),
            team: anyTeam,
            runs,
            threads: runs * anyTeam,
            packs,
            tiles,
            tilesOfChunk: each,
            hidden,
            unitAt: constants(all.map((_, m) => all.slice(0, m).reduce((sum, layer) => sum + layer.units, 0))),
            outputSlots: problem.model.outputs
          },
          width,
          rowMultiple: width * packs,
          overread: 0,
          runs,
          chunks,
          finishes
        }
      }
  return undefined
}

/**
 * The plan for f, and g where `request.gradient`.
 * @throws InputError for networks whose units do not fit the memory of a workgroup
 */
export function planGradient(request: GradientRequest, tuning: Tuning = defaultTuning): GradientPlan {
  const plan = planThread(request, tuning) ?? planGroup(request, tuning) ?? planAny(request, tuning)
  if (plan) return plan
  const P = parameterCount(request.problem.model)
  throw new InputError(
    `The units of a network of ${P} parameters do not fit the memory of a GPU's workgroup; use --engine cpu.`
  )
}
