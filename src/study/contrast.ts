/** The main job: convex and non-convex models side by side on the same data and the same split. */
import { contrastFormat, type ContrastResult } from '../core/contrastResult.js'
import { InputError, WorkError } from '../core/errors.js'
import type { Summary } from '../core/result.js'
import { knownNames } from '../core/names.js'
import { shownValue } from '../core/printable.js'
import { builtins } from '../data/builtin.js'
import { loadData, rowsOf } from '../data/load.js'
import type { ReadOptions } from '../data/read.js'
import { twoClass } from '../models/scores.js'
import { lossName } from '../models/losses/choice.js'
import { convexTwin, nonconvexTwin } from '../models/losses/index.js'
import { resolveConfig } from './config.js'
import type { StudyInput } from './input.js'
import { checkTable } from './memory.js'
import { runSeparated } from './separable.js'
import type { VarianceResult } from '../core/varianceResult.js'
import { runVariance, type VarianceRunOptions } from './variance/index.js'
import { runStudy, type StudyOptions } from './study.js'

/** One of the models of a contrast. */
export interface ContrastModel {
  /** Short name of the sub-directory. */
  readonly key: string
  /** Raw configuration of the study. */
  readonly config: Readonly<Record<string, unknown>>
}

/**
 * What a contrast takes where the configuration names nothing: networks small enough to be drawn and large enough for minima of
 * different worth, a ridge on every parameter that is just strong enough for each run to end in one, and starts wide enough to meet
 * them. A thousand starts less one are as good and read as what they are: a choice.
 */
const defaults = { hidden: [3], ridge: 3e-4, penalizeBias: true, starts: { count: 999, init: { normal: 3 } } } as const

/** Rows from which on some are held out when the configuration says nothing of it. */
const defaultTestRows = 40
const defaultTest = { fraction: 0.3, seed: 4 }

type Raw = Readonly<Record<string, unknown>>
const part = (raw: Raw, name: string): Raw => (raw[name] ?? {}) as Raw

/**
 * The models that a contrast runs: the generalised linear model, the squared loss through the sigmoid (two-class data), a network
 * with ridge, and the same network without.
 * @param raw as study.yaml; model.hidden and model.ridge are those of the networks, contrast.ridge that of the models without hidden
 * layer (none unless given)
 * @param source what to call it in messages
 * @throws InputError as `study`
 */
export async function contrastModels(
  given: Raw,
  source = 'the study',
  options: ReadOptions = {}
): Promise<ContrastModel[]> {
  const { contrast, ...raw } = given
  const glmRidge = ridgeOf(contrast, source)
  const model = { penalizeBias: defaults.penalizeBias, ...part(raw, 'model') }
  const own = { standardize: true, ...drawable(part(raw, 'data')), ...part(raw, 'data') }
  const checked = resolveConfig({ ...raw, data: own, model }, source)
  checkTable(checked)
  const few = (await rowsOf(checked.data, options)) < defaultTestRows
  const test = few ? {} : { test: defaultTest }
  const data = { ...test, ...own }
  const hidden = checked.model.hidden.length > 0 ? checked.model.hidden : [...defaults.hidden]
  const ridge = checked.model.ridge > 0 ? checked.model.ridge : defaults.ridge
  const { loss: found } = await loadData(
    { ...test, ...checked.data },
    lossName(checked.model.loss),
    { bias: checked.model.bias, hidden: [], ridge: 1 },
    options
  )
  const loss = convexTwin(found)
  const chosen = loss === found ? (checked.model.loss ?? loss) : loss
  const starts = { ...defaults.starts, ...part(raw, 'starts') }
  // A name in the file is that of one study; models side by side have their own.
  const { name: _, ...shared } = raw
  const study = (name: string | undefined, fields: Raw): Raw => ({
    ...shared,
    ...(name === undefined ? {} : { name }),
    data,
    starts,
    model: { ...model, loss: chosen, ...fields }
  })
  const models: ContrastModel[] = [{ key: 'convex', config: study(undefined, { hidden: [], ridge: glmRidge }) }]
  if (twoClass(loss))
    models.push({
      key: nonconvexTwin,
      config: study(`squared loss (${nonconvexTwin})${glmRidge > 0 ? `, ridge ${glmRidge}` : ''}`, {
        hidden: [],
        ridge: glmRidge,
        loss: nonconvexTwin
      })
    })
  models.push({ key: 'network-ridge', config: study(undefined, { hidden, ridge }) })
  models.push({ key: 'network', config: study(undefined, { hidden, ridge: 0 }) })
  return models
}

/** Two columns of a built-in data set that can be drawn, where the configuration names none. */
function drawable(data: Raw): Raw {
  const name = data['builtin']
  if (typeof name !== 'string' || data['features'] !== undefined || !Object.hasOwn(builtins, name)) return {}
  const { drawn } = builtins[name]
  return drawn ? { features: [...drawn] } : {}
}

/** @throws InputError unless `contrast` is absent or {ridge: a number of at least 0} */
function ridgeOf(contrast: unknown, source: string): number {
  if (contrast === undefined) return 0
  const { ridge, ...others } = Object(contrast) as Raw
  const [unknown] = Object.keys(others)
  if (unknown !== undefined)
    throw new InputError(`Unknown field "${unknown}" under contrast in ${source}; ${knownNames(unknown, ['ridge'])}.`)
  if (typeof ridge !== 'number' || !(ridge >= 0) || !Number.isFinite(ridge))
    throw new InputError(
      `contrast.ridge in ${source} is ${shownValue(ridge)}; give a number of at least 0, the ridge of the models without hidden layer.`
    )
  return ridge
}

