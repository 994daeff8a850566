/** What the best of k starts is expected to be, against k. */
import type { BestOf } from '../../core/restartsResult.js'
import type { Summary } from '../../core/result.js'
import { roundingOf } from '../../core/ties.js'
import { gainsByStarts } from '../restarts.js'
import { mainMetric, type MainMetric } from '../words.js'
import { chartHeight, highest, lowest, type Chart } from './chart.js'
import { dashes, lineSign, logAxis, palette, svg } from './svg.js'

interface Point {
  readonly model: string
  readonly k: number
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** One line of the picture. */
export interface Curve {
  readonly name: string
  readonly bestOf: readonly BestOf[]
  /** The loss that others are drawn above. */
  readonly least: number
}

const leastOf = (bestOf: readonly BestOf[]): number => bestOf[bestOf.length - 1]?.loss ?? NaN

/** All models together: the loss above the lowest that each has met, and the main metric on held-out rows. */
export function bestOfChart(summaries: readonly Summary[]): Promise<Chart | undefined> {
  const curves = summaries.map(({ name, restarts: { bestOf } }) => ({ name, bestOf, least: leastOf(bestOf) }))
  return bestOfCurves(
    curves,
    summaries.map(mainMetric).find(m => m !== undefined),
    'The lowest loss is that of all runs of the model'
  )
}

/** @param lowestText what the losses are drawn above, as the beginning of a sentence */
export async function bestOfCurves(
  all: readonly Curve[],
  metric: MainMetric | undefined,
  lowestText: string
): Promise<Chart | undefined> {
  // The best of all runs is the lowest loss itself, so it says nothing of how far from that a study of its size ends.
  const curves = all.map(c => ({ ...c, list: c.bestOf.slice(0, -1) })).filter(({ list }) => list.length > 1)
  if (!curves.some(({ bestOf }) => gainsByStarts(bestOf))) return undefined
  const names = curves.map(({ name }) => name)
  const most = highest(curves.flatMap(({ list }) => list.map(b => b.k)))
  const x = {
    field: 'k',
    type: 'quantitative',
    title: 'starts',
    scale: { type: 'log', nice: false, domain: [1, most] },
    axis: logAxis(1, most)
  }
  const model = { field: 'model', type: 'nominal', sort: names, legend: null }
  const color = { ...model, scale: { domain: names, range: names.map((_, i) => palette[i % palette.length]) } }
  const dash = { ...model, scale: { domain: names, range: names.map((_, i) => dashes[i % dashes.length]) } }
  const panel = (values: readonly Point[], y: object, alt: string): Promise<string> =>
    svg(
      {
        height: chartHeight,
        data: { values },
        layer: [
          {
            mark: { type: 'area', opacity: 0.18 },
            encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color }
          },
          {
            mark: { type: 'line', strokeWidth: 2, point: { size: 18 } },
            encoding: { x, y: { ...y, field: 'mean' }, color, strokeDash: dash }
          }
        ]
      },
      alt
    )
  const gaps = curves.flatMap(({ name, list, least }) => {
    // Differences within rounding are none.
    const gap = (loss: number): number => Math.max(roundingOf(least), loss - least)
    return list.map(b => ({
      model: name,
      k: b.k,
      mean: gap(b.loss),
      low: gap(b.interval[0]),
      high: gap(b.interval[1])
    }))
  })
  const floor = lowest(gaps.map(p => p.low))
  const top = Math.max(10 * floor, highest(gaps.map(p => p.high)))
  const loss = {
    type: 'quantitative',
    title: 'loss above the lowest',
    scale: { type: 'log', nice: false, domain: [floor, top] },
    axis: logAxis(floor, top)
  }
  const scores = curves.flatMap(({ name, list }) =>
    list.flatMap(({ k, test }) => {
      const score = metric ? test?.[metric.name] : undefined
      if (!score) return []
      const [low, high] = score.interval ?? [score.mean, score.mean]
      return [{ model: name, k, mean: score.mean, low, high }]
    })
  )
  // Scores are at most 1; one that is constant has no range of its own.
  const [worst, best] = [lowest(scores.map(p => p.low)), highest(scores.map(p => p.high))]
  const constant = worst === best && worst <= 1 ? { domain: [worst - 0.05, Math.min(1, worst + 0.05)] } : {}
  const svgs = [
    await panel(gaps, loss, `Expected loss of the best of k starts above the lowest, for ${names.join('; ')}.`)
  ]
  if (metric && scores.length > 0)
    svgs.push(
      await panel(
        scores,
        {
          type: 'quantitative',
          title: `held-out ${metric.label}`,
          scale: { zero: false, ...constant },
          axis: { tickCount: 6 }
        },
        `Expected held-out ${metric.label} of the run with the lowest loss of k starts, for ${names.join('; ')}.`
      )
    )
  return {
    title: 'Best of k starts',
    caption:
      'Line: what is expected when the run with the lowest loss of so many starts is taken, over all sets of so many of the runs; band: its 95 % interval. ' +
      `${lowestText}; what is within rounding of it is drawn at the bottom.`,
    svgs,
    legend: names.length > 1 ? names.map((name, i) => ({ sign: lineSign(i), name })) : []
  }
}
