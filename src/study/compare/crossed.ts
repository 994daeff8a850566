/** Two crossed designs side by side: what changed, and which does better over starts and resamples of the rows. */
import type { Levels } from '../../analysis/variance.js'
import {
  comparisonFormat,
  comparisonVersion,
  type ComparedStudy,
  type Comparison
} from '../../core/comparisonResult.js'
import { InputError } from '../../core/errors.js'
import { Status } from '../../core/status.js'
import type { VarianceResult } from '../../core/varianceResult.js'
import type { CrossedRuns } from '../../runs/crossed.js'
import { configAgain, recordFields, type Saved } from '../record.js'
import type { Setup } from '../setup.js'
import type { SessionOptions } from '../study.js'
import { readVariance, sealedVariance, storedRuns } from '../variance/directory.js'
import { designed } from '../variance/index.js'
import { inOrder } from '../variance/runs.js'
import { betterOf, mostRuns, type Outcome } from './better.js'
import { changes, differing, incomparable, lossDifferences, sameness, startFields, why } from './same.js'

interface Opened {
  readonly directory: string
  readonly saved: Saved
  readonly result: VarianceResult
  readonly fields: ReadonlyMap<string, string>
  readonly setup: Setup
  readonly levels: Levels
  readonly outcome: Outcome
}

/** Losses and scores of the runs in their order, NaN where one failed. */
export function outcomeOf({ measured, status }: CrossedRuns): Outcome {
  const there = (values: Float64Array): Float64Array => values.map((v, r) => (status[r] === Status.failed ? NaN : v))
  const { loss, ...scores } = Object.fromEntries([...measured].map(([name, values]) => [name, there(values)]))
  return { losses: loss, scores: new Map(Object.entries(scores)) }
}

async function open(directory: string, options: SessionOptions): Promise<Opened> {
  const { saved, variance } = await readVariance(directory)
  const result = await sealedVariance(directory)
  if (result === undefined)
    throw new InputError(
      `${directory} has runs that have not ended; \`manystart variance --resume ${directory}\` goes on with them.`
    )
  const { setup, design } = await designed(configAgain(saved), variance, options, directory)
  try {
    const [I, O, S] = design.levels
    const starts = Math.min(I, Math.max(1, Math.floor(mostRuns / (O * S))))
    const runs = inOrder(
      await storedRuns(directory, 'model', setup, design, (_, sentence) => options.onNote?.(sentence)),
      starts * O * S,
      setup.objective.parameters
    )
    if (runs.place.length < starts * O * S)
      throw new InputError(
        `Runs of ${directory} are missing; \`manystart variance --resume ${directory}\` makes them again.`
      )
    const fields = new Map(recordFields(saved))
    fields.set('variance.orders', String(O)).set('variance.resamples', String(S))
    if (S > 1) fields.set('variance.resampling', JSON.stringify(variance.resampling))
    const levels: Levels = [starts, O, S]
    return { directory, saved, result, fields, setup, levels, outcome: { ...outcomeOf(runs), levels } }
  } catch (error) {
    setup.dispose()
    throw error
  }
}

const compared = ({ directory, saved, result, levels }: Opened): ComparedStudy => ({
  directory,
  name: result.name,
  runs: levels[0] * levels[1] * levels[2],
  starts: result.starts,
  orders: result.orders,
  resamples: result.resamples,
  engine: `${result.engine.name} ${result.engine.precision}`,
  version: saved.program,
  runsPerSecond: result.runs / result.seconds
})

/**
 * Compares two designs of `manystart variance`.
 * @throws InputError when a directory holds none, or one that has not ended, or its data are not there any more
 */
export async function compareDesigns(
  directories: readonly [string, string],
  options: SessionOptions = {}
): Promise<Comparison> {
  const a = await open(directories[0], options)
  try {
    const b = await open(directories[1], options)
    try {
      return comparison(a, b)
    } finally {
      b.setup.dispose()
    }
  } finally {
    a.setup.dispose()
  }
}

function comparison(a: Opened, b: Opened): Comparison {
  const changed = changes(a.fields, b.fields)
  const data = sameness(a.setup, b.setup)
  const losses = lossDifferences(changed, a.saved, b.saved)
  const notCompared = incomparable(data, losses)
  const resampling = differing(changed, ['variance.resamples', 'variance.resampling', 'starts.seed'])
  const rows = data.rows && (resampling.length === 0 || (a.levels[2] === 1 && b.levels[2] === 1))
  if (data.rows && !rows)
    notCompared.push(`Resamples are not the same, since ${why(resampling)}; any run of A is compared with any of B.`)
  const starts =
    rows &&
    data.inputs &&
    a.setup.objective.parameters === b.setup.objective.parameters &&
    a.levels.every((n, k) => n === b.levels[k]) &&
    differing(changed, startFields).length === 0
  return {
    format: comparisonFormat,
    version: comparisonVersion,
    a: compared(a),
    b: compared(b),
    changed,
    paired: starts,
    pairedRows: rows,
    better: data.rows ? betterOf(a.outcome, b.outcome, { starts, rows }, losses.length === 0) : {},
    shared: [],
    onlyA: [],
    onlyB: [],
    notCompared: [...notCompared, 'Minima are those of rows as they are, which `manystart study` finds.']
  }
}
