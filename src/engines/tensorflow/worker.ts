/** The child process of the engine: loads one TF.js package, holds its problems, and answers messages (protocol.ts). */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { deviceOf, type Device, type TF } from './device.js'
import { LocalObjective } from './objective.js'
import type { DeviceName, Loaded } from './packages.js'
import { blocksAhead, type Answers, type FromChild, type ToChild } from './protocol.js'
import { timeKernel, timeSteps } from './timer.js'

let device: Device | undefined
const objectives = new Map<number, LocalObjective>()
let objectiveNumber = 0
/** Runs under way, by the number of the question. */
const running = new Map<number, { readonly abort: AbortController; room: number; wake?: () => void }>()

const send = (message: FromChild): void => {
  process.send?.(message)
}

/** tfjs-node 4 calls two functions of node:util that Node 23 removed. */
function mendUtil(require: NodeJS.Require): void {
  const util = require('node:util') as Record<string, unknown>
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined
  util['isArray'] ??= Array.isArray
}

interface Versions {
  readonly version: string
}
interface WasmPackage {
  setWasmPaths(folder: string): void
}
interface NativeParts {
  readonly isUsingGpuDevice?: boolean
  readonly binding?: { readonly TF_Version?: string }
}

async function open(name: DeviceName, folder: string): Promise<Loaded> {
  const require = createRequire(join(folder, 'package.json'))
  mendUtil(require)
  const { version } = require(join(folder, 'package.json')) as Versions
  if (name === 'wasm') {
    const tf = require('@tensorflow/tfjs-core') as TF
    const wasm = require(folder) as WasmPackage
    wasm.setWasmPaths(`${dirname(require.resolve(folder))}/`)
    if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend does not start')
    await tf.ready()
    device = deviceOf(tf)
    return { version, gpu: false }
  }
  const tf = require(folder) as TF
  await tf.ready()
  if (tf.getBackend() !== 'tensorflow')
    throw new Error(`it offers the backend ${tf.getBackend()} instead of tensorflow`)
  const { isUsingGpuDevice, binding } = tf.backend() as unknown as NativeParts
  device = deviceOf(tf)
  return { version, library: binding?.TF_Version ?? 'of unknown version', gpu: isUsingGpuDevice === true }
}

function find(number: number): LocalObjective {
  const objective = objectives.get(number)
  if (!objective) throw new Error('this objective has been disposed of')
  return objective
}

async function answer(message: ToChild): Promise<Answers[keyof Answers]> {
  switch (message.kind) {
    case 'open':
      return open(message.device, message.folder)
    case 'prepare': {
      if (!device) throw new Error('no package is open')
      objectives.set(++objectiveNumber, new LocalObjective(device, message.problem))
      return objectiveNumber
    }
    case 'release': {
      const objective = objectives.get(message.objective)
      objectives.delete(message.objective)
      objective?.dispose()
      return null
    }
    case 'evaluate':
      return find(message.objective).evaluate(message.theta, message.needs)
    case 'score':
      return find(message.objective).score(message.theta, message.data)
    case 'time':
      return timeKernel(find(message.objective), message.what, message.theta, message.repeats)
    case 'timeSteps':
      return timeSteps(find(message.objective), message.program, message.theta, message.repeats)
    case 'minimise': {
      const { id } = message
      const run = { abort: new AbortController(), room: blocksAhead }
      const state: { abort: AbortController; room: number; wake?: () => void } = run
      running.set(id, state)
      try {
        const occupancy = { busy: 0, all: 0 }
        const request = {
          ...message.request,
          signal: run.abort.signal,
          onOccupancy: (busy: number, all: number) => Object.assign(occupancy, { busy, all })
        }
        for await (const block of find(message.objective).minimise(request)) {
          while (state.room === 0 && !run.abort.signal.aborted)
            await new Promise<void>(resolve => {
              state.wake = resolve
            })
          if (run.abort.signal.aborted) break
          state.room--
          send({ kind: 'block', id, block })
        }
        return occupancy
      } finally {
        running.delete(id)
      }
    }
    default:
      throw new Error(`unknown message ${message.kind}`)
  }
}

process.on('message', (message: ToChild) => {
  const { id } = message
  if (message.kind === 'taken' || message.kind === 'abort') {
    const run = running.get(id)
    if (!run) return
    if (message.kind === 'abort') run.abort.abort()
    else run.room++
    run.wake?.()
    return
  }
  answer(message).then(
    value => send({ kind: 'answer', id, value }),
    (error: unknown) => {
      const { name, message: text } = error instanceof Error ? error : new Error(String(error))
      send({ kind: 'error', id, name, message: text })
    }
  )
})
process.on('disconnect', () => process.exit(0))
