// What the program says of itself: help at any width, unknown commands and flags, completion, and that none of it loads what it
// does not need.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { flagsOf } from '../../src/cli/command.js'
import { commands } from '../../src/cli/commands.js'
import { commandHelp, guide, programHelp } from '../../src/cli/help.js'
import { colourful, widthOf } from '../../src/cli/terminal.js'
import { closeName } from '../../src/core/names.js'
import { synonyms } from '../../src/core/synonyms.js'
import { expectRefusal, freshOut, manystartHere as manystart, root } from './helpers.js'

const widths = [40, 60, 80, 120]
const names = Object.keys(commands)

/** Words of a text without the spaces and line ends between them, nor the ends of lines that a shell joins. */
const wordsOf = (text: string) => text.split(/\s+/).filter(word => word !== '' && word !== '\\')

describe('help', () => {
  it.each(widths)('fits %i columns and cuts no word', async width => {
    const texts: ((w: number) => string)[] = [guide, w => programHelp(commands, w)]
    for (const [name, entry] of Object.entries(commands)) {
      const command = await entry.load()
      texts.push(w => commandHelp(name, entry.describe, command, w))
      for (const [word, sub] of Object.entries(command.commands ?? {}))
        texts.push(w => commandHelp(`${name} ${word}`, sub.describe, sub, w))
    }
    for (const text of texts) {
      const whole = wordsOf(text(1000))
      // The same words whatever the width; the values of a flag may be wider than the narrowest terminals.
      expect(wordsOf(text(width))).toEqual(whole)
      for (const line of text(width).split('\n'))
        if (width > 40 || !/^ {2}--|^ +eval /.test(line)) expect(line.length, line).toBeLessThanOrEqual(width)
    }
  })

  it('lists every command, and every flag of each', async () => {
    const listed = programHelp(commands, 80)
    for (const [name, entry] of Object.entries(commands)) {
      expect(listed).toContain(`  ${name} `)
      const command = await entry.load()
      const text = commandHelp(name, entry.describe, command, 80)
      for (const [flag, { describe: what }] of Object.entries(flagsOf(command))) {
        expect(text).toContain(`  --${flag}`)
        expect(what, flag).toMatch(/\w/)
      }
    }
  })

  it.each([
    [['--help'], /Usage: manystart <command>/],
    [['-h'], /Usage: manystart <command>/],
    [['help'], /Usage: manystart <command>/],
    [['help', 'study'], /Usage: manystart study \[config\]/],
    [['study', '--help'], /Usage: manystart study \[config\]/],
    [['bench', '-h'], /kernels.*convergence.*compare/s],
    [['bench', 'compare', '--help'], /--fail-above/],
    [[], /Try:\s+manystart contrast --data iris2/],
    [['--version'], /^\d+\.\d+\.\d+\n$/]
  ])('%j answers on stdout', async (args, says) => {
    const { code, stdout, stderr } = await manystart(args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(says)
  })

  it('follows COLUMNS where no terminal tells its width', async () => {
    const { stdout } = await manystart(['study', '--help'], { env: { COLUMNS: '60' } })
    expect(Math.max(...stdout.split('\n').map(line => line.length))).toBeLessThanOrEqual(60)
    expect(widthOf({ isTTY: true, columns: 93 }, { COLUMNS: '60' })).toBe(93)
    expect(widthOf({}, {})).toBe(80)
    expect([widthOf({ isTTY: true, columns: 9 }, {}), widthOf({ isTTY: true, columns: 900 }, {})]).toEqual([40, 120])
  })
})

it('is in colour on a terminal only, and not under NO_COLOR', () => {
  expect(colourful({ isTTY: true }, {})).toBe(true)
  expect(colourful({ isTTY: true }, { NO_COLOR: '1' })).toBe(false)
  expect(colourful({ isTTY: true }, { TERM: 'dumb' })).toBe(false)
  expect(colourful({}, {})).toBe(false)
})

describe('what is not known', () => {
  it.each([
    [['studdy', '--data', 'x'], /Unknown command "studdy".*did you mean study\?/],
    [['fit', '--data', 'x'], /Unknown command "fit".*did you mean study\?/],
    [['bench', 'kernel'], /Unknown command "kernel" of `manystart bench`.*did you mean kernels\?/],
    [['study', '--data', 'iris2', '--start', '100'], /Unknown flag --start .*did you mean --starts\?/],
    [['study', '--data', 'iris2', '--max-iter', '9'], /Unknown flag --max-iter .*did you mean --steps\?/],
    [['check', '--data', 'iris2', '--kernel', 'x'], /no flag --kernel, though `bench` has/],
    [['study', '--data', 'iris2', '-x'], /Unknown flag -x /],
    [['study', '--data', 'iris2', '--loss', 'binomial'], /"binomial".*did you mean logistic\?/],
    [['study', '--data', 'iris2', '--activation', 'relu6'], /"relu6".*did you mean relu\?/],
    [['study', 'a', 'b'], /"b" is one word too many/],
    [['study', '--data'], /--data needs a value/],
    [['replay'], /needs a directory/],
    [['replay', 'x'], /--start is missing/]
  ])('%j says what was meant', async (args, says) => {
    expectRefusal(await manystart(args), 2, says)
  })
})

it('every synonym stands for names that there are', async () => {
  const known = new Set(names)
  for (const entry of Object.values(commands)) {
    const command = await entry.load()
    for (const part of [command, ...Object.values(command.commands ?? {})])
      for (const [flag, { describe: what = '' }] of Object.entries(flagsOf(part)))
        for (const word of [flag, ...what.split(/[^\w-]+/)]) known.add(word)
  }
  // Fields of a study file whose flags are spelt with a hyphen, and names of planned commands.
  for (const word of ['learningRate', 'normal', 'objective', 'exclude', 'compare']) known.add(word)
  for (const [word, meanings] of Object.entries(synonyms)) {
    expect(
      meanings.filter(m => !known.has(m)),
      word
    ).toEqual([])
    expect(closeName(word, meanings)).toBe(meanings[0])
  }
})

describe('completion', () => {
  const complete = async (line: string) => {
    const { stdout } = await manystart(['completion', 'bash'])
    const words = line.split(' ')
    const script = `${stdout}\nCOMP_WORDS=(${words.map(w => `'${w}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _manystart; printf '%s\\n' "\${COMPREPLY[@]}"`
    return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n')
  }
  it('of bash offers commands, flags and values', async () => {
    expect(await complete('manystart con')).toEqual(['contrast'])
    expect(await complete('manystart study --star')).toEqual(['--starts', '--starts-file'])
    expect(await complete('manystart study --loss p')).toEqual(['probit', 'poisson'])
    expect(await complete('manystart bench co')).toEqual(['convergence', 'compare'])
  })
  it.each(['bash', 'zsh', 'fish'])('for %s names every command', async shell => {
    const { stdout, code } = await manystart(['completion', shell])
    expect(code).toBe(0)
    for (const name of names) expect(stdout).toContain(name)
  })
  it('for another shell is refused', async () =>
    expectRefusal(await manystart(['completion', 'tcsh']), 2, /"tcsh".*bash/))
})

/** What a file loads before it runs: static imports of values, followed. */
function loads(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest)
  for (const node of source.statements) {
    if (!ts.isImportDeclaration(node) && !ts.isExportDeclaration(node)) continue
    const typesOnly = ts.isImportDeclaration(node) ? node.importClause?.isTypeOnly : node.isTypeOnly
    if (typesOnly || !node.moduleSpecifier || !ts.isStringLiteral(node.moduleSpecifier)) continue
    const name = node.moduleSpecifier.text
    if (name.startsWith('.')) loads(relative(root, resolve(root, dirname(file), name)).replace(/\.js$/, '.ts'), seen)
    else seen.add(name)
  }
  return seen
}

