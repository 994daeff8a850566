// Draws docs/report.png, the picture in README.md, from the report of `npm start`: run that first, then `npm run docs:picture`.
import { readFileSync } from 'node:fs'
import { openBrowser } from '../tests/helpers/browser.js'

const size = { width: 1140, height: 900 }
const { browser, close } = await openBrowser()
try {
  const page = await browser.newPage({ viewport: size, colorScheme: 'light' })
  await page.setContent(readFileSync('manystart-contrast/report.html', 'utf8'))
  // Down to what is folded.
  const fold = await page.locator('details').first().boundingBox()
  if (!fold) throw new Error('The report has nothing folded.')
  const clip = { x: 0, y: 0, width: size.width, height: fold.y - 10 }
  await page.screenshot({ path: 'docs/report.png', fullPage: true, clip })
} finally {
  await close()
}
