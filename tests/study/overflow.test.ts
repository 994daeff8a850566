// Starts at which an exponential overflows are no reason to fail a run of a model that has a minimiser.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { study } from '../../src/study/study.js'

const work = mkdtempSync(join(tmpdir(), 'manystart-overflow-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

it.each(['poisson', 'gamma', 'cloglog'] as const)(
  '%s: every run arrives, from wide starts on a column of thousands',
  async loss => {
    const rows = Array.from({ length: 24 }, (_, i) => {
      const y = (i * 7) % 5
      return `${loss === 'gamma' ? y + 0.5 : loss === 'cloglog' ? Number(y > 2) : y},${2000 + 37 * i}`
    })
    const csv = join(work, `${loss}.csv`)
    writeFileSync(csv, `y,x\n${rows.join('\n')}\n`)
    const raw = { data: { csv, target: 'y' }, model: { hidden: [], loss }, starts: { count: 40, init: { normal: 10 } } }
    const { verdicts, minima } = await study({ ...raw, engine: 'cpu' })
    expect(verdicts.minimum).toBe(40)
    expect(minima.length).toBe(1)
  }
)
