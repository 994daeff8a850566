// Global setup of vitest.sanitizer.config.ts: no engine but those of the processor, whose addon is the one that lies there.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { engines } from '../../src/engines/registry.js'
import type { FoundEngine } from '../helpers/foundEngines.js'

export default async function setup(project: TestProject): Promise<() => void> {
  const scratch = mkdtempSync(join(tmpdir(), 'manystart-test-'))
  project.provide('scratch', scratch)
  const found: FoundEngine[] = []
  for (const entry of engines) {
    const { name } = entry
    if (name === 'cpu' || name === 'reference') found.push({ name, support: await entry.available() })
  }
  project.provide('engines', found)
  return () => rmSync(scratch, { recursive: true, force: true })
}
