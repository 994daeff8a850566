/**
 * The lanes of one run request on a GPU: their buffers, the queue of starts, and the commands of a submit of some rounds. A round takes
 * every lane that holds a run one step on; runs that stop make way for the next start within the submit (turn.wgsl).
 */
import { columnScale } from '../../../models/model.js'
import { initScales } from '../../../models/network/initialise.js'
import type { Gpu } from './device.js'
import { Evaluator } from './evaluate.js'
import type { OwnBuffers } from './ownPlan.js'
import { tracedRounds, type Plan } from './plan.js'
import { encode, stateRows, type Dispatch, type ProgramBuffers } from './program.js'
import { halves } from './text.js'

/** What the GPU says after a submit. */
export interface Counters {
  /** Starts that have been taken from the queue, counted on; modulo 2³². */
  readonly head: number
  /** Runs that this submit delivered. */
  readonly results: number
}

export interface Submitted {
  readonly rounds: number
  readonly parity: 0 | 1
  readonly counters: Promise<Counters>
  readonly launched: number
  /** When the counters came, by `performance.now()`. */
  arrived: number
}

/** Dispatches before the first round, and after each. */
interface Turn {
  readonly turn: Dispatch
  readonly exchange: Dispatch
}

/** Bytes that the results of a submit, and the places of the queue, may take. */
const queueBytes = 192 * 2 ** 20
const counterBytes = 16

/** A power of two, so that counters may go round. */
export function placesFor(lanes: number, placeBytes: number): number {
  const wanted = 2 ** Math.ceil(Math.log2(2 * lanes))
  const most = 2 ** Math.floor(Math.log2(queueBytes / placeBytes))
  return Math.max(64, Math.min(wanted, most))
}

export class Batch {
  /** Places of the queue, and results of a submit. */
  readonly places: number
  private tail = 0
  /** Round of an epoch that comes next; with mini-batches all lanes are at the same. */
  private phase = 0
  private parity: 0 | 1 = 0
  private staging: GPUBuffer | undefined

  private constructor(
    private readonly gpu: Gpu,
    private readonly plan: Plan,
    readonly lanes: number,
    private readonly owned: Owned,
    private readonly buffers: Buffers,
    private readonly commands: Commands
  ) {
    this.places = buffers.places
  }

  /** @throws GpuMemoryError when the lanes do not fit */
  static async create(plan: Plan, lanes: number): Promise<Batch> {
    const { gpu, problem, rule } = plan
    const owned = new Owned(gpu)
    try {
      const buffers = await gpu.guard(() => makeBuffers(plan, lanes, owned))
      const { scalars, vectors, x } = buffers.program
      const L = 4 * lanes
      const evaluator = await Evaluator.create(gpu, problem, {
        lanes,
        needs: plan.needs,
        theta: x,
        f: { buffer: scalars, offset: 0, size: L },
        g: { buffer: vectors, offset: 0, size: L * plan.parameters },
        ...(buffers.H ? { H: buffers.H } : {}),
        ...(buffers.own?.shares ? { shares: buffers.own.shares } : {}),
        ...(rule && buffers.rows ? { rows: { binding: buffers.rows, batchSize: rule.size } } : {})
      })
      owned.evaluators.push(evaluator)
      let all: Evaluator | undefined
      if (buffers.allRows) {
        const { allRows } = buffers
        all = await Evaluator.create(gpu, problem, {
          lanes,
          needs: 'g',
          theta: plan.program.vector(plan.request.program.outputs.point, buffers.program),
          f: { buffer: allRows, offset: 0, size: L },
          g: { buffer: allRows, offset: L, size: L * plan.parameters },
          ...(buffers.own?.shares ? { shares: buffers.own.shares } : {})
        })
        owned.evaluators.push(all)
      }
      const commands = await gpu.guard(() => bindCommands(plan, buffers, evaluator, all))
      return new Batch(gpu, plan, lanes, owned, buffers, commands)
    } catch (error) {
      owned.dispose()
      throw error
    }
  }

