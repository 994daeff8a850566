/** What bootstrap and cross-validation show, in tables and sentences. */
import type { BootstrapResult, HeldOut } from '../core/resamplingResult.js'
import type { Interval, Summary } from '../core/result.js'
import { formatCount } from '../core/units.js'
import type { Table } from './table.js'
import { metricWords } from './varianceWords.js'
import { count, none, percent, short } from './words.js'

/** Parameters that are listed; the rest is in summary.json. */
const shownParameters = 60

const range = (interval: Interval): string =>
  interval[0] === null || interval[1] === null ? none : interval.map(v => short(v, 4)).join(' to ')

/** The parameters of the best minimum over resamples; undefined where they have no intervals. */
export function bootstrapTable(s: Summary): Table | undefined {
  const b = s.resampling?.bootstrap
  if (!b?.parameters) return undefined
  const { names, estimates, standardErrors, biases, percentile, basic, bca } = b.parameters
  const level = percent(b.confidence)
  return {
    title: `Parameters over ${count(foundOn(b), 'resample', 'resamples')} of the rows`,
    head: ['parameter', 'estimate', 'standard error', 'bias', `${level} percentile`, `${level} basic`, `${level} BCa`],
    rows: names
      .slice(0, shownParameters)
      .map((name, p) => [
        name,
        short(estimates[p], 6),
        short(standardErrors[p], 4),
        short(biases[p], 2),
        range(percentile[p]),
        range(basic[p]),
        range(bca[p])
      ]),
    spare: [5, 3, 6]
  }
}

const foundOn = ({ resamples, lost }: BootstrapResult): number => resamples - lost.unbounded - lost.unfinished

/** Loss and scores of rows that a fit has not seen; undefined where there are none. */
export function crossValidationTable(s: Summary): Table | undefined {
  const cv = s.resampling?.crossValidation
  if (!cv) return undefined
  const single = cv.loss.single !== undefined
  const row = (name: string, v: HeldOut): string[] => [
    name,
    short(v.training, 4),
    short(v.estimate, 4),
    v.error === undefined ? none : short(v.error, 2),
    ...(single ? [short(v.single, 4)] : [])
  ]
  return {
    title: divisions(s),
    head: ['', 'seen by the fit', 'held out in turn', 'standard error', ...(single ? ['a single start'] : [])],
    rows: [row('loss', cv.loss), ...Object.entries(cv.metrics).map(([name, v]) => row(metricWords(name), v))]
  }
}

function divisions({ resampling, problem }: Summary): string {
  const { folds, repeats, starts } = resampling!.crossValidation!
  const parts = folds === problem.rows ? 'Every row held out in turn' : `${formatCount(folds)}-fold cross-validation`
  return [
    parts,
    ...(repeats > 1 ? [`${formatCount(repeats)} divisions of the rows`] : []),
    ...(starts > 1 ? [`the best of ${formatCount(starts)} starts`] : [])
  ].join(', ')
}

/** "0.96 ± 0.02", where it has an error. */
const withError = (v: HeldOut): string =>
  short(v.estimate, 4) + (v.error === undefined ? '' : ` ± ${short(v.error, 2)}`)

/** Cross-validated loss and score of a summary, for a table of models. */
export function crossValidated(s: Summary, name: string | undefined): string {
  const cv = s.resampling?.crossValidation
  const v = name === undefined ? cv?.loss : cv?.metrics[name]
  return v ? withError(v) : none
}

function bootstrapText(b: BootstrapResult): string[] {
  const out: string[] = []
  const { unbounded, unfinished } = b.lost
  const of = (n: number): string => `${formatCount(n)} of ${formatCount(b.resamples)} resamples of the rows`
  const rest = b.parameters ? `; the intervals are those of the other ${formatCount(foundOn(b))}, and too narrow` : ''
  if (unbounded > 0)
    out.push(`On ${of(unbounded)} the parameters grow without bound, as on separated rows${rest}. A ridge keeps them.`)
  if (unfinished > 0)
    out.push(`On ${of(unfinished)} the run from the best minimum came to no end${unbounded > 0 ? '' : rest}.`)
  if (b.parametersReason !== undefined) out.push(b.parametersReason)
  else if (b.parameters?.bca.every(([low]) => low === null))
    out.push('There are no BCa intervals: where single rows are left out, the minimum is lost.')
  if (b.starts > 0)
    out.push(
      b.lower === 0
        ? `On none of the resamples did one of ${formatCount(b.starts)} other starts come to a lower loss than the run from the best minimum.`
        : `On ${of(b.lower)} one of ${formatCount(b.starts)} other starts came to a lower loss than the run from the best minimum: which minimum is the best hangs on the rows. Its parameters are followed; predictions are those of the lowest.`
    )
  return out
}

/** What they show, in sentences. */
export function resamplingText(s: Summary): string[] {
  const r = s.resampling
  if (!r) return []
  const cv = r.crossValidation
  const out = [...r.notes, ...(r.bootstrap ? bootstrapText(r.bootstrap) : [])]
  if (cv) {
    const accuracy = cv.metrics['accuracy']
    const seen = cv.loss.training === null ? '' : `, and ${short(cv.loss.training, 4)} on those that it has`
    const scored = accuracy
      ? `; the accuracy ${withError(accuracy)}${accuracy.training === null ? '' : `, and ${short(accuracy.training, 4)}`}`
      : ''
    out.push(`The loss on rows that a fit has not seen is ${withError(cv.loss)}${seen}${scored}.`)
    if (cv.betweenRepeats !== undefined)
      out.push(`Between divisions of the rows that loss has a standard deviation of ${short(cv.betweenRepeats, 2)}.`)
    if (cv.failed > 0) out.push(`${count(cv.failed, 'run', 'runs')} on parts of the rows failed.`)
  }
  return out
}

/** Where the intervals and errors are from. */
export const resamplingNotes =
  'Resamples are drawn with replacement, as many rows as there are. Percentile, basic and BCa intervals: Efron (1987), Davison and Hinkley (1997, ch. 5). ' +
  'Errors of cross-validation: of the mean over the parts; as parts share the rows that they are fitted to, no estimate of it is unbiased ' +
  '(Bengio and Grandvalet 2004).'
