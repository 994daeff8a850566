/**
 * Predictive multiplicity of a study: its runs, and its certified minima, within ε of the best one, and how far their predictions differ.
 * Made from the parameters that the parts hold, a few rows at a time, so that memory stays bounded.
 */
import type { DistinctPoints } from '../../analysis/distinctPoints.js'
import type { Compared } from '../../analysis/multiplicity/candidates.js'
import {
  addChurn,
  cellMeasures,
  MultiplicityTotals,
  predictionOf,
  type CellMeasures,
  type PredictionBlock
} from '../../analysis/multiplicity/measures.js'
import type { LevelSet, Multiplicity, MultiplicityMeasures, RowRange } from '../../core/multiplicityResult.js'
import { lossTable } from '../../models/losses/index.js'
import { predictedMeans } from '../../models/means.js'
import type { Problem } from '../../models/types.js'
import type { Setup } from '../setup.js'
import { someRows } from '../../analysis/rows.js'
import { minimaOf, runsOf, type Models } from './models.js'

/** Predictions that are held at a time. */
const predictionsAtOnce = 2 ** 20
/** Rows whose ranges are told one by one. */
const toldRows = 200
/** Rows that are told because their ranges are the widest, where not all are told. */
const toldWidest = 50
/** Minima that are compared two by two. */
const comparedMinima = 12

/** What models [M, P] predict for some rows, in the user's units. */
async function predictions(setup: Setup, theta: Float64Array, rows: Problem): Promise<PredictionBlock> {
  const { model, frame, certifier } = setup
  const z = await certifier.objective.outputs(theta, rows)
  const loss = lossTable[model.loss]
  const C = model.outputs
  const N = rows.rows
  if (loss.response === 'class') {
    const weight = rows.weight ?? new Float64Array(N).fill(1)
    return { cells: N, classes: C, width: C, values: predictedMeans(model, z), predicted: largest(z, C), weight }
  }
  const cells = N * C
  const weight = Float64Array.from({ length: cells }, (_, n) => rows.weight?.[Math.floor(n / C)] ?? 1)
  if (loss.response === 'share')
    return { cells, classes: 2, width: 1, values: z, predicted: above(z, loss.even ?? 0), weight, mean: loss.mean }
  const { targetScale, targetOrigin } = frame
  const mean = (v: number, n: number): number => targetScale * loss.mean(v) + targetOrigin[n % C]
  return { cells, classes: 0, width: 1, values: z, predicted: new Uint16Array(0), weight, mean }
}

/** The class with the largest of C outputs, for each row of z [·, C]. */
function largest(z: Float64Array, C: number): Uint16Array {
  const out = new Uint16Array(z.length / C)
  for (let n = 0; n < out.length; n++) {
    let top = 0
    for (let c = 1; c < C; c++) if (z[n * C + c] > z[n * C + top]) top = c
    out[n] = top
  }
  return out
}

/** 1 where an output is above `even`, else 0. */
function above(z: Float64Array, even: number): Uint16Array {
  const out = new Uint16Array(z.length)
  for (let n = 0; n < z.length; n++) out[n] = z[n] > even ? 1 : 0
  return out
}

interface MeasuredRows {
  /** Place of the first of its rows. */
  readonly from: number
  readonly block: PredictionBlock
  readonly measured: CellMeasures
}

/** Measures of all rows of a problem, some rows at a time. */
async function* measuredRows(setup: Setup, { theta, sets }: Models, problem: Problem): AsyncGenerator<MeasuredRows> {
  const together = Math.max(1, Math.floor(predictionsAtOnce / (sets.runs.length * setup.model.outputs)))
  for (let from = 0; from < problem.rows; from += together) {
    // All rows are prepared already.
    const rows = together < problem.rows ? someRows(problem, from, Math.min(problem.rows, from + together)) : problem
    const block = await predictions(setup, theta, rows)
    yield { from, block, measured: cellMeasures(block, sets) }
  }
}

/** What a fold knows of the runs. */
export interface Found {
  readonly compared: Compared | undefined
  readonly minima: DistinctPoints
  readonly degenerate: DistinctPoints
}

/** A cell of the training or the held-out rows. */
interface Cell {
  readonly part: Part
  /** Place in its part. */
  readonly at: number
  /** The class whose probability is told, where there are several; else 0. */
  readonly told: number
  readonly range: number
  readonly prediction: number
  /** Smallest and largest prediction within each ε. */
  readonly ranges: readonly (readonly [number, number])[]
}

