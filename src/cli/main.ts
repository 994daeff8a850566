#!/usr/bin/env node
/** The command-line program as a process: its streams, and an exit code with one sentence for every error. */
import { setFlagsFromString } from 'node:v8'
import { exitCodeOf } from './program.js'

// Optimising code early costs a short program more processor time than it saves: of WebAssembly most of what `check` on a small table took,
// of JavaScript a seventh of a small study. What runs for seconds is still optimised. V8 complains aloud of flags that it does not know, so
// later ones, which may have dropped them, are left as they are.
if (Number(process.versions.v8.split('.')[0]) <= 13) {
  setFlagsFromString('--wasm-tiering-budget=100000000')
  setFlagsFromString('--interrupt-budget=1000000')
}

// A reader that has seen enough and leaves, such as `head`, is no failure, nor is a terminal that closes; the work goes on.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || error.code === 'EIO') return
    if (stream === process.stdout)
      process.stderr.write(`The output cannot be written (${error.code}); free some space.\n`)
    process.exit(1)
  })

const code = await exitCodeOf(process.argv.slice(2))
if (code !== undefined) process.exit(code)
