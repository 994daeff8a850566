/** One progress line: rewritten in place on a terminal, a plain line now and then when piped, nothing when quiet. */
import { shown } from '../core/printable.js'
import { formatCount, formatRate, formatSeconds } from '../core/units.js'
import type { LoadProgress } from '../data/types.js'
import type { StudyProgress } from '../study/session.js'
import { clearLine, type Output } from './terminal.js'

export interface Progress {
  /** What is done before and after there are runs to count, such as reading data. */
  stage(text: string): void
  update(progress: StudyProgress): void
  finish(): void
}

/** Columns of a terminal that does not tell its own. */
const usualColumns = 80

const terminalMilliseconds = 100
const pipedMilliseconds = 5000

/** A table that takes longer to read than this is said to be read. */
const loadMilliseconds = 500

/** One line of a stream: rewritten in place on a terminal, else a line each time. */
function progressLine(stream: Output): {
  readonly terminal: boolean
  readonly show: (text: string) => void
  readonly clear: () => void
} {
  const terminal = stream.isTTY === true
  let shown = false
  // A line that reaches the last column wraps on some terminals, and cannot be erased then.
  const cut = (text: string): string => {
    const columns = (stream.columns ?? usualColumns) - 1
    return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`
  }
  return {
    terminal,
    show(text) {
      stream.write(terminal ? `${clearLine}${cut(text)}` : `${text}\n`)
      shown = true
    },
    clear() {
      if (terminal && shown) stream.write(clearLine)
    }
  }
}

/** Tells how far the reading of a table has come, from half a second on. @param clock as below */
export function loadProgress(
  stream: Output,
  quiet: boolean,
  clock: () => number = () => performance.now()
): (progress: LoadProgress) => void {
  if (quiet) return () => undefined
  const { terminal, show } = progressLine(stream)
  let last = clock()
  let began = last
  let wait = loadMilliseconds
  let reading: string | undefined
  return ({ source, bytes, size, rows }) => {
    const now = clock()
    if (source !== reading || bytes === 0) {
      reading = source
      began = last = now
      wait = loadMilliseconds
    }
    const done = bytes >= size
    const said = wait !== loadMilliseconds
    if (done ? !said : now - last < wait) return
    last = now
    wait = terminal ? terminalMilliseconds : pipedMilliseconds
    const share = done ? '' : `, ${Math.floor((100 * bytes) / Math.max(1, size))} %`
    const text = `Reading ${shown(source)}: ${formatCount(rows)} rows${share}, ${formatSeconds((now - began) / 1000)}`
    show(text)
    if (done && terminal) stream.write('\n')
  }
}

/** @param clock milliseconds; injected by tests */
export function createProgress(
  stream: Output,
  label: string,
  quiet: boolean,
  clock: () => number = () => performance.now()
): Progress {
  if (quiet) return { stage: () => undefined, update: () => undefined, finish: () => undefined }
  const { terminal, show, clear } = progressLine(stream)
  const began = clock()
  let last = terminal ? -Infinity : began
  return {
    stage(text) {
      const now = clock()
      if (!terminal && now - last < pipedMilliseconds) return
      last = now
      show(`${label}: ${text}`)
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
    finish: clear
  }
}

export interface TimeLeft {
  /** @param share of the work that is done, 0 to 1 */
  update(share: number, secondsLeft: number, doing: string): void
  finish(): void
}

/** Progress of work whose length is known. @param clock as below */
export function createTimeLeft(
  stream: Output,
  quiet: boolean,
  clock: () => number = () => performance.now()
): TimeLeft {
  if (quiet) return { update: () => undefined, finish: () => undefined }
  const { terminal, show, clear } = progressLine(stream)
  let last = -Infinity
  return {
    update(share, secondsLeft, doing) {
      const now = clock()
      if (now - last < (terminal ? terminalMilliseconds : pipedMilliseconds)) return
      last = now
      show(`${Math.floor(100 * share)} %, ${formatSeconds(Math.ceil(secondsLeft))} left; ${doing}`)
    },
    finish: clear
  }
}
