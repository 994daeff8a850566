#!/usr/bin/env node
/** The command-line program as a process: its streams, and an exit code with one sentence for every error. */
import module from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { exitCodeOf } from './program.js'

/** What asks V8 to optimise JavaScript later than it does by itself, by the V8 of the Node releases with long support: 20, 22 and 24. */
const optimiseLater: Readonly<Record<string, readonly string[]>> = {
  '11.3': ['--interrupt-budget=1000000'],
  '12.4': ['--invocation-count-for-maglev=3000', '--invocation-count-for-turbofan=20000'],
  '13.6': ['--invocation-count-for-maglev=3000', '--invocation-count-for-turbofan=20000']
}

// Optimising code early costs a short program more processor time than it saves: of WebAssembly most of what `check` on a small table took,
// of JavaScript a seventh of a small study. What runs for seconds is still optimised. V8 complains aloud of flags that it does not know, so
// other versions are left as they are.
const later = optimiseLater[process.versions.v8.split('.').slice(0, 2).join('.')]
if (later) for (const flag of ['--wasm-tiering-budget=100000000', ...later]) setFlagsFromString(flag)

// Node 22 and later keep compiled code from one run of the program to the next, in the system's temporary directory: a tenth of a small
// study. Where nothing can be kept, they go on without.
;(module as { readonly enableCompileCache?: () => unknown }).enableCompileCache?.()

// A reader that has seen enough and leaves, such as `head`, is no failure, nor is a terminal that closes; the work goes on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || error.code === 'EIO') return
  process.stderr.write(`The output cannot be written (${error.code}); free some space.\n`)
  process.exit(1)
})
// What is said beside the result may be lost, as where a full disk holds the log; the result may not.
process.stderr.on('error', () => undefined)

const code = await exitCodeOf(process.argv.slice(2))
if (code !== undefined) process.exit(code)
