/** What must be said of a study beside its figures, in sentences. */
import { listed } from '../core/printable.js'
import type { Expression } from '../models/expression/types.js'
import { expressionOf, hasLoss, isRidged } from '../models/model.js'
import { lossTable } from '../models/losses/index.js'
import type { Summary } from '../core/result.js'
import type { Outcome } from './session.js'
import type { Setup } from './setup.js'

type PointList = 'minima' | 'degenerate' | 'saddles'

/** Bounds and fixed parameters, which results would not show. */
function formulaNotes({ parameters, fixed }: Expression): string[] {
  const notes: string[] = []
  const bounded = parameters.filter(p => p.lower !== null || p.upper !== null)
  if (bounded.length > 0) {
    const list = bounded.map(
      ({ name, lower, upper }) => `${lower === null ? '' : `${lower} ≤ `}${name}${upper === null ? '' : ` ≤ ${upper}`}`
    )
    notes.push(`Bounds are kept by a change of variables, after MINUIT: ${list.join(', ')}.`)
  }
  if (fixed.length > 0) notes.push(`Held fixed: ${fixed.map(({ name, value }) => `${name} = ${value}`).join(', ')}.`)
  return notes
}

/** What a likelihood makes of targets that are not of its kind. */
function targetNotes({ model, data }: Setup): string[] {
  const { response } = lossTable[model.loss]
  const broken = data.y.findIndex(v => !Number.isInteger(v))
  if (!hasLoss(model) || broken < 0) return []
  if (response === 'count')
    return [
      `The target ${data.target} is ${data.y[broken]} in row ${broken + 1}, which is no count: the estimates are those of the mean, but likelihood, ` +
        'tests and errors take it for one.'
    ]
  if (response === 'share' && !data.trials && lossTable[model.loss].noLikelihood === undefined)
    return [
      `The target ${data.target} has shares, of which each counts as one trial in likelihood, tests and errors; name the column of trials if they are of several.`
    ]
  return []
}

/** Everything that must be said beside the figures, in sentences. */
export function notesOf(
  setup: Setup,
  outcome: Outcome,
  {
    ties,
    points: { distinct, minima, degenerate, saddles },
    exactQuantiles
  }: { ties: number; points: Pick<Summary, 'distinct' | PointList>; exactQuantiles: boolean }
): string[] {
  const notes: string[] = [...setup.data.preprocessing.notes, ...setup.startNotes]
  const { model } = setup
  const expression = expressionOf(model)
  if (expression) notes.push(...formulaNotes(expression))
  notes.push(...targetNotes(setup))
  const { rank, columns, aliased } = setup.rank
  const apart = isRidged(setup.problem) ? 'only the ridge settles their weights' : 'their weights cannot be told apart'
  if (rank < columns)
    notes.push(
      `The design has rank ${rank} for ${columns} columns: ` +
        (aliased.length > 0
          ? `${listed(aliased, 10)} ${aliased.length === 1 ? 'depends' : 'depend'} on the others, so that ${apart}; --drop-aliased leaves them out, as R does.`
          : `${apart}.`)
    )
  if (ties > 0)
    notes.push(
      `At the best minimum two classes are equally likely on ${ties} of ${setup.problem.rows} training rows, so ties decide there: ` +
        'rounding chooses the class, and accuracy, recall and precision say nothing about those rows.'
    )
  if (outcome.interrupted) notes.push(`The study was interrupted after ${outcome.runs} runs.`)
  const described = minima.filter(m => m.metrics).length
  if (distinct.minima.points > described)
    notes.push(`Eigenvalues and metrics are given for the ${described} minima with the lowest loss.`)
  const inSummary = minima.length + degenerate.length + saddles.length
  const all = distinct.minima.points + distinct.degenerate.points + distinct.saddles.points
  if (all > inSummary)
    notes.push(
      `Of ${all} distinct points the ${inSummary} with the lowest losses of their kind are listed; runs/distinct.parquet of a study's directory has all.`
    )
  if (!exactQuantiles) notes.push('Quartiles of the metrics are those of a seeded sample of runs.')
  notes.push(...outcome.notes)
  return notes
}