  /**
   * Puts starts into the queue, which must have room for them.
   * @param numbers start numbers
   * @param points with given starts: their points [count, P]
   * @param own what the runs bring of their own [count, width]
   * @returns the entry of the first; the others follow, modulo 2³²
   */
  put(
    numbers: readonly number[],
    points: Float32Array<ArrayBuffer> | undefined,
    own?: Uint32Array<ArrayBuffer>
  ): number {
    const first = this.tail
    const { fresh, numbers: buffer, points: given, control } = this.buffers
    const words = new Uint32Array(2 * numbers.length)
    numbers.forEach((n, i) => words.set(halves(n), 2 * i))
    this.gpu.write(fresh, Uint32Array.of(first, numbers.length, this.places - 1))
    this.gpu.write(buffer, words)
    if (given && points) this.gpu.write(given, points)
    if (own) this.putOwn(first % this.places, own)
    this.tail = (first + numbers.length) % 2 ** 32
    this.gpu.write(control, Uint32Array.of(this.tail), 4)
    this.gpu.submit(encoder => {
      const pass = encoder.beginComputePass()
      encode(pass, { ...this.commands.starts, x: Math.ceil(numbers.length / 64) })
      pass.end()
    })
    return first
  }

  /** @param place of the first in the queue, which is a ring */
  private putOwn(place: number, words: Uint32Array<ArrayBuffer>): void {
    const { own } = this.buffers
    const width = this.plan.own?.width ?? 0
    if (!own || width === 0) return
    const before = (this.places - place) * width
    this.gpu.write(own.own, words.subarray(0, before), 4 * place * width)
    this.gpu.write(own.own, words.subarray(before))
  }

  /** Hands so many rounds to the GPU. Two submits may be under way, whose results must be read in between. */
  launch(rounds: number): Submitted {
    const { parity, plan, commands } = this
    this.parity = parity === 0 ? 1 : 0
    const { control, counters } = this.buffers
    const enter = commands.turns[parity]
    const perEpoch = plan.rule?.perEpoch ?? 1
    const budget = plan.request.stop.steps % perEpoch
    this.gpu.write(control, Uint32Array.of(0), 8)
    this.gpu.submit(encoder => {
      const pass = encoder.beginComputePass()
      const finish = ({ turn, exchange }: Turn): void => {
        encode(pass, turn)
        encode(pass, exchange)
        for (const dispatch of commands.enter) encode(pass, dispatch)
      }
      finish(this.phase === 0 ? enter.before : enter.beforeLater)
      for (let round = 0; round < rounds; round++) {
        if (commands.order) encode(pass, commands.order)
        commands.evaluator.encode(pass)
        if (commands.terms) encode(pass, commands.terms)
        for (const dispatch of commands.update) encode(pass, dispatch)
        this.phase = (this.phase + 1) % perEpoch
        // At the end of an epoch and of the budget all rows count.
        if (this.phase === 0 || this.phase === budget) {
          commands.all?.encode(pass)
          if (commands.allTerms) encode(pass, commands.allTerms)
        }
        finish(this.phase === 0 ? enter.after : enter.afterLater)
      }
      pass.end()
      encoder.copyBufferToBuffer(control, 0, counters[parity], 0, counterBytes)
    })
    const submitted: Submitted = {
      rounds,
      parity,
      launched: performance.now(),
      arrived: Infinity,
      counters: this.gpu.mapped(counters[parity], counterBytes).then(data => {
        submitted.arrived = performance.now()
        const [head, , results] = new Uint32Array(data)
        return { head, results }
      })
    }
    return submitted
  }

  /** Seconds of one evaluation of all lanes and of one update, after which no run is tested. */
  async timeStep(): Promise<{ readonly evaluation: number; readonly update: number }> {
    const { evaluator, update } = this.commands
    const evaluation = await this.gpu.timed(pass => evaluator.encode(pass))
    return {
      evaluation,
      update: await this.gpu.timed(pass => {
        for (const dispatch of update) encode(pass, dispatch)
      })
    }
  }

  /**
   * The first `count` results of a submit: [count, width] words. They are copied before what is launched next; one reading at a time.
   */
  results({ parity }: Submitted, count: number): Promise<ArrayBuffer> {
    const bytes = 4 * count * this.plan.width
    if (!this.staging || this.staging.size < bytes) {
      this.staging?.destroy()
      this.staging = this.gpu.mappable(2 ** Math.ceil(Math.log2(bytes)), 'staging of results')
    }
    const { staging } = this
    this.gpu.submit(encoder => encoder.copyBufferToBuffer(this.buffers.results[parity], 0, staging, 0, bytes))
    return this.gpu.mapped(staging, bytes)
  }

