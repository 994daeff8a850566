/** How many starts are needed, in words and as a table. */
import type { BestOf } from '../core/restartsResult.js'
import type { Summary } from '../core/result.js'
import { roundingOf } from '../core/ties.js'
import { formatCount, formatSeconds } from '../core/units.js'
import type { Table } from './table.js'
import { count, mainMetric, none, percent, short } from './words.js'

/** 29, or 29 [24, 35] where the interval says more. */
export function startsText({ restarts: { needed: restarts } }: Summary): string {
  if (!restarts) return none
  const [low, high] = restarts.startsInterval
  const starts = formatCount(restarts.starts)
  return low === high ? starts : `${starts} [${formatCount(low)}, ${formatCount(high)}]`
}

/** What an optimiser spends most on, of those that it asks for. */
function costliest({ evaluations: { f, g, H } }: BestOf): readonly [word: string, count: number] {
  return H > 0 ? ['Hessians', H] : g > 0 ? ['gradients', g] : ['losses', f]
}

/** Seconds of one thread that k starts take. */
const threadSeconds = ({ timing, engine, starts }: Summary, k: number): number =>
  (k * timing.wallSeconds * engine.threads) / starts

/** How many starts find the lowest loss that is known; empty where all do, and where there is none. */
export function restartsText(s: Summary): string {
  const { needed: restarts, bestOf } = s.restarts
  const [one] = bestOf
  if (!restarts || restarts.share === 1 || one === undefined) return ''
  const [low, high] = restarts.shareInterval
  const [word, evaluations] = costliest(one)
  const cost = `${formatCount(Math.round(evaluations * restarts.starts))} ${word}, ${formatSeconds(threadSeconds(s, restarts.starts))} of one thread`
  return (
    `A start finds the lowest loss known with probability ${short(restarts.share, 3)} (95 % interval ${short(low, 3)} to ${short(high, 3)}): for a ` +
    `${percent(restarts.chance)} chance of it ${count(restarts.starts, 'start is', 'starts are')} needed (${formatCount(restarts.startsInterval[0])} to ` +
    `${formatCount(restarts.startsInterval[1])}), which cost ${cost}.`
  )
}

/** Whether it matters how many starts are made: for a convex model it does not. */
export function gainsByStarts(bestOf: readonly BestOf[]): boolean {
  if (bestOf.length < 2) return false
  const [one, all] = [bestOf[0].loss, bestOf[bestOf.length - 1].loss]
  return one - all > roundingOf(all)
}

const between = ([low, high]: readonly [number, number]): string => {
  const [a, b] = [short(low, 5), short(high, 5)]
  return a === b ? a : `${a} to ${b}`
}

/** Best-of-k, a row for each k; undefined where k makes no difference. @param kept of the numbers of starts, all unless told */
export function bestOfTable(s: Summary, kept: (k: number, i: number) => boolean = () => true): Table | undefined {
  if (!gainsByStarts(s.restarts.bestOf)) return undefined
  const list = s.restarts.bestOf.filter(({ k }, i) => kept(k, i))
  const metric = mainMetric(s)
  const scored = metric && list.some(b => b.test?.[metric.name]) ? metric : undefined
  const [word] = costliest(list[0])
  const failing = list.some(b => b.none !== undefined)
  return {
    title: 'Best of k starts',
    head: [
      ...['starts', 'expected lowest loss', '95 % interval'],
      ...(scored ? [`held-out ${scored.label} of that run`, 'its interval'] : []),
      ...(failing ? ['all fail'] : []),
      ...[word, 'seconds of one thread']
    ],
    rows: list.map(b => {
      const score = scored ? b.test?.[scored.name] : undefined
      return [
        formatCount(b.k),
        short(b.loss, 6),
        between(b.interval),
        ...(scored ? [short(score?.mean), score?.interval ? between(score.interval) : none] : []),
        ...(failing ? [percent(b.none ?? 0)] : []),
        formatCount(Math.round(costliest(b)[1])),
        short(threadSeconds(s, b.k), 2)
      ]
    }),
    words: [],
    spare: [scored ? 4 : 2]
  }
}

/** How to read the table. */
export const bestOfNotes =
  'The run with the lowest loss, as the optimiser left it, is taken. Exact means over all sets of so many of the runs; the interval of the loss holds for all ' +
  'rows together, with losses beyond those seen taken as the nearest one seen; that of the score is by the jackknife, up to half of the runs.'
