/** A hundred thousand starts against the clock, a million against memory. */
import { formatBytes, formatSeconds } from '../src/core/units.js'
import { limitCases, runLimit, type Limit } from './limits.js'
import { writePage } from './page.js'
import { store } from './store.js'

const limits: Limit[] = []
for (const limitCase of limitCases) {
  const limit = await runLimit(limitCase)
  limits.push(limit)
  const { starts, name, studySeconds, processSeconds, peakBytes, threads } = limit
  console.log(
    `${starts} starts of ${name}: ${formatSeconds(studySeconds)} on ${threads} threads (${formatSeconds(processSeconds)} with files written), ` +
      `at most ${formatBytes(peakBytes)} of memory`
  )
}
console.log(`Written to ${store({ limits })}`)
await writePage()
