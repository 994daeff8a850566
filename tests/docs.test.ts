// What the project says of itself beside the pages whose commands readme.test.ts runs: lists of files, examples, the citation.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { manystart, node, root, type Outcome } from './cli/helpers.js'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** What a list of CONTRIBUTING.md may name for something new: a file of this name is already there for another one. */
const standIns: Readonly<Record<string, string>> = {
  'src/models/losses/NAME.ts': 'src/models/losses/logistic.ts',
  'src/optimizers/NAME.ts': 'src/optimizers/adam.ts',
  'src/engines/NAME/index.ts': 'src/engines/cpu/index.ts',
  'src/report/charts/NAME.ts': 'src/report/charts/shares.ts',
  'src/cli/commands/NAME.ts': 'src/cli/commands/check.ts'
}

describe('CONTRIBUTING.md', () => {
  const text = read('CONTRIBUTING.md')
  const lists = text.split(/^## Add an? /m).slice(1)

  it('has a list for everything that is added', () => {
    expect(lists.map(list => list.split('\n')[0])).toEqual([
      'loss',
      'activation',
      'optimiser',
      'engine',
      'verdict',
      'chart',
      'command'
    ])
  })

  it.each(lists)('names files that are there: %s', list => {
    const paths = [...list.matchAll(/`([\w./-]+\/[\w./-]+)`/g)].map(m => m[1])
    expect(paths.length).toBeGreaterThan(1)
    for (const path of paths) expect(existsSync(join(root, standIns[path] ?? path)), path).toBe(true)
  })

  it('names every kernel that tells losses or activations apart', () => {
    const files = (folder: string, end: RegExp) =>
      readdirSync(join(root, folder))
        .filter(file => end.test(file))
        .map(file => `${folder}/${file}`)
    const own = [...files('kernels/webgpu', /\.wgsl$/), ...files('src/engines/tensorflow', /\.ts$/)]
    // One loss and one activation that no file mentions by chance.
    for (const [kind, word] of [
      ['loss', /\bcloglog\b/],
      ['activation', /\bsoftplus\b/]
    ] as const) {
      const list = lists.find(l => l.startsWith(kind))!
      for (const file of own.filter(f => word.test(read(f)) && !/special|losses\.ts$|loss\.wgsl$/.test(f)))
        expect(list, `${file} tells ${kind} from ${kind}`).toContain(file)
    }
  })
})

it('docs/ARCHITECTURE.md has a row for every part of src/', () => {
  const text = read('docs/ARCHITECTURE.md')
  for (const entry of readdirSync(join(root, 'src'), { withFileTypes: true }))
    if (entry.isDirectory()) expect(text).toContain(`| \`src/${entry.name}\` |`)
  for (const [, link] of text.matchAll(/\]\(([^)#]+)\)/g)) expect(existsSync(join(root, 'docs', link)), link).toBe(true)
})

it('CITATION.cff gives the version of the package', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string }
  expect(read('CITATION.cff')).toContain(`\nversion: ${version}\n`)
})

describe('study files of the examples', () => {
  const files = readdirSync(join(root, 'examples')).filter(file => file.endsWith('.yaml'))
  /** What there is to look at. */
  const shown: Readonly<Record<string, readonly RegExp[]>> = {
    'lizards.yaml': [
      // McCullagh and Nelder (1989), section 4.6.
      /height>=5ft +1\.12999/,
      /diameter>2in +-0\.762634/,
      /deviance 14\.2046 on 17/,
      /All 1000 runs ended at one point.* proved to be the only minimiser/
    ],
    // R's glm on MASS::birthwt: coefficients, deviance, AIC.
    'birth-weights.yaml': [
      /raceblack +1\.26322 +0\.5265 +2\.399 +0\.0164/,
      /hypertension +1\.83370 +0\.6918/,
      /deviance 201\.427 on 180.*AIC 219\.427/
    ],
    'infertility.yaml': [/least loss of rows held out in 10 folds/],
    'hauck-donner.yaml': [/Hauck-Donner effect, strong, on treated.* likelihood ratio is 142/],
    'firth.yaml': [/diaphragm +3\.55936/, /1\.228 to 8\.482/]
  }

  it('are all in the list, and each has something to look at', () => {
    const listed = [...read('examples/README.md').matchAll(/\]\(([\w-]+\.yaml)\)/g)].map(m => m[1])
    expect([...listed].sort()).toEqual([...files].sort())
    expect(Object.keys(shown).sort()).toEqual([...files].sort())
  })

  it.each(files)('%s', async file => {
    const { code, stdout } = await manystart(['study', `examples/${file}`, '--quiet'], { cwd: root })
    expect(code).toBe(0)
    const text = stdout.replaceAll(/\s*\n\s*/g, ' ')
    for (const part of shown[file]) expect(text).toMatch(part)
    expect(stdout).not.toMatch(/NaN|undefined|\[object/)
  })
})

describe('examples', () => {
  const outcomes = new Map<string, Promise<Outcome>>()
  const run = (file: string): Promise<Outcome> => {
    const outcome = outcomes.get(file) ?? node([join(root, 'examples', file)], { cwd: root })
    outcomes.set(file, outcome)
    return outcome
  }
  const files = readdirSync(join(root, 'examples')).filter(file => file.endsWith('.mjs'))

  it('are all in the list, and the list names no other', () => {
    const listed = [...read('examples/README.md').matchAll(/\]\(([\w-]+\.mjs)\)/g)].map(m => m[1])
    expect([...listed].sort()).toEqual([...files].sort())
  })

  it.each(files)('%s', async file => {
    const { code, stdout, stderr } = await run(file)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(stdout.trim()).not.toMatch(/NaN|undefined|\[object/)
    expect(stdout.trim().split('\n').length).toBeGreaterThan(2)
  })

  it('Breiman’s networks have many minima, of errors within a few standard errors of each other, and different pictures', async () => {
    const { stdout } = await run('breiman.mjs')
    const [, minima, low, high] = /(\d+) distinct minima, errors on test rows ([\d.]+) to ([\d.]+) %/
      .exec(stdout)!
      .map(Number)
    const [, sampling] = /is ([\d.]+) %/.exec(stdout)!.map(Number)
    expect(minima).toBeGreaterThanOrEqual(20)
    expect(high - low).toBeLessThanOrEqual(4 * sampling)
    expect(/matter: (.*)/.exec(stdout)![1].split(', ').length).toBeGreaterThanOrEqual(3)
  })
})