type Part = 'train' | 'test'

const problemOf = (setup: Setup, part: Part): Problem | undefined => (part === 'train' ? setup.problem : setup.test)

/** Cells by the width of their ranges, the widest first; of many some: those, and others evenly by their prediction. */
function toldCells(cells: readonly Cell[]): Cell[] {
  const widest = [...cells].sort((a, b) => b.range - a.range)
  if (cells.length <= toldRows) return widest
  const kept = new Set(widest.slice(0, toldWidest))
  const others = cells.filter(cell => !kept.has(cell)).sort((a, b) => a.prediction - b.prediction)
  const more = toldRows - toldWidest
  for (let k = 0; k < more; k++) kept.add(others[Math.round((k * (others.length - 1)) / (more - 1))])
  return widest.filter(cell => kept.has(cell))
}

/** Enough digits to draw and to compare. */
const told = (v: number): number => Number(v.toPrecision(6))

/** The cells of a block of measured rows. */
function cellsOf(part: Part, { from, block, measured }: MeasuredRows, outputs: number): Cell[] {
  const { cells, width } = block
  const each = width > 1 ? 1 : outputs
  const E = measured.range.length / cells
  return Array.from({ length: cells }, (_, i) => {
    const w = width > 1 ? block.predicted[i] : 0
    return {
      part,
      at: from * each + i,
      told: w,
      range: measured.range[(E - 1) * cells + i],
      prediction: predictionOf(block, i, w),
      ranges: Array.from({ length: E }, (_, e) => {
        const n = (e * cells + i) * width + w
        return [measured.low[n], measured.high[n]] as const
      })
    }
  })
}

/** What is said of a cell. */
function rowRange(setup: Setup, { part, at, told: w, prediction, ranges }: Cell): RowRange {
  const { model, data } = setup
  const { response } = lossTable[model.loss]
  const C = response === 'class' ? 1 : model.outputs
  const row = Math.floor(at / C)
  const numbers = part === 'train' ? data.numbers : data.test?.numbers
  const labels = classesOf(setup, at % C)
  const named =
    response === 'class' || response === 'share' ? (labels?.[response === 'class' ? w : 1] ?? String(w)) : undefined
  return {
    row: numbers?.[row] ?? row + 1,
    ...(part === 'test' ? { heldOut: true } : {}),
    ...(C > 1 ? { output: data.targets[at % C] } : {}),
    prediction: told(prediction),
    ...(named === undefined ? {} : { class: named }),
    ranges: ranges.map(([low, high]) => [told(low), told(high)] as const)
  }
}

/** Labels of the classes of an output. */
export function classesOf({ data }: Setup, output: number): readonly string[] | undefined {
  const { target } = data.preprocessing
  return (output === 0 ? target : target.others?.[output - 1])?.classes
}

/** The measures of models on training and held-out rows, for each ε. */
async function within(
  setup: Setup,
  models: Models,
  onRows?: (part: Part, rows: MeasuredRows) => void
): Promise<Omit<LevelSet, 'minima'>[]> {
  const found: Partial<Record<Part, MultiplicityMeasures[]>> = {}
  for (const part of ['train', 'test'] as const) {
    const problem = problemOf(setup, part)
    if (!problem) continue
    const totals = new MultiplicityTotals(models.sets)
    for await (const rows of measuredRows(setup, models, problem)) {
      totals.add(rows.block, rows.measured)
      onRows?.(part, rows)
    }
    found[part] = totals.result()
  }
  const { runs, sizes } = models.sets
  return setup.config.multiplicity.epsilon.map((epsilon, e) => ({
    epsilon,
    runs: runs.subarray(0, sizes[e]).reduce((a, b) => a + b, 0),
    ...found.train![e],
    ...(found.test ? { test: found.test[e] } : {})
  }))
}

