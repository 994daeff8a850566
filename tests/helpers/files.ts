// Files for a test file to read and directories for it to write, in a folder of its own that is removed at its end.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** A folder of this test file's own, removed at its end. */
export const scratch = mkdtempSync(join(tmpdir(), 'manystart-test-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Write a file into the scratch folder and return its path. */
export function file(name: string, text: string | Uint8Array): string {
  const path = join(scratch, name)
  writeFileSync(path, text)
  return path
}

/** Write a CSV file from a header and rows, and return its path. */
export function csv(name: string, header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return file(name, [header, ...rows].map(row => row.join(',')).join('\n') + '\n')
}

let outputs = 0
/** A path for a study directory that does not exist yet. */
export const freshOut = () => join(scratch, `out-${++outputs}`)
