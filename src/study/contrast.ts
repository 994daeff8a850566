/** The main job: convex and non-convex models side by side on the same data and the same split. */
import { InputError } from '../core/errors.js'
import type { Summary } from '../core/result.js'
import { loadData, rowsOf } from '../data/load.js'
import { twoClass } from '../models/scores.js'
import { convexTwin, nonconvexTwin } from '../models/losses/index.js'
import { resolveConfig } from './config.js'
import { runStudy, type StudyOptions } from './study.js'

export interface ContrastModel {
  /** Short name of the sub-directory. */
  readonly key: string
  /** Raw configuration of the study. */
  readonly config: Readonly<Record<string, unknown>>
}

/** Hidden units and ridge of the networks when the configuration names none. */
const defaultHidden = [5]
const defaultRidge = 0.01
/** Starts per model when the configuration names none. */
const defaultStarts = 1000

/** Rows from which on some are held out when the configuration says nothing of it. */
const defaultTestRows = 40
const defaultTest = { fraction: 0.3, seed: 4 }

type Raw = Readonly<Record<string, unknown>>
const part = (raw: Raw, name: string): Raw => (raw[name] ?? {}) as Raw

/**
 * The models that a contrast runs: the generalised linear model, the squared loss through the sigmoid (two-class data), a network
 * with ridge, and the same network without.
 * @param raw as study.yaml; model.hidden and model.ridge are those of the networks
 * @param source what to call it in messages
 * @throws InputError as `study`
 */
export function contrastModels(raw: Raw, source = 'the study'): ContrastModel[] {
  const model = part(raw, 'model')
  const own = { standardize: true, ...part(raw, 'data') }
  const checked = resolveConfig({ ...raw, data: own, model }, source)
  const few = rowsOf(checked.data) < defaultTestRows
  const test = few ? {} : { test: defaultTest }
  const data = { ...test, ...own }
  const hidden = checked.model.hidden.length > 0 ? checked.model.hidden : defaultHidden
  const ridge = checked.model.ridge > 0 ? checked.model.ridge : defaultRidge
  const { loss: found } = loadData({ ...test, ...checked.data }, checked.model.loss, {
    bias: checked.model.bias,
    hidden: [],
    ridge: 1
  })
  const loss = convexTwin(found)
  const starts = { count: defaultStarts, ...part(raw, 'starts') }
  // A name in the file is that of one study; models side by side have their own.
  const { name: _, ...shared } = raw
  const study = (name: string | undefined, fields: Raw): Raw => ({
    ...shared,
    ...(name === undefined ? {} : { name }),
    data,
    starts,
    model: { ...model, loss, ...fields }
  })
  const models: ContrastModel[] = [{ key: 'convex', config: study(undefined, { hidden: [], ridge: 0 }) }]
  if (twoClass(loss))
    models.push({
      key: nonconvexTwin,
      config: study(`squared loss (${nonconvexTwin})`, { hidden: [], ridge: 0, loss: nonconvexTwin })
    })
  models.push({ key: 'network-ridge', config: study(undefined, { hidden, ridge }) })
  models.push({ key: 'network', config: study(undefined, { hidden, ridge: 0 }) })
  return models
}

export interface ContrastOptions extends StudyOptions {
  readonly onModel?: (model: ContrastModel, number: number, total: number) => void
}

/**
 * Runs all models of a contrast, one after the other.
 * @returns their summaries, in the order of `contrastModels`
 */
export async function contrast(raw: Raw, options: ContrastOptions = {}): Promise<Summary[]> {
  const models = contrastModels(raw)
  const summaries: Summary[] = []
  for (const [i, model] of models.entries()) {
    if (options.signal?.aborted) break
    options.onModel?.(model, i, models.length)
    const { out, onModel: _, ...rest } = options
    const config = resolveConfig(model.config, 'the study')
    summaries.push(await runStudy(config, { ...rest, ...(out === undefined ? {} : { out: `${out}/${model.key}` }) }))
  }
  if (summaries.length === 0) throw new InputError('The contrast was stopped before its first model; run it again.')
  return summaries
}
