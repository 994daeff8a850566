/** The child's end of a process that holds an engine's device: hands questions to their handlers and sends the answers back. */
import type { RunBlock } from '../types.js'
import { blocksAhead, type FromChild, type Question, type Ranges, type ToChild } from './protocol.js'

/** What a question that runs for long can use. */
export interface RunContext {
  readonly signal: AbortSignal
  /** How many blocks may wait on the other side; set before the first is delivered. */
  allow(blocks: number): void
  /** Sends a block, when the other side has room for it. @returns false when the run was aborted */
  deliver(block: RunBlock): Promise<boolean>
  /** Starts from the other side. Waits for the answer. */
  want(count: number): Promise<{ readonly ranges: Ranges; readonly end: boolean }>
}

export type Handlers<Q extends { [K in keyof Q]: Question }> = {
  readonly [K in keyof Q]: (body: Q[K]['ask'], context: RunContext) => Q[K]['answer'] | Promise<Q[K]['answer']>
}

interface Running {
  readonly abort: AbortController
  room: number
  readonly wanting: ((starts: { readonly ranges: Ranges; readonly end: boolean }) => void)[]
  wake?: (() => void) | undefined
}

const aliveMilliseconds = 1000

/** @param waitMilliseconds how long the device has been at what it does now; told to the other side where given */
export function serve<Q extends { [K in keyof Q]: Question }>(
  handlers: Handlers<Q>,
  waitMilliseconds?: () => number
): void {
  const running = new Map<number, Running>()
  let beat: NodeJS.Timeout | undefined
  const send = (message: FromChild): void => {
    process.send?.(message)
  }

  const contextOf = (id: number, run: Running): RunContext => ({
    signal: run.abort.signal,
    allow(blocks) {
      run.room += blocks - blocksAhead
    },
    async deliver(block) {
      while (run.room <= 0 && !run.abort.signal.aborted)
        await new Promise<void>(resolve => {
          run.wake = resolve
        })
      if (run.abort.signal.aborted) return false
      run.room--
      send({ kind: 'block', id, block })
      return true
    },
    want: count =>
      new Promise(resolve => {
        run.wanting.push(resolve)
        send({ kind: 'want', id, count })
      })
  })

  const begin = (id: number): RunContext => {
    const run: Running = { abort: new AbortController(), room: blocksAhead, wanting: [] }
    running.set(id, run)
    if (waitMilliseconds && !beat)
      beat = setInterval(() => send({ kind: 'alive', waitMilliseconds: waitMilliseconds() }), aliveMilliseconds)
    return contextOf(id, run)
  }
  const finish = (id: number): void => {
    running.delete(id)
    if (running.size > 0) return
    clearInterval(beat)
    beat = undefined
  }

  process.on('message', (message: ToChild) => {
    const { id } = message
    if (message.kind !== 'ask') {
      const run = running.get(id)
      if (!run) return
      if (message.kind === 'abort') run.abort.abort()
      else if (message.kind === 'taken') run.room++
      else run.wanting.shift()?.({ ranges: message.ranges, end: message.end })
      run.wake?.()
      return
    }
    const { what, body } = message
    const context = begin(id)
    void (async () => {
      if (!Object.hasOwn(handlers, what)) throw new Error(`unknown question ${what}`)
      return handlers[what as keyof Q](body, context)
    })()
      .then(
        value => send({ kind: 'answer', id, value }),
        (error: unknown) => {
          const { name, message: text } = error instanceof Error ? error : new Error(String(error))
          // The class is what the other side goes by; core errors name themselves by it.
          send({ kind: 'error', id, name: error instanceof Error ? error.constructor.name : name, message: text })
        }
      )
      .finally(() => finish(id))
  })
  process.on('disconnect', () => process.exit(0))
  // Ctrl-C in a terminal, and its closing, reach every process of the program. What becomes of the work is for the other side to say.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
}
