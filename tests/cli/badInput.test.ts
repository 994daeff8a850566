// Every kind of bad input through the real program: one sentence on stderr that names the place and the remedy, exit code
// 2, nothing on stdout, and nothing left behind.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { csv, expectRefusal, file, freshOut, manystartHere as manystart, scratch } from './helpers.js'

/** Eight rows of two classes that overlap, two plain columns. */
const rows = [
  [0.1, 1.2, 0],
  [0.4, 0.7, 1],
  [0.9, 1.9, 0],
  [1.3, 0.2, 1],
  [1.1, 1.1, 0],
  [0.2, 0.3, 1],
  [0.7, 1.6, 1],
  [0.5, 0.8, 0]
]
const good = csv('good.csv', ['a', 'b', 'y'], rows)
const withColumn = (name: string, values: (row: readonly number[], index: number) => string | number) =>
  csv(
    `${name}.csv`,
    ['a', 'b', 'c', 'y'],
    rows.map((row, i) => [row[0], row[1], values(row, i), row[2]])
  )
const withTarget = (name: string, target: (index: number) => string | number) =>
  csv(
    `${name}.csv`,
    ['a', 'b', 'y'],
    rows.map((row, i) => [row[0], row[1], target(i)])
  )
const studyFile = (name: string, text: string) => file(name, text)

