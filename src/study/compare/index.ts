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
import type { Rows } from '../../data/types.js'
import type { Setup } from '../setup.js'
import { setUpAgain, summaryOf, type SessionOptions } from '../study.js'
import { betterOf, outcomesOf, type Outcome } from './better.js'
import { sharedMinima } from './minima.js'

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
  runsPerSecond: summary.timing.runsPerSecond
})

/** Names of fields that differ and begin with one of these. */
const differing = ({ changed }: Pick<Comparison, 'changed'>, names: readonly string[]): string[] =>
  changed.map(c => c.field).filter(field => names.some(name => field === name || field.startsWith(`${name}.`)))

/** What decides where starts lie, beside rows and columns. */
const startFields = [
  'starts',
  'model.hidden',
  'model.bias',
  'model.formula',
  'model.objective',
  'model.parameters',
  'data.standardize'
]
/** What decides what the loss is a sum of. */
const lossFields = ['model.loss', 'model.ridge', 'model.penalizeBias', 'model.firth', 'model.objective']

const same = (a: ArrayLike<number> | undefined, b: ArrayLike<number> | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.length === b.length && Array.from(a).every((v, i) => v === b[i]))

/** Whether rows have the same targets, weights and trials, so that scores on them are of one kind. */
const sameTargets = (a: Rows | undefined, b: Rows | undefined): boolean =>
  a === b ||
  (a !== undefined && b !== undefined && same(a.y, b.y) && same(a.weight, b.weight) && same(a.trials, b.trials))

/** Which data of the two studies are the same, by the data themselves where they can be read again, else by their hash. */
interface Sameness {
  /** Training and held-out rows with their targets. */
  readonly rows: boolean
  /** Rows and inputs. */
  readonly inputs: boolean
}

function sameness(a: Setup | undefined, b: Setup | undefined, sameHash: boolean): Sameness {
  if (!a || !b) return { rows: sameHash, inputs: sameHash }
  const [x, y] = [a.data, b.data]
  const rows =
    x.target === y.target &&
    sameTargets(x, y) &&
    sameTargets(x.test, y.test) &&
    same(x.preprocessing.heldOut, y.preprocessing.heldOut)
  return { rows, inputs: rows && same(x.x, y.x) && same(x.offset, y.offset) }
}

const why = (fields: readonly string[]): string => `${fields.join(', ')} ${fields.length === 1 ? 'differs' : 'differ'}`

/**
 * Compares two saved studies.
 * @param directories of two studies, complete or not; of the same data for most of what there is to compare
 * @throws InputError when a directory holds no study, several, or a shard; or runs that are damaged
 */
export async function compareStudies(
  directories: readonly [string, string],
  options: SessionOptions = {}
): Promise<Comparison> {
  const a = await open(directories[0], options)
  const b = await open(directories[1], options)
  const changed = [...new Set([...a.fields.keys(), ...b.fields.keys()])]
    .filter(field => a.fields.get(field) !== b.fields.get(field))
    .map(field => ({ field, a: a.fields.get(field) ?? null, b: b.fields.get(field) ?? null }))
  const notCompared: string[] = []
  const [setupA, setupB] = [await again(a, notCompared, options), await again(b, notCompared, options)]
  try {
    const data = sameness(setupA, setupB, a.saved.dataHash === b.saved.dataHash)
    // A ridge falls on the columns that were asked for.
    const ridged = a.saved.config.model.ridge > 0 || b.saved.config.model.ridge > 0
    const losses = differing({ changed }, [...lossFields, ...(ridged ? ['data.standardize'] : [])])
    if (!data.rows)
      notCompared.push('Losses and scores are of other rows or targets, so no study is called better than the other.')
    else if (losses.length > 0)
      notCompared.push(
        `Losses are not of one kind, since ${why(losses)}; scores are compared, and the best of several is that by each study’s own loss.`
      )
    const paired =
      data.inputs &&
      a.summary.problem.parameters === b.summary.problem.parameters &&
      a.outcome.losses.length === b.outcome.losses.length &&
      differing({ changed }, startFields).length === 0
    const better = data.rows
      ? betterOf(a.outcome, b.outcome, { paired, byLoss: losses.length === 0, rows: ['train', 'test'] })
      : {}
    const model = [...(data.inputs ? [] : ['the data']), ...new Set([...losses, ...differing({ changed }, ['model'])])]
    if (model.length > 0) notCompared.push(`A minimum of one is none of the other, since ${why(model)}.`)
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
      better,
      ...points,
      notCompared
    }
  } finally {
    setupA?.dispose()
    setupB?.dispose()
  }
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
