/** One progress line: rewritten in place on a terminal, a plain line now and then when piped, nothing when quiet. */
import { formatCount, formatRate, formatSeconds } from '../core/units.js'
import type { StudyProgress } from '../study/runner.js'

export interface ProgressStream {
  write(text: string): unknown
  readonly isTTY?: boolean
}

export interface Progress {
  update(progress: StudyProgress): void
  finish(): void
}

const terminalMilliseconds = 100
const pipedMilliseconds = 5000

/** @param clock milliseconds; injected by tests */
export function createProgress(
  stream: ProgressStream,
  label: string,
  quiet: boolean,
  clock: () => number = () => performance.now()
): Progress {
  if (quiet) return { update: () => undefined, finish: () => undefined }
  const terminal = stream.isTTY === true
  const began = clock()
  let last = terminal ? -Infinity : began
  let shown = false
  return {
    update({ done, total, minima }) {
      const now = clock()
      if (now - last < (terminal ? terminalMilliseconds : pipedMilliseconds)) return
      last = now
      const seconds = (now - began) / 1000
      const rate = done / seconds
      const left = rate > 0 ? formatSeconds((total - done) / rate) : 'unknown'
      const text =
        `${label}: ${formatCount(done)} of ${formatCount(total)} runs, ${formatRate(rate, 'runs')}, ` +
        `${formatCount(minima)} ${minima === 1 ? 'minimum' : 'minima'} so far, ${left} left`
      stream.write(terminal ? `\r\u001b[2K${text}` : `${text}\n`)
      shown = true
    },
    finish() {
      if (terminal && shown) stream.write('\r\u001b[2K')
    }
  }
}
