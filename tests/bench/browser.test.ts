// The pages of benchmarks in a real browser, on wide and narrow screens, light and dark.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { benchCard } from '../../src/bench/card/card.js'
import { quickScale } from '../../src/bench/card/definition.js'
import { cardPage } from '../../src/bench/card/page.js'
import { cpuEntry } from '../../src/engines/cpu/index.js'
import { openBrowser } from '../helpers/browser.js'
import { viewWhole, views } from '../report/view.js'

let open: Awaited<ReturnType<typeof openBrowser>>
let card: string
beforeAll(async () => {
  open = await openBrowser()
  const scale = { ...quickScale, studySeconds: 0.001 }
  card = await cardPage(await benchCard({ engines: [cpuEntry], threads: 1, scale, quick: true }))
})
afterAll(() => open.close())

describe.each(views)('at %i px, %s', (width, scheme) => {
  it('the card of a machine, whose rooflines have their legends within the picture', async () => {
    const { pictures, smallest } = await viewWhole(open.browser, card, width, scheme)
    expect(pictures).toHaveLength(2)
    expect(smallest).toBeGreaterThanOrEqual(11)
  })
})
