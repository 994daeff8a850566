#!/usr/bin/env node
// From a fresh clone to a running program with Node alone: installs what is missing, compiles the TypeScript and the C++
// addon where they are out of date, then starts what was asked for. It prints a line per piece of work it really does;
// what the tools print is shown only when they fail. Usage: node scripts/bootstrap.mjs start|test|build|bench [arguments]

import { spawn, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** The program that `npm run build` makes. */
export const program = join(root, 'dist/cli/main.js')
/** The addon that `make -C kernels/cpu` makes. */
export const addon = join(root, 'kernels/cpu/build/manystart.node')

const oldestNode = 20
const shownLines = 40

/** A failure that one sentence explains; `output` is what the failing tool printed. */
class BuildError extends Error {
  /** @param {string} message @param {string} [output] */
  constructor(message, output = '') {
    super(message)
    this.output = output
  }
}

/** @param {string} line */
const say = line => process.stderr.write(`${line}\n`)

/** The last lines of a tool's output. @param {string} text */
const tail = text => text.trimEnd().split('\n').slice(-shownLines).join('\n')

/**
 * Run a tool quietly.
 * @param {string} command @param {readonly string[]} args
 * @returns {{ ok: boolean, missing: boolean, how: string, output: string }} `how` says how it ended
 */
function runQuietly(command, args) {
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
    // Only npm on Windows, a command script, needs a shell; its arguments are all ours.
    shell: process.platform === 'win32' && command === 'npm'
  })
  const missing = result.error !== undefined && 'code' in result.error && result.error.code === 'ENOENT'
  const how = result.error
    ? result.error.message
    : result.signal
      ? `ended by ${result.signal}`
      : `exit code ${result.status}`
  return { ok: result.status === 0, missing, how, output: `${result.stdout ?? ''}${result.stderr ?? ''}` }
}

/**
 * Time of the last change below the given files and folders, in ms; folders count too, so that a removed file shows.
 * @param {readonly string[]} paths @param {readonly string[]} [skip] names of folders to leave out
 */
function newest(paths, skip = []) {
  let latest = 0
  for (const path of paths) {
    const stats = statSync(path, { throwIfNoEntry: false })
    if (!stats) continue
    latest = Math.max(latest, stats.mtimeMs)
    if (!stats.isDirectory()) continue
    const inside = readdirSync(path).filter(name => !skip.includes(name))
    latest = Math.max(
      latest,
      newest(
        inside.map(name => join(path, name)),
        skip
      )
    )
  }
  return latest
}

// What a build was made from is kept beside it as the time of the newest source: equality, unlike order, also notices a
// source that was edited during the build or replaced by an older one.
/** @param {string} file @param {number} sources */
const madeFrom = (file, sources) => existsSync(file) && readFileSync(file, 'utf8') === String(sources)

/**
 * Whether node_modules holds what package-lock.json asks for. Versions are compared, not times: a checkout touches the
 * lock file without changing it, and that must not need the network.
 */
export function packagesInstalled() {
  const installedFile = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(installedFile)) return false
  /** @typedef {{ packages: Record<string, { version?: string, optional?: boolean, devOptional?: boolean }> }} Lock */
  const wanted = /** @type {Lock} */ (JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')))
  const installed = /** @type {Lock} */ (JSON.parse(readFileSync(installedFile, 'utf8')))
  return Object.entries(wanted.packages).every(([path, entry]) => {
    if (path === '') return true
    const found = installed.packages[path]
    // An optional package may be absent: most are binaries for other platforms.
    if (!found) return entry.optional === true || entry.devOptional === true
    return found.version === entry.version && existsSync(join(root, path, 'package.json'))
  })
}

/** Install the packages of package-lock.json where they are missing. */
export function installPackages() {
  if (packagesInstalled()) return
  say('Installing packages (npm ci) …')
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund']
  const npm = process.env.npm_execpath
  const result = npm?.endsWith('.js') ? runQuietly(process.execPath, [npm, ...args]) : runQuietly('npm', args)
  if (result.ok) return
  if (result.missing) throw new BuildError('npm is not on the PATH: install it (it comes with Node.js) and repeat.')
  throw new BuildError(
    `The packages could not be installed (npm ci: ${result.how}); check the connection to the npm registry and repeat.`,
    result.output
  )
}

/** Packages that are loaded where they are asked for, if at all, and stay as they are: binaries, and a reader of files that most studies have none of. */
const bundledNot = ['webgpu', '@tensorflow/*', 'yaml', 'canvas']

