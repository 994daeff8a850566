/** How far the predictions of good runs differ, in tables and sentences. */
import type { LevelSet, Multiplicity, RowRange } from '../core/multiplicityResult.js'
import type { Summary } from '../core/result.js'
import { formatCount } from '../core/units.js'
import type { Table } from './table.js'
import { count, none, percent, short } from './words.js'

/** Rows that are named. */
const namedRows = 8
/** Predictions that differ by less are the same but for where the runs stop. */
const samePrediction = 1e-6

const shareText = (value: number | undefined): string => (value === undefined ? none : percent(value))

/** "the best training error" */
export const bestOf = ({ of }: Multiplicity): string => (of === 'error' ? 'the best training error' : 'the lowest loss')

/** Whether the same models are in two sets. */
const areSame = (a: LevelSet, b: LevelSet): boolean => a.runs === b.runs

/** The last of those that hold the same models, each with its first and last ε. */
function distinct(sets: readonly LevelSet[]): { readonly set: LevelSet; readonly epsilon: string }[] {
  return sets.flatMap((set, e) => {
    if (sets[e + 1] && areSame(set, sets[e + 1])) return []
    const from = sets.find(other => areSame(other, set))!.epsilon
    return [{ set, epsilon: from === set.epsilon ? short(from) : `${short(from)}–${short(set.epsilon)}` }]
  })
}

function setsTable(title: string, s: Multiplicity, sets: readonly LevelSet[], overMinima: boolean): Table {
  const classes = sets[0].ambiguity !== undefined
  const held = sets.some(set => set.test)
  return {
    title: `${title} within ε of ${bestOf(s)}`,
    head: [
      'ε',
      ...(overMinima ? ['minima'] : []),
      'runs',
      ...(classes ? ['ambiguity', 'discrepancy', 'obscurity', 'self-consistency', 'capacity'] : []),
      'mean range',
      'widest range',
      ...(held ? [...(classes ? ['held-out ambiguity'] : []), 'held-out widest range'] : [])
    ],
    rows: distinct(sets).map(({ set, epsilon }) => [
      epsilon,
      ...(overMinima ? [formatCount(set.minima ?? 0)] : []),
      formatCount(set.runs),
      ...(classes
        ? [
            shareText(set.ambiguity),
            shareText(set.discrepancy),
            shareText(set.obscurity),
            shareText(set.selfConsistency),
            short(set.capacity)
          ]
        : []),
      short(set.range, 3),
      short(set.widest, 3),
      ...(held ? [...(classes ? [shareText(set.test?.ambiguity)] : []), short(set.test?.widest, 3)] : [])
    ]),
    words: [],
    // Where it is narrow, what follows from others, or is a mean, goes first.
    ...(classes && !overMinima ? { spare: [4, 5, 6, 7, 3, 9] } : {})
  }
}

/** Runs within each ε; undefined where there are no predictions. */
export const runSetsTable = ({ multiplicity: m }: Summary): Table | undefined =>
  m && setsTable('Predictions of the runs', m, m.within, false)

/** Certified minima within each ε. */
export const minimaSetsTable = ({ multiplicity: m }: Summary): Table | undefined =>
  m?.minima && setsTable('Predictions of the minima', m, m.minima.within, true)

const widthOf = ({ ranges }: RowRange): number => {
  const [low, high] = ranges[ranges.length - 1]
  return high - low
}

/** The rows whose predictions differ most within the largest ε; undefined where none does. */
export function widestTable({ multiplicity: m }: Summary): Table | undefined {
  const rows = (m?.rows ?? []).slice(0, namedRows).filter(row => widthOf(row) > samePrediction)
  if (!m || rows.length === 0 || isSame(m.within[m.within.length - 1])) return undefined
  const last = m.epsilon.length - 1
  const [classes, outputs] = [rows.some(row => row.class), rows.some(row => row.output)]
  return {
    title: `Rows with the widest range, within ${short(m.epsilon[last])}`,
    head: [
      'row',
      '',
      ...(outputs ? ['output'] : []),
      ...(classes ? ['probability of'] : []),
      'best run',
      'lowest',
      'highest'
    ],
    rows: rows.map(row => [
      String(row.row),
      row.heldOut ? 'held out' : 'training',
      ...(outputs ? [row.output ?? ''] : []),
      ...(classes ? [row.class ?? ''] : []),
      short(row.prediction, 3),
      ...row.ranges[last].map(v => short(v, 3))
    ]),
    words: [1, ...(outputs ? [2] : []), ...(classes ? [outputs ? 3 : 2] : [])]
  }
}

