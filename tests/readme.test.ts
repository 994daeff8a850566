// Runs every command of README.md, in its order and in one folder, and compares what it prints with what README.md quotes.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { defaultTolerances } from '../src/analysis/cluster.js'
import { mergeFlags } from '../src/cli/flags.js'
import { verdicts } from '../src/core/result.js'
import { thresholds } from '../src/core/thresholds.js'
import { builtins } from '../src/data/builtin.js'
import { engines } from '../src/engines/registry.js'
import { activations, losses } from '../src/models/types.js'
import { optimizers } from '../src/optimizers/registry.js'
import { manystartHere, node, root, scratch, type Outcome } from './cli/helpers.js'

interface Block {
  readonly language: string
  readonly text: string
  /** From the comment before the block: `file: NAME`, `prints: COMMAND` or `prints, but for the machine: COMMAND`. */
  readonly note: string
}

/** README.md and the pages that it leads to, in the order in which they are read. */
const pages = ['README.md', 'docs/guide.md', 'docs/reference.md', 'docs/engines.md', 'docs/speed.md']
const texts = pages.map(page => readFileSync(join(root, page), 'utf8'))
const readme = texts.join('\n')
const blocks: Block[] = [...readme.matchAll(/(?:<!-- (.*?) -->\n\n)?```(\w*)\n([\s\S]*?)```/g)].map(m => ({
  note: m[1] ?? '',
  language: m[2],
  text: m[3]
}))
const commands = blocks.filter(b => b.language === 'sh').flatMap(b => b.text.trim().split('\n'))
const quoted = blocks.flatMap(({ note, text }) => {
  const found = /^prints(, but for the machine)?: (.*)$/.exec(note)
  return found ? [{ command: found[2], exact: found[1] === undefined, text }] : []
})
const squeeze = (line: string): string => line.trim().replaceAll(/[ -]{2,}/g, ' ')

/** Commands that are not run here, with the reason. */
const elsewhere: Readonly<Record<string, string>> = {
  'npm test': 'it is what runs this test',
  'npx manystart bench': 'it takes two minutes; tests/cli/bench.test.ts runs it with --quick',
  'npx manystart bench compare a.json b.json c.json':
    'the results are the reader’s own; tests/cli/bench.test.ts compares some'
}

function run(command: string): Promise<Outcome> {
  const [program, ...words] = command.split(' ')
  if (program === 'npx' && words[0] === 'manystart') return manystartHere(words.slice(1))
  if (program === 'node') return node(words)
  if (command === 'npm start') return node([join(root, 'scripts/bootstrap.mjs'), 'start'], { cwd: root })
  throw new Error(`README.md has a command that this test cannot run: ${command}`)
}

/** Rows of the contrast that are the same on every processor: counts of minima, certified losses, convexity. */
const everywhere = /^(distinct minima|training accuracy|runs as good as the best) /

/**
 * A line without what another processor changes: its name, speeds, counts of steps, and the last run or two of a basin, which
 * rounding may send to the next one. Ranges and single values look the same.
 */
