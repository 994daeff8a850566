// Global setup: the command-line program and the processes of engines run what is built, so dist/ is brought up to date first, but only
// where tests that start them are about to run. `npm test` has already built everything; this is for `npx vitest run some/file`. It also
// finds the engines, once for all files, and makes the folder that they write in; at the end a table says which the tests ran on and why others were left out.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { addonIsFresh, buildProgram } from '../../scripts/bootstrap.mjs'
import type { EngineRow } from '../helpers/foundEngines.js'

export default async function setup(project: TestProject): Promise<() => void> {
  const scratch = mkdtempSync(join(tmpdir(), 'manystart-test-'))
  project.provide('scratch', scratch)
  const clear = (): void => rmSync(scratch, { recursive: true, force: true })
  const patterns = process.argv.slice(2).filter(argument => !argument.startsWith('-') && argument !== 'run')
  const { testFiles } = await project.globTestFiles(patterns)
  const chosen = testFiles.length > 0 ? testFiles : (await project.globTestFiles()).testFiles
  if (chosen.some(startsProcesses)) buildProgram()
  if (!addonIsFresh()) console.warn('The C++ addon is missing or older than its sources: `npm run build` makes it.')
  if (!chosen.some(file => readFileSync(file, 'utf8').includes('helpers/engines.js'))) return clear
  const { engineRows, findEngines } = await import('../helpers/foundEngines.js')
  const engines = await findEngines()
  project.provide('engines', engines)
  return () => {
    clear()
    printEngines(engineRows(engines))
  }
}

/** Whether a test file starts the built program, or an engine's process, which runs what is built. */
const startsProcesses = (file: string) =>
  file.replaceAll('\\', '/').includes('/tests/cli/') ||
  /cli\/helpers\.js|helpers\/engines\.js|webgpu|tensorflow/.test(readFileSync(file, 'utf8'))

function printEngines(rows: readonly EngineRow[]): void {
  const width = Math.max(...rows.map(row => row.name.length))
  const lines = rows.map(row => ` ${row.name.padEnd(width)}  ${row.ran ? 'ran    ' : 'skipped'}  ${row.why}`)
  console.log(['', ' Engines in these tests:', ...lines, ''].join('\n'))
}
