/** The runs of a crossed design: those that a directory holds, and the others, kept as they end. */
import { pick } from '../../analysis/follow.js'
import { WorkError } from '../../core/errors.js'
import type { RunRequest } from '../../engines/types.js'
import type { CrossedRuns } from '../../runs/crossed.js'
import { requestOf } from '../run.js'
import type { Setup } from '../setup.js'
import type { SessionOptions } from '../study.js'
import type { Design } from './design.js'
import { scorer } from './scores.js'

/** Who is told of what, and how the runs are made. */
export interface VarianceOptions extends Pick<
  SessionOptions,
  'threads' | 'lanes' | 'signal' | 'onLoad' | 'onProgress' | 'onNote'
> {
  /** Told before each of the two models. */
  readonly onModel?: (number: number, total: number) => void
}

/** Where the runs of one model are kept. */
export interface Kept {
  /** Those that are there already. */
  readonly known: readonly CrossedRuns[]
  keep(runs: CrossedRuns): Promise<void>
}

/** Runs that end are kept after so long, or when they are so many. */
const keepMilliseconds = 2000
const keepRuns = 1 << 14

/** Parts one after the other. */
function joined(parts: readonly CrossedRuns[], P: number): CrossedRuns {
  const n = parts.reduce((sum, part) => sum + part.place.length, 0)
  const all: CrossedRuns = {
    place: new Float64Array(n),
    status: new Uint8Array(n),
    measured: new Map([...(parts[0]?.measured.keys() ?? [])].map(name => [name, new Float64Array(n)])),
    theta: new Float64Array(n * P)
  }
  let at = 0
  for (const part of parts) {
    all.place.set(part.place, at)
    all.status.set(part.status, at)
    all.theta.set(part.theta, at * P)
    for (const [name, values] of all.measured) values.set(part.measured.get(name)!, at)
    at += part.place.length
  }
  return all
}

/** Runs of `count` places in their order; the first that says where a run ended counts, and what lies beyond is left out. */
export function inOrder(parts: readonly CrossedRuns[], count: number, P: number): CrossedRuns {
  const all = joined(parts, P)
  const of = new Int32Array(count).fill(-1)
  all.place.forEach((place, i) => {
    if (place < count && of[place] < 0) of[place] = i
  })
  const found = of.filter(i => i >= 0)
  const take = (values: Float64Array): Float64Array => Float64Array.from(found, i => values[i])
  return {
    place: take(all.place),
    status: Uint8Array.from(found, i => all.status[i]),
    measured: new Map([...all.measured].map(([name, values]) => [name, take(values)])),
    theta: pick(all.theta, P, found)
  }
}

/**
 * All runs of the design, in its order.
 * @throws WorkError when it was stopped before all had ended; those that had are kept
 */
export async function crossed(
  setup: Setup,
  design: Design,
  options: VarianceOptions,
  kept?: Kept
): Promise<CrossedRuns> {
  const [I, O, S] = design.levels
  const total = I * O * S
  const P = setup.objective.parameters
  const parts = [...(kept?.known ?? [])]
  const there = new Uint8Array(total)
  for (const { place } of parts) for (const p of place) if (p < total) there[p] = 1
  const places = Float64Array.from({ length: total }, (_, r) => r).filter(r => there[r] === 0)
  let done = total - places.length
  let pending: CrossedRuns[] = []
  let since = performance.now()
  const scoresAt = scorer(setup, design)
  const flush = async (): Promise<void> => {
    if (pending.length === 0) return
    const part = joined(pending, P)
    pending = []
    since = performance.now()
    parts.push(part)
    await kept?.keep(part)
  }
  options.onProgress?.({ done, total, minima: 0 })
  if (places.length > 0)
    for await (const block of setup.objective.minimise(requestFor(setup, design, places, options))) {
      const place = Float64Array.from(block.start, i => places[i])
      const theta = Float64Array.from(block.theta)
      const measured = await scoresAt(theta, place)
      const loss = Float64Array.from(block.loss, v => v * setup.frame.lossScale)
      pending.push({
        place,
        status: Uint8Array.from(block.status),
        measured: new Map([['loss', loss], ...measured]),
        theta
      })
      done += block.count
      options.onProgress?.({ done, total, minima: 0 })
      const many = pending.reduce((sum, part) => sum + part.place.length, 0) >= keepRuns
      if (many || performance.now() - since > keepMilliseconds) await flush()
    }
  await flush()
  if (done < total)
    throw new WorkError(
      `${done} of ${total} runs had ended, and variances need all of them; ${kept ? 'those are kept, and --resume goes on with the others' : 'give --out DIR to keep those that end, or fewer starts, orders or resamples'}.`
    )
  return inOrder(parts, total, P)
}

/** The runs at `places`, each with the start, the order and the rows of its own. */
function requestFor(setup: Setup, design: Design, places: Float64Array, options: VarianceOptions): RunRequest {
  const [, O, S] = design.levels
  const { lanes, signal } = options
  const asked = requestOf(
    setup,
    { first: 0, count: places.length },
    {
      inputs: {
        draws: { start: places.map(r => Math.floor(r / (O * S))), order: places.map(r => Math.floor(r / S) % O) },
        ...(S > 1 ? { rows: { how: design.how, numbers: places.map(r => r % S) } } : {})
      },
      ...(lanes === undefined ? {} : { lanes }),
      ...(signal ? { signal } : {})
    }
  )
  return asked.batch ? { ...asked, batch: { ...asked.batch, order: 'run' } } : asked
}
