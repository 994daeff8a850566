/** What is said of the coefficients of a model without hidden layer: tables, the line of the fit, and when not to trust a Wald test. */
import type { Inference, Interval, StationaryPoint, Summary } from '../core/result.js'
import type { Table } from './table.js'
import { fixed, none, percent, short } from './words.js'

/** How coefficients are shown. */
export interface CoefficientOptions {
  /** e to the power of estimates and intervals, where that is an odds or rate ratio. */
  readonly exponentiate?: boolean
}

/** The point whose coefficients are shown: the minimiser. */
const shownPoint = (s: Summary): StationaryPoint | undefined => (s.problem.hidden.length > 0 ? undefined : s.minima[0])

export const inferenceOf = (s: Summary): Inference | undefined => shownPoint(s)?.inference

const range = (interval: Interval | undefined, digits: number, of = (v: number): number => v): string =>
  interval ? interval.map(v => (v === null ? none : short(of(v), digits))).join(' to ') : none

/** p to three digits. */
const pText = (p: number | undefined): string => short(p, 3)

const titleOf = (s: Summary, i: Inference | undefined, exponentiated: boolean): string => {
  const what = exponentiated && i?.ratio !== undefined ? `Coefficients as ${plural(i.ratio)}` : 'Coefficients'
  return `${what}${s.problem.standardize && !s.problem.bias ? ' (standardised columns)' : ''}`
}

/** odds ratio → odds ratios, ratio of means → ratios of means */
const plural = (ratio: string): string => ratio.replace(/\bratio\b/, 'ratios')

/** Like R's table of coefficients, for models without hidden layer that have a minimum; undefined for others. */
export function coefficientsTable(
  s: Summary,
  form: 'terminal' | 'full' = 'full',
  { exponentiate = false }: CoefficientOptions = {}
): Table | undefined {
  const point = shownPoint(s)
  if (!point) return undefined
  const i = point.inference
  const digits = form === 'full' ? 8 : 6
  if (!i) {
    const errors = point.standardErrors
    return {
      title: titleOf(s, i, false),
      head: ['coefficient', 'estimate', ...(errors ? ['standard error'] : [])],
      rows: point.names.map((name, p) => [
        name,
        fixed(point.parameters[p], digits),
        ...(errors ? [fixed(errors[p], digits - 2)] : [])
      ])
    }
  }
  const ratios = exponentiate && i.ratio !== undefined
  const of = ratios ? Math.exp : (v: number): number => v
  const level = percent(i.confidence)
  const expected = informationsDiffer(i) ? i.expectedStandardErrors : undefined
  const more = expected && !ratios ? 1 : 0
  const lr = i.likelihoodRatio
  const both = form === 'full'
  return {
    title: titleOf(s, i, exponentiate),
    head: [
      'coefficient',
      ratios ? 'e^estimate' : 'estimate',
      ...(ratios ? [] : ['standard error']),
      ...(expected && !ratios ? ['by expected information'] : []),
      i.distribution,
      'p',
      ...(both || !i.profile ? [`${level} by ${i.distribution}`] : []),
      ...(i.profile ? [both ? `${level} by likelihood` : `${level} interval`] : []),
      ...(lr ? [...(both ? ['likelihood ratio'] : []), both ? 'its p' : 'p of likelihood ratio'] : [])
    ],
    rows: i.names.map((name, p) => [
      name,
      fixed(of(i.estimates[p]), digits),
      ...(ratios ? [] : [fixed(i.standardErrors[p], digits - 2)]),
      ...(expected && !ratios ? [fixed(expected[p], digits - 2)] : []),
      short(i.statistic[p], 4),
      pText(i.p[p]),
      ...(both || !i.profile ? [range(i.wald[p], 4, of)] : []),
      ...(i.profile ? [range(i.profile[p], 4, of)] : []),
      ...(lr ? [...(both ? [short(lr[p].statistic, 4)] : []), pText(lr[p].p)] : [])
    ]),
    ...(both
      ? {}
      : { spare: [...(more > 0 ? [3] : []), ...(lr ? [(ratios ? 5 : 6) + more] : []), (ratios ? 2 : 3) + more] })
  }
}

/** Shares below which both informations count as the same. */
const sameInformation = 1e-9