/** What is given after `manystart study --out DIR --starts 10`. */
const cases: readonly { readonly name: string; readonly args: readonly (string | number)[]; readonly says: RegExp }[] =
  [
    {
      name: 'an unknown flag, with the nearest one',
      args: ['--data', good, '--target', 'y', '--hiden', 3],
      says: /hiden.*hidden/
    },
    {
      name: 'an unknown field of a part, with the nearest one',
      args: [studyFile('field.yaml', `data: {csv: ${good}, target: y}\nmodel: {hiden: [3]}\n`)],
      says: /hiden.*model.*field\.yaml.*hidden/
    },
    {
      name: 'an unknown field at the top, with the nearest one',
      args: [studyFile('top.yaml', `data: {csv: ${good}, target: y}\noptimiser: newton\n`)],
      says: /optimiser.*top\.yaml.*optimizer/
    },
    {
      name: 'a value of the wrong kind',
      args: [studyFile('kind.yaml', `data: {csv: ${good}, target: y}\nmodel: {ridge: much}\n`)],
      says: /model\.ridge.*kind\.yaml.*much/
    },
    {
      name: 'a file that is no YAML',
      args: [studyFile('broken.yaml', 'data: {csv: [\n')],
      says: /broken\.yaml/
    },
    {
      name: 'a study file that is not there',
      args: [join(scratch, 'absent.yaml')],
      says: /absent\.yaml/
    },
    {
      name: 'a data file that is not there',
      args: ['--data', join(scratch, 'nowhere.csv'), '--target', 'y'],
      says: /nowhere\.csv.*iris2/
    },
    {
      name: 'a target column that is not there, with the nearest one',
      args: [
        '--data',
        csv(
          'spell.csv',
          ['a', 'outcome'],
          [
            [1, 0],
            [2, 1],
            [3, 0],
            [4, 1]
          ]
        ),
        '--target',
        'outcom'
      ],
      says: /outcom.*outcome/
    },
    {
      name: 'an unknown loss, with the nearest one',
      args: ['--data', good, '--target', 'y', '--loss', 'logistc'],
      says: /logistc.*logistic/
    },
    {
      name: 'an unknown optimiser, with the nearest one',
      args: ['--data', good, '--target', 'y', '--optimizer', 'newtn'],
      says: /newtn.*newton/
    },
    {
      name: 'an unknown engine, with the nearest one',
      args: ['--data', good, '--target', 'y', '--engine', 'referense'],
      says: /referense.*reference/
    },
    ...['path:x', 'path:1', 'path:', 'path:3:4', 'path:501'].map(ridge => ({
      name: `--ridge ${ridge}`,
      args: ['--data', good, '--target', 'y', '--ridge', ridge],
      says: new RegExp(`--ridge is "${ridge}"; .*whole number of ridges from 2 to 500, such as path:100, or path alone`)
    })),
    { name: 'a number that is none', args: ['--data', good, '--target', 'y', '--ridge', 'big'], says: /ridge.*big/ },
    { name: 'no threads', args: ['--data', good, '--target', 'y', '--threads', 0], says: /threads.*0/ },
    {
      name: 'a missing cell, by row, line and column',
      args: ['--data', withColumn('missing', (_, i) => (i === 4 ? '' : i * i)), '--target', 'y'],
      says: /\bc\b.*row 5.*line 6.*missing\.csv/
    },
    {
      name: 'a missing target, by row and column',
      args: ['--data', withTarget('notarget', i => (i === 2 ? '' : i % 2)), '--target', 'y'],
      says: /\by\b.*row 3.*notarget\.csv/
    },
    {
      name: 'text where a number is due, by row, column and value',
      args: ['--data', withColumn('text', (_, i) => (i === 1 ? 'x1' : i * i)), '--target', 'y', '--numeric', 'c'],
      says: /\bc\b.*"x1".*row 2/
    },
    {
      name: 'a row with too few fields, by line',
      args: ['--data', file('ragged.csv', 'a,b,y\n1,2,0\n1,1\n2,1,1\n'), '--target', 'y'],
      says: /[Ll]ine 3.*ragged\.csv/
    },
    {
      name: 'a constant column',
      args: ['--data', withColumn('constant', () => 7), '--target', 'y'],
      says: /\bc\b.*constant.*features/
    },
    {
      name: 'a duplicated column',
      args: ['--data', withColumn('twins', row => row[1]), '--target', 'y'],
      says: /\bb\b.*\bc\b.*same/
    },
    {
      name: 'more coefficients than rows',
      args: [
        '--data',
        csv(
          'wide.csv',
          ['a', 'b', 'c', 'y'],
          [
            [1, 5, 2, 0],
            [2, 1, 9, 1],
            [3, 4, 4, 0]
          ]
        ),
        '--target',
        'y'
      ],
      says: /3 rows.*4 coefficients.*ridge/
    },
    {
      name: 'a negative count',
      args: ['--data', withTarget('negative', i => (i === 3 ? -2 : i)), '--target', 'y', '--loss', 'poisson'],
      says: /-2.*row 4.*negative/
    },
    {
      name: 'a zero under the gamma loss',
      args: ['--data', withTarget('zero', i => i), '--target', 'y', '--loss', 'gamma'],
      says: /\by\b.*0.*row 1.*positive/
    },
    {
      name: 'three labels under a loss for two',
      args: [
        '--data',
        withTarget('labels', i => ['red', 'green', 'blue'][i % 3]),
        '--target',
        'y',
        '--loss',
        'logistic'
      ],
      says: /3 labels.*blue.*green.*red.*two/
    },
    {
      name: 'one class only',
      args: ['--data', withTarget('single', () => 1), '--target', 'y', '--loss', 'logistic'],
      says: /one class/
    },
    { name: 'no rows', args: ['--data', file('header.csv', 'a,b,y\n'), '--target', 'y'], says: /header\.csv.*no rows/ },
    { name: 'an empty file', args: ['--data', file('empty.csv', ''), '--target', 'y'], says: /empty\.csv.*empty/ },
    {
      name: 'negative weights, by row',
      args: ['--data', withColumn('weights', (_, i) => (i === 5 ? -1 : 1)), '--target', 'y', '--weights', 'c'],
      says: /\bc\b.*-1.*row 6/
    },
    {
      name: 'a text column with a level for almost every row',
      args: ['--data', file('ids.csv', 'id,a,y\nu1,1,0\nu2,3,1\nu3,2,0\nu4,5,1\n'), '--target', 'y'],
      says: /\bid\b.*4 different values in 4 rows.*"u1".*--exclude id/
    },
    {
      name: 'one row, in the singular',
      args: ['--data', file('single-row.csv', 'a,y\n1,2\n'), '--target', 'y', '--loss', 'squared'],
      says: /has 1 row for 2 coefficients/
    },
    {
      name: 'a number out of range, with what is allowed',
      args: ['--data', good, '--target', 'y', '--test-fraction', 2],
      says: /data\.test\.fraction.*is 2; give a number below 1\./
    },
    {
      name: 'no whole number',
      args: [studyFile('half.yaml', `data: {csv: ${good}, target: y}\nstop: {steps: 1.5}\n`)],
      says: /stop\.steps in .*half\.yaml is 1\.5; give a whole number\./
    },
    {
      name: 'a number where a list is due',
      args: [studyFile('list.yaml', `data: {csv: ${good}, target: y}\nmodel: {hidden: 5}\n`)],
      says: /model\.hidden in .* is 5; give a list/
    },
    {
      name: 'two distributions at once, with those that there are',
      args: [studyFile('two.yaml', `data: {csv: ${good}, target: y}\nstarts: {init: {normal: 1, uniform: 2}}\n`)],
      says: /starts\.init .*\{normal: …\}.*\{uniform: …\}.*glorot.*he/
    },
    {
      name: 'an unknown distribution, with the nearest one',
      args: [studyFile('init.yaml', `data: {csv: ${good}, target: y}\nstarts: {init: glorott}\n`)],
      says: /glorott.*did you mean glorot/
    },
    {
      name: 'a misspelt field before the data that it leaves out',
      args: [studyFile('dta.yaml', `dta: {csv: ${good}, target: y}\n`)],
      says: /Unknown field "dta" in .*dta\.yaml; did you mean data/
    },
    {
      name: 'an unknown field below a choice, with the nearest one',
      args: [studyFile('frction.yaml', `data: {csv: ${good}, target: y, test: {frction: 0.3}}\n`)],
      says: /frction.*data\.test.*fraction/
    },
    {
      name: 'a name where a mapping is due',
      args: [studyFile('name.yaml', 'data: iris2\n')],
      says: /data in .*name\.yaml is "iris2"; give a mapping, such as \{builtin: iris2\}/
    },
    { name: 'a built-in name in the place of a file', args: ['iris2'], says: /iris2 cannot be read.*--data iris2/ },
    {
      name: 'data named by two flags',
      args: ['--data', good, '--generate', 'rows:10,inputs:1,overlap:0.2'],
      says: /--data and --generate/
    },
    { name: 'generated data in other words', args: ['--generate', 'rows=10'], says: /rows=10.*rows:200/ },
    {
      name: 'a data set named both ways',
      args: [studyFile('both.yaml', `data: {csv: ${good}, builtin: iris2, target: y}\n`)],
      says: /one of csv, .*builtin/
    }
  ]

