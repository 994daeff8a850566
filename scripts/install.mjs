#!/usr/bin/env node
// Runs where the package is installed: where no addon that came with it loads, one is compiled if there is a compiler. Without one the
// reference engine takes over, and says so when it is used; so nothing here is a failure.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

async function addonLoads() {
  // By its address, for in a clone that has not been built there is nothing to check types against.
  const { loadAddon } = await import(new URL('../dist/engines/cpu/addon.js', import.meta.url).href)
  return 'addon' in loadAddon()
}

function compile() {
  const headers = dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json'))
  const words = ['-C', join(root, 'kernels/cpu'), `-j${availableParallelism()}`, `NODE_API=${join(headers, 'include')}`]
  const { status, error, stderr } = spawnSync('make', words, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] })
  if (status === 0) return
  const why = error ? 'there is no make' : stderr.trim().split('\n').slice(-1)[0]
  console.error(
    `No addon was compiled (${why}), so Manystart uses its reference engine, which is much slower; install g++ and make, then run \`npm rebuild manystart\`.`
  )
}

// A clone is built by its own scripts.
if (!existsSync(join(root, 'src')) && !(await addonLoads())) compile()
