/** `bench compare` for a terminal: how many rows are faster, slower or the same, then each of them. */
import { wrap } from '../../core/text.js'
import { formatSeconds } from '../../core/units.js'
import type { Table } from '../../report/table.js'
import { conditionsText } from '../conditions.js'
import { percent } from '../kernels/records.js'
import type { Change, Comparison } from './compare.js'

const verdicts = ['faster', 'slower', 'same', 'not clear', 'wrong result'] as const

/** "A", "B" … */
const letter = (side: number): string => String.fromCharCode(65 + side)

/** Beyond this, or its inverse, an interval only says that there were too few repeats. */
const farthest = 1000

const times = (ratio: number): string => {
  if (ratio > farthest) return `over ${farthest}×`
  if (ratio < 1 / farthest) return `below ${1 / farthest}×`
  return `${ratio >= 100 ? ratio.toFixed(0) : ratio.toPrecision(3)}×`
}

const counts = (changes: readonly Change[]): string =>
  verdicts
    .map(verdict => ({ verdict, n: changes.filter(c => c.verdict === verdict).length }))
    .filter(({ n }) => n > 0)
    .map(({ verdict, n }) => `${n} ${verdict}`)
    .join(', ')

/** One row: its name, then a line for each side. */
function rowLines(name: string, changes: readonly Change[], several: boolean): string[] {
  const line = (c: Change): string => {
    const ratio = Number.isFinite(c.high) ? `${times(c.ratio)} (${times(c.low)} to ${times(c.high)})` : times(c.ratio)
    const seconds = `${formatSeconds(c.secondsFirst)} → ${formatSeconds(c.seconds)}`
    const told =
      c.verdict === 'wrong result' ? 'wrong result' : `${c.verdict.padEnd(9)}  ${ratio.padEnd(26)}  ${seconds}`
    return `  ${several ? `${letter(c.side)}  ` : ''}${told}`
  }
  return [name, ...changes.map(line)]
}

/** Names of measurements that a side lacks; of many the first. */
const shownNames = 6
function missingLines({ missing }: Comparison, width: number): string[] {
  return [...new Set(missing.map(m => m.in))].flatMap(side => {
    const names = missing.filter(m => m.in === side).map(m => m.name)
    const more = names.length > shownNames ? `; and ${names.length - shownNames} more` : ''
    return wrap(`Missing in ${letter(side)}: ${names.slice(0, shownNames).join('; ')}${more}.`, width)
  })
}

/** Every row beside the first side: the ratio with its interval, and the seconds. */
export const comparisonTables = (c: Comparison): Table[] => [
  {
    title: c.sides.map((name, i) => `${letter(i)}: ${name}`).join('; '),
    head: ['measurement', 'side', 'verdict', 'times as fast as A', 'low', 'high', 'seconds of A', 'seconds'],
    rows: c.changes.map(x => [
      x.name,
      letter(x.side),
      x.verdict,
      ...[x.ratio, x.low, x.high, x.secondsFirst, x.seconds].map(v => (Number.isFinite(v) ? v.toPrecision(4) : ''))
    ]),
    words: [0, 1, 2]
  }
]

/** For a terminal of so many columns. */
export function comparisonText(c: Comparison, width: number): string {
  const lines = (text: string): string[] => wrap(text, width)
  const several = c.sides.length > 2
  const names = [...new Set(c.changes.map(x => x.name))]
  const limit = c.failAbove === null ? '' : ` by more than ${percent(c.failAbove)}`
  const verdict =
    c.failed.length > 0
      ? `Slower${limit}, or wrong, in ${c.failed.length} of ${c.changes.length}: ${c.failed.join('; ')}.`
      : limit === ''
        ? 'Without --fail-above nothing counts as too slow.'
        : `Nothing is slower${limit}.`
  return [
    ...c.sides.flatMap((name, i) => lines(`${letter(i)}: ${name}`)),
    '',
    ...(c.changes.length === 0
      ? ['They have no measurement in common.']
      : c.sides.slice(1).map((_, i) => {
          const own = c.changes.filter(x => x.side === i + 1)
          return `${letter(i + 1)} beside A: ${counts(own)}.`
        })),
    ...(c.differences.length > 0 ? ['', ...lines('The machines differ:'), ...c.differences.flatMap(lines)] : []),
    '',
    ...names.flatMap(name =>
      rowLines(
        name,
        c.changes.filter(x => x.name === name),
        several
      )
    ),
    ...(names.length > 0 ? [''] : []),
    ...missingLines(c, width),
    ...c.conditions.flatMap((readings, i) =>
      readings.length > 0 ? lines(`While ${letter(i)} was measured: ${conditionsText(readings)}.`) : []
    ),
    ...(c.rows > 0
      ? lines(
          `Ratios: how many times as fast as A. The intervals hold for all ${c.rows} rows together with ${percent(c.confidence)} confidence ` +
            `(Bonferroni). same: within ${percent(c.sameWithin)} of 1; not clear: more repeats would tell.`
        )
      : []),
    ...(c.changes.length > 0 ? lines(verdict) : [])
  ].join('\n')
}
