// The report in a real browser, on wide and narrow screens, light and dark: nothing is logged, nothing is fetched, nothing
// sticks out, every picture has a size and holds its text, and ink differs from ground.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Summary } from '../../src/core/result.js'
import { renderReport } from '../../src/report/render.js'
import { study } from '../helpers/study.js'
import { openBrowser } from '../helpers/browser.js'
import type { Look } from './look.js'
import { view, viewWhole, views } from './view.js'
import { everyKind, throughJson } from './summaries.js'

const kinds = everyKind()
let open: Awaited<ReturnType<typeof openBrowser>>
let real: Summary
let separated: Summary
beforeAll(async () => {
  open = await openBrowser()
  // Two minima and a few hundred runs: a picture as users get it.
  real = await study({
    data: { builtin: 'iris2', standardize: true, test: { fraction: 0.3, seed: 4 } },
    model: { hidden: [2], ridge: 0.001, penalizeBias: true },
    starts: { count: 60, init: { normal: 2 } },
    engine: 'reference'
  })
  separated = await study({
    data: { builtin: 'endometrial', standardize: true },
    model: { ridge: 'path' },
    starts: { count: 20 }
  })
})
afterAll(() => open.close())

describe.each(views)('at %i px, %s', (width, scheme) => {
  const check = async (summaries: readonly Summary[]): Promise<Look> =>
    viewWhole(open.browser, await renderReport(summaries.map(throughJson), { title: 'A title' }), width, scheme)

  it('a study with several minima', async () => {
    const { pictures, smallest } = await check([real])
    expect(pictures.map(p => p.title.split(/ (?:at|against|of) |: /)[0])).toEqual([
      'Loss',
      'loss above the lowest',
      'gradient norm',
      'Spread',
      'accuracy',
      'ambiguity',
      'mean range',
      'Ranges',
      'Expected loss',
      'Expected held-out accuracy',
      'The logistic loss along the segment from minimum 1 to minimum 2.',
      'Lines',
      'Shares',
      'Eigenvalues',
      'Distinct minima met',
      'Rows on which two'
    ])
    // Text of pictures stays readable on a telephone.
    expect(smallest).toBeGreaterThanOrEqual(11)
  })

  it('a convex model of separated data, with a path of ridges', async () => {
    const { pictures, smallest } = await check([separated])
    const titles = pictures.map(p => p.title)
    for (const start of ['Coefficients against the ridge', 'Mean loss of the training rows', 'NV against steps'])
      expect(
        titles.some(title => title.startsWith(start)),
        start
      ).toBe(true)
    expect(smallest).toBeGreaterThanOrEqual(11)
  })

  it('all kinds of models side by side', async () => {
    const { pictures } = await check([real, ...Object.values(kinds)])
    expect(pictures.length).toBeGreaterThan(10)
  })
})

it('the first screen holds a picture of every model and the table that compares them, the whole page what is folded', async () => {
  const four = [kinds['convex, all arrived'], real, kinds['several minima, flat ones, saddles'], real]
  const page = await open.browser.newPage({ viewport: { width: 1280, height: 900 } })
  try {
    await page.setContent(await renderReport(four.map(throughJson), { title: 'A title' }))
    const bottoms = await page.evaluate(() =>
      [...document.querySelectorAll('.panels svg, table.models tr')]
        .filter(element => element.checkVisibility())
        .map(element => element.getBoundingClientRect().bottom)
    )
    expect(bottoms.length).toBe(4 + 8)
    expect(Math.max(...bottoms)).toBeLessThan(900)
    // On paper everything is open.
    await page.emulateMedia({ media: 'print' })
    const heights = await page.evaluate(() =>
      [...document.querySelectorAll('details')].map(d => d.getBoundingClientRect().height)
    )
    expect(Math.min(...heights)).toBeGreaterThan(80)
  } finally {
    await page.close()
  }
})

it('names made of markup stay text', async () => {
  const evil = '<script>document.title = "owned"</script><img src="http://example.invalid/x.png">'
  const s = {
    ...kinds['convex, separated'],
    name: evil,
    notes: [evil],
    separation: { ...kinds['convex, separated'].separation, infinite: { [evil]: 1 as const } }
  }
  const { overflow } = await view(open.browser, await renderReport([s, real], { title: evil }), 400, 'light')
  expect(overflow).toBeLessThanOrEqual(0)
})

it('these checks see a page that is wrong', async () => {
  const page = `<main><p style="width: 900px">too wide for a telephone</p>
    <svg role="img" width="300" height="100" viewBox="0 0 300 100"><title>A picture</title>
    <text x="10" y="50">one</text><text x="12" y="52">two</text><text x="290" y="90">outside</text></svg></main>`
  const result = await view(open.browser, page, 400, 'light')
  expect(result.overflow).toBeGreaterThan(400)
  expect(result.outside).toEqual(['P too wide for a telephone'])
  expect(result.misplaced).toEqual(['"two" of A picture lies on "one"', '"outside" of A picture leaves the picture'])
  await expect(view(open.browser, '<img src="http://example.invalid/x.png">', 400, 'light')).rejects.toThrow(
    'fetched http://example.invalid/x.png'
  )
})
