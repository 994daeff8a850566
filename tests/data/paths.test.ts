// Names of files that a system refuses in one way or another.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { InputError } from '../../src/core/errors.js'
import { readFile } from '../../src/data/read.js'
import { seeded } from '../helpers/enclosures.js'

const folder = mkdtempSync(join(tmpdir(), 'manystart-paths-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
writeFileSync(join(folder, 'file'), 'x,y\n1,2\n')
symlinkSync('b', join(folder, 'a'))
symlinkSync('a', join(folder, 'b'))
symlinkSync('nowhere', join(folder, 'broken'))

const random = seeded(1)
const letters = (most: number): string => 'y'.repeat(1 + Math.floor(most * random()))
const kinds: Readonly<Record<string, () => string>> = {
  'a name that may be too long': () => letters(random() < 0.5 ? 600 : 300_000),
  'a path that may be too long': () => Array.from({ length: 1 + 3000 * random() }, () => letters(9)).join('/'),
  'links that go round in a circle': () => join(folder, random() < 0.5 ? 'a' : 'b'),
  'a link to nothing': () => join(folder, 'broken'),
  'a file taken for a directory': () => join(folder, 'file', letters(300)),
  'a directory': () => folder,
  'no name': () => ' '.repeat(Math.floor(2 * random()))
}

it.each(Object.keys(kinds))('%s is refused in a sentence', async kind => {
  for (let k = 0; k < 10; k++) {
    const refused: unknown = await readFile(kinds[kind](), {}).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(InputError)
    expect((refused as InputError).message).toMatch(/^.{1,1000}[.]$/s)
  }
})