/** "As good as the best" for an ε of 0. */
const setText = (m: Multiplicity, { epsilon, runs }: LevelSet): string => {
  const number = count(runs, 'run', 'runs')
  return epsilon === 0 ? `the ${number} with ${bestOf(m)}` : `the ${number} within ${short(epsilon)} of ${bestOf(m)}`
}

const widestOf = (set: LevelSet): number => Math.max(set.widest, set.test?.widest ?? 0)
const isSame = (set: LevelSet): boolean =>
  widestOf(set) <= samePrediction && (set.ambiguity ?? 0) === 0 && (set.test?.ambiguity ?? 0) === 0

function setSentence(m: Multiplicity, set: LevelSet): string {
  if (set.runs === 1)
    return `One run alone ${set.epsilon === 0 ? 'has' : `is within ${short(set.epsilon)} of`} ${bestOf(m)}.`
  const who = setText(m, set)
  const widest = widestOf(set)
  if (isSame(set)) return `All of ${who} predict the same${widest > 0 ? `, within ${short(widest, 1)}` : ''}.`
  const far = `the widest range of a prediction is ${short(widest, 3)}`
  if (set.ambiguity === undefined) return `Of ${who}, ${far}, ${short(set.range, 3)} on average.`
  if (set.ambiguity === 0 && (set.test?.ambiguity ?? 0) === 0)
    return `${who.charAt(0).toUpperCase()}${who.slice(1)} give every row the same class; ${far}.`
  const held = set.test ? ` and ${shareText(set.test.ambiguity)} of the held-out ones` : ''
  return `Of ${who}, some give another class than the best one to ${shareText(set.ambiguity)} of the training rows${held}; ${far}.`
}

/** The runs within the smallest ε above 0; undefined where there are no predictions. */
export const goodRuns = ({ multiplicity: m }: Summary): LevelSet | undefined =>
  m?.within.find(set => set.epsilon > 0) ?? m?.within[0]

/** Whether all runs within the largest ε predict the same. */
export const agree = ({ multiplicity: m }: Summary): boolean => m !== undefined && m.within.every(isSame)

/** What it comes to: the smallest and the largest level set, and the row that differs most. */
export function multiplicityText({ multiplicity: m }: Summary): string[] {
  if (!m) return []
  const [first, last] = [m.within[0], m.within[m.within.length - 1]]
  const out = (areSame(first, last) ? [last] : [first, last]).map(set => setSentence(m, set))
  const row = isSame(last) ? undefined : m.rows.find(one => widthOf(one) > samePrediction)
  if (row) {
    const [low, high] = row.ranges[row.ranges.length - 1]
    const what = row.class === undefined ? 'prediction' : `probability of ${row.class}`
    out.push(
      `It is widest for row ${row.row}${row.heldOut ? ', which was held out' : ''}: its ${what}${row.output === undefined ? '' : ` (${row.output})`} is ` +
        `${short(row.prediction, 3)} by the best run, and from ${short(low, 3)} to ${short(high, 3)} by the others within ${short(last.epsilon)}.`
    )
  }
  if (m.sample)
    out.push(
      `Compared are ${formatCount(m.sample.runs)} of ${formatCount(m.sample.of)} runs, the best one and others drawn by their numbers: what is said of the runs farthest apart is a lower bound.`
    )
  return out
}

/** What the columns are. */
export const multiplicityNotes =
  'Ambiguity: rows to which some run of the set gives another class than the best run. Discrepancy: the same of the one run that differs ' +
  'on most rows. Obscurity: its mean over the runs. Self-consistency: the chance that two runs of the set give a row the same class. Capacity: how many ' +
  'classes the runs choose among, from 1 (all give the same probabilities). Range: the largest prediction for a row less the smallest.'
