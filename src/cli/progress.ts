/** One progress line: rewritten in place on a terminal, a plain line now and then when piped, nothing when quiet. */
import { formatCount, formatRate, formatSeconds } from '../core/units.js'
import type { StudyProgress } from '../study/runner.js'

export interface ProgressStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

export interface Progress {
  /** What is done before there are runs to count, such as reading data. */
  stage(text: string): void
  update(progress: StudyProgress): void
  finish(): void
}

/** Columns of a terminal that does not tell its own. */
const usualColumns = 80

const terminalMilliseconds = 100
const pipedMilliseconds = 5000

/** @param clock milliseconds; injected by tests */
export function createProgress(
  stream: ProgressStream,
  label: string,
  quiet: boolean,
  clock: () => number = () => performance.now()
): Progress {
  if (quiet) return { stage: () => undefined, update: () => undefined, finish: () => undefined }
  const terminal = stream.isTTY === true
  const began = clock()
  let last = terminal ? -Infinity : began
  let shown = false
  // A line that reaches the last column wraps on some terminals, and cannot be erased then.
  const cut = (text: string): string => {
    const columns = (stream.columns ?? usualColumns) - 1
    return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`
  }
  const show = (text: string): void => {
    stream.write(terminal ? `\r\u001b[2K${cut(text)}` : `${text}\n`)
    shown = true
  }
  return {
    stage(text) {
      if (terminal) show(`${label}: ${text}`)
    },
    update({ done, total, minima }) {
      const now = clock()
      if (now - last < (terminal ? terminalMilliseconds : pipedMilliseconds)) return
      last = now
      const seconds = (now - began) / 1000
      const rate = done / seconds
      const left = rate > 0 ? formatSeconds((total - done) / rate) : 'unknown'
      // What may be lost on a narrow terminal stands last.
      show(
        `${label}: ${formatCount(done)} of ${formatCount(total)} runs, ${left} left, ` +
          `${formatCount(minima)} ${minima === 1 ? 'minimum' : 'minima'} so far, ${formatRate(rate, 'runs')}`
      )
    },
    finish() {
      if (terminal && shown) stream.write('\r\u001b[2K')
    }
  }
}
