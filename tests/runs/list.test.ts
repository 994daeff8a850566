// The list of the parts of a study, and the summary that it vouches for.
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Stream, uniform, words } from '../../src/core/rng.js'
import { StudyDirectory } from '../../src/runs/directory.js'
import { readList, readSealed } from '../../src/runs/list.js'
import { cost, identity, part, tables, studyFolders } from '../helpers/studyFolders.js'

const { begin, study } = studyFolders()

it('a line that was cut short anywhere does not take the next one with it', async () => {
  const random = words(7, Stream.split, 0, 0, 12)
  for (const word of random) {
    const path = await study(`cut-${word}`)
    const list = join(path, 'runs', 'parts.jsonl')
    const lines = readFileSync(list, 'utf8').split('\n')
    const last = lines.at(-2)!
    truncateSync(list, statSync(list).size - 1 - last.length + Math.floor(uniform(word) * last.length))
    const directory = await StudyDirectory.resume(path, identity)
    await directory.add(part(256, 256), cost)
    await directory.add(part(512, 512), cost)
    await directory.close()
    expect((await readList(path)).parts.map(p => p.first)).toEqual([0, 256, 512])
  }
})

describe('the summary', () => {
  it('does not count with the tables of another one', async () => {
    const directory = await begin()
    await directory.add(part(0, 256), cost)
    await directory.sumUp('{"format":"manystart/summary"}\n', tables)
    for (const [name, bytes] of Object.entries(tables)) {
      const path = join(directory.path, 'runs', name)
      expect(await readSealed(directory.path)).not.toBe(undefined)
      for (const other of [bytes.map(b => b ^ 1), bytes.slice(1)]) {
        writeFileSync(path, other)
        expect(await readSealed(directory.path)).toBe(undefined)
      }
      rmSync(path)
      expect(await readSealed(directory.path)).toBe(undefined)
      writeFileSync(path, bytes)
    }
    await directory.close()
  })

  it('counts until it is touched, or there are more runs', async () => {
    const directory = await begin()
    await directory.add(part(0, 256), cost)
    const summary = '{"format":"manystart/summary"}\n'
    await directory.sumUp(summary, tables)
    expect(await readSealed(directory.path)).toEqual({ text: summary, isWhole: true })
    writeFileSync(join(directory.path, 'summary.json'), summary.replace('s', 'S'))
    expect(await readSealed(directory.path)).toBe(undefined)
    writeFileSync(join(directory.path, 'summary.json'), summary)
    expect(await readSealed(directory.path)).toEqual({ text: summary, isWhole: true })
    await directory.sumUp(summary, tables, false)
    expect(await readSealed(directory.path)).toEqual({ text: summary, isWhole: false })
    await directory.add(part(256, 256), cost)
    expect(await readSealed(directory.path)).toBe(undefined)
    await directory.close()
  })
})