/** Minima and their level sets, and the churn of the best of them by loss. */
async function overMinima(setup: Setup, { minima, degenerate }: Found): Promise<Multiplicity['minima']> {
  const models = await minimaOf(setup, minima, degenerate)
  if (!models) return undefined
  const { ids, sets } = models
  const best = ids.map((id, m) => ({ id, m })).sort((a, b) => a.id - b.id)
  const some = best.slice(0, comparedMinima)
  const places = some.map(({ m }) => m)
  const n = some.length
  const sums = { train: new Float64Array(n * n), test: new Float64Array(n * n) }
  const weights = { train: 0, test: 0 }
  const list = await within(setup, models, (part, { block }) => {
    if (block.classes === 0) return
    addChurn(block, places, sums[part])
    weights[part] += block.weight.reduce((a, b) => a + b, 0)
  })
  const matrix = (part: Part): number[][] =>
    Array.from({ length: n }, (_, a) =>
      Array.from(sums[part].subarray(a * n, (a + 1) * n), v => told(v / weights[part]))
    )
  return {
    within: list.map((set, e) => ({ ...set, minima: sets.sizes[e] })),
    ...(weights.train > 0
      ? {
          churn: {
            ids: some.map(({ id }) => id),
            train: matrix('train'),
            ...(weights.test > 0 ? { test: matrix('test') } : {})
          }
        }
      : {})
  }
}

/** How far the predictions of runs and of minima differ; undefined for models without data, and where every run failed. */
export async function multiplicityOf(setup: Setup, found: Found): Promise<Multiplicity | undefined> {
  const { compared } = found
  if (!compared) return undefined
  const models = runsOf(setup, compared)
  const { of, epsilon } = setup.config.multiplicity
  const cells: Cell[] = []
  const list = await within(setup, models, (part, rows) => {
    for (const cell of cellsOf(part, rows, setup.model.outputs)) cells.push(cell)
  })
  const rows = toldCells(cells).map(cell => rowRange(setup, cell))
  const minima = await overMinima(setup, found)
  const sampled = compared.score.length < compared.offered
  return {
    of,
    epsilon,
    point: setup.keep === 'all' ? 'found' : 'certified',
    best: {
      start: compared.best.start,
      loss: compared.best.loss,
      ...(of === 'error' ? { error: compared.best.score } : {})
    },
    within: list,
    ...(sampled ? { sample: { runs: compared.score.length, of: compared.offered } } : {}),
    ...(minima ? { minima } : {}),
    rows
  }
}

/** What the runs within an ε say of a row, or of one output of a row. */
export interface RowMultiplicity {
  readonly row: number
  readonly rows: 'training' | 'held out'
  /** Name of the target. */
  readonly output: string
  readonly epsilon: number
  /** What the best run predicts, and the range of the others; of classes the probability of `class`. */
  readonly class: string
  readonly prediction: number
  readonly lowest: number
  readonly highest: number
  /** Of classes, else absent. */
  readonly ambiguous?: number
  readonly obscurity?: number
  readonly selfConsistency?: number
  readonly capacity?: number
}

/** Every row within every ε. */
export async function* rowMultiplicity(setup: Setup, { compared }: Found): AsyncGenerator<RowMultiplicity> {
  if (!compared) return
  const models = runsOf(setup, compared)
  const { epsilon } = setup.config.multiplicity
  for (const part of ['train', 'test'] as const) {
    const problem = problemOf(setup, part)
    if (!problem) continue
    const numbers = part === 'train' ? setup.data.numbers : setup.data.test?.numbers
    for await (const { from, block, measured } of measuredRows(setup, models, problem)) {
      const { cells, width, classes } = block
      const each = width > 1 ? 1 : setup.model.outputs
      for (let cell = 0; cell < cells; cell++)
        for (let e = 0; e < epsilon.length; e++) {
          const row = from + Math.floor(cell / each)
          const w = width > 1 ? block.predicted[cell] : 0
          const n = e * cells + cell
          const labels = classesOf(setup, cell % each)
          yield {
            row: numbers?.[row] ?? row + 1,
            rows: part === 'train' ? 'training' : 'held out',
            output: setup.data.targets[cell % each],
            epsilon: epsilon[e],
            class: classes === 0 ? '' : (labels?.[width > 1 ? w : 1] ?? String(width > 1 ? w : 1)),
            prediction: predictionOf(block, cell, w),
            lowest: measured.low[n * width + w],
            highest: measured.high[n * width + w],
            ...(classes > 0
              ? {
                  ambiguous: measured.ambiguous[n],
                  obscurity: measured.obscurity[n],
                  selfConsistency: measured.selfConsistency[n],
                  capacity: measured.capacity[n]
                }
              : {})
          }
        }
    }
  }
}