  /** The paths of a submit: [rounds, 3, lanes] words, of entry, loss and gradient norm. Before the next launch. */
  async paths(rounds: number): Promise<ArrayBuffer> {
    if (!this.buffers.path) throw new Error('paths were not asked for')
    return this.gpu.read(this.buffers.path, 4 * rounds * 3 * this.lanes)
  }

  dispose(): void {
    this.staging?.destroy()
    this.owned.dispose()
  }
}

class Owned {
  readonly buffers: GPUBuffer[] = []
  readonly evaluators: Evaluator[] = []
  constructor(private readonly gpu: Gpu) {}

  /** @param numbers of 4 bytes */
  make(numbers: number, label: string): GPUBuffer {
    const buffer = this.gpu.buffer(4 * numbers, label)
    this.buffers.push(buffer)
    return buffer
  }
  keep(buffer: GPUBuffer): GPUBuffer {
    this.buffers.push(buffer)
    return buffer
  }
  dispose(): void {
    for (const evaluator of this.evaluators) evaluator.dispose()
    for (const buffer of this.buffers) buffer.destroy()
  }
}

interface Buffers {
  readonly program: ProgramBuffers
  readonly H: GPUBuffer | undefined
  readonly places: number
  readonly control: GPUBuffer
  readonly fresh: GPUBuffer
  readonly numbers: GPUBuffer
  readonly queueNumbers: GPUBuffer
  readonly queue: GPUBuffer
  readonly scales: GPUBuffer | undefined
  readonly points: GPUBuffer | undefined
  readonly results: readonly [GPUBuffer, GPUBuffer]
  readonly counters: readonly [GPUBuffer, GPUBuffer]
  readonly flags: Readonly<Record<FlagName, GPUBuffer>>
  readonly order: GPUBuffer | undefined
  readonly rows: GPUBuffer | undefined
  /** [1 + P][lanes] */
  readonly allRows: GPUBuffer | undefined
  readonly path: GPUBuffer | undefined
  /** For what runs bring of their own. */
  readonly own: (OwnBuffers & { readonly own: GPUBuffer }) | undefined
}

/** Whether a step has been taken, and whether runs may enter now. */
const flagValues = { before: [0, 1], beforeLater: [0, 0], after: [1, 1], afterLater: [1, 0] } as const
type FlagName = keyof typeof flagValues
const flagNames = Object.keys(flagValues) as FlagName[]

function makeBuffers(plan: Plan, lanes: number, owned: Owned): Buffers {
  const { gpu, problem, parameters: P, program, request, width, rule } = plan
  const { sizes } = program
  const perLane = (numbers: number, label: string): GPUBuffer => owned.make(numbers * lanes, label)
  const wanted = (numbers: number, label: string): GPUBuffer | undefined =>
    numbers > 0 ? perLane(numbers, label) : undefined
  const upload = (data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>, label: string): GPUBuffer =>
    owned.keep(gpu.upload(data, label))
  const H = plan.needs === 'H' ? perLane(P * P, 'H') : undefined
  const places = placesFor(lanes, plan.placeBytes)
  const { starts } = request
  const control = owned.make(8, 'control')
  gpu.write(control, Uint32Array.of(0, 0, 0, places, places - 1))
  const mappable = (label: string): GPUBuffer => owned.keep(gpu.mappable(counterBytes, label))
  const { own } = plan
  const flag = (name: FlagName): GPUBuffer => owned.keep(gpu.constants(Uint32Array.from(flagValues[name]), name))
  const shared = {
    lanes,
    state: perLane(stateRows, 'state'),
    x: perLane(P, 'x'),
    vectors: perLane(sizes.vectors, 'vectors'),
    scalars: perLane(sizes.scalars, 'scalars')
  }
  return {
    program: {
      ...shared,
      scale: upload(Float32Array.from(columnScale(problem)), 'scale'),
      matrices: sizes.matrices.map((numbers, slot) => (numbers > 0 ? perLane(numbers, `matrix ${slot}`) : H)),
      work: wanted(sizes.work, 'work'),
      factor: wanted(sizes.factor, 'factor'),
      eigenvectors: wanted(sizes.eigenvectors, 'eigenvectors'),
      copies: wanted(sizes.copies, 'copies')
    },
    H,
    places,
    control,
    fresh: owned.make(3, 'fresh'),
    numbers: owned.make(2 * places, 'numbers'),
    queueNumbers: owned.make(2 * places, 'queue numbers'),
    queue: owned.make(P * places, 'queue'),
    scales:
      starts.kind === 'random' && problem.model.kind === 'network'
        ? upload(new Uint32Array(initScales(problem.model, starts.init).scale.slice().buffer), 'scales')
        : undefined,
    points: starts.kind === 'given' ? owned.make(P * places, 'points') : undefined,
    results: [owned.make(width * places, 'results'), owned.make(width * places, 'results')],
    counters: [mappable('counters'), mappable('counters')],
    flags: {
      before: flag('before'),
      beforeLater: flag('beforeLater'),
      after: flag('after'),
      afterLater: flag('afterLater')
    },
    order: rule && perLane(problem.rows, 'order'),
    rows: rule && perLane(rule.size, 'rows'),
    allRows: rule && perLane(1 + P, 'all rows'),
    path: request.trace ? perLane(3 * tracedRounds, 'path') : undefined,
    own: own && {
      ...shared,
      own: owned.make(own.width * places, 'own'),
      terms: wanted(own.terms * P, 'own terms'),
      shares: wanted(own.drawsRows ? problem.rows : 0, 'shares'),
      weights: own.drawsRows
        ? upload(Float32Array.from(problem.weight ?? new Float64Array(problem.rows).fill(1)), 'weights')
        : undefined,
      order: wanted(own.shuffles ? problem.rows : 0, 'order of a resample')
    }
  }
}

