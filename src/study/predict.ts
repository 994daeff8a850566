/** Predictions of a saved study for new rows. */
import { softmax } from '../models/means.js'
import { InputError } from '../core/errors.js'
import { shown } from '../core/printable.js'
import { outputs } from '../models/outputs.js'
import { applyPreprocessing, type NewRows } from '../data/apply.js'
import { openTable, type ReadOptions } from '../data/read.js'
import { lossTable } from '../models/losses/index.js'
import { plainData } from './dataSchema.js'
import type { DataInput } from './input.js'
import { allMinima, chooseModel, openStudy, type FittedModel, type ModelChoice } from './fitted.js'

/** Where the new rows come from; the target need not be among their columns. */
export type NewData = Pick<
  DataInput,
  'csv' | 'parquet' | 'builtin' | 'columns' | 'rows' | 'delimiter' | 'decimal' | 'missing'
>

export interface PredictOptions extends ModelChoice, ReadOptions {
  /** The spread over all minima beside the prediction of the best. */
  readonly all?: boolean
}

/** Predictions of one model, or of all minima, row by row. */
export interface Predictions {
  /** Which point made them. */
  readonly model: string
  /** [N] numbers of the rows in their table, from 1. */
  readonly rows: readonly number[]
  /**
   * [N] each: `probability` of the second class and `class`; for several classes `p:CLASS` each and `class`; for numbers `prediction`;
   * for several targets `probability:TARGET` and so on.
   * With `all`, over the runs in all minima: `mean`, `sd`, `min` and `max` of the probability or prediction, and `agree`, the share
   * of runs that predict the same class.
   */
  readonly columns: Readonly<Record<string, readonly (number | string)[]>>
}

/** What a model says of rows: numbers by name, and the class where there are classes. */
interface Said {
  readonly numbers: Readonly<Record<string, Float64Array>>
  /** By the name of their column. */
  readonly classes: Readonly<Record<string, readonly string[]>>
}

function say({ model, preprocessing, theta, scaling }: FittedModel, rows: NewRows): Said {
  const D = model.inputs
  const x = scaling ? rows.x.map((v, i) => (v - scaling.mean[i % D]) / scaling.sd[i % D]) : rows.x
  const problem = { model, rows: rows.rows, x, y: new Float64Array(0) }
  const z = outputs(rows.offset ? { ...problem, offset: rows.offset } : problem, theta)
  const loss = lossTable[model.loss]
  if (loss.response === 'class') {
    const labels = preprocessing.target.classes ?? []
    const C = model.outputs
    const p = softmax(z, C)
    const classes = Array.from({ length: rows.rows }, (_, i) => {
      let top = 0
      for (let c = 1; c < C; c++) if (z[i * C + c] > z[i * C + top]) top = c
      return labels[top]
    })
    const column = (c: number): Float64Array => Float64Array.from({ length: rows.rows }, (_, i) => p[i * C + c])
    return {
      numbers: Object.fromEntries(labels.map((label, c) => [`p:${label}`, column(c)])),
      classes: { class: classes }
    }
  }
  const { target } = preprocessing
  const { response, mean, even = 0 } = loss
  const C = model.outputs
  const numbers: Record<string, Float64Array> = {}
  const classes: Record<string, string[]> = {}
  ;[target, ...(target.others ?? [])].forEach(({ column, classes: labels = [] }, k) => {
    // Several targets are told apart by their names.
    const suffix = C > 1 ? `:${column}` : ''
    const own = Float64Array.from({ length: rows.rows }, (_, i) => z[i * C + k])
    numbers[`${response === 'share' ? 'probability' : 'prediction'}${suffix}`] = own.map(mean)
    if (response === 'share') classes[`class${suffix}`] = Array.from(own, value => labels[value > even ? 1 : 0])
  })
  return { numbers, classes }
}

/** Mean, standard deviation and range over models, each weighted by its runs; and how many runs agree with the first model. */
function spread(models: readonly FittedModel[], said: readonly Said[], N: number): Record<string, Float64Array> {
  const [first] = said
  const total = models.reduce((sum, { runs }) => sum + runs, 0)
  const columns: Record<string, Float64Array> = {}
  const several = Object.keys(first.numbers).length > 1
  for (const name of Object.keys(first.numbers)) {
    const suffix = several ? name.slice(name.indexOf(':')) : ''
    const mean = new Float64Array(N)
    const sd = new Float64Array(N)
    const min = new Float64Array(N).fill(Infinity)
    const max = new Float64Array(N).fill(-Infinity)
    for (let i = 0; i < N; i++) {
      said.forEach(({ numbers }, m) => {
        const value = numbers[name][i]
        mean[i] += (models[m].runs / total) * value
        min[i] = Math.min(min[i], value)
        max[i] = Math.max(max[i], value)
      })
      const variance = said.reduce(
        (s, { numbers }, m) => s + (models[m].runs / total) * (numbers[name][i] - mean[i]) ** 2,
        0
      )
      sd[i] = Math.sqrt(variance)
    }
    Object.assign(columns, {
      [`mean${suffix}`]: mean,
      [`sd${suffix}`]: sd,
      [`min${suffix}`]: min,
      [`max${suffix}`]: max
    })
  }
  for (const [name, classes] of Object.entries(first.classes))
    columns[name.replace('class', 'agree')] = Float64Array.from({ length: N }, (_, i) =>
      said.reduce((s, other, m) => s + (other.classes[name][i] === classes[i] ? models[m].runs / total : 0), 0)
    )
  return columns
}

/**
 * Predicts new rows with a saved study: by its minimum with the lowest loss unless `options` name another point.
 * @param directory of a study
 * @param data new rows, read and coded as the study's table was
 * @throws InputError for a directory without a study, a model that is not there, and rows that do not fit
 */
export async function predict(directory: string, data: NewData, options: PredictOptions = {}): Promise<Predictions> {
  const { all, onProgress, ...choice } = options
  const saved = await openStudy(directory)
  const models = all === true ? allMinima(saved) : []
  const model = await chooseModel(saved, choice)
  const plain = plainData({ missing: 'refuse', standardize: false, standardizeTarget: false, ...data })
  const { table } = await openTable(plain, onProgress ? { onProgress } : {})
  const rows = applyPreprocessing(table, saved.preprocessing, data.missing === 'drop')
  const said = say(model, rows)
  const others =
    models.length > 0
      ? spread(
          models,
          models.map(other => say(other, rows)),
          rows.rows
        )
      : {}
  for (const values of [...Object.values(said.numbers), ...Object.values(others)]) {
    const at = values.findIndex(v => !Number.isFinite(v))
    if (at >= 0)
      throw new InputError(
        `The prediction for row ${rows.numbers[at]} of ${shown(table.source)} is no number, by ${model.point}; check the values of that row, and run the study again where they are right.`
      )
  }
  const plainNumbers = (columns: Readonly<Record<string, Float64Array>>): Record<string, number[]> =>
    Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, Array.from(values)]))
  return {
    model: model.point,
    rows: rows.numbers,
    columns: {
      ...plainNumbers(said.numbers),
      ...said.classes,
      ...plainNumbers(others)
    }
  }
}
