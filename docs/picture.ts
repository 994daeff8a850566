// Draws docs/report.png, the picture in README.md, from the report of `npm start`: run that first, then `npm run docs:picture`.
import { readFileSync } from 'node:fs'
import { openBrowser } from '../tests/report/browser.js'

const size = { width: 1100, height: 1010 }
const { browser, close } = await openBrowser()
try {
  const page = await browser.newPage({ viewport: size, colorScheme: 'light' })
  await page.setContent(readFileSync('manystart-contrast/report.html', 'utf8'))
  await page.screenshot({ path: 'docs/report.png', clip: { x: 0, y: 0, ...size } })
} finally {
  await close()
}
