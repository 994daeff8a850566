// The lists of CONTRIBUTING.md: what a loss or an activation takes is what the list says, and no more.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { commands } from '../src/cli/commands.js'
import { verdicts } from '../src/core/result.js'
import { engines } from '../src/engines/registry.js'
import { activations } from '../src/models/activations.js'
import { losses } from '../src/models/losses/index.js'
import { optimizers } from '../src/optimizers/registry.js'
import { methods } from './helpers/runs.js'

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

/** The text of a file that a list names, with a name in the place of NAME; it must be there. */
function sourceOf(file: string, name: string): string {
  const path = join(root, file.replace('NAME', name))
  expect(existsSync(path), path).toBe(true)
  return readFileSync(path, 'utf8')
}
const says = (name: string): RegExp => new RegExp(`(?<![A-Za-z])${name}(?![A-Za-z])`)

describe('an optimiser', () => {
  const [own, registry, table] = listed('Add an optimiser')
  it.each(Object.values(optimizers))('$name is where the list says', ({ name, curvature }) => {
    expect(sourceOf(own, name)).toMatch(says(name))
    expect(sourceOf(registry, name)).toMatch(new RegExp(`from './${name}.js'`))
    expect(table).toBe('tests/helpers/runs.ts')
    // One is for models with a Gauss-Newton matrix, the other looks for all stationary points: they have tests of their own.
    if (curvature === undefined && name !== 'stationary')
      expect(methods.map(m => (typeof m.optimizer === 'string' ? m.optimizer : Object.keys(m.optimizer)[0]))).toContain(
        name
      )
  })
})

describe('an engine', () => {
  const [own, registry] = listed('Add an engine')
  it.each(engines.map(entry => entry.name))('%s is where the list says', name => {
    expect(sourceOf(own, name)).toMatch(says(name))
    expect(sourceOf(registry, name)).toContain(`'./${name}/index.js'`)
  })
})

describe('a verdict', () => {
  const files = listed('Add a verdict')
  it('takes four files', () => expect(files).toHaveLength(4))
  it.each(verdicts)('%s is where the list says', name => {
    for (const file of files) expect(sourceOf(file, name), file).toMatch(says(name))
  })
})

describe('a chart', () => {
  const [own] = listed('Add a chart')
  const folder = dirname(own)
  const pages = readdirSync(join(root, 'src/report'))
    .filter(file => file.endsWith('.ts'))
    .map(file => readFileSync(join(root, 'src/report', file), 'utf8'))
  it.each(
    readdirSync(join(root, folder))
      .filter(file => file.endsWith('.ts') && !['chart.ts', 'svg.ts'].includes(file))
      .map(file => file.slice(0, -3))
  )('%s is drawn, and stands on a page', name => {
    expect(sourceOf(own, name)).toContain("from './svg.js'")
    expect(pages.some(page => page.includes(`'./charts/${name}.js'`))).toBe(true)
  })
})

describe('a command', () => {
  const [own, list] = listed('Add a command')
  it.each(Object.keys(commands))('%s is where the list says', name => {
    expect(sourceOf(own, name)).toMatch(new RegExp(`export const ${name}Command`))
    expect(sourceOf(list, name)).toContain(`'./commands/${name}.js'`)
  })
})
