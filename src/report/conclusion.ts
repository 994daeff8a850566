/**
 * The answer in plain words: is a model's result the same whichever way it is started, and why. Derived from the numbers of
 * a summary alone; every combination of convexity, separation and verdicts has its sentence.
 */
import type { Summary, UnfinishedReason } from '../core/result.js'
import { formatCount } from '../core/units.js'
import {
  bestPoint,
  bestRuns,
  capital,
  count,
  infiniteText,
  isSeparated,
  limitsText,
  listed,
  mainMetric,
  minimaMet,
  percent,
  rangeOf,
  remedyText,
  partOfRuns,
  short,
  tiesText
} from './words.js'

/** Runs that did not arrive at a minimum, strict or flat, kind by kind: "4 stopped at a saddle and 6 were unfinished". */
function elsewhere({ verdicts: v }: Summary): string {
  const kinds: readonly (readonly [number, string])[] = [
    [v.saddle, 'stopped at a saddle'],
    [v.diverging, 'had weights that run away'],
    [v.unfinished, v.unfinished === 1 ? 'was unfinished' : 'were unfinished'],
    [v.failed, 'failed']
  ]
  return listed(kinds.filter(([n]) => n > 0).map(([n, what]) => `${formatCount(n)} ${what}`))
}

/** What the runs mean for predictions: the range of the main metric, or that there is none. */
function predictions(s: Summary): string {
  const metric = mainMetric(s)
  if (!metric) return ''
  let differs = false
  const range = (set: Summary['metrics']['train'] | undefined, rows: string): string[] => {
    const q = set?.[metric.name]
    if (!q || !Number.isFinite(q.min) || !Number.isFinite(q.max)) return []
    const [low, high] = [short(q.min), short(q.max)]
    if (low !== high) differs = true
    return [low === high ? `${rows} ${low} every time` : `${rows} from ${low} to ${high}`]
  }
  const ranges = [...range(s.metrics.train, 'in training'), ...range(s.metrics.test, 'held out')]
  if (ranges.length === 0) return ''
  if (!differs)
    return ` The ${metric.label} is the same over the runs: ${ranges.join(', ').replaceAll(' every time', '')}.`
  return ` The ${metric.label} differs over the runs: ${ranges.join(', ')}.`
}

/** Condition numbers from which on rounding leaves less than half of the digits. */
const illConditioned = 1e8

/** Why runs are unfinished, the commonest reason, and what would change it. */
function unfinishedAdvice(s: Summary): string {
  const reasons = (Object.entries(s.unfinished) as [UnfinishedReason, number][]).sort((a, b) => b[1] - a[1])
  const [[reason]] = reasons
  const standardize = s.problem.standardize ? 'smaller starts or a ridge' : '--standardize or smaller starts'
  switch (reason) {
    case 'budget':
      return `the budget of ${count(s.problem.stop.steps, 'step', 'steps')} was used up, so more steps may help`
    case 'saturated':
      return `units are saturated there, so that the slope is too small to follow: more steps would change little, ${standardize} may`
    case 'kink':
      return 'they stopped where units have a kink, at which the slope says nothing: more steps would change nothing'
    case 'stalled': {
      const condition = bestPoint(s)?.condition ?? NaN
      const why =
        condition > illConditioned
          ? ` (the problem is ill-conditioned: curvatures differ by a factor of ${short(condition, 2)})`
          : ''
      return `rounding hides the slope before a minimum is reached${why}, so more steps would change nothing`
    }
    case 'unjudged':
      return 'the study judges only some of its runs, and the others count as unfinished'
    default:
      return reason satisfies never
  }
}

/** Why runs did not arrive, and what would change it, as the end of a sentence; empty where none is to blame. */
function advice(s: Summary): string {
  const { failed, unfinished } = s.verdicts
  if (failed + unfinished === 0) return ''
  return `; ${unfinished >= failed ? unfinishedAdvice(s) : (s.failure ?? 'numbers overflowed')}`
}

