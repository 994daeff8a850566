// Pages in a real browser: nothing is logged or fetched, nothing sticks out, every picture has a size and holds its text, and ink differs
// from ground.
import type { Browser, Page } from 'playwright-core'
import { expect } from 'vitest'
import { look, type Look } from './look.js'

type Scheme = 'light' | 'dark'

/** Screens that pages are looked at on: their width in px, and the reader's scheme. */
export const views = [
  [1280, 'light'],
  [1280, 'dark'],
  [800, 'light'],
  [400, 'light'],
  [400, 'dark']
] as const

/** Opens a page with all that it folds and returns how it looks; nothing may be logged or fetched. */
export async function view(browser: Browser, html: string, width: number, scheme: Scheme): Promise<Look> {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: scheme,
    javaScriptEnabled: true
  })
  const troubles: string[] = []
  try {
    const page: Page = await context.newPage()
    page.on('console', message => troubles.push(message.text()))
    page.on('pageerror', error => troubles.push(error.message))
    await page.route('**', route => {
      troubles.push(`fetched ${route.request().url()}`)
      return route.abort()
    })
    await page.setContent(html, { waitUntil: 'load' })
    await page.evaluate(() => document.querySelectorAll('details').forEach(d => (d.open = true)))
    const result = await page.evaluate(look)
    expect(troubles.filter(text => !text.startsWith('--playwright')).join('; ')).toBe('')
    return result
  } finally {
    await context.close()
  }
}

/** Opens a page, holds it to what every page is held to, and returns how it looks. */
export async function viewWhole(browser: Browser, html: string, width: number, scheme: Scheme): Promise<Look> {
  const result = await view(browser, html, width, scheme)
  expect(result.overflow).toBeLessThanOrEqual(0)
  expect(result.outside).toEqual([])
  expect(result.misplaced).toEqual([])
  // 7:1 is what WCAG asks for at level AAA.
  expect(result.contrast).toBeGreaterThan(7)
  for (const { title, width: w, height: h } of result.pictures) {
    expect(title.length).toBeGreaterThan(10)
    expect(w, title).toBeGreaterThan(200)
    expect(h, title).toBeGreaterThan(50)
    expect(w, title).toBeLessThanOrEqual(width)
  }
  return result
}
