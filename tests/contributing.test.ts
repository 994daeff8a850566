// The lists of CONTRIBUTING.md: what a loss or an activation takes is what the list says, and no more.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { activations } from '../src/models/activations.js'
import { losses } from '../src/models/losses/index.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')

/** Files named in the list under a heading. */
function listed(heading: string): string[] {
  const section = text.split(/^## /m).find(s => s.startsWith(heading)) ?? ''
  return [...section.matchAll(/^- ((?:`[^`]+\/[^`]+`(?:, )?)+)/gm)].flatMap(m =>
    [...m[1].matchAll(/`([^`]+)`/g)].map(path => path[1])
  )
}

/** Files that proofs take beside the list, named in the sentence below it. */
function forProofs(heading: string): string[] {
  const section = text.split(/^## /m).find(s => s.startsWith(heading)) ?? ''
  const sentence = /Where proofs are to take it[^;]*?(?=[;.]\s)/.exec(section)?.[0] ?? ''
  return [...sentence.matchAll(/`([^`]+)`/g)].map(path => path[1])
}

/** Files of code that say a name. */
function saying(name: string): string[] {
  const word = new RegExp(`(?<![A-Za-z])${name}(?![A-Za-z])`)
  const folders = ['src', 'kernels', 'tests/fixtures']
  const walk = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry =>
      entry.name === 'build' ? [] : entry.isDirectory() ? walk(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`]
    )
  const files = existsSync(join(root, '.git'))
    ? execFileSync('git', ['ls-files', ...folders], { cwd: root, encoding: 'utf8' })
        .trim()
        .split('\n')
    : folders.flatMap(walk)
  return (
    files
      // Words of other programs are no part of a loss.
      .filter(
        file => /\.(ts|h|cc|wgsl|py)$/.test(file) && file !== 'src/core/synonyms.ts' && existsSync(join(root, file))
      )
      .map(file => [file, readFileSync(join(root, file), 'utf8')] as const)
      // What a program writes needs no hand.
      .filter(([, code]) => !code.startsWith('// Written by `') && word.test(code))
      .map(([file]) => file)
      .sort()
  )
}

describe('a loss', () => {
  const files = listed('Add a loss')
  it('takes six files at most', () => expect(files.length).toBeLessThanOrEqual(6))
  // Names that mean nothing else, so that who says them speaks of the loss.
  it.each(losses.filter(name => ['negativeBinomial', 'huber', 'student'].includes(name)))(
    '%s is where the list says',
    name => {
      expect(saying(name)).toEqual(
        [...files, ...forProofs('Add a loss')].map(file => file.replace('NAME', name)).sort()
      )
    }
  )
})

describe('an activation', () => {
  const files = listed('Add an activation')
  it('takes four files at most', () => expect(files.length).toBeLessThanOrEqual(4))
  it.each(activations.filter(name => name === 'gelu'))('%s is where the list says', name => {
    expect(saying(name)).toEqual([...files, ...forProofs('Add an activation')].sort())
  })
})