function convexSentence(s: Summary): string {
  const { verdicts: v, starts: n } = s
  if (s.minima.length > 0) {
    const merged =
      s.minima.length > 1
        ? ` (the ${formatCount(s.distinct.minima.points)} points that were told apart are one minimiser to within the accuracy of the study)`
        : ''
    const modulus = s.convex.modulus === null ? '' : ` (smallest curvature ${short(s.convex.modulus, 3)})`
    if (v.minimum === n)
      return (
        `the same result whichever way it is started, because the loss is convex and has one minimiser${modulus}; ` +
        `${partOfRuns(n, n)} reached it, ${s.spread.parameters === 0 ? 'the same to the last digit' : `to within ${short(s.spread.parameters, 2)}`}${merged}.`
      )
    const others = elsewhere(s)
    return (
      `one minimiser whichever way it is started, because the loss is convex${modulus}; ` +
      `${partOfRuns(v.minimum, n)} reached it${merged}${others === '' ? '' : `, ${others}${advice(s)}`}.`
    )
  }
  if (v.degenerate > 0) {
    const others = elsewhere(s)
    return (
      `the fitted values are the same whichever way it is started, because the loss is convex, but the weights are not: ` +
      `its minimisers form a flat set, and ${partOfRuns(v.degenerate, n)} ended somewhere on it${others === '' ? '' : `, ${others}`}.`
    )
  }
  if (v.diverging > 0)
    return (
      `no finite result: the loss is convex, but in ${partOfRuns(v.diverging, n)} the weights run away while it goes on falling` +
      `${v.diverging < n ? ` (in all: ${elsewhere(s)})` : ''}${towards(s)}.`
    )
  return `the loss is convex, so no minimum is better than another, but no run arrived at one (${elsewhere(s)})${advice(s)}.`
}

/** What runs to infinity approach, as a clause. */
function towards(s: Summary): string {
  const text = limitsText(s)
  return text === '' ? '' : `; ${text}`
}

/** Why there is nothing to converge to. */
const runAway = 'run away while the loss goes on falling, so there is no minimum that way to converge to'

function nonconvexSentence(s: Summary): string {
  const { verdicts: v, starts: n } = s
  const arrived = v.minimum + v.degenerate
  const distinct = minimaMet(s)
  const others = elsewhere(s)
  if (arrived === 0) {
    if (v.diverging === 0)
      return `no run arrived at a minimum (${others}), so these starts do not tell whether the result depends on them${advice(s)}.${predictions(s)}`
    const rest = v.diverging < n ? ` (in all: ${others})` : ''
    return `no run converged: in ${partOfRuns(v.diverging, n)} the weights ${runAway}${rest}${towards(s)}; where such a run is stopped depends on its start.${predictions(s)}`
  }
  const found = `${percent(bestRuns(s) / n)} of the runs`
  const ties = tiesText(s)
  const whoFinds = ties !== '' ? `${ties}, which ${found} found` : `the best by ${found}`
  const copies = s.problem.hidden.length > 0 ? ', up to symmetric copies' : ''
  if (distinct === 1) {
    const flat = s.minima.length === 0
    const one = flat ? 'one flat minimum, where some weights stay undetermined' : 'one minimum'
    const convex = s.problem.firth === true ? 'is not known to be convex' : 'is not convex'
    if (arrived === n)
      return `the same result from ${n === 1 ? 'the only start' : `all ${formatCount(n)} starts`}${copies}: ${one}; since the loss ${convex}, nothing rules out another one that these starts missed.${predictions(s)}`
    const depends =
      v.saddle + v.diverging > 0
        ? 'so the result depends on the start'
        : 'so it is open whether the result depends on the start'
    return `the loss ${convex}; ${partOfRuns(arrived, n)} led to ${one}${copies}, but ${others}, ${depends}.${predictions(s)}`
  }
  const kinds =
    s.degenerate.length === 0
      ? ''
      : s.minima.length === 0
        ? `, all of them flat${ties !== '' ? ' (what they compute differs, but those of one loss may lie in one valley)' : ''},`
        : `, ${formatCount(s.distinct.degenerate.points)} of them flat,`
  const losses = [s.distinct.minima, s.distinct.degenerate].flatMap(kind => kind.losses ?? [])
  const [low, high] = [losses.reduce((a, b) => Math.min(a, b)), losses.reduce((a, b) => Math.max(a, b))].map(loss =>
    short(loss, 6)
  )
  const range = low === high ? `with losses that agree to six digits (${low})` : `losses from ${low} to ${high}`
  const away = v.diverging > 0 ? ` In ${partOfRuns(v.diverging, n)} the weights ${runAway}${towards(s)}.` : ''
  const rest = elsewhere({ ...s, verdicts: { ...v, diverging: 0 } })
  return (
    `the result depends on the start, because the loss is not convex: ${formatCount(distinct)} distinct minima${kinds} were found, ` +
    `${range}, ${whoFinds}${rest === '' ? '' : `; ${rest}`}.${away}${predictions(s)}`
  )
}

/** Where a prediction is none. */
const undecided = (s: Summary): string =>
  s.tiedRows === undefined
    ? ''
    : ` On ${s.tiedRows} of ${s.problem.rows} training rows two classes are equally likely at the best minimum, so ties decide there.`

