/** A study as a sequence of its runs. */
import type { Summary } from '../core/result.js'
import { resolveConfig } from './config.js'
import type { Run } from './endedRun.js'
import type { StudyInput } from './input.js'
import { runStudy, type StudyOptions } from './study.js'

/** Blocks of a producer that waits until each has been taken, for one consumer. */
class Handover<T> {
  private offered: { readonly block: T; readonly taken: () => void } | undefined
  private wake: (() => void) | undefined
  private waiting: (() => void)[] = []
  private isClosed = false

  /** Settles when the block has been taken, or nobody takes blocks any more. */
  async offer(block: T): Promise<void> {
    while (this.offered && !this.isClosed) await new Promise<void>(resolve => this.waiting.push(resolve))
    if (this.isClosed) return
    await new Promise<void>(taken => {
      this.offered = { block, taken }
      this.wake?.()
    })
  }

  /** The next block; undefined at the end. */
  async take(): Promise<T | undefined> {
    while (!this.offered && !this.isClosed) await new Promise<void>(resolve => (this.wake = resolve))
    const { offered } = this
    this.offered = undefined
    offered?.taken()
    this.waiting.shift()?.()
    return offered?.block
  }

  close(): void {
    this.isClosed = true
    this.wake?.()
    for (const resolve of this.waiting.splice(0)) resolve()
  }
}

/**
 * Runs a study and hands over its runs as they end, which is not in the order of their numbers. The study goes on no faster than the
 * runs are taken. Leaving the loop stops it: what has ended by then is kept where there is `out`.
 *
 * @returns with `for await`, every run; the value at the end is the summary
 * @throws InputError and WorkError as {@link study}
 */
export async function* runs(config: StudyInput, options: StudyOptions = {}): AsyncGenerator<Run, Summary> {
  const handover = new Handover<readonly Run[]>()
  const left = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal
  const whole = runStudy(resolveConfig(config, 'the study'), {
    ...options,
    signal,
    async onRuns(ended) {
      await options.onRuns?.(ended)
      await handover.offer(ended)
    }
  }).finally(() => handover.close())
  // Waited for below, whatever happens; until then it is nobody's failure.
  whole.catch(() => undefined)
  let isLeft = true
  try {
    for (let block = await handover.take(); block; block = await handover.take()) yield* block
    isLeft = false
    return await whole
  } finally {
    if (isLeft) {
      left.abort()
      handover.close()
      await whole.catch(() => undefined)
    }
  }
}
