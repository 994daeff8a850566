// What text takes in charts that are drawn without a browser.
import { expect, it } from 'vitest'
import { svg } from '../../src/report/charts/svg.js'

/** A bar beside each name, under a title that stands upright. */
const bars = (names: readonly string[], title: string): Promise<string> =>
  svg(
    {
      height: 150,
      data: { values: names.map((name, i) => ({ name, value: i + 1 })) },
      layer: [
        {
          mark: 'bar',
          encoding: {
            y: { field: 'name', type: 'nominal', title },
            x: { field: 'value', type: 'quantitative', title: null }
          }
        }
      ]
    },
    'bars'
  )

it('writes names of metrics in full, and cuts those that would leave no room', async () => {
  const picture = await bars(['held-out precision', 'x'.repeat(80)], 'by')
  expect(picture).toContain('>held-out precision<')
  expect(picture).toMatch(/>x{10,40}…</)
})

it('leaves no room above for a title that is shorter than its axis', async () => {
  const height = (picture: string): number => Number(/viewBox="0 0 [\d.]+ ([\d.]+)"/.exec(picture)![1])
  const [short, long] = await Promise.all([bars(['a'], 'by'), bars(['a'], 'prediction of a class')])
  expect(height(long)).toBe(height(short))
})