const programSources = () => newest([join(root, 'src'), join(root, 'tsconfig.json'), join(root, 'package-lock.json')])
const programStamp = join(root, 'dist/.made-from')

/** Whether dist/ was made from the sources as they are. */
export const programIsFresh = () => existsSync(program) && madeFrom(programStamp, programSources())

/** Compile src/ to dist/ where it is out of date, and copy the files beside the sources that are no TypeScript. */
export function buildProgram() {
  const sources = programSources()
  if (existsSync(program) && madeFrom(programStamp, sources)) return
  say('Compiling TypeScript …')
  // Made aside and renamed, so that a failed or parallel build never leaves half a program.
  const making = join(root, `dist.${process.pid}`)
  try {
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const result = runQuietly(process.execPath, [compiler, '-p', join(root, 'tsconfig.json'), '--outDir', making])
    if (!result.ok) throw new BuildError(`TypeScript does not compile (tsc: ${result.how}).`, result.output)
    copyAssets(join(root, 'src'), making)
    bundleProgram(making)
    writeFileSync(join(making, '.made-from'), String(sources))
    const dist = join(root, 'dist')
    rmSync(dist, { recursive: true, force: true })
    renameSync(making, dist)
  } finally {
    rmSync(making, { recursive: true, force: true })
  }
}

/**
 * Puts the program's modules, and those of the packages that it loads at once, into a few files: reading four hundred of them took
 * more than a small study. The library, and the processes of engines, keep the modules as they are.
 * @param {string} folder where the modules lie, one a file
 */
function bundleProgram(folder) {
  const { buildSync } = /** @type {typeof import('esbuild')} */ (createRequire(import.meta.url)('esbuild'))
  const { metafile } = buildSync({
    entryPoints: [join(folder, 'cli/main.js')],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: bundledNot,
    alias: { 'node-fetch': join(root, 'scripts/noFetch.mjs') },
    mainFields: ['module', 'main'],
    // Names stay, for what a failure says.
    minifySyntax: true,
    minifyWhitespace: true,
    // Packages in CommonJS ask for modules of Node by `require`.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);"
    },
    outdir: folder,
    // As deep as the modules' own folders, so that what they find relative to themselves stays where it is.
    entryNames: 'cli/[name]',
    chunkNames: 'program/[name]-[hash]',
    allowOverwrite: true,
    legalComments: 'none',
    metafile: true
  })
  const inputs = Object.keys(metafile.inputs)
  const packages = new Set(inputs.flatMap(path => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []))
  const licences = [...packages].sort().map(name => `${name}\n\n${licenceOf(join(root, 'node_modules', name))}`)
  writeFileSync(join(folder, 'program/LICENSES.txt'), licences.join(`\n${'-'.repeat(80)}\n`))
}

/** @param {string} folder of a package */
function licenceOf(folder) {
  const file = readdirSync(folder).find(name => /^licen[cs]e/i.test(name))
  if (file !== undefined) return readFileSync(join(folder, file), 'utf8')
  // Parts of a larger project may leave the text to its repository.
  const { license, author, repository } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  if (typeof license !== 'string')
    throw new BuildError(`The package in ${folder} has no licence that could go with the program.`)
  const holder = author?.name ?? author
  return [license, holder && `Copyright ${holder}`, repository?.url ?? repository].filter(Boolean).join('\n')
}

/** @param {string} from @param {string} to */
function copyAssets(from, to) {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    if (entry.isDirectory()) copyAssets(source, join(to, entry.name))
    else if (!entry.name.endsWith('.ts')) {
      mkdirSync(to, { recursive: true })
      copyFileSync(source, join(to, entry.name))
    }
  }
}

const lost =
  'so Manystart uses its reference engine, which finds the same but is 20 to 40 times slower on two cores and more so on more'

const addonFolder = join(root, 'kernels/cpu')
const layerFolder = join(root, 'kernels/vulkan')
/** What make makes: the addon and, on Linux, the Vulkan layer that tells GPUs of one name apart. */
const made = [addon, ...(process.platform === 'linux' ? [join(layerFolder, 'build/libmanystart_one_gpu.so')] : [])]
const addonSources = () => newest([addonFolder, layerFolder], ['build'])
const addonStamp = join(addonFolder, 'build/.made-from')

/** Whether the addon was made from the sources as they are. */
export const addonIsFresh = () => made.every(file => existsSync(file)) && madeFrom(addonStamp, addonSources())

