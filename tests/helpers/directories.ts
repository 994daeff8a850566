// What two study directories must have in common, byte for byte.
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Summary } from '../../src/core/result.js'

/** Parts by name, with their checksums: nothing in them depends on when or where they were written. */
export function partsIn(directory: string): Record<string, string> {
  const runs = join(directory, 'runs')
  return Object.fromEntries(
    readdirSync(runs)
      .filter(name => /^(part|open|points|distinct).*\.parquet$/.test(name))
      .sort()
      .map(name => [
        name,
        createHash('sha256')
          .update(readFileSync(join(runs, name)))
          .digest('hex')
      ])
  )
}

/** The text of a summary without time and machine. */
export function summaryText(directory: string): string {
  const summary = JSON.parse(readFileSync(join(directory, 'summary.json'), 'utf8')) as Summary
  return JSON.stringify({ ...summary, timing: null, engine: null }, null, 1)
}