/** Resamples of the rows on which a contrast asks why runs differ, and the fewest and most starts of each. */
const crossing = { resamples: 20, orders: 5, fewest: 2, most: 50 } as const
/** Where a contrast keeps that. */
export const crossedKey = 'variance'

/**
 * Why the runs of the network with ridge differ, beside its convex twin: starts × resamples of the rows, about as many runs as a model of the
 * contrast has. @returns undefined where there are too few starts for it, or they are not drawn at random one by one
 */
async function contrastVariance(
  models: readonly ContrastModel[],
  options: VarianceRunOptions
): Promise<VarianceResult | undefined> {
  const { config: raw } = models.find(m => m.key === 'network-ridge')!
  const { starts, optimizer } = resolveConfig(raw, 'the study')
  const orders = optimizer?.batch ? crossing.orders : 1
  const count = Math.min(crossing.most, Math.floor(starts.count / (crossing.resamples * orders)))
  if (count < crossing.fewest || starts.file !== undefined || starts.design !== 'random') return undefined
  const { out, ...rest } = options
  try {
    return await runVariance(
      { ...raw, starts: { ...starts, count }, variance: { orders, resamples: crossing.resamples } },
      { ...rest, ...(out === undefined ? {} : { out: `${out}/${crossedKey}` }) }
    )
  } catch (error) {
    // An engine that takes no rows of single runs, say, is no reason to lose the contrast.
    if (!(error instanceof InputError || error instanceof WorkError)) throw error
    options.onNote?.(`Why runs differ was not found out: ${error.message}`)
    return undefined
  }
}

/** What a contrast takes beside its configuration; `out` is a directory with one for each part. */
export interface ContrastOptions extends StudyOptions {
  /** Told what comes next, such as `model 2 of 4 (brier)`. */
  readonly onPart?: (doing: string) => void
  /** Waited for once the studies of the first model on the rows that it gets right are there, or none of them is to be. */
  readonly onSeparated?: (summaries: readonly Summary[]) => Promise<void>
  /** As `finish`, for the crossed runs. */
  readonly finishVariance?: NonNullable<VarianceRunOptions['finish']>
}

/** What goes into a contrast: a study, of which `model.hidden` and `model.ridge` are those of the networks. */
export interface ContrastInput extends StudyInput {
  /** What concerns the models without hidden layer alone. */
  readonly contrast?: {
    /** Ridge of the models without hidden layer; at least 0, default 0. */
    readonly ridge?: number
  }
}

/**
 * Runs convex and non-convex models on the same data and the same split, one after the other: the generalised linear model, for two
 * classes the squared loss through the sigmoid, a network with a ridge, and the same network without; then the first on the rows that it
 * gets right, and the network with a ridge from starts crossed with resamples of the rows.
 * @param config as of a study; without more 999 wide starts, networks of three units, and standardised columns
 * @returns what was found until `signal` stopped it
 * @throws InputError and WorkError as {@link study}
 */
export const contrast = (config: ContrastInput, options: ContrastOptions = {}): Promise<ContrastResult> =>
  runContrast({ ...config }, options)

/** The same of what a file or flags say; `source` is what to call it in messages. */
export async function runContrast(
  raw: Raw,
  options: ContrastOptions = {},
  source = 'the study'
): Promise<ContrastResult> {
  const { out, onPart, onSeparated, finishVariance, ...rest } = options
  const { signal, threads, lanes, force, onLoad, onProgress, onNote } = options
  const all = await contrastModels(raw, source, onLoad ? { onProgress: onLoad } : {})
  const models: Summary[] = []
  for (const [i, { key, config }] of all.entries()) {
    if (signal?.aborted) break
    onPart?.(`model ${i + 1} of ${all.length} (${key})`)
    const own = resolveConfig(config, source)
    models.push(await runStudy(own, { ...rest, ...(out === undefined ? {} : { out: `${out}/${key}` }) }))
  }
  if (models.length === 0) throw new InputError('The contrast was stopped before its first model; run it again.')
  const result = { format: contrastFormat, version: 2, models, separated: [] } as const
  if (signal?.aborted) return result

  onPart?.(`the rows that ${models[0].name} gets right`)
  // What is said of the data, and of their being read, was said of the first model.
  const { onFact: _, onLoad: __, onNote: ___, onPlan: ____, ...silent } = rest
  const separated = await runSeparated(resolveConfig(all[0].config, source), models[0], {
    ...silent,
    ...(out === undefined ? {} : { out })
  })
  await onSeparated?.(separated)
  if (signal?.aborted) return { ...result, separated }

  onPart?.('why runs differ')
  const variance = await contrastVariance(all, {
    ...(signal ? { signal } : {}),
    ...(out === undefined ? {} : { out }),
    ...(force === undefined ? {} : { force }),
    ...(threads === undefined ? {} : { threads }),
    ...(lanes === undefined ? {} : { lanes }),
    ...(onProgress ? { onProgress } : {}),
    ...(onNote ? { onNote } : {}),
    ...(finishVariance ? { finish: finishVariance } : {})
  })
  return { ...result, separated, ...(variance ? { variance } : {}) }
}
