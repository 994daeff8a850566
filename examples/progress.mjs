// Progress while runs go on, and stopping before the end: what has been found by then is summed up.
import { study } from 'manystart'

const stop = new AbortController()
const summary = await study(
  { data: { builtin: 'iris2', standardize: true }, model: { hidden: [4], ridge: 0.001 }, starts: { count: 1e6 } },
  {
    signal: stop.signal,
    onProgress({ done, total, minima }) {
      console.log(`${done} of ${total} runs, ${minima} minima so far`)
      if (done > 2000) stop.abort()
    }
  }
)
console.log(`stopped: ${summary.interrupted}; ${summary.starts} runs, ${summary.minima.length} minima`)
