/** The saved end points of a study told apart under other tolerances, without a new run. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultTolerances, openClusters, type Tolerances } from '../analysis/cluster.js'
import { coverageOf } from '../analysis/coverage.js'
import { InputError } from '../core/errors.js'
import { verdicts, type Summary } from '../core/result.js'
import { fileEndPoints } from './filing.js'
import { savedConfig } from './replay.js'
import { openResults, readLayout, readRuns, studyFile, summaryFile, type Results } from './results.js'
import { setUp } from './setup.js'
import { describeClusters, thresholdsOf } from './summary.js'

export interface ReclusterOptions {
  readonly threads?: number
  /** Writes further files into the directory before it is closed, such as a report. */
  readonly finish?: (summary: Summary, results: Pick<Results, 'write'>) => Promise<void> | void
}

/**
 * Files the runs of a study directory anew and replaces its runs.parquet (`point` is renumbered) and summary.json.
 * @param tolerances those that are to differ from the defaults
 * @throws InputError when the directory holds no study, or its data have changed since
 */
export async function recluster(
  directory: string,
  tolerances: Partial<Tolerances>,
  options: ReclusterOptions = {}
): Promise<Summary> {
  const { config, dataHash } = savedConfig(directory)
  const layout = await readLayout(directory)
  const old = JSON.parse(readFileSync(join(directory, summaryFile), 'utf8')) as Summary
  const { device: _, ...rest } = config
  const setup = await setUp(
    { ...rest, engine: 'auto', precision: 'f64' },
    options.threads === undefined ? {} : { threads: options.threads }
  )
  let results: Results | undefined
  try {
    if (setup.data.hash !== dataHash)
      throw new InputError(
        `The data ${setup.data.name} have changed since ${directory} was made, so its end points cannot be compared; restore the file.`
      )
    const all = { ...defaultTolerances, ...tolerances }
    const clusters = openClusters(setup.problem, config.starts.count, all)
    // The waterfall shows a sample of the runs; a run is known there by its certified loss.
    const key = (verdict: string, loss: number): string => `${verdict} ${loss}`
    const shown = new Map<string, number | null>(old.waterfall.map(w => [key(w.verdict, w.loss), w.point]))
    results = openResults(directory, layout, { force: true })
    for await (const block of readRuns(directory)) {
      const point = await fileEndPoints(clusters, setup.certifier.objective, {
        ...block,
        theta: block.conditioned,
        loss: block.loss.map(v => v / setup.frame.lossScale)
      })
      point.forEach((id, i) => {
        const known = key(verdicts[block.verdict[i]], block.loss[i])
        if (id >= 0 && shown.has(known)) shown.set(known, id)
      })
      results.append({ ...block, point })
    }
    const summary: Summary = {
      ...old,
      ...(await describeClusters(setup, clusters)),
      coverage: coverageOf(clusters.minima.clusters(), old.starts),
      thresholds: thresholdsOf(all),
      waterfall: old.waterfall.map(w => ({ ...w, point: shown.get(key(w.verdict, w.loss)) ?? null }))
    }
    results.write(studyFile, readFileSync(join(directory, studyFile), 'utf8'))
    results.writeJson(summaryFile, summary)
    await options.finish?.(summary, results)
    results.close()
    return summary
  } catch (error) {
    results?.abort()
    throw error
  } finally {
    setup.dispose()
  }
}
