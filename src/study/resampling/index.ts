/** What a study says on resampled rows: the best minimum over bootstrap resamples, and rows predicted by models fitted without them. */
import type { ResamplingResult } from '../../core/resamplingResult.js'
import type { Folded } from '../fold.js'
import type { Setup } from '../setup.js'
import { bootstrapOf } from './bootstrap.js'
import { crossValidationOf } from './crossValidation.js'
import { isResampled } from './plan.js'

/** @returns undefined where nothing was asked for, or it was stopped */
export async function resamplingOf(
  setup: Setup,
  folded: Folded,
  {
    stop,
    onStage
  }: { readonly stop?: AbortSignal | undefined; readonly onStage?: ((doing: string) => void) | undefined }
): Promise<ResamplingResult | undefined> {
  const { bootstrap, folds } = setup.config.resampling
  if (!isResampled(setup.config) || stop?.aborted) return undefined
  const notes: string[] = []
  // Of a flat minimum nothing but the predictions is determined.
  const [strict, flat] = [folded.minima.at(0), folded.degenerate.at(0)]
  const isFlat = flat !== undefined && (strict === undefined || flat.loss < strict.loss)
  const best = isFlat ? flat : strict
  if (bootstrap !== undefined && best === undefined)
    notes.push('The runs found no minimum, so there is none to follow over resamples of the rows.')
  if (bootstrap !== undefined && best) onStage?.('following the best minimum over resamples of the rows')
  const over =
    bootstrap === undefined || !best ? undefined : await bootstrapOf(setup, { cluster: best, isFlat }, bootstrap, stop)
  if (folds !== undefined) onStage?.('fitting the model without each part of the rows')
  const held = folds === undefined ? undefined : await crossValidationOf(setup, best?.parameters, folds, stop)
  if (stop?.aborted) return undefined
  return { ...(over ? { bootstrap: over } : {}), ...(held ? { crossValidation: held } : {}), notes }
}
