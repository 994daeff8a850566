// Draws docs/report.png, the picture in README.md, from the report of `npm start`: run that first, then `npm run docs:picture`.
import { readFileSync } from 'node:fs'
import { openBrowser } from '../tests/helpers/browser.js'

const size = { width: 1140, height: 900 }
const { browser, close } = await openBrowser()
try {
  const page = await browser.newPage({ viewport: size, colorScheme: 'light' })
  await page.setContent(readFileSync('manystart-contrast/report.html', 'utf8'))
  // Down to the answer.
  const answer = await page.locator('.answer').boundingBox()
  if (!answer) throw new Error('The report has no answer.')
  const clip = { x: 0, y: 0, width: size.width, height: answer.y + answer.height + 20 }
  await page.screenshot({ path: 'docs/report.png', fullPage: true, clip })
} finally {
  await close()
}
