/** What was asked for beside what was measured. */
import type { KernelRecord } from '../src/bench/kernels/records.js'
import { formatBytes, formatSeconds } from '../src/core/units.js'
import type { StoredResults } from './store.js'

export interface Bar {
  readonly what: string
  readonly wanted: string
  readonly measured: string
  readonly met: boolean
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`

type Wanted = Partial<Pick<KernelRecord, 'engine' | 'precision' | 'kernel' | 'name' | 'threads'>> & {
  readonly N?: number
  readonly D?: number
  readonly h?: string
  readonly P?: number
}

function find(records: readonly KernelRecord[], wanted: Wanted): KernelRecord | undefined {
  const { N, D, h, P, ...fields } = wanted
  return records.findLast(
    r =>
      Object.entries(fields).every(([key, value]) => r[key as keyof KernelRecord] === value) &&
      (N === undefined || r.sizes.N === N) &&
      (D === undefined || r.sizes.D === D) &&
      (P === undefined || r.sizes.P === P) &&
      (h === undefined || r.sizes.hidden.join(',') === h)
  )
}

/** Shares of the peak on one core, f64 unless named: [precision, N, D, h, share]. */
const gradientBars = [
  ['f64', 1000, 30, '16', 0.6],
  ['f32', 1000, 30, '16', 0.6],
  ['f64', 1000, 8, '8', 0.3],
  ['f32', 1000, 8, '8', 0.35],
  ['f64', 96, 4, '5', 0.18]
] as const

export function barsOf(result: StoredResults): Bar[] {
  const bars: Bar[] = []
  const { records } = result
  const share = (what: string, record: KernelRecord | undefined, least: number): void => {
    if (record?.share === null || record === undefined) return
    bars.push({
      what,
      wanted: `≥ ${percent(least)} of the peak`,
      measured: percent(record.share),
      met: record.share >= least
    })
  }
  for (const [precision, N, D, h, least] of gradientBars)
    share(
      `gradient ${precision}, N=${N} D=${D} h=${h}, one core`,
      find(records, { engine: 'cpu', precision, kernel: 'gradient', N, D, h }),
      least
    )
  for (const P of [129, 513])
    share(
      `Hessian f64, N=1000 P=${P}, one core`,
      find(records, { engine: 'cpu', precision: 'f64', kernel: 'hessian', P }),
      0.6
    )
  for (const name of ['adam', 'lbfgs', 'newton']) {
    const update = find(records, { engine: 'cpu', precision: 'f64', kernel: 'update', name, N: 96 })
    if (update?.shareOfStep !== undefined)
      bars.push({
        what: `update of ${name}, f64, N=96 D=4 h=5`,
        wanted: '< 20 % of a step',
        measured: percent(update.shareOfStep),
        met: update.shareOfStep < 0.2
      })
  }
  const study = {
    engine: 'cpu',
    precision: 'f64',
    kernel: 'study',
    name: 'iris2 4-5-1 tanh ridge 0.01 newton'
  } as const
  const one = find(records, { ...study, threads: 1 })
  const two = find(records, { ...study, threads: 2 })
  if (one?.occupancy !== undefined && one.occupancy !== null)
    bars.push({
      what: `lanes busy over a study of ${one.sizes.R} starts of 4-5-1`,
      wanted: '≥ 90 %',
      measured: percent(one.occupancy),
      met: one.occupancy >= 0.9
    })
  if (one?.searchPerSecond !== undefined && two?.searchPerSecond !== undefined)
    bars.push({
      what: 'two threads beside one, search of 4-5-1',
      wanted: '≥ 1.9 times',
      measured: `${(two.searchPerSecond / one.searchPerSecond).toFixed(2)} times`,
      met: two.searchPerSecond >= 1.9 * one.searchPerSecond
    })
  for (const limit of result.limits ?? []) {
    const what = `${limit.starts} starts of ${limit.name}, ${limit.threads} threads`
    const { seconds, bytes } = limit.bar
    if (seconds !== undefined)
      bars.push({
        what,
        wanted: `< ${formatSeconds(seconds)}`,
        measured: formatSeconds(limit.studySeconds),
        met: limit.studySeconds < seconds
      })
    if (bytes !== undefined)
      bars.push({
        what: `memory of ${what}`,
        wanted: `< ${formatBytes(bytes)}`,
        measured: formatBytes(limit.peakBytes),
        met: limit.peakBytes < bytes
      })
  }
  for (const { what, wanted, ratio } of result.peers?.bars ?? [])
    bars.push({ what, wanted: `≥ ${wanted} times`, measured: `${ratio.toFixed(1)} times`, met: ratio >= wanted })
  return bars
}