describe('start-up', () => {
  it('to tell the version or list the commands loads no command and no large package', () => {
    const loaded = [...loads('src/cli/main.ts')]
    expect(loaded.filter(file => /^src\/(?!cli\/|core\/)|^src\/cli\/commands\//.test(file))).toEqual([])
    expect(loaded.filter(file => !/^src|^node:/.test(file))).toEqual(['fastest-levenshtein'])
  })
})

describe('report --tables', () => {
  it('prints every table of a contrast as Markdown or CSV, and draws no page', async () => {
    const out = freshOut()
    const data = ['--data', 'iris2', '--starts', 6, '--quiet']
    expect((await manystart(['contrast', ...data, '--out', out])).code).toBe(0)
    rmSync(join(out, 'report.html'))
    const markdown = await manystart(['report', out, '--tables', 'markdown'])
    expect(markdown.stdout).toMatch(/^### Models side by side\n\n\|\s+\| logistic regression \|.*\n\|---\|---:\|/)
    const sheet = await manystart(['report', out, '--tables', 'csv'])
    expect(sheet.stdout).toMatch(/^# Models side by side\r\n,logistic regression,.*\r\ndistinct minima,1,/)
    expect(sheet.stdout).toContain('# Thresholds\r\n')
    expect(existsSync(join(out, 'report.html'))).toBe(false)
    expectRefusal(await manystart(['report', out, '--tables', 'xls']), 2, /"xls".*markdown, csv/)
  })
})
