/** Two saved studies side by side: what changed, which minima they share, and which does better. */
import { join } from 'node:path'
import {
  comparisonFormat,
  comparisonVersion,
  type ComparedStudy,
  type Comparison
} from '../../core/comparisonResult.js'
import { InputError, WorkError } from '../../core/errors.js'
import type { Summary } from '../../core/result.js'
import { isContrast } from '../contrastDirectory.js'
import { recordFields, readRecord, type Saved } from '../record.js'
import type { Setup } from '../setup.js'
import { setUpAgain, summaryOf, type SessionOptions } from '../study.js'
import { isVariance } from '../variance/directory.js'
import { betterOf, outcomesOf, type Outcome } from './better.js'
import { compareDesigns } from './crossed.js'
import { sharedMinima } from './minima.js'
import { changes, differing, incomparable, lossDifferences, sameness, startFields, why } from './same.js'

interface Opened {
  readonly directory: string
  readonly saved: Saved
  readonly summary: Summary
  readonly fields: ReadonlyMap<string, string>
  readonly outcome: Outcome
}

async function open(directory: string, options: SessionOptions): Promise<Opened> {
  if (await isContrast(directory))
    throw new InputError(
      `${directory} holds several studies; give the directory of one of them, such as ${join(directory, 'convex')}.`
    )
  const saved = await readRecord(directory)
  if (saved.shard)
    throw new InputError(
      `${directory} is shard ${saved.shard.index} of ${saved.shard.of} and no whole study; merge the shards and compare the whole.`
    )
  const summary = await summaryOf(directory, options)
  const outcome = await outcomesOf(directory, summary.starts)
  return { directory, saved, summary, fields: recordFields(saved), outcome }
}

const compared = ({ directory, saved, summary, outcome }: Opened): ComparedStudy => ({
  directory,
  name: summary.name,
  runs: outcome.losses.length,
  starts: summary.starts,
  engine: `${summary.engine.name} ${summary.engine.precision}`,
  version: saved.program,
  runsPerSecond: summary.timing.runsPerSecond,
  bestOf: summary.restarts.bestOf
})

/**
 * Compares two saved studies.
 * @param directories of two studies, complete or not, or of two designs of `manystart variance`; of the same data for most of what there is to compare
 * @throws InputError when a directory holds no study, several, or a shard; or runs that are damaged
 */
export async function compareStudies(
  directories: readonly [string, string],
  options: SessionOptions = {}
): Promise<Comparison> {
  const designs = await Promise.all(directories.map(isVariance))
  if (designs.every(Boolean)) return compareDesigns(directories, options)
  const lone = directories[designs.indexOf(true)]
  if (lone !== undefined)
    throw new InputError(
      `${lone} holds resamples of \`manystart variance\`, and the other directory a study; give two of one kind.`
    )
  const a = await open(directories[0], options)
  const b = await open(directories[1], options)
  const changed = changes(a.fields, b.fields)
  const notCompared: string[] = []
  const [setupA, setupB] = [await again(a, notCompared, options), await again(b, notCompared, options)]
  try {
    const sameHash = a.saved.dataHash === b.saved.dataHash
    // By the data themselves where they can be read again, else by their hash.
    const data = setupA && setupB ? sameness(setupA, setupB) : { rows: sameHash, inputs: sameHash }
    const losses = lossDifferences(changed, a.saved, b.saved)
    notCompared.push(...incomparable(data, losses))
    const paired =
      data.inputs &&
      a.summary.problem.parameters === b.summary.problem.parameters &&
      a.outcome.losses.length === b.outcome.losses.length &&
      differing(changed, startFields).length === 0
    const pairing = { starts: paired, rows: true }
    const better = data.rows ? betterOf(a.outcome, b.outcome, pairing, losses.length === 0) : {}
    const model = [...(data.inputs ? [] : ['the data']), ...new Set([...losses, ...differing(changed, ['model'])])]
    if (model.length === 0) notCompared.push(...unlisted('A', a.summary), ...unlisted('B', b.summary))
    else notCompared.push(`A minimum of one is none of the other, since ${why(model)}.`)
    const points =
      model.length === 0 && setupA && setupB
        ? await sharedMinima(setupA, a.summary, b.summary)
        : { shared: [], onlyA: [], onlyB: [] }
    return {
      format: comparisonFormat,
      version: comparisonVersion,
      a: compared(a),
      b: compared(b),
      changed,
      paired,
      pairedRows: data.rows,
      better,
      ...points,
      notCompared
    }
  } finally {
    setupA?.dispose()
    setupB?.dispose()
  }
}

/** That only the best minima of a study are compared, where it has more than its summary lists. */
function unlisted(name: string, { distinct, minima, degenerate }: Summary): string[] {
  const [met, listed] = [distinct.minima.points + distinct.degenerate.points, minima.length + degenerate.length]
  return met > listed ? [`Of the ${met} minima of ${name} the ${listed} with the lowest losses are compared.`] : []
}

/** The setup of a saved study; undefined, with a sentence, where its data or its engine are not there any more. */
async function again(
  { directory, saved }: Opened,
  notCompared: string[],
  options: SessionOptions
): Promise<Setup | undefined> {
  try {
    return await setUpAgain(directory, saved, undefined, options)
  } catch (error) {
    if (!(error instanceof InputError || error instanceof WorkError)) throw error
    notCompared.push(`Minima are not compared: ${error.message}`)
    return undefined
  }
}
