/**
 * The run loop of kernels/README.md over B lanes: evaluate, update, test, deliver what ended, refill the free lanes. The states stay on the
 * device; the host reads three numbers per lane and step, and the end points.
 */
import { Stream, sharedStart, shuffle } from '../../core/rng.js'
import { Status } from '../../core/status.js'
import { startPoint, columnScale } from '../../models/model.js'
import type { Program } from '../../language/program.js'
import type { Needs, RunBlock } from '../types.js'
import { wholeLanes, type Device, type Tensor } from './device.js'
import { tileRows, type Evaluator, type Rows } from './evaluate.js'
import { Interpreter } from './interpreter.js'
import { runsThatFit } from './memory.js'
import type { PlainRequest } from '../process/protocol.js'

const tick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
/** The event loop gets a turn, and an abort is seen, after so many milliseconds of work. */
const sliceMilliseconds = 20
/** Slow runs are handed over before a block is full: progress shows, and an interruption finds little unjudged. */
const patienceMilliseconds = 1000

export interface RunLimits {
  readonly signal?: AbortSignal
  readonly onOccupancy?: (busy: number, all: number) => void
}

/** A run in a lane. */
interface LaneRun {
  readonly start: number
  readonly theta0: Float32Array
  steps: number
  /** Epoch whose order is at hand. */
  epoch: number
  order: Uint32Array
  readonly trace: number[]
}

interface Finished {
  readonly start: number
  readonly theta: Float64Array
  readonly loss: number
  readonly gradientNorm: number
  readonly steps: number
  readonly status: Status
  readonly report: Float64Array
  readonly trace: number[]
}

/** Mini-batches: which rows, with which weights, in every lane. */
class Batches {
  private readonly size: number
  private readonly perEpoch: number
  /** Orders that all runs share, by epoch. */
  private readonly shared = new Map<number, Uint32Array>()

  constructor(
    private readonly evaluator: Evaluator,
    private readonly batch: NonNullable<PlainRequest['batch']>
  ) {
    const { rows } = evaluator.problem
    this.size = Math.min(batch.size, rows)
    this.perEpoch = Math.ceil(rows / this.size)
  }

  isLast(step: number): boolean {
    return step % this.perEpoch === this.perEpoch - 1
  }

  private order(run: LaneRun, epoch: number): Uint32Array {
    if (run.epoch === epoch) return run.order
    const { order: kind, seed } = this.batch
    const draw = (key: number): Uint32Array => shuffle(this.evaluator.problem.rows, seed, Stream.batches, key, epoch)
    run.epoch = epoch
    if (kind === 'run') return (run.order = draw(run.start))
    const known = this.shared.get(epoch) ?? draw(sharedStart)
    this.shared.set(epoch, known)
    return (run.order = known)
  }

  /** The batch of each lane at its own step, in tiles. A short batch is filled up with a row of its own at weight 0. */
  rows(lanes: readonly (LaneRun | null)[]): Rows[] {
    const { weight, rows } = this.evaluator.problem
    const { size } = this
    const tiles = Array.from({ length: Math.ceil(size / tileRows) }, (_, t) => {
      const n = Math.min(tileRows, size - t * tileRows)
      return { n, index: new Int32Array(lanes.length * n), c: new Float32Array(lanes.length * n) }
    })
    lanes.forEach((run, lane) => {
      if (!run) return
      const at = run.steps % this.perEpoch
      const part = this.order(run, Math.floor(run.steps / this.perEpoch)).subarray(
        at * size,
        Math.min((at + 1) * size, rows)
      )
      let total = 0
      for (const i of part) total += weight ? weight[i] : 1
      tiles.forEach(({ n, index, c }, t) => {
        for (let j = 0; j < n; j++) {
          const k = t * tileRows + j
          index[lane * n + j] = part[k < part.length ? k : 0]!
          c[lane * n + j] = k < part.length && total > 0 ? (weight ? weight[part[k]] : 1) / total : 0
        }
      })
    })
    return tiles.map(({ n, index, c }) => this.evaluator.rows(index, c, [lanes.length, n]))
  }
}

