/** Two studies side by side as pictures: which does better, and which minima they share. */
import type { Comparison } from '../../core/comparisonResult.js'
import { count, short } from '../words.js'
import { chartHeight, type Chart } from './chart.js'
import { markSign, palette, svg } from './svg.js'
import { metricWords } from '../varianceWords.js'

/** Colour and mark by the field "kind", and the legend of those kinds that occur. */
function looks(kinds: readonly (readonly [string, string, Parameters<typeof markSign>[1]])[]) {
  const channel = (at: 1 | 2) => ({
    field: 'kind',
    type: 'nominal',
    legend: null,
    scale: { domain: kinds.map(k => k[0]), range: kinds.map(k => k[at]) }
  })
  return {
    color: channel(1),
    shape: channel(2),
    legend: (marks: readonly { readonly kind: string }[]): NonNullable<Chart['legend']> =>
      kinds.flatMap(([name, color, mark]) =>
        marks.some(({ kind }) => kind === name) ? [{ sign: markSign(color, mark), name }] : []
      )
  }
}

/** The probability that A is better, by each value. */
export async function betterChart({ better }: Comparison): Promise<Chart | undefined> {
  const values = Object.entries(better).map(
    ([
      by,
      {
        probability,
        interval: [low, high],
        winner
      }
    ]) => ({
      by: metricWords(by),
      probability,
      low,
      high,
      kind: winner === null ? 'neither' : `${winner} is better`
    })
  )
  if (values.length === 0) return undefined
  const { color, shape, legend } = looks([
    ['A is better', palette[0], 'circle'],
    ['B is better', palette[1], 'diamond'],
    ['neither', palette[6], 'square']
  ])
  const y = { field: 'by', type: 'nominal', title: null, sort: null }
  const x = {
    type: 'quantitative',
    title: 'probability that A is better',
    scale: { domain: [0, 1] },
    axis: { tickCount: 5 }
  }
  const picture = await svg(
    {
      height: { step: 20 },
      data: { values },
      layer: [
        {
          data: { values: [{ even: 0.5 }] },
          mark: { type: 'rule', strokeDash: [4, 3], color: '#777777' },
          encoding: { x: { ...x, field: 'even' } }
        },
        {
          mark: { type: 'rule', strokeWidth: 2 },
          encoding: { y, color, x: { ...x, field: 'low' }, x2: { field: 'high' } }
        },
        {
          mark: { type: 'point', filled: true, size: 70, opacity: 1 },
          encoding: { y, color, shape, x: { ...x, field: 'probability' } }
        }
      ]
    },
    `Probability that A is better: ${values.map(v => `${v.by} ${short(v.probability, 3)}, ${short(v.low, 3)} to ${short(v.high, 3)}`).join('; ')}.`
  )
  return {
    title: 'Which does better',
    caption: 'Mark: the probability that a run of A is better than one of B; line: its 95 % interval. Dashed: even.',
    svgs: [picture],
    legend: legend(values)
  }
}

/** Minima that are drawn of each study; of more, the best. */
const shownMinima = 60

/** The minima of both, by loss; those that are in both are joined. */
export async function minimaChart({ shared, onlyA, onlyB }: Comparison): Promise<Chart | undefined> {
  if (shared.length + onlyA.length + onlyB.length === 0) return undefined
  const best = <T extends { readonly loss: number }>(list: readonly T[]): T[] =>
    [...list].sort((p, q) => p.loss - q.loss).slice(0, shownMinima)
  const both = best(shared).map(({ loss }) => ({ loss, kind: 'in both' }))
  const alone = (study: string, list: Comparison['onlyA']) =>
    best(list).map(({ loss }) => ({ study, loss, kind: `in ${study} alone` }))
  const points = [
    ...both.flatMap(p => ['A', 'B'].map(study => ({ ...p, study }))),
    ...alone('A', onlyA),
    ...alone('B', onlyB)
  ]
  const { color, shape, legend } = looks([
    ['in both', palette[2], 'square'],
    ['in A alone', palette[0], 'circle'],
    ['in B alone', palette[1], 'diamond']
  ])
  const y = {
    field: 'loss',
    type: 'quantitative',
    title: 'loss',
    scale: { zero: false, padding: 8 },
    axis: { tickCount: 6 }
  }
  const x = {
    field: 'study',
    type: 'nominal',
    title: null,
    sort: ['A', 'B'],
    scale: { domain: ['A', 'B'], padding: 0.4 },
    axis: { labelAngle: 0 }
  }
  const picture = await svg(
    {
      height: chartHeight,
      layer: [
        {
          data: { values: both.flatMap((p, i) => ['A', 'B'].map(study => ({ ...p, study, i }))) },
          mark: { type: 'line', strokeWidth: 1.2, opacity: 0.6 },
          encoding: { x, y, color, detail: { field: 'i' } }
        },
        {
          data: { values: points },
          mark: { type: 'point', filled: true, size: 50, opacity: 0.9 },
          encoding: { x, y, color, shape }
        }
      ]
    },
    `Losses of the minima: ${count(shared.length, 'is', 'are')} in both, ${onlyA.length} in A alone, ${onlyB.length} in B alone.`
  )
  const more =
    Math.max(shared.length, onlyA.length, onlyB.length) > shownMinima ? ` Of each kind the ${shownMinima} lowest.` : ''
  return {
    title: 'Minima of both',
    caption: `Every distinct minimum by its loss; a line joins those that are one.${more}`,
    svgs: [picture],
    legend: legend(points)
  }
}
