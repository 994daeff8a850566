// Files for a test file to read and directories for it to write, in a folder that the run of the tests makes and removes.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of all files of this run. */
    scratch: string
  }
}

/** A folder of this process's own. */
export const scratch = mkdtempSync(join(inject('scratch'), 'files-'))

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
