/** Headless Chromium from an npm package: needs no root and no download at install time. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium as playwright, type Browser } from 'playwright-core'

/**
 * Starts the browser in a temporary directory, which `close` removes.
 * @param flags of its command line beside the usual ones
 */
export async function openBrowser(
  flags: readonly string[] = []
): Promise<{ browser: Browser; close: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'manystart-browser-'))
  process.env['TMPDIR'] = directory
  // The package unpacks NSS and its companions only where it sees this variable, and puts them on the library path itself.
  process.env['AWS_LAMBDA_JS_RUNTIME'] ??= 'nodejs20.x'
  process.env['FONTCONFIG_PATH'] = join(directory, 'fonts')
  const { default: chromium } = await import('@sparticuz/chromium')
  const executablePath = await chromium.executablePath()
  // Its own font configuration names a fixed directory; this one names where the fonts really are.
  writeFileSync(
    join(directory, 'fonts', 'fonts.conf'),
    `<?xml version="1.0"?><fontconfig><dir>${directory}/fonts</dir><cachedir>${directory}/cache</cachedir></fontconfig>`
  )
  const browser = await playwright.launch({
    executablePath,
    headless: true,
    // One process for everything ends with the first context that is closed.
    args: [
      ...chromium.args.filter(flag => flag !== '--single-process'),
      '--no-sandbox',
      '--disable-background-networking',
      '--no-first-run',
      ...flags
    ]
  })
  const close = async (): Promise<void> => {
    await browser.close()
    rmSync(directory, { recursive: true, force: true })
  }
  return { browser, close }
}
