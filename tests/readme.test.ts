// Runs every command of README.md, in its order and in one folder, and compares what it prints with what README.md quotes.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { manystart, node, root, scratch, type Outcome } from './cli/helpers.js'

interface Block {
  readonly language: string
  readonly text: string
  /** From the comment before the block: `file: NAME` or `output of: COMMAND`. */
  readonly note: string
}

const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks: Block[] = [...readme.matchAll(/(?:<!-- (.*?) -->\n\n)?```(\w*)\n([\s\S]*?)```/g)].map(m => ({
  note: m[1] ?? '',
  language: m[2],
  text: m[3]
}))
const commands = blocks.filter(b => b.language === 'sh').flatMap(b => b.text.trim().split('\n'))
const squeeze = (line: string): string => line.trim().replaceAll(/[ -]{2,}/g, ' ')

/** Commands that are not run here, with the reason. */
const elsewhere: Readonly<Record<string, string>> = { 'npm test': 'it is what runs this test' }

function run(command: string): Promise<Outcome> {
  const [program, ...words] = command.split(' ')
  if (program === 'manystart') return manystart(words)
  if (program === 'node') return node(words)
  if (command === 'npm start') return node([join(root, 'kernels/bootstrap.mjs'), 'start'], { cwd: root })
  throw new Error(`README.md has a command that this test cannot run: ${command}`)
}

const outcomes = new Map<string, Outcome>()

describe('README.md', () => {
  it('has its files written as given', () => {
    for (const block of blocks) {
      const name = /^file: (.*)$/.exec(block.note)?.[1]
      if (name !== undefined) writeFileSync(join(scratch, name), block.text)
    }
    mkdirSync(join(scratch, 'node_modules'))
    symlinkSync(root, join(scratch, 'node_modules/manystart'))
    expect(commands.length).toBeGreaterThan(8)
    const scripts = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }).scripts
    for (const [, name] of readme.matchAll(/`npm (?:run )?(start|test|bench|check)`|`npm run (\S+)`/g))
      if (name !== undefined) expect(scripts).toHaveProperty([name])
  })

  it.each(commands.filter(c => !(c in elsewhere)))('%s', async command => {
    const outcome = await run(command)
    expect(outcome.code, outcome.stderr).toBe(0)
    expect(outcome.stdout.trim()).not.toBe('')
    outcomes.set(command, outcome)
  })

  it.each(blocks.filter(b => b.note.startsWith('output of: ')))('quotes the $note', ({ note, text }) => {
    const printed = outcomes.get(note.slice('output of: '.length))
    expect(printed, `${note} is not among the commands`).toBeDefined()
    const lines = new Set(printed!.stdout.split('\n').map(squeeze))
    for (const line of text.trimEnd().split('\n')) expect(lines).toContain(squeeze(line))
  })

  it('links to files that are there', () => {
    const paths = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(m => m[1])
    expect(paths.length).toBeGreaterThan(1)
    for (const path of paths) expect(() => readFileSync(join(root, path)), path).not.toThrow()
  })

  it('lists every loss and activation', async () => {
    const { losses, activations } = await import('../src/models/types.js')
    for (const name of [...losses, ...activations]) expect(readme).toContain(`\`${name}\``)
    const { verdicts } = await import('../src/core/result.js')
    for (const name of verdicts) expect(readme).toContain(`| \`${name}\` |`)
  })
})