describe('manystart study refuses', () => {
  it.each(cases)('$name', async ({ args, says }) => {
    const out = freshOut()
    expectRefusal(await manystart(['study', ...args, '--out', out, '--starts', 10]), 2, says)
    expect(existsSync(out)).toBe(false)
    expect(readdirSync(scratch).filter(name => /^manystart-|\.tmp|\.part/.test(name))).toEqual([])
  })
})

describe('other commands refuse', () => {
  it('an unknown command, with the nearest one', async () => {
    expectRefusal(await manystart(['stduy']), 2, /stduy.*study/)
  })
  it('contrast: a data set that is not there', async () => {
    expectRefusal(await manystart(['contrast', '--data', 'iris4', '--out', freshOut()]), 2, /iris4.*iris/)
  })
  it('check: one class only', async () => {
    expectRefusal(await manystart(['check', '--data', join(scratch, 'single.csv'), '--target', 'y']), 2, /one class/)
  })
  it('report: a directory without a study', async () => {
    const empty = join(scratch, 'no-study')
    mkdirSync(empty)
    expectRefusal(await manystart(['report', empty]), 2, /no-study/)
    expect(readdirSync(empty)).toEqual([])
  })
  it('replay: a directory that is not there', async () => {
    expectRefusal(await manystart(['replay', join(scratch, 'gone'), '--start', 0]), 2, /gone/)
  })
})

describe('usage', () => {
  it('of a flag that stands at the end without a value is no failure of the program', async () => {
    expectRefusal(await manystart(['study', '--data']), 2, /--data needs a value/)
  })
  it('of replay without a start names what is missing', async () => {
    expectRefusal(await manystart(['replay', scratch]), 2, /--start is missing/)
  })
  it('of tolerances out of range', async () => {
    const out = freshOut()
    const study = await manystart(['study', '--data', good, '--target', 'y', '--starts', 5, '--quiet', '--out', out])
    expect(study.code, study.stderr).toBe(0)
    expectRefusal(await manystart(['report', out, '--loss-tolerance', 2]), 2, /loss-tolerance is 2/)
    expectRefusal(await manystart(['report', out, '--los-tolerance', 0.1]), 2, /--loss-tolerance/)
  })
})

describe('output directories', () => {
  const study = (out: string, ...more: string[]) =>
    manystart(['study', '--data', good, '--target', 'y', '--starts', 10, '--quiet', '--out', out, ...more])

  it('are not overwritten', async () => {
    const out = freshOut()
    mkdirSync(out)
    writeFileSync(join(out, 'mine.txt'), 'keep')
    expectRefusal(await study(out), 2, /out-\d+.*--force/)
    expect(readdirSync(out)).toEqual(['mine.txt'])
    expect(readFileSync(join(out, 'mine.txt'), 'utf8')).toBe('keep')
  })

  it('of a study are replaced with --force', async () => {
    const out = freshOut()
    const first = await study(out)
    expect(first.code, first.stderr).toBe(0)
    expectRefusal(await study(out), 2, /--force/)
    const again = await study(out, '--force', '--seed', '7')
    expect(again.code, again.stderr).toBe(0)
    const saved = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as { problem: { seed: number } }
    expect(saved.problem.seed).toBe(7)
  })

  it('that cannot be made are refused before any work', async () => {
    // Below a plain file nothing can be made, whoever asks.
    expectRefusal(await study(join(good, 'out')), 2, /good\.csv.out/)
    // Nor in /proc, which denies that the new directory's parent exists.
    if (existsSync('/proc/self')) expectRefusal(await study('/proc/manystart/out'), 2, /\/proc\/manystart\/out/)
  })
})
