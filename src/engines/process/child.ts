/**
 * The program's end of a child process that holds an engine's device: questions and answers, blocks of runs, what the process wrote to its
 * error stream, and a watch over it.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { InputError, WorkError } from '../../core/errors.js'
import { root } from '../../core/prebuilt.js'
import type { RunBlock } from '../types.js'
import type { EngineQuestions, FromChild, PlainRequest, Question, Ranges, ToChild } from './protocol.js'

/** The process is gone, or was ended because its device did not answer. */
export class ProcessError extends WorkError {
  /** @param happened a sentence without what to do about it */
  constructor(
    readonly happened: string,
    advice = ''
  ) {
    super(advice === '' ? happened : `${happened.replace(/\.$/, '')}; ${advice}.`)
  }
}

export interface ChildOptions {
  /** The file that Node runs in the process, and arguments. */
  readonly program: readonly [string, ...string[]]
  /** What the process holds, as in "The process that holds TensorFlow ended …". */
  readonly holds: string
  readonly env?: Readonly<Record<string, string>>
  /**
   * A device that is at one thing for longer than this is taken for hung, and a process that says nothing for as long too: it is
   * killed, and what was asked of it fails with a ProcessError. Time in which a process was suspended does not count. Without: no watch.
   */
  readonly patienceMilliseconds?: number
  /** Errors of the child by the name of their class; InputError and WorkError are known. */
  readonly errors?: Readonly<Record<string, new (message: string) => Error>>
}

export interface RunHooks {
  readonly onBlock?: (block: RunBlock) => void
  /** Starts for a run that asks for some. */
  readonly onWant?: (count: number) => { readonly ranges: Ranges; readonly end: boolean }
}

interface Pending extends RunHooks {
  resolve(value: unknown): void
  reject(error: Error): void
}

/** Enough of the error stream to find the names of missing files in. */
const logLength = 8192
/** How often the watch looks. */
const lookMilliseconds = 250
/** Who has not looked, or has not been heard of, for so long stood still, as a job does that a scheduler suspends. */
const pauseMilliseconds = 5000
/** Loading programs and drivers may take so long before a process says anything. */
const startMilliseconds = 60_000

/**
 * What the process of an engine runs: the worker.ts in its folder below src/engines, compiled also where the sources run themselves. Tests
 * and scripts compile first, and translating the sources anew takes a second of each process.
 */
export const compiledWorker = (folder: string): readonly [string] => [join(root, 'dist/engines', folder, 'worker.js')]

export class Child<Q extends { [K in keyof Q]: Question }> {
  private readonly process: ChildProcess
  private readonly pending = new Map<number, Pending>()
  private last = 0
  private ended: Error | undefined
  private heard = performance.now()
  /** Since when the process has been heard of without a pause. */
  private steady = this.heard
  private spoken = false
  private watch: NodeJS.Timeout | undefined
  /** Settles when the process is gone and its error stream has been read to the end. */
  private readonly closed: Promise<void>
  log = ''

  constructor(private readonly options: ChildOptions) {
    const [file, ...args] = options.program
    this.process = fork(file, args, {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
      env: { ...process.env, ...options.env }
    })
    this.process.stderr?.on('data', (text: Buffer) => {
      this.log = (this.log + text.toString()).slice(-logLength)
    })
    this.process.on('message', (message: FromChild) => this.receive(message))
    this.closed = new Promise(resolve => {
      this.process.once('close', () => resolve())
      this.process.once('error', () => resolve())
    })
    this.process.on('error', (error: NodeJS.ErrnoException) => {
      // A question met a process that was going: its exit says why.
      if (error.code !== 'EPIPE') this.end(error.message)
    })
    this.process.on('exit', (code, signal) => this.end(signal ? `signal ${signal}` : `code ${code}`))
    this.idle()
  }

  /** Whether it can still be asked. */
  get usable(): boolean {
    return this.ended === undefined
  }

  private receive(message: FromChild): void {
    const now = performance.now()
    if (now - this.heard > pauseMilliseconds) this.steady = now
    this.heard = now
    this.spoken = true
    if (message.kind === 'alive') {
      if (Math.min(message.waitMilliseconds, now - this.steady) > this.patience) this.giveUp()
      return
    }
    const asked = this.pending.get(message.id)
    if (!asked) return
    if (message.kind === 'block') {
      asked.onBlock?.(message.block)
      return
    }
    if (message.kind === 'want') {
      const { ranges, end } = asked.onWant?.(message.count) ?? { ranges: new Float64Array(0), end: true }
      this.post({ kind: 'starts', id: message.id, ranges, end })
      return
    }
    this.pending.delete(message.id)
    this.idle()
    if (message.kind === 'answer') {
      asked.resolve(message.value)
      return
    }
    const known: ChildOptions['errors'] = { InputError, WorkError, ...this.options.errors }
    const make = Object.hasOwn(known, message.name) ? known[message.name] : Error
    asked.reject(new make(message.message))
  }

