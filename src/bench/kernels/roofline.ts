/** The roofline (Williams, Waterman and Patterson 2009): what kernels attain against operations per byte, under the machine's peaks. */
import { logAxis, svg } from '../../report/charts/svg.js'
import { engineText, networkText, type KernelRecord } from './records.js'

/** Records that have a place under a roof. */
const placed = (records: readonly KernelRecord[]): KernelRecord[] =>
  records.filter(
    r =>
      r.gflops !== null && r.gflops > 0 && r.peakGflops !== null && r.memoryGigabytesPerSecond && r.gigabytesPerSecond
  )

/** Operations per byte that must move at least. */
const intensity = (r: KernelRecord): number => r.gflops! / r.gigabytesPerSecond!

export interface Roof {
  /** Engine, device and precision. */
  readonly name: string
  /** GFLOP/s of multiply-adds in registers: the best look. */
  readonly peak: number
  /** GB/s of a copy that no cache holds, and of the fastest copy of as many bytes as a kernel moves; null where none is known. */
  readonly memory: number
  readonly cache: number | null
}

export function roofsOf(records: readonly KernelRecord[]): Roof[] {
  const own = placed(records)
  return [...new Set(own.map(engineText))].map(name => {
    const under = own.filter(r => engineText(r) === name)
    const copies = under.flatMap(r => r.peakGigabytesPerSecond ?? [])
    return {
      name,
      peak: Math.max(...under.map(r => r.peakGflops!)),
      memory: Math.max(...under.map(r => r.memoryGigabytesPerSecond!)),
      cache: copies.length > 0 ? Math.max(...copies) : null
    }
  })
}

/**
 * One engine's gradients and Hessians under its roof; undefined where peak or copy rate were not measured.
 * @param records of one engine, device and precision
 */
export async function roofline(records: readonly KernelRecord[]): Promise<string | undefined> {
  const [roof] = roofsOf(records)
  if (!roof) return undefined
  const points = placed(records).map(r => ({
    intensity: intensity(r),
    gflops: r.gflops!,
    what: `${r.kernel === 'hessian' ? 'Hessians' : 'gradients'} ${networkText(r)}, ${r.sizes.N} rows`
  }))
  const slopes = [
    { of: 'a copy in memory', rate: roof.memory },
    ...(roof.cache !== null && roof.cache > roof.memory ? [{ of: 'a copy in a cache', rate: roof.cache }] : [])
  ]
  const low = Math.min(...slopes.map(s => roof.peak / s.rate / 2), ...points.map(p => p.intensity / 2))
  const high = Math.max((roof.peak / roof.memory) * 3, ...points.map(p => p.intensity * 2))
  const least = Math.min(...points.map(p => p.gflops)) / 4
  const most = roof.peak * 1.8
  // A slope begins where it enters the picture.
  const lines = slopes.flatMap(({ of, rate }) =>
    [Math.max(low, least / rate), roof.peak / rate, high].map(i => ({
      of,
      intensity: i,
      gflops: Math.min(roof.peak, i * rate)
    }))
  )
  const x = {
    field: 'intensity',
    type: 'quantitative',
    title: 'operations per byte that must move',
    scale: { type: 'log', domain: [low, high], nice: false },
    axis: logAxis(low, high)
  }
  const y = {
    field: 'gflops',
    type: 'quantitative',
    title: 'GFLOP/s',
    scale: { type: 'log', domain: [least, most], nice: false },
    axis: logAxis(least, most)
  }
  const legend = { columns: 1, labelLimit: 320 }
  const series = { field: 'what', type: 'nominal', title: null, legend }
  return svg(
    {
      height: 260,
      layer: [
        {
          data: { values: lines },
          mark: { type: 'line', color: '#777', strokeWidth: 1.5 },
          encoding: { x, y, strokeDash: { field: 'of', type: 'nominal', title: null, legend, sort: null } }
        },
        {
          data: { values: points },
          mark: { type: 'point', filled: true, size: 70, opacity: 0.9 },
          encoding: { x, y, color: series, shape: series }
        }
      ],
      resolve: { legend: { strokeDash: 'independent' } }
    },
    `Roofline of ${roof.name}: GFLOP/s of gradients and Hessians against operations per byte`
  )
}
