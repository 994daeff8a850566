/** Why runs differ, as bars. */
import type { VarianceResult } from '../../core/varianceResult.js'
import { designText, isNil, metricWords, shareText, sourcesOf, wordsOf } from '../varianceWords.js'
import { listed } from '../words.js'
import type { Chart } from './chart.js'
import { palette, svg } from './svg.js'

/** Bars of shares by metric, one picture a model. */
export async function varianceBars(result: VarianceResult): Promise<Chart> {
  const shown = sourcesOf(result)
  const models = [result, ...(result.twin ? [result.twin] : [])]
  const svgs: string[] = []
  for (const model of models) {
    const metrics = Object.entries(model.metrics).filter(([, split]) => !isNil(split))
    const values = metrics.flatMap(([name, split]) =>
      shown.map((source, i) => ({
        metric: metricWords(name),
        source: wordsOf[source],
        place: i,
        share: split[source].share
      }))
    )
    if (values.length === 0) continue
    svgs.push(
      await svg(
        {
          title: { text: model.name, fontSize: 13, fontWeight: 'normal', color: 'currentColor', frame: 'bounds' },
          height: { step: 20 },
          data: { values },
          mark: { type: 'bar' },
          encoding: {
            y: {
              field: 'metric',
              type: 'nominal',
              title: null,
              sort: metrics.map(([name]) => metricWords(name))
            },
            x: {
              field: 'share',
              type: 'quantitative',
              title: 'share of variance',
              axis: { format: '.0%', tickCount: 5 },
              scale: { domain: [0, 1] }
            },
            order: { field: 'place', type: 'quantitative' },
            color: {
              field: 'source',
              type: 'nominal',
              title: null,
              // Beside the long names of metrics there is room for one.
              legend: { columns: 1 },
              scale: { domain: shown.map(s => wordsOf[s]), range: shown.map((_, i) => palette[i % palette.length]) }
            }
          }
        },
        `Shares of the variance of ${model.name} by source: ${metrics.map(([name, split]) => `${metricWords(name)} ${shown.map(s => `${wordsOf[s]} ${shareText(split, s)}`).join(', ')}`).join('; ')}.`
      )
    )
  }
  const nil = models.filter(m => Object.values(m.metrics).every(isNil)).map(m => m.name)
  return {
    title: 'Why runs differ',
    caption: `${designText(result)}. Metrics that are the same in all runs, up to rounding, have no bar${nil.length > 0 ? `; ${listed(nil)} has none at all` : ''}.`,
    svgs
  }
}
