/** The program's end of the child process: questions and answers, blocks of runs, and what TensorFlow wrote to its error stream. */
import { fork, type ChildProcess } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InputError, WorkError } from '../../core/errors.js'
import type { RunBlock } from '../types.js'
import type { Answers, Ask, FromChild, PlainRequest, ToChild } from './protocol.js'

interface Pending {
  resolve(value: Answers[keyof Answers]): void
  reject(error: Error): void
  onBlock?(block: RunBlock): void
}

const here = fileURLToPath(import.meta.url)
/** Enough of the error stream to find the names of missing files in. */
const logLength = 8192

/** From src/ the TypeScript file runs through vite-node, as the tests do; from dist/ plain Node runs what was compiled. */
function worker(): { file: string; arguments: string[] } {
  const file = join(dirname(here), `worker${extname(here)}`)
  if (extname(here) === '.js') return { file, arguments: [] }
  const require = createRequire(import.meta.url)
  return { file: join(dirname(require.resolve('vite-node/package.json')), 'vite-node.mjs'), arguments: [file] }
}

export class Child {
  private readonly process: ChildProcess
  private readonly pending = new Map<number, Pending>()
  private last = 0
  private ended: Error | undefined
  log = ''

  /** @param threads for TensorFlow's operations; default: all cores */
  constructor(threads?: number) {
    const { file, arguments: args } = worker()
    this.process = fork(file, args, {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
      env: {
        ...process.env,
        // Warnings only: they name missing libraries.
        TF_CPP_MIN_LOG_LEVEL: '1',
        ...(threads === undefined ? {} : { TF_NUM_INTRAOP_THREADS: String(threads), TF_NUM_INTEROP_THREADS: '1' })
      }
    })
    this.process.stderr?.on('data', (text: Buffer) => {
      this.log = (this.log + text.toString()).slice(-logLength)
    })
    this.process.on('message', (message: FromChild) => this.receive(message))
    this.process.on('error', error => this.end(error.message))
    this.process.on('exit', (code, signal) => this.end(signal ? `signal ${signal}` : `code ${code}`))
    this.idle()
  }

  private receive(message: FromChild): void {
    const asked = this.pending.get(message.id)
    if (!asked) return
    if (message.kind === 'block') {
      asked.onBlock?.(message.block)
      return
    }
    this.pending.delete(message.id)
    this.idle()
    if (message.kind === 'answer') asked.resolve(message.value)
    else if (message.name === 'InputError') asked.reject(new InputError(message.message))
    else if (message.name === 'WorkError') asked.reject(new WorkError(message.message))
    else asked.reject(new Error(message.message))
  }

  private end(how: string): void {
    const line = this.log.trim().split('\n').at(-1) ?? ''
    this.ended ??= new WorkError(
      `The process that holds TensorFlow ended with ${how}${line ? ` (${line})` : ''}; use --engine cpu.`
    )
    for (const asked of this.pending.values()) asked.reject(this.ended)
    this.pending.clear()
  }

  /** A child that has nothing to do does not keep the program alive. */
  private idle(): void {
    const { channel } = this.process
    const stream = this.process.stderr as { ref?(): void; unref?(): void } | null
    if (this.pending.size === 0) {
      this.process.unref()
      channel?.unref()
      stream?.unref?.()
    } else {
      this.process.ref()
      channel?.ref()
    }
  }

  private post(message: ToChild): void {
    if (this.process.connected) this.process.send(message)
  }

  ask<K extends Ask['kind']>(
    question: Extract<Ask, { kind: K }>,
    onBlock?: (block: RunBlock) => void
  ): { id: number; answer: Promise<Answers[K]> } {
    const id = ++this.last
    const answer = new Promise<Answers[keyof Answers]>((resolve, reject) => {
      if (this.ended) {
        reject(this.ended)
        return
      }
      this.pending.set(id, { resolve, reject, ...(onBlock ? { onBlock } : {}) })
      this.idle()
      this.post({ ...question, id })
    })
    // The kind of the question fixes that of the answer.
    return { id, answer: answer as Promise<Answers[K]> }
  }

  /** Blocks as they come; ends the run in the child when the consumer leaves or the signal fires. */
  async *minimise(
    objective: number,
    request: PlainRequest,
    signal: AbortSignal | undefined,
    onOccupancy: ((busy: number, all: number) => void) | undefined
  ): AsyncIterable<RunBlock> {
    const blocks: RunBlock[] = []
    let wake: (() => void) | undefined
    let end = false
    let failure: Error | undefined
    const { id, answer } = this.ask({ kind: 'minimise', objective, request }, block => {
      blocks.push(block)
      wake?.()
    })
    const finished = answer
      .then(
        ({ busy, all }) => onOccupancy?.(busy, all),
        (error: Error) => {
          failure = error
        }
      )
      .then(() => {
        end = true
        wake?.()
      })
    const abort = (): void => {
      this.post({ kind: 'abort', id })
      blocks.length = 0
      wake?.()
    }
    signal?.addEventListener('abort', abort, { once: true })
    try {
      for (;;) {
        const block = blocks.shift()
        if (block) {
          this.post({ kind: 'taken', id })
          yield block
        } else if (end) {
          if (failure) throw failure
          return
        } else
          await new Promise<void>(resolve => {
            wake = resolve
          })
      }
    } finally {
      signal?.removeEventListener('abort', abort)
      if (!end) {
        abort()
        await finished
      }
    }
  }

  dispose(): void {
    this.ended ??= new WorkError('This engine has been disposed of.')
    if (this.process.connected) this.process.disconnect()
    this.process.kill()
  }
}
