/** The runs of a saved study as a sequence. */
import { readRuns as readParts } from '../runs/points.js'
import { endedRuns, type Run } from './endedRun.js'

/** A run as a study directory holds it. */
export interface StoredRun extends Run {
  /** `id` of the distinct point of the summary that it ended at; absent for a run of none, or before a summary has been made. */
  readonly point?: number
}

/**
 * The runs that a study directory holds, in ascending order of their numbers, those of a study that was interrupted too. One part of
 * the directory is in memory at a time.
 *
 * @param directory of one study, as `study` with `out` or `manystart study --out` wrote it
 * @throws InputError where the directory holds no study, or a part is missing or damaged
 */
export async function* readRuns(directory: string): AsyncGenerator<StoredRun, void> {
  for await (const { rows, layout, point } of readParts(directory))
    for (const [i, run] of endedRuns(rows, layout).entries()) yield point[i] < 0 ? run : { ...run, point: point[i] }
}