/** @param budget bytes that the tensors of a step may take, about */
export async function* minimise(
  device: Device,
  evaluator: Evaluator,
  request: PlainRequest,
  budget: number,
  { signal, onOccupancy }: RunLimits
): AsyncGenerator<RunBlock> {
  const { tf } = device
  const { program, starts, stop } = request
  const P = evaluator.parameters
  const model = evaluator.problem.model
  const size = request.blockRuns ?? 2048
  const first = starts.first ?? 0
  const batches = request.batch ? new Batches(evaluator, request.batch) : undefined
  let next = 0
  let busy = 0
  let all = 0
  /** Of the block at hand, and when the first of them ended. */
  const done: Finished[] = []
  let begun = 0

  const enter = (): LaneRun | null => {
    if (next >= starts.count) return null
    const i = next++
    const theta0 =
      starts.kind === 'random'
        ? startPoint(model, starts.init, starts.seed, first + i, starts.map)
        : starts.theta.subarray(i * P, (i + 1) * P)
    return {
      start: first + i,
      theta0: Float32Array.from(theta0),
      steps: 0,
      epoch: -1,
      order: new Uint32Array(0),
      trace: []
    }
  }
  const points = (lanes: readonly (LaneRun | null)[]): Float32Array => {
    const theta = new Float32Array(lanes.length * P)
    lanes.forEach((run, lane) => {
      if (run) theta.set(run.theta0, lane * P)
    })
    return theta
  }

  const most = await lanesThatFit(device, evaluator, program, budget, batches)
  const state = new Interpreter(device, program, P, columnScale(evaluator.problem))
  let lanes: (LaneRun | null)[] = Array.from(
    { length: wholeLanes(device, Math.max(1, Math.min(request.lanes ?? most, most, starts.count))) },
    enter
  )
  try {
    state.start(points(lanes), lanes.length)
    let since = performance.now()
    while (lanes.some(run => run !== null)) {
      if (signal?.aborted) break
      busy += lanes.reduce((count, run) => count + (run ? 1 : 0), 0)
      all += lanes.length
      step(state, evaluator, batches?.rows(lanes))
      const { loss, gradientNorm, stalled } = state.results()
      const tested = lanes.map(
        run => run !== null && (!batches || batches.isLast(run.steps) || run.steps + 1 >= stop.steps)
      )
      if (batches && tested.some(Boolean)) testOnAllRows(device, evaluator, state.point, tested, loss, gradientNorm)
      const ended: { lane: number; status: Status }[] = []
      lanes.forEach((run, lane) => {
        if (!run) return
        run.steps++
        if (request.trace) run.trace.push(loss[lane], gradientNorm[lane])
        const status = !(Number.isFinite(loss[lane]) && Number.isFinite(gradientNorm[lane]))
          ? Status.failed
          : tested[lane] && gradientNorm[lane] <= stop.gradient
            ? Status.converged
            : stalled[lane] !== 0
              ? Status.stalled
              : run.steps >= stop.steps
                ? Status.budget
                : undefined
        if (status !== undefined) ended.push({ lane, status })
      })
      if (ended.length > 0) {
        const B = lanes.length
        const index = Int32Array.from(ended, e => e.lane)
        const theta = tf.tidy(() => tf.gather(state.point, tf.tensor1d(index, 'int32')).dataSync())
        const report = state.read(program.report.map(r => r.slot))
        const entering = new Uint8Array(B)
        if (done.length === 0) begun = performance.now()
        ended.forEach(({ lane, status }, i) => {
          const run = lanes[lane]!
          done.push({
            start: run.start,
            theta: Float64Array.from(theta.subarray(i * P, (i + 1) * P)),
            loss: loss[lane],
            gradientNorm: gradientNorm[lane],
            steps: run.steps,
            status,
            report: Float64Array.from(program.report, (_, k) => report[k * B + lane]),
            trace: run.trace
          })
          lanes[lane] = enter()
          entering[lane] = lanes[lane] ? 1 : 0
        })
        const living = lanes.reduce((count, run) => count + (run ? 1 : 0), 0)
        if (entering.includes(1))
          state.refill(entering, points(lanes.map((run, lane) => (entering[lane] ? run : null))))
        else if (living > 0 && wholeLanes(device, living) <= B / 2) {
          // No more starts: the batch shrinks to the lanes that still hold a run.
          const full = Array.from(lanes.keys()).filter(lane => lanes[lane] !== null)
          const empty = Array.from(lanes.keys()).filter(lane => lanes[lane] === null)
          const kept = Int32Array.from([...full, ...empty.slice(0, wholeLanes(device, full.length) - full.length)])
          state.gather(kept)
          lanes = Array.from(kept, lane => lanes[lane])
        }
      }
      while (done.length >= size) yield block(done.splice(0, size), request, P)
      if (done.length > 0 && performance.now() - begun > patienceMilliseconds) yield block(done.splice(0), request, P)
      if (performance.now() - since > sliceMilliseconds) {
        await tick()
        since = performance.now()
      }
    }
    if (done.length > 0) yield block(done, request, P)
    onOccupancy?.(busy, all)
  } finally {
    state.dispose()
  }
}

