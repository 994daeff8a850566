// Global setup: tests of the command-line program run what is built, so dist/ is brought up to date first, but only when
// such tests are about to run. `npm test` has already built everything; this is for `npx vitest run some/file`. At the end
// a table says which engines the conformance tests ran on and why others were left out.
import { readFileSync } from 'node:fs'
import type { TestProject } from 'vitest/node'
import { addonIsFresh, buildProgram } from '../../scripts/bootstrap.mjs'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const patterns = process.argv.slice(2).filter(argument => !argument.startsWith('-') && argument !== 'run')
  const { testFiles } = await project.globTestFiles(patterns)
  const chosen = testFiles.length > 0 ? testFiles : (await project.globTestFiles()).testFiles
  if (chosen.some(startsProgram)) buildProgram()
  if (!addonIsFresh()) console.warn('The C++ addon is missing or older than its sources: `npm run build` makes it.')
  const onEngines = chosen.some(file => readFileSync(file, 'utf8').includes('helpers/engines.js'))
  return async () => {
    if (onEngines) await printEngines()
  }
}

/** Whether a test file starts the built program, through tests/cli/helpers.ts. */
const startsProgram = (file: string) =>
  file.replaceAll('\\', '/').includes('/tests/cli/') || readFileSync(file, 'utf8').includes('cli/helpers.js')

async function printEngines(): Promise<void> {
  const { engineRows } = await import('../helpers/engines.js')
  const width = Math.max(...engineRows.map(row => row.name.length))
  const lines = engineRows.map(row => ` ${row.name.padEnd(width)}  ${row.ran ? 'ran    ' : 'skipped'}  ${row.why}`)
  console.log(['', ' Engines in these tests:', ...lines, ''].join('\n'))
}