interface Commands {
  readonly starts: Dispatch
  readonly evaluator: Evaluator
  readonly all: Evaluator | undefined
  readonly update: readonly Dispatch[]
  /** After runs have entered, and after each evaluation: what they bring of their own. */
  readonly enter: readonly Dispatch[]
  readonly terms: Dispatch | undefined
  readonly allTerms: Dispatch | undefined
  readonly order: Dispatch | undefined
  /** By parity of the submit. */
  readonly turns: readonly Readonly<Record<FlagName, Turn>>[]
}

function bindCommands(plan: Plan, buffers: Buffers, evaluator: Evaluator, all: Evaluator | undefined): Commands {
  const { gpu, parameters: P } = plan
  const { program, control, results, queue, queueNumbers, allRows, path, own } = buffers
  const { lanes, state, scalars, x, vectors } = program
  const groups = lanes / 64
  const turn = (parity: 0 | 1, name: FlagName): Turn => ({
    turn: {
      pipeline: plan.turn,
      group: gpu.bind(plan.turn, [
        state,
        scalars,
        control,
        buffers.flags[name],
        results[parity],
        queueNumbers,
        allRows,
        path
      ]),
      x: groups,
      y: 1
    },
    exchange: {
      pipeline: plan.exchange,
      group: gpu.bind(plan.exchange, [state, x, plan.exchangesVectors ? vectors : undefined, results[parity], queue]),
      x: groups,
      y: P
    }
  })
  return {
    starts: {
      pipeline: plan.starts,
      group: gpu.bind(plan.starts, [
        buffers.fresh,
        buffers.numbers,
        queueNumbers,
        queue,
        buffers.points ?? buffers.scales
      ]),
      x: 1,
      y: P
    },
    evaluator,
    all,
    update: plan.program.bind(program),
    enter: (own && plan.own?.bindEnter(own)) ?? [],
    terms: own && plan.own?.bindTerms({ theta: evaluator.theta, f: evaluator.f, g: evaluator.g!, H: evaluator.H }, own),
    allTerms: own && all && plan.own?.bindTerms({ theta: all.theta, f: all.f, g: all.g!, H: undefined }, own),
    order: plan.order &&
      buffers.order &&
      buffers.rows && {
        pipeline: plan.order,
        group: gpu.bind(plan.order, [state, buffers.order, buffers.rows]),
        x: groups,
        y: 1
      },
    turns: ([0, 1] as const).map(
      parity => Object.fromEntries(flagNames.map(name => [name, turn(parity, name)])) as Record<FlagName, Turn>
    )
  }
}
