/** The words of an analysis of variance, for its tables and bars. */
import { sources, type Source, type VarianceResult, type VarianceSplit } from '../core/varianceResult.js'
import { formatCount } from '../core/units.js'
import { count, none, percent } from './words.js'

/** Sources in words. */
export const wordsOf: Readonly<Record<Source, string>> = {
  start: 'start',
  order: 'order',
  resample: 'rows',
  'start:order': 'start × order',
  'start:resample': 'start × rows',
  'order:resample': 'order × rows',
  residual: 'residual'
}

const prefixes: Readonly<Record<string, string>> = { train: 'training ', out: 'left-out ', test: 'held-out ' }

/** Metrics in words; `train.`, `out.` and `test.` stand before scores. */
export function metricWords(name: string): string {
  const [before, after] = name.split('.')
  const [prefix, rest] = after === undefined ? ['', before] : [prefixes[before] ?? '', after]
  const label =
    { logLoss: 'log-loss', auc: 'AUC', r2: 'R²', devianceExplained: 'deviance explained', minimum: 'minimum reached' }[
      rest
    ] ?? rest
  return prefix + label
}

/** The sources that the design can tell apart. */
export function sourcesOf({ starts, orders, resamples }: VarianceResult): Source[] {
  const vary = { start: starts > 1, order: orders > 1, resample: resamples > 1 }
  const many = Object.values(vary).filter(Boolean).length
  return sources.filter(source =>
    source === 'residual'
      ? many > 1
      : source.split(':').every(f => vary[f as keyof typeof vary]) && source.split(':').length < Math.max(2, many)
  )
}

export const isNil = (split: VarianceSplit): boolean => split.deviation <= split.floor
export const shareText = (split: VarianceSplit, source: Source): string =>
  isNil(split) ? none : percent(Math.round(1000 * split[source].share) / 1000)

/** What was crossed. */
export const designText = ({ starts, orders, resamples, resampling }: VarianceResult): string =>
  [
    count(starts, 'start', 'starts'),
    ...(orders > 1 ? [`${formatCount(orders)} orders of mini-batches`] : []),
    ...(resamples > 1 ? [`${formatCount(resamples)} resamples of the rows (${resampling})`] : [])
  ].join(' × ')
