#!/usr/bin/env node
// Compiles the addon for the systems that the package brings it for, into prebuilds/SYSTEM/, with the C++ library linked in: for Linux with
// glibc on x64 by g++ and on arm64 by Debian's cross compiler, for Linux with musl on x64 by Zig's compiler. A system whose compiler is
// missing is left out with a sentence; `npm install` then compiles there, or the reference engine takes over.
// Usage: node scripts/prebuild.mjs [--require SYSTEM,...]
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { root } from './bootstrap.mjs'

/**
 * @typedef {object} Target
 * @property {string} system as `systemName` of src/core/prebuilt.ts says it
 * @property {string} compiler
 * @property {string} machine
 * @property {string} out folder of the objects; that of this machine's own addon where they are the same
 * @property {string} [library] links the C++ library in, where the Makefile's own words do not
 */
/** @type {readonly Target[]} */
const targets = [
  { system: 'linux-x64-glibc', compiler: process.env.CXX || 'g++', machine: 'x86_64', out: 'build' },
  {
    system: 'linux-x64-musl',
    compiler: 'zig c++ -target x86_64-linux-musl',
    machine: 'x86_64',
    out: 'build/linux-x64-musl',
    library: ''
  },
  {
    system: 'linux-arm64-glibc',
    compiler: 'aarch64-linux-gnu-g++',
    machine: 'aarch64',
    out: 'build/linux-arm64-glibc'
  }
]

const kernels = join(root, 'kernels/cpu')
/** @param {string} compiler */
const isInstalled = compiler => spawnSync('which', [compiler.split(' ')[0]], { stdio: 'ignore' }).status === 0

/** Whether a target was made. @param {Target} target */
function make({ system, compiler, machine, out, library }) {
  // The first is this machine's own compiler; the others are for their system wherever they run.
  const own = system !== 'linux-x64-glibc' || process.arch === 'x64'
  if (!own || !isInstalled(compiler)) {
    console.error(
      `${system} is left out: ${own ? `${compiler.split(' ')[0]} is not installed` : `this is ${process.arch}`}.`
    )
    return false
  }
  const words = [
    '-C',
    kernels,
    `-j${availableParallelism()}`,
    `OUT=${out}`,
    `CXX=${compiler}`,
    `MACHINE=${machine}`,
    ...(library === undefined ? [] : [`LIBRARY=${library}`]),
    `${out}/portable.node`,
    `../vulkan/${out}/libmanystart_one_gpu.so`
  ]
  const { status, stderr } = spawnSync('make', words, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] })
  if (status !== 0) {
    console.error(`${system} could not be compiled:\n${stderr.split('\n').slice(-20).join('\n')}`)
    return false
  }
  const folder = join(root, 'prebuilds', system)
  mkdirSync(folder, { recursive: true })
  copyFileSync(join(kernels, out, 'portable.node'), join(folder, 'manystart.node'))
  for (const name of ['libmanystart_one_gpu.so', 'one_gpu.json'])
    copyFileSync(join(root, 'kernels/vulkan', out, name), join(folder, name))
  console.error(`${system}: made`)
  return true
}

if (process.platform !== 'linux' && !existsSync(join(root, 'prebuilds')))
  console.error('Addons for other systems are compiled on Linux; this package compiles where it is installed.')
rmSync(join(root, 'prebuilds'), { recursive: true, force: true })
const at = process.argv.indexOf('--require')
const required = at < 0 ? [] : (process.argv[at + 1] ?? '').split(',')
const made = process.platform === 'linux' ? targets.filter(make).map(target => target.system) : []
const missing = required.filter(system => !made.includes(system))
if (missing.length > 0) {
  console.error(`Not made, though required: ${missing.join(', ')}.`)
  process.exitCode = 1
}
