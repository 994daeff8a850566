// What separation does to a model, in a sentence beside the models of a contrast, and as pictures.
import { expect, it } from 'vitest'
import { renderReport } from '../../src/report/render.js'
import { separableText } from '../../src/report/separable.js'
import { everyKind, makeLimit, makePoint, makeSummary } from './summaries.js'

const kinds = everyKind()
const whole = kinds['convex, all arrived']
const separation = { status: 'complete' as const, infinite: { a: 1 as const } }
const free = makeSummary({
  name: 'on some rows',
  separation,
  verdicts: { diverging: 99 },
  problem: { rows: 65 },
  fields: { limits: [makeLimit(0, 99)] }
})
const held = makeSummary({
  name: 'on some rows, ridge 0.01',
  verdicts: { minimum: 99 },
  minima: [makePoint({ count: 99 })],
  problem: { rows: 65, ridge: 0.01 }
})

it('tells rows, runs, the limit and what the ridge does', () => {
  const { rows } = whole.problem
  const without =
    `On the 65 of ${rows} training rows that logistic regression gets right, and so separates, the same model has no minimiser: ` +
    'in all 99 runs the weights run away and the loss approaches 0.'
  expect(separableText([whole], [])).toEqual([])
  expect(separableText([whole], [free])).toEqual([without])
  expect(separableText([whole], [free, held])).toEqual([
    `${without} A ridge of 0.01 gives it one, which all 99 runs reached.`
  ])
})

it('stands on the page behind the models, which it adds nothing to', async () => {
  const models = [whole, kinds['several minima, flat ones, saddles']]
  const page = await renderReport(models, { title: 'A title', separated: [free, held] })
  expect(page.match(/on rows that can be separated<\/h2>/g)).toHaveLength(1)
  expect(page).toContain('<h2>on some rows, ridge 0.01</h2>')
  expect(page).toContain('no minimum, 99 of 99 runs run away')
  expect(page.match(/<table class="models"><thead><tr>(<th[^>]*>[^<]*<\/th>)+/g)![0].match(/<th /g)).toHaveLength(3)
  expect(await renderReport(models, { title: 'A title' })).not.toContain('can be separated')
})