/** Whether the expected information says something else than the observed one: not so for canonical links. */
const informationsDiffer = ({ standardErrors, expectedStandardErrors }: Inference): boolean =>
  expectedStandardErrors?.some((e, p) => !(Math.abs(e - standardErrors[p]) <= sameInformation * standardErrors[p])) ===
  true

/** What the errors are, and what weights are: a sentence under the table; empty where there are none. */
export function errorsText(s: Summary): string {
  const i = inferenceOf(s)
  if (!i) return ''
  const other = !i.expectedStandardErrors
    ? ''
    : informationsDiffer(i)
      ? '; R’s summary takes the expected information, which is beside it'
      : ', which is the expected one too'
  const { weights, trials } = s.dataset
  const counted =
    i.distribution === 't'
      ? 'are precisions: a row of weight 2 is one row with half the variance'
      : 'are counts: a row of weight 2 is two rows'
  const weighted = weights === undefined ? '' : `; weights ("${weights}") ${counted}`
  const tried = trials === undefined ? '' : `; a row counts as its trials ("${trials}")`
  return `Standard errors are by the observed information${other}${weighted}${tried}.`
}

/** Average marginal effects; undefined where there are none. */
export function effectsTable(s: Summary): Table | undefined {
  const i = inferenceOf(s)
  const m = i?.marginalEffects
  if (!i || !m) return undefined
  return {
    title: `Average effects on ${meanOf(s)}`,
    head: ['column', 'effect', 'standard error', 'p', `${percent(i.confidence)} interval`],
    rows: m.names.map((name, k) => [
      m.kinds[k] === 'difference' ? `${name} (against the reference)` : name,
      fixed(m.estimates[k], 5),
      fixed(m.standardErrors[k], 4),
      pText(m.p[k]),
      range(m.intervals[k], 4)
    ])
  }
}

/** What a model's mean response is called. */
const meanOf = (s: Summary): string =>
  s.problem.outputs > 1
    ? 'the probabilities of the classes'
    : s.metrics.train.accuracy
      ? 'the probability of class 1'
      : 'the mean response'

/** Likelihood, deviances and, for least squares, R²: in sentences' parts, for a line. */
export function fitText(s: Summary): string {
  const i = inferenceOf(s)
  if (!i) return ''
  const parts = [
    `log-likelihood ${short(i.logLik, 8)}`,
    `deviance ${short(i.deviance, 6)} on ${i.df} degrees of freedom` +
      (i.nullDeviance === null ? '' : ` (of the mean alone ${short(i.nullDeviance, 6)} on ${i.nullDf})`),
    `AIC ${short(i.aic, 6)}`,
    `BIC ${short(i.bic, 6)}`
  ]
  if (i.distribution === 't') parts.push(`dispersion ${short(i.dispersion, 5)}`)
  if (i.linear) {
    const { sigma, r2, adjustedR2, f } = i.linear
    parts.push(`σ ${short(sigma, 5)}`, `R² ${short(r2, 5)}, adjusted ${short(adjustedR2, 5)}`)
    if (f) parts.push(`F ${short(f.statistic, 5)} on ${f.df[0]} and ${f.df[1]}, p ${pText(f.p)}`)
  }
  return `${parts.join('; ')}.`
}

/** Elasticities below which the effect is called strong. */
const strong = -1
/** A sentence for each coefficient whose Wald test misleads, with the test that does not; and why there are no profiles. */
export function inferenceNotes(s: Summary): string[] {
  const i = inferenceOf(s)
  if (!i) return shownPoint(s)?.standardErrorsReason ? [shownPoint(s)!.standardErrorsReason!] : []
  const out = i.names.flatMap((name, p) => {
    const e = i.waldElasticity[p]
    if (i.hauckDonner[p] !== true || e === null) return []
    const test = i.likelihoodRatio?.[p]
    const instead = test
      ? `; its likelihood ratio is ${short(test.statistic, 4)}, p ${pText(test.p)} beside ${pText(i.p[p])}`
      : ''
    return [
      `Hauck-Donner effect${e < strong ? ', strong,' : ''} on ${name}: its ${i.distribution} falls as the estimate grows ` +
        `(by ${short(-e, 2)} % for each 1 %), so that a large effect looks like none${instead}.`
    ]
  })
  if (i.profileReason !== undefined) out.push(i.profileReason)
  return out
}