const bare = (text: string): string =>
  text
    // A directory that is there already gets a number.
    .replaceAll(/manystart-contrast-\d+/g, 'manystart-contrast')
    // Names of processors have parentheses of their own, and may take two lines.
    .replaceAll(/on (cpu|reference) \([^]*?threads?\)/g, 'on an engine')
    .replaceAll(/\bon (cpu|reference)\b/g, 'on an engine')
    .replaceAll(/-?\d[\d.]*(e-?\d+)?( [kM])?\b/g, '#')
    .replaceAll(/# \[#, #\]/g, '#')
    .replaceAll(/[\s-]+/g, ' ')

const outcomes = new Map<string, Outcome>()
const printed = (command: string): string => {
  const outcome = outcomes.get(command)
  expect(outcome, `${command} is not among the commands`).toBeDefined()
  return outcome!.stdout
}

describe('README.md', () => {
  it('has its files written as given', () => {
    for (const block of blocks) {
      const name = /^file: (.*)$/.exec(block.note)?.[1]
      if (name !== undefined) writeFileSync(join(scratch, name), block.text)
    }
    mkdirSync(join(scratch, 'node_modules'))
    symlinkSync(root, join(scratch, 'node_modules/manystart'))
    expect(commands.length).toBeGreaterThan(8)
    expect(quoted.length).toBeGreaterThan(4)
  })

  it.each(commands.filter(c => !(c in elsewhere)))('%s', async command => {
    const outcome = await run(command)
    expect(outcome.code, outcome.stderr).toBe(0)
    expect(outcome.stdout.trim()).not.toBe('')
    outcomes.set(command, outcome)
  })

  it.each(quoted.filter(q => q.exact))('quotes what $command prints', ({ command, text }) => {
    const lines = new Set(printed(command).split('\n').map(squeeze))
    for (const line of text.trimEnd().split('\n')) expect(lines).toContain(squeeze(line))
  })

  it.each(quoted.filter(q => !q.exact))('quotes what $command prints, but for the machine', ({ command, text }) => {
    const output = printed(command)
    expect(bare(output)).toContain(bare(text.trim()))
    const lines = new Set(output.split('\n').map(squeeze))
    for (const line of text.split('\n').map(squeeze)) if (everywhere.test(line)) expect(lines).toContain(line)
  })

  it('names only npm scripts and files that are there', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
    const named = [...readme.matchAll(/`npm (?:run (\S+?)|(start|test))`/g)].map(m => m[1] ?? m[2])
    expect(named.length).toBeGreaterThan(1)
    for (const name of named) expect(scripts).toHaveProperty([name])
    pages.forEach((page, i) => {
      const paths = [...texts[i].matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(m => m[1])
      for (const path of paths)
        expect(() => readFileSync(join(root, dirname(page), path)), `${path} in ${page}`).not.toThrow()
    })
  })

  it('links to headings that are there', () => {
    const headings = texts.map(text =>
      [...text.matchAll(/^##+ (.*)$/gm)].map(m =>
        m[1]
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-')
      )
    )
    pages.forEach((page, i) => {
      for (const [, path, anchor] of texts[i].matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)) {
        const target = path === '' ? i : pages.indexOf(join(dirname(page), path))
        expect(headings[target], `${path}#${anchor} in ${page}`).toContain(anchor)
      }
    })
  })

  it('is two screens', () => {
    expect(texts[0].split('\n').length).toBeLessThan(120)
  })
})

describe('tables of README.md', () => {
  const rows = (name: string): string[] => readme.split('\n').filter(line => line.startsWith(`| \`${name}\` |`))

  it('have a row for every loss, verdict, engine and optimiser', () => {
    for (const name of [...losses, ...verdicts, ...engines.map(e => e.name), ...Object.keys(optimizers)])
      expect(rows(name), name).toHaveLength(1)
    for (const [field, names] of [
      ['model.activation', activations],
      ['data.builtin', Object.keys(builtins)]
    ] as const) {
      const [row] = rows(field)
      for (const name of names) expect(row).toMatch(new RegExp(`[ ,]${name}[ ,]`))
    }
  })

  it('give the defaults of the optimisers', () => {
    for (const { name, options, steps } of Object.values(optimizers)) {
      const [row] = rows(name)
      expect(row).toContain(`| ${String(steps).replace('10000', '10 000')} |`)
      for (const [option, { default: value }] of Object.entries(options))
        expect(row).toContain(`\`${option}\` ${String(value)}`)
    }
  })

  it('give the thresholds', () => {
    const powers: Readonly<Record<string, string>> = { [2 ** -33]: '2⁻³³', [2 ** -30]: '2⁻³⁰' }
    for (const [name, value] of Object.entries({ ...thresholds, ...defaultTolerances })) {
      const row = readme.split('\n').find(line => line.startsWith('|') && line.split('|')[1].includes(`\`${name}\``))
      expect(row, name).toBeDefined()
      expect(row).toContain(
        powers[value] ?? String(value).replace('1e-06', '1e-6').replace('0.000001', '1e-6').replace('0.00001', '1e-5')
      )
    }
  })

  it('name flags and fields that exist', async () => {
    const help = (await manystartHere(['contrast', '--help'])).stdout
    const table = readme.slice(readme.indexOf('## Fields and flags'), readme.indexOf('## Losses'))
    const others = await Promise.all(
      ['study', 'variance', 'compare', 'export'].map(command => manystartHere([command, '--help']))
    )
    const all = help + others.map(outcome => outcome.stdout).join('')
    for (const [, flag] of table.matchAll(/`--(?:no-)?([a-z0-9-]+)/g)) expect(all, flag).toContain(`--${flag}`)
    const flagged = [...help.matchAll(/^ {2}--([a-z0-9-]+)/gm)].map(m => m[1])
    const options = Object.values(optimizers).flatMap(o => Object.keys(o.options))
    const optional = [...options, 'batchSize', 'order'].map(n => n.replaceAll(/[A-Z]/g, c => `-${c.toLowerCase()}`))
    const told = flagged.filter(flag => !['help', 'version', ...optional].includes(flag))
    expect(told.length).toBeGreaterThan(20)
    for (const flag of told) expect(table, flag).toMatch(new RegExp(`--(no-)?${flag}\\b`))
    // A flag of each group lands in the field beside it.
    const merged = mergeFlags(
      {},
      { data: 'iris2', hidden: '5,3', 'penalize-bias': true, starts: '10', gradient: '1e-6' }
    )
    expect(merged).toMatchObject({
      data: { builtin: 'iris2' },
      model: { hidden: [5, 3], penalizeBias: true },
      starts: { count: 10 },
      stop: { gradient: 1e-6 }
    })
  })
})

it('npm start takes flags of the contrast', async () => {
  const flags = ['--data', 'xor', '--starts', '5', '--quiet', '--out', join(scratch, 'xor')]
  const { code, stdout, stderr } = await node([join(root, 'scripts/bootstrap.mjs'), 'start', ...flags], { cwd: root })
  expect(code, stderr).toBe(0)
  expect(stderr).toContain('manystart contrast --data xor')
  expect(stdout).toMatch(/ties decide/)
})