  /** Milliseconds. */
  private get patience(): number {
    const { patienceMilliseconds = Infinity } = this.options
    return this.spoken ? patienceMilliseconds : Math.max(patienceMilliseconds, startMilliseconds)
  }

  private giveUp(): void {
    const seconds = Math.round(this.patience / 1000)
    this.fail(
      new ProcessError(
        `The process that holds ${this.options.holds} was ended because its device did not answer for ${seconds} s.`
      )
    )
    this.process.kill('SIGKILL')
  }

  private end(how: string): void {
    // Drivers warn of this and that, in paragraphs of indented lines; none of it is why a process ends.
    const lines = this.log.split('\n').filter(line => /^\S/.test(line) && !line.startsWith('Warning:'))
    const line = lines.at(-1)?.trim() ?? ''
    this.fail(
      new ProcessError(
        `The process that holds ${this.options.holds} ended with ${how}${line ? ` (${line})` : ''}.`,
        'use --engine cpu'
      )
    )
  }

  private fail(error: Error): void {
    this.ended ??= error
    for (const asked of this.pending.values()) asked.reject(this.ended)
    this.pending.clear()
    this.idle()
  }

  /** A child that has nothing to do does not keep the program alive, and is not watched. */
  private idle(): void {
    const { channel } = this.process
    const stream = this.process.stderr as { ref?(): void; unref?(): void } | null
    if (this.pending.size === 0) {
      clearInterval(this.watch)
      this.watch = undefined
      this.process.unref()
      channel?.unref()
      stream?.unref?.()
    } else {
      this.process.ref()
      channel?.ref()
      if (this.watch || this.options.patienceMilliseconds === undefined) return
      let looked = (this.heard = this.steady = performance.now())
      this.watch = setInterval(() => {
        const now = performance.now()
        // While this program stood still it heard nothing of anyone.
        if (now - looked > pauseMilliseconds) this.heard = this.steady = now
        looked = now
        if (now - this.heard > this.patience) this.giveUp()
      }, lookMilliseconds)
    }
  }

  private post(message: ToChild): void {
    if (this.process.connected) this.process.send(message)
  }

  ask<K extends keyof Q & string>(
    what: K,
    body: Q[K]['ask'],
    hooks: RunHooks = {}
  ): { id: number; answer: Promise<Q[K]['answer']> } {
    const id = ++this.last
    const answer = new Promise<unknown>((resolve, reject) => {
      if (this.ended) {
        reject(this.ended)
        return
      }
      this.pending.set(id, { resolve, reject, ...hooks })
      this.idle()
      this.post({ kind: 'ask', id, what, body })
    })
    return { id, answer }
  }

  /** One more block of that run may be sent. */
  taken(id: number): void {
    this.post({ kind: 'taken', id })
  }

  abort(id: number): void {
    this.post({ kind: 'abort', id })
  }

  dispose(): void {
    this.ended ??= new WorkError('This engine has been disposed of.')
    if (this.process.connected) this.process.disconnect()
    this.process.kill('SIGKILL')
  }

  /** As `dispose`, and waits until all that the process wrote stands in `log`: it comes another way than the answers. */
  async close(): Promise<void> {
    this.ended ??= new WorkError('This engine has been disposed of.')
    // Without disconnecting first: Node does not report the end of the streams then.
    this.process.kill('SIGKILL')
    // Nothing else keeps the program alive until then.
    const wait = setInterval(() => undefined, lookMilliseconds)
    await this.closed
    clearInterval(wait)
  }
}

/** Blocks as they come; ends the run in the child when the consumer leaves or the signal fires. */
export async function* blocksOf<Q extends EngineQuestions & { [K in keyof Q]: Question }>(
  child: Child<Q>,
  body: { readonly objective: number; readonly request: PlainRequest },
  signal: AbortSignal | undefined,
  onOccupancy: ((busy: number, all: number) => void) | undefined
): AsyncIterable<RunBlock> {
  const blocks: RunBlock[] = []
  let wake: (() => void) | undefined
  let end = false
  let failure: Error | undefined
  const { id, answer } = child.ask('minimise', body, {
    onBlock(block) {
      blocks.push(block)
      wake?.()
    }
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
    child.abort(id)
    blocks.length = 0
    wake?.()
  }
  signal?.addEventListener('abort', abort, { once: true })
  try {
    for (;;) {
      const block = blocks.shift()
      if (block) {
        child.taken(id)
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