/**
 * Compile the addon where it is out of date. Everything works without it, so a failure is told, not thrown.
 * @returns {boolean} whether an up-to-date addon is there
 */
export function buildAddon() {
  if (addonIsFresh()) return true
  const compiler = process.env.CXX?.split(' ')[0] || 'g++'
  const missing = ['make', compiler].filter(tool => runQuietly(tool, ['--version']).missing)
  if (missing.length > 0) {
    // An addon from older sources could differ from what the TypeScript side expects.
    rmSync(addon, { force: true })
    say(
      `The C++ addon was not built because ${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not installed, ` +
        `${lost}; ${installHint()} and repeat the command to get it.`
    )
    return false
  }
  say('Compiling the C++ addon …')
  // Made first, so that its own appearance in the folder is part of what the stamp says.
  for (const file of made) mkdirSync(dirname(file), { recursive: true })
  const sources = addonSources()
  const result = runQuietly('make', ['-C', addonFolder, `-j${availableParallelism()}`])
  if (result.ok && made.every(file => existsSync(file))) {
    writeFileSync(addonStamp, String(sources))
    return true
  }
  rmSync(addon, { force: true })
  say(tail(result.output))
  say(
    `The C++ addon could not be compiled (make: ${result.how}, its last lines are above), ${lost}; ` +
      `${installHint()} in a version for C++17 and repeat the command to get it.`
  )
  return false
}

function installHint() {
  if (process.platform === 'darwin') return 'run `xcode-select --install`'
  return 'install g++ and make (Debian and Ubuntu: `apt-get install g++ make`)'
}

/**
 * Hand the terminal to a program and end as it ends.
 * @param {string} script @param {readonly string[]} args
 * @returns {Promise<number>} exit code
 */
function handOver(script, args) {
  const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' })
  // Ctrl-C reaches the child by itself and the child decides how to end; SIGTERM has to be passed on.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)))
  })
}

/**
 * Run benchmarks/*.bench.ts one after the other, or those whose names contain an argument that is no flag; flags go to each.
 * @param {readonly string[]} args @returns {Promise<number>} exit code of the first that fails, else 0
 */
async function benchmarks(args) {
  const names = args.filter(argument => !argument.startsWith('-'))
  const flags = args.filter(argument => argument.startsWith('-'))
  const folder = join(root, 'benchmarks')
  const all = existsSync(folder) ? readdirSync(folder).filter(file => file.endsWith('.bench.ts')) : []
  const chosen = all.filter(file => names.length === 0 || names.some(name => file.includes(name)))
  if (chosen.length === 0)
    throw new BuildError(
      `No benchmark in benchmarks/ has a name with ${names.join(' or ') || '.bench.ts'}; there are: ${all.join(', ') || 'none'}.`
    )
  for (const file of chosen.sort()) {
    const code = await handOver(join(root, 'node_modules/vite-node/vite-node.mjs'), [join(folder, file), ...flags])
    if (code !== 0) return code
  }
  return 0
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0])
  if (major < oldestNode)
    throw new BuildError(
      `Manystart needs Node.js ${oldestNode} or newer and this is ${process.versions.node}: install a newer one and repeat.`
    )
}

/** @param {readonly string[]} argv @returns {Promise<number>} exit code */
async function main([task, ...args]) {
  checkNode()
  if (task !== 'start' && task !== 'test' && task !== 'build' && task !== 'bench') {
    throw new BuildError(`Unknown task "${task ?? ''}": use start, test, build or bench.`)
  }
  installPackages()
  buildProgram()
  buildAddon()
  switch (task) {
    case 'build':
      return 0
    case 'test':
      return handOver(join(root, 'node_modules/vitest/vitest.mjs'), ['run', ...args])
    case 'bench':
      return benchmarks(args)
    case 'start': {
      // `npm start -- study …` runs another command; flags alone belong to the contrast.
      const named = args.some(argument => /^--(data|generate)(=|$)/.test(argument))
      const flags = named ? args : ['--data', 'iris2', ...args]
      const command = args[0] !== undefined && !args[0].startsWith('-') ? args : ['contrast', ...flags]
      say(`Running: manystart ${command.join(' ')}`)
      return handOver(program, command)
    }
  }
}

const direct = process.argv[1] !== undefined && relative(process.argv[1], fileURLToPath(import.meta.url)) === ''
if (direct) {
  try {
    process.exitCode = await main(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    if (error.output) say(tail(error.output))
    say(error.message)
    process.exitCode = 1
  }
}
