/** What is asked for on resampled rows, and whether it can be had. */
import { InputError } from '../../core/errors.js'
import { formatCount } from '../../core/units.js'
import { convexity, hasFirth, hasLoss } from '../../models/model.js'
import type { StudyConfig } from '../config.js'
import type { Setup } from '../setup.js'

/** Starts that are followed on the rows of each resample where nothing is said of them, of models that are not convex. */
const defaultStarts = 10
/** Numbers of the end points of all runs, which lie in memory. */
const mostNumbers = 2 ** 28

export const isResampled = ({ resampling }: StudyConfig): boolean =>
  resampling.bootstrap !== undefined || resampling.folds !== undefined

/** Starts of the study that are followed on each resample. */
export function refitsOf({ config, model }: Setup): number {
  const wanted = config.resampling.starts ?? (convexity(model).model ? 1 : defaultStarts)
  return Math.min(wanted, config.starts.count)
}

/** @throws InputError for what cannot be resampled; before any run */
export function checkResampling(setup: Setup): void {
  const { config, model, problem } = setup
  if (!isResampled(config)) return
  const { bootstrap = 0, folds = 0, repeats } = config.resampling
  if (!hasLoss(model))
    throw new InputError('An objective has no rows to resample; remove resampling (--bootstrap, --folds).')
  if (hasFirth(model))
    throw new InputError(
      'Firth’s penalty is that of all rows, so it does not go with resampled ones; remove resampling (--bootstrap, --folds), or take a ridge.'
    )
  if (folds > problem.rows)
    throw new InputError(
      `resampling.folds is ${formatCount(folds)}, and there are ${formatCount(problem.rows)} training rows; give at most so many.`
    )
  const numbers = (bootstrap + folds * repeats) * (refitsOf(setup) + 1) * setup.objective.parameters
  if (numbers > mostNumbers)
    throw new InputError(
      `The runs on resampled rows are more than are held at once (${formatCount(numbers)} parameters of ${formatCount(mostNumbers)}); give fewer resamples, folds, repeats or starts of them.`
    )
}
