/** The library's entry: run one study, or a contrast of several models on the same data. */
import { WorkError } from '../core/errors.js'
import type { Curves, Summary } from '../core/result.js'
import { version } from '../core/version.js'
import type { ReadOptions } from '../data/read.js'
import { defaultLosses, lossTable } from '../models/losses/index.js'
import { scoreNames } from '../models/scores.js'
import { resolveConfig, studyFormat, type StudyConfig } from './config.js'
import { convergenceCurves } from './curves.js'
import { storedPaths } from './dataPaths.js'
import { openResults, studyFile, summaryFile, type Results } from './results.js'
import { runStarts, type JudgedBlock, type Outcome, type StudyProgress } from './runner.js'
import { setUp, type Setup } from './setup.js'
import { summarize } from './summary.js'

export interface StudyOptions {
  /** Directory for study.json, runs.parquet, summary.json; nothing is written without it. */
  readonly out?: string
  readonly force?: boolean
  readonly threads?: number
  /** Lanes over all threads; never changes a result. */
  readonly lanes?: number
  readonly signal?: AbortSignal
  /** Told how far the reading of the data has come. */
  readonly onLoad?: ReadOptions['onProgress']
  readonly onProgress?: (progress: StudyProgress) => void
  /** Writes further files into the directory before it is closed, such as a report. */
  readonly finish?: (summary: Summary, results: Pick<Results, 'write'>) => Promise<void> | void
}

/** The data of a study without the hash that was expected of them; `dataHash` has the one that they had. */
function dataOf({ data }: StudyConfig): StudyConfig['data'] {
  const { hash: _, ...rest } = data
  return rest
}

/** What study.json holds: enough to repeat every run. */
function record(setup: Setup, directory: string): object {
  const { config, data, engine, optimizer, steps } = setup
  return {
    format: studyFormat,
    version: 1,
    config: {
      ...config,
      data: storedPaths(dataOf(config), directory),
      model: { ...config.model, loss: data.loss },
      precision: engine.precision,
      optimizer: {
        [optimizer.name]: {
          ...optimizer.options,
          ...(optimizer.batch ? { batchSize: optimizer.batch.size, order: optimizer.batch.order } : {})
        }
      },
      stop: { steps, gradient: config.stop.gradient }
    },
    dataHash: data.hash,
    preprocessing: data.preprocessing,
    versions: { manystart: version, node: process.version },
    engine: {
      name: engine.name,
      precision: engine.precision,
      device: engine.device,
      threads: engine.threads,
      why: setup.why
    }
  }
}

function storedMetrics(setup: Setup): string[] {
  const names = scoreNames(setup.network.loss)
  return [...names.map(n => `train.${n}`), ...(setup.test ? names.map(n => `test.${n}`) : [])]
}

/** [count, M] train beside test. */
function sideBySide(block: JudgedBlock, M: number): Float64Array {
  if (!block.test) return block.train
  const out = new Float64Array(block.count * 2 * M)
  for (let i = 0; i < block.count; i++) {
    out.set(block.train.subarray(i * M, (i + 1) * M), 2 * i * M)
    out.set(block.test.subarray(i * M, (i + 1) * M), (2 * i + 1) * M)
  }
  return out
}

/**
 * Runs a study. Nothing is written when it cannot be done.
 * @param raw a StudyConfig-like object as in study.yaml; every field but `data` has a default
 * @throws InputError when the configuration or the data are wrong; WorkError when an engine cannot run, or breaks down: the runs that
 * had ended by then are saved in `out`
 */
export async function study(raw: unknown, options: StudyOptions = {}): Promise<Summary> {
  return runStudy(resolveConfig(raw, 'the study'), options)
}

export async function runStudy(config: StudyConfig, options: StudyOptions = {}): Promise<Summary> {
  const setup = await setUp(config, {
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.onLoad ? { onLoad: options.onLoad } : {})
  })
  let results: Results | undefined
  try {
    const M = scoreNames(setup.network.loss).length
    if (options.out !== undefined)
      results = openResults(
        options.out,
        { parameters: setup.names, metrics: storedMetrics(setup), found: true },
        { force: options.force ?? false }
      )
    const writer = results
    const outcome = await runStarts(setup, {
      ...(options.lanes === undefined ? {} : { lanes: options.lanes }),
      ...(options.signal ? { signal: options.signal } : {}),
      ...(options.onProgress ? { onProgress: options.onProgress } : {}),
      ...(writer ? { onBlock: block => writer.append({ ...block, metrics: sideBySide(block, M) }) } : {})
    })
    const name = config.name ?? modelName(setup)
    // An engine that broke down cannot run a sample of the starts once more.
    const curvesAt = (floor: number): Promise<Curves | undefined> =>
      outcome.failure ? Promise.resolve(undefined) : convergenceCurves(setup, outcome.runs, floor)
    const summary = await summarize(setup, outcome, name, curvesAt)
    if (results) {
      results.writeJson(studyFile, record(setup, results.directory))
      results.writeJson(summaryFile, summary)
      await options.finish?.(summary, results)
      results.close()
    }
    if (outcome.failure) throw brokenDown(outcome, config.starts.count, options.out)
    return summary
  } catch (error) {
    results?.abort()
    throw error
  } finally {
    setup.dispose()
  }
}

/** What became of a study whose engine broke down after some runs had ended. */
function brokenDown({ failure, runs }: Outcome, starts: number, out: string | undefined): WorkError {
  const reason = failure?.message.replace(/\.$/, '') ?? ''
  if (out === undefined) return new WorkError(`${reason}; ${runs} of ${starts} runs had ended.`)
  return new WorkError(`${reason}; the ${runs} of ${starts} runs that had ended are saved in ${out}.`)
}

/** A name for a model, such as "logistic regression" or "4-5-1 tanh, ridge 0.01". */
function modelName({ network }: Setup): string {
  const ridge = network.ridge > 0 ? `, ridge ${network.ridge}` : network.hidden.length > 0 ? ', no ridge' : ''
  if (network.hidden.length > 0)
    return `${[network.inputs, ...network.hidden, network.outputs].join('-')} ${network.activation}${
      network.loss === defaultLosses.twoLabels ? '' : ` ${network.loss}`
    }${ridge}`
  return `${lossTable[network.loss].model}${ridge}`
}
