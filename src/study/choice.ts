/** Which runs of a study are judged, and how many at a time. */
import { formatCount } from '../core/units.js'
import type { RunBlock } from '../runs/table.js'
import type { StudyConfig } from './config.js'

/** Share of the runs that are judged where `judge` names a choice alone. */
export const defaultShare = 0.1

/** Which runs are judged. */
export interface JudgeChoice {
  readonly choose: 'all' | 'sample' | 'best'
  readonly share: number
}

export function judgeChoice({ judge = 'all' }: Pick<StudyConfig, 'judge'>): JudgeChoice {
  if (typeof judge === 'string') return { choose: judge, share: judge === 'all' ? 1 : defaultShare }
  return 'sample' in judge ? { choose: 'sample', share: judge.sample } : { choose: 'best', share: judge.best }
}

/** Places of the runs of a sample: start i is in it where ⌊i · share⌋ steps up, whatever other starts there are. */
export function sampled(start: ArrayLike<number>, share: number): number[] {
  const isIn = (i: number): boolean => i === 0 || Math.floor(i * share) > Math.floor((i - 1) * share)
  return Array.from(start, (_, n) => n).filter(n => isIn(start[n]))
}

/** Places in each block of the runs with the lowest losses of all: a share of them, at least one; of equal ones the first starts. */
export function lowest(blocks: readonly Pick<RunBlock, 'start' | 'loss' | 'count'>[], share: number): number[][] {
  const all = blocks.flatMap(({ start, loss, count }, block) =>
    Array.from({ length: count }, (_, place) => ({ block, place, start: start[place], loss: loss[place] }))
  )
  const rank = ({ loss }: { readonly loss: number }): number => (Number.isNaN(loss) ? Infinity : loss)
  const sorted = all.sort((a, b) => (rank(a) === rank(b) ? a.start - b.start : rank(a) - rank(b)))
  const out: number[][] = blocks.map(() => [])
  for (const { block, place } of sorted.slice(0, Math.ceil(share * sorted.length))) out[block].push(place)
  for (const places of out) places.sort((a, b) => a - b)
  return out
}

/** Work of judging at a time, in N P² + P³: between slices progress is told and a stop is heard. */
const sliceWork = 2e9
/** Runs of a slice at least: the lanes of a core or two. */
const leastSlice = 16

/** From this much work on, one end point takes about a second. */
const slowWork = 2e8

/** Multiplications that a step of judging takes for one run, but for a factor. */
const judgeWork = (rows: number, P: number): number => rows * P ** 2 + P ** 3

/** Runs that are judged at a time. */
export const sliceOf = (rows: number, parameters: number): number =>
  Math.max(leastSlice, Math.floor(sliceWork / judgeWork(rows, parameters)))

/** What is said before a study whose end points take long to judge. */
export function judgeRemarks(config: StudyConfig, rows: number, parameters: number, separated: boolean): string[] {
  if (separated || judgeChoice(config).choose !== 'all' || judgeWork(rows, parameters) < slowWork) return []
  return [
    `With ${formatCount(parameters)} parameters, judging the end point of a run takes a second or more; --judge best:0.1 judges the tenth of the runs with the lowest losses, --judge sample:0.1 every tenth.`
  ]
}