/** Lanes for which a step keeps within `budget` bytes. */
export function lanesThatFit(
  device: Device,
  evaluator: Evaluator,
  program: Program,
  budget: number,
  batches?: Batches
): Promise<number> {
  const { parameters: P, problem } = evaluator
  return runsThatFit(device, budget, runs => {
    const state = new Interpreter(device, program, P, columnScale(problem))
    state.start(new Float32Array(runs * P), runs)
    step(state, evaluator, batches?.rows(new Array<null>(runs).fill(null)))
    if (batches) evaluateOnAllRows(device, evaluator, state.point)
    state.dispose()
  })
}

/** One evaluation and one update of all lanes. */
export function step(state: Interpreter, evaluator: Evaluator, rows?: readonly Rows[]): void {
  const { f, g, H } = evaluator.evaluate(state.x, needsOf(state.program), rows)
  for (const tile of rows ?? []) evaluator.disposeRows(tile)
  state.run(f, g!, H)
}

export const needsOf = (program: Program): Needs => ({ g: true, H: program.needs === 'H' })

/** f [B] and g [B, P] over all rows. */
function evaluateOnAllRows({ tf }: Device, evaluator: Evaluator, point: Tensor): [Float32Array, Float32Array] {
  return tf.tidy(() => {
    const { f, g } = evaluator.evaluate(point, { g: true })
    return [f.dataSync<'float32'>(), g!.dataSync<'float32'>()]
  }) as unknown as [Float32Array, Float32Array]
}

/** Loss and gradient norm over all rows take the place of those of the mini-batch. */
function testOnAllRows(
  device: Device,
  evaluator: Evaluator,
  point: Tensor,
  tested: readonly boolean[],
  loss: Float32Array,
  gradientNorm: Float32Array
): void {
  const [f, g] = evaluateOnAllRows(device, evaluator, point)
  const P = evaluator.parameters
  tested.forEach((test, lane) => {
    if (!test) return
    loss[lane] = f[lane]!
    gradientNorm[lane] = g.subarray(lane * P, (lane + 1) * P).reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  })
}

function block(done: readonly Finished[], request: PlainRequest, P: number): RunBlock {
  const K = request.program.report.length
  const count = done.length
  const theta = new Float64Array(count * P)
  const report = new Float64Array(count * K)
  done.forEach((run, i) => {
    theta.set(run.theta, i * P)
    report.set(run.report, i * K)
  })
  return {
    count,
    start: Float64Array.from(done, d => d.start),
    theta,
    loss: Float64Array.from(done, d => d.loss),
    gradientNorm: Float64Array.from(done, d => d.gradientNorm),
    steps: Uint32Array.from(done, d => d.steps),
    status: Uint8Array.from(done, d => d.status),
    report,
    ...(request.trace ? { traces: done.map(d => Float64Array.from(d.trace)) } : {})
  }
}
