// Global setup: tests of the command-line program run what is built, so dist/ is brought up to date first, but only when
// such tests are about to run. `npm test` has already built everything; this is for `npx vitest run some/file`.
import { readFileSync } from 'node:fs'
import type { TestProject } from 'vitest/node'
import { addonIsFresh, buildProgram } from '../../kernels/bootstrap.mjs'

export default async function setup(project: TestProject): Promise<void> {
  const patterns = process.argv.slice(2).filter(argument => !argument.startsWith('-') && argument !== 'run')
  const { testFiles } = await project.globTestFiles(patterns)
  const chosen = testFiles.length > 0 ? testFiles : (await project.globTestFiles()).testFiles
  if (chosen.some(startsProgram)) buildProgram()
  if (!addonIsFresh()) console.warn('The C++ addon is missing or older than its sources: `npm run build` makes it.')
}

/** Whether a test file starts the built program, through tests/cli/helpers.ts. */
const startsProgram = (file: string) =>
  file.replaceAll('\\', '/').includes('/tests/cli/') || readFileSync(file, 'utf8').includes('cli/helpers.js')