function sentence(s: Summary): string {
  const name = capital(s.name)
  if (s.starts === 0) return `${name}: no run was made, so nothing can be said.`
  if (isSeparated(s)) {
    const list = infiniteText(s)
    const remedy = remedyText(s)
    return (
      `${name}: no finite result, because the data are separated (${s.separation.status}): wherever it is started, ` +
      `${list === '' ? 'weights run away' : `the weights run away (${list})`}, and where a run is stopped is the optimiser's doing${towards(s)}` +
      `${remedy === '' ? '' : `; ${remedy}`}.`
    )
  }
  return `${name}: ${s.convex.model ? convexSentence(s) : nonconvexSentence(s)}${undecided(s)}`
}

/** Kinds of answers that several models may share, each with what it says of all of them and of one. */
const kinds: readonly {
  readonly lead: string
  readonly fits: (s: Summary) => boolean
  readonly about: (s: Summary) => string
}[] = [
  {
    lead: 'The same result from every start, because the loss is convex and has one minimiser',
    fits: s => s.convex.model && s.minima.length > 0 && s.verdicts.minimum === s.starts,
    about: s => `${partOfRuns(s.starts, s.starts)} reached it`
  },
  {
    lead: 'A result that depends on the start, because the loss is not convex',
    fits: s => !s.convex.model && minimaMet(s) > 1,
    about: s => {
      const found = percent(bestRuns(s) / s.starts)
      const ties = tiesText(s)
      const who = ties !== '' ? `${ties}, found by ${found}` : `the best found by ${found}`
      return `${formatCount(minimaMet(s))} distinct minima, ${who} of the runs`
    }
  },
  {
    lead: 'No result to arrive at, because the weights run away while the loss goes on falling',
    fits: s => !s.convex.model && minimaMet(s) === 0 && 2 * s.verdicts.diverging > s.starts,
    about: s => partOfRuns(s.verdicts.diverging, s.starts)
  }
]

/** "training accuracy 0.929–0.957, held out 0.867–0.967" */
function scored(s: Summary): string {
  const metric = mainMetric(s)
  if (!metric) return ''
  const held = s.metrics.test?.[metric.name]
  return (
    `; training ${metric.label} ${rangeOf(s.metrics.train[metric.name], 3)}` +
    `${held ? `, held out ${rangeOf(held, 3)}` : ''}${s.tiedRows === undefined ? '' : `; ties decide on ${formatCount(s.tiedRows)} rows`}`
  )
}

/**
 * The answer: for one model in a few sentences, for several in one sentence for each kind of them. What does not belong to a kind has
 * sentences of its own.
 */
export function conclusion(summaries: readonly Summary[]): string[] {
  if (summaries.length < 2) return summaries.map(sentence)
  const kindOf = (s: Summary): (typeof kinds)[number] | undefined =>
    s.starts === 0 || isSeparated(s) ? undefined : kinds.find(kind => kind.fits(s))
  const shared = kinds.flatMap(kind => {
    const some = summaries.filter(s => kindOf(s) === kind)
    return some.length === 0
      ? []
      : [`${kind.lead}: ${listed(some.map(s => `${s.name} (${kind.about(s)}${scored(s)})`))}.`]
  })
  return [...shared, ...summaries.filter(s => kindOf(s) === undefined).map(sentence)]
}

/** A bound on a probability that says no more than that it is one. */
const uselessBound = 0.99

/** What the starts say about what they did not find. */
export function coverageText(s: Summary): string {
  if (s.minima.length === 0) return 'No run ended in a strict minimum, so nothing can be said about others.'
  const { unseenUpperBound, confidence, moreStartsForOnePercent } = s.coverage
  if (s.convex.model) {
    const [{ proof }] = s.minima
    if (proof?.status !== 'proved') return 'The loss is convex, so there is no other minimum to be found.'
    const within =
      s.spread.parameters === 0
        ? 'at one point, the same to the last digit,'
        : `within ${short(s.spread.parameters, 2)} of a point`
    return (
      `${capital(partOfRuns(s.verdicts.minimum, s.starts))} ended ${within} that is proved to be the only minimiser: a box of half width ` +
      `${short(proof.radius, 2)} around it holds one stationary point, the Hessian is positive definite all over it, and the loss is convex.`
    )
  }
  const more = count(moreStartsForOnePercent, 'more start', 'more starts')
  if (unseenUpperBound >= uselessBound)
    return (
      'Too few runs ended in a strict minimum to bound the probability that a further one ends in a minimum not seen so far; ' +
      `${more} without a new one would bring it to 1 %, with ${short(100 * confidence)} % confidence.`
    )
  const bound =
    `With ${short(100 * confidence)} % confidence, a further run that ends in a strict minimum ends in one not seen so far with ` +
    `probability at most ${short(unseenUpperBound, 2)}`
  return moreStartsForOnePercent > 0 ? `${bound}; ${more} without a new minimum would bring that to 1 %.` : `${bound}.`
}
