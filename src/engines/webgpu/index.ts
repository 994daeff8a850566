/**
 * The `webgpu` engine: fused WGSL kernels in f32 on any GPU with a Vulkan, Metal or D3D12 driver, through Dawn (npm `webgpu`). Each GPU
 * lives in a child process: where a kernel hangs, nothing but the end of its process gets rid of it.
 */
import { noHardware } from './host/attached.js'
import { InputError, WorkError } from '../../core/errors.js'
import { noOwnRows } from '../../models/penalty.js'
import { startPoint, parameterCount, hasFirth } from '../../models/model.js'
import { validateProblem } from '../../models/validate.js'
import type { Problem } from '../../models/types.js'
import { type Child, ProcessError } from '../process/child.js'
import type { PlainRequest } from '../process/protocol.js'
import { checkInputs, inputsOf } from '../inputs.js'
import type {
  Engine,
  EngineEntry,
  EngineOptions,
  Evaluation,
  KernelTimer,
  Needs,
  Objective,
  RunBlock,
  RunRequest,
  Scores,
  WorkNeeds
} from '../types.js'
import { hessianTooLarge, mostHessianParameters } from './core/evaluate.js'
import { formulaTooLarge } from './core/formulaPlan.js'
import { GpuLostError, GpuMemoryError } from './core/device.js'
import type { Faults } from './host/faults.js'
import { chosen, look, startChild, type GpuAddress } from './host/gpus.js'
import { timedLanes, type TimedKernel } from './core/pace.js'
import type { OpenedGpu, WebgpuQuestions } from './host/protocol.js'
import { runOnDevices, type RunDevice } from './host/runs.js'

export interface WebgpuOptions extends EngineOptions {
  /** For tests: the GPUs to open, by name, one as often as it stands here. */
  readonly open?: readonly string[]
  /** For tests: what goes wrong, by place in `open`. */
  readonly faults?: readonly (Faults | undefined)[]
  /** After how long without an answer a GPU is taken for hung. */
  readonly patienceMilliseconds?: number
}

/** Bytes of end points that may wait for who takes them, so that a GPU need not wait for slower work on the processor. */
const waitingBytes = 2 ** 27

/** Bytes of mapped starts that are handed over at a time. */
const mappedBytes = 2 ** 25

/** Runs that the timer takes at a time. */
const hardwareLanes = 65536
const softwareLanes = 128

/** One GPU in its process. */
class Device {
  private fault: Error | undefined

  constructor(
    readonly child: Child<WebgpuQuestions>,
    readonly gpu: OpenedGpu
  ) {}

  get usable(): boolean {
    return this.fault === undefined && this.child.usable
  }

  /** It is of no more use: its process goes, and the memory that it held. */
  giveUp(fault: Error): void {
    this.fault ??= fault
    this.child.dispose()
  }
}

const isFault = (error: unknown): error is Error =>
  error instanceof ProcessError || error instanceof GpuLostError || error instanceof GpuMemoryError

class WebgpuObjective implements Objective {
  readonly parameters: number
  private readonly numbers = new Map<Device, Promise<number>>()
  private other: Promise<Objective> | undefined
  private disposed = false

  constructor(
    private readonly engine: WebgpuEngine,
    readonly problem: Problem
  ) {
    this.parameters = parameterCount(problem.model)
  }

  /** The problem's number in the process of a device. */
  private on(device: Device): Promise<number> {
    const known = this.numbers.get(device)
    if (known) return known
    const made = device.child.ask('prepare', { problem: this.problem }).answer
    this.numbers.set(device, made)
    return made
  }

  private usable(theta?: Float64Array): void {
    if (this.disposed) throw new Error('this objective has been disposed of')
    if (theta && theta.length % this.parameters !== 0)
      throw new Error(`theta holds ${theta.length} numbers, not a multiple of ${this.parameters}`)
  }

  private instead(fault: Error | undefined): Promise<Objective> {
    this.other ??= this.engine.instead(fault).then(engine => engine.prepare(this.problem))
    return this.other
  }

  /** On the first device that can, else elsewhere. */
  private async somewhere<T>(
    use: (device: Device, objective: number) => Promise<T>,
    elsewhere: (objective: Objective) => Promise<T>
  ): Promise<T> {
    let fault: Error | undefined
    for (const device of this.engine.devices) {
      if (!device.usable) continue
      try {
        return await use(device, await this.on(device))
      } catch (error) {
        if (!isFault(error)) throw error
        fault = error
        this.engine.note(device, error, 0)
      }
    }
    return elsewhere(await this.instead(fault))
  }

  async evaluate(theta: Float64Array, needs: Needs): Promise<Evaluation> {
    this.usable(theta)
    return this.somewhere(
      (device, objective) => device.child.ask('evaluate', { objective, theta, needs }).answer,
      other => other.evaluate(theta, needs)
    )
  }

  async score(theta: Float64Array, data?: Problem): Promise<Scores> {
    this.usable(theta)
    return this.somewhere(
      (device, objective) => device.child.ask('score', { objective, theta, ...(data ? { data } : {}) }).answer,
      other => other.score(theta, data)
    )
  }

  private runner(device: Device, blocks: number): RunDevice {
    const { child } = device
    return {
      get usable() {
        return device.usable
      },
      run: async (request, { onBlock, onWant, signal }) => {
        const objective = await this.on(device)
        if (signal.aborted) return { busy: 0, all: 0 }
        const { id, answer } = child.ask(
          'minimise',
          { objective, request, blocks },
          { onBlock: block => onBlock(block, () => child.taken(id)), onWant }
        )
        const abort = (): void => child.abort(id)
        signal.addEventListener('abort', abort, { once: true })
        try {
          return await answer
        } finally {
          signal.removeEventListener('abort', abort)
        }
      }
    }
  }

  async *minimise(request: RunRequest): AsyncIterable<RunBlock> {
    this.usable()
    const { starts, inputs } = request
    if (inputs) {
      const reason = missing(this.problem, { inputs: inputs.rows ? 'rows' : true })
      if (reason !== undefined) throw new InputError(reason)
      checkInputs(inputs, request.program, this.parameters, starts.count)
    }
    if (starts.kind === 'random' && (starts.map || this.problem.model.kind === 'expression' || inputs?.draws?.start)) {
      yield* this.mapped(request, starts)
      return
    }
    const { signal, onOccupancy, ...plain } = request
    if (starts.kind === 'given' && starts.theta.length !== starts.count * this.parameters)
      throw new Error(
        `${starts.count} starts of ${this.parameters} parameters do not fit ${starts.theta.length} numbers`
      )
    if (starts.count === 0 || signal?.aborted) return
    const { engine } = this
    const blockBytes = 8 * (plain.blockRuns ?? 2048) * (this.parameters + 8)
    const blocks = Math.max(4, Math.floor(waitingBytes / blockBytes / engine.devices.length))
    const runners = new Map(engine.devices.map(device => [this.runner(device, blocks), device]))
    yield* runOnDevices(
      [...runners.keys()],
      this.problem.model,
      plain satisfies PlainRequest,
      {
        isFault,
        instead: fault => this.instead(fault),
        onFault: (device, fault, runs) => engine.note(runners.get(device)!, fault, runs)
      },
      signal,
      onOccupancy
    )
  }

  /** The GPU draws θ0 of networks itself, but does not map it: starts of mapped problems, of formulas, and by numbers of their own come from here, a range at
   * a time. */
  private async *mapped(
    request: RunRequest,
    starts: Extract<RunRequest['starts'], { kind: 'random' }>
  ): AsyncIterable<RunBlock> {
    const P = this.parameters
    const { inputs } = request
    const numbers = inputs?.draws?.start
    const most = Math.max(1, Math.floor(mappedBytes / (8 * P)))
    let busy = 0
    let all = 0
    const onOccupancy = (some: number, of: number): void => void ((busy += some), (all += of))
    for (let from = 0; from < starts.count && !request.signal?.aborted; from += most) {
      const count = Math.min(most, starts.count - from)
      const first = starts.first + from
      const theta = new Float64Array(count * P)
      for (let i = 0; i < count; i++)
        theta.set(
          startPoint(this.problem.model, starts.init, starts.seed, numbers?.[from + i] ?? first + i, starts.map),
          i * P
        )
      const part = inputs && inputsOf(inputs, starts.count, from, count)
      yield* this.minimise({
        ...request,
        onOccupancy,
        starts: { kind: 'given', theta, count, first },
        ...(part ? { inputs: part } : {})
      })
    }
    request.onOccupancy?.(busy, all)
  }

  dispose(): void {
    if (this.disposed) return
    this.disposed = true
    for (const [device, number] of this.numbers)
      if (device.usable)
        number.then(objective => device.child.ask('release', { objective }).answer).catch(() => undefined)
    this.other?.then(objective => objective.dispose()).catch(() => undefined)
  }
}

class WebgpuEngine implements Engine {
  readonly name = 'webgpu'
  readonly precision = 'f32'
  readonly threads = 1
  readonly device: string
  readonly notes: string[] = []
  private other: Promise<Engine> | undefined

  constructor(
    readonly devices: readonly Device[],
    private readonly fallback: EngineOptions['fallback']
  ) {
    this.device = [...new Set(devices.map(d => d.gpu.kind))]
      .map(kind => [kind, devices.filter(d => d.gpu.kind === kind)] as const)
      .map(([kind, same]) => (same.length > 1 ? `${same.length} × ${kind}` : same[0].gpu.detail))
      .join(', ')
  }

  prepare(problem: Problem): Promise<Objective> {
    const reason = missing(problem, {})
    if (reason !== undefined) return Promise.reject(new InputError(reason))
    // A wrong problem must reject, not throw.
    return Promise.resolve().then(() => {
      validateProblem(problem)
      return new WebgpuObjective(this, problem)
    })
  }

  timer(problem: Problem): KernelTimer {
    const { child, gpu } = this.devices[0]
    let prepared: Promise<number> | undefined
    const objective = (): Promise<number> => (prepared ??= child.ask('prepare', { problem }).answer)
    const wanted = gpu.software ? softwareLanes : hardwareLanes
    const lanesFor = (kernel: TimedKernel): number => timedLanes(gpu.limits, problem, kernel, wanted)
    return {
      lanes: lanesFor('gradient'),
      lanesFor,
      peak: milliseconds => child.ask('peak', { milliseconds }).answer,
      copy: (milliseconds, bytes) =>
        bytes === undefined ? child.ask('copy', { milliseconds }).answer : Promise.resolve(null),
      submit: repeats => child.ask('submit', { repeats }).answer,
      time: async (kernel, theta, repeats) =>
        child.ask('time', { objective: await objective(), kernel, theta, repeats }).answer,
      timeSteps: async (program, theta, repeats) =>
        child.ask('timeSteps', { objective: await objective(), program, theta, repeats }).answer
    }
  }

  /** A device failed: it is not used again, and the report says so. */
  note(device: Device, fault: Error, runs: number): void {
    device.giveUp(fault)
    const what = fault instanceof ProcessError ? fault.happened : fault.message
    const again = runs === 1 ? '1 run that it had begun was' : `${runs} runs that it had begun were`
    this.notes.push(runs === 0 ? what : `${what} ${again} run again elsewhere.`)
  }

  /** Where work goes on when no device is left. */
  instead(fault: Error | undefined): Promise<Engine> {
    const { fallback } = this
    if (!fallback) return Promise.reject(fault ?? new WorkError('No GPU is left; use --engine cpu.'))
    this.other ??= fallback().then(engine => {
      this.notes.push(`No GPU was left, so that the ${engine.name} engine went on (${engine.precision}).`)
      return engine
    })
    return this.other
  }

  dispose(): void {
    for (const { child } of this.devices) child.dispose()
    this.other?.then(engine => engine.dispose()).catch(() => undefined)
  }
}

async function load(options: WebgpuOptions): Promise<Engine> {
  if (options.precision !== 'f32') throw new WorkError('The webgpu engine computes in f32 only; use --precision f32.')
  const gpus: readonly GpuAddress[] = options.open?.map(adapter => ({ adapter })) ?? (await chosen(options.device))
  const children = gpus.map(({ place }) => startChild(place, options.patienceMilliseconds))
  try {
    const devices = await Promise.all(
      children.map(async (child, i) => {
        const { adapter: name, number } = gpus[i]
        const faults = options.faults?.[i]
        const body = { name, ...(number === undefined ? {} : { number }), ...(faults ? { faults } : {}) }
        return new Device(child, await child.ask('open', body).answer)
      })
    )
    return new WebgpuEngine(devices, options.fallback)
  } catch (error) {
    for (const child of children) child.dispose()
    throw error
  }
}

/** Why there is no kernel for a job, as a sentence; undefined where there is one. */
export function missing({ model }: Problem, { H, inputs }: WorkNeeds): string | undefined {
  if (hasFirth(model))
    return inputs === 'rows'
      ? noOwnRows('webgpu')
      : 'The webgpu engine does not have Firth’s penalty; use --engine cpu.'
  if (model.kind === 'expression') return formulaTooLarge(model, H === true)
  if (model.inputs === 0)
    return 'The webgpu engine takes models with an input column and this one has an intercept alone; use --engine cpu.'
  if (H && parameterCount(model) > mostHessianParameters) return hessianTooLarge(parameterCount(model))
  return undefined
}

export const webgpuEntry: EngineEntry = {
  name: 'webgpu',
  precisions: ['f32'],
  async available(hardware = false) {
    const none = hardware ? noHardware() : undefined
    if (none !== undefined) return { ok: false, reason: none }
    const found = await look()
    if ('reason' in found) return { ok: false, reason: found.reason }
    const [best] = found.list
    return best?.support ?? { ok: false, reason: 'Dawn lists no GPU; use --engine cpu.' }
  },
  async devices() {
    const found = await look()
    return 'reason' in found ? [] : found.list.map(({ name, support }) => ({ name, support }))
  },
  supports(problem, needs) {
    const reason = missing(problem, needs)
    return Promise.resolve(reason === undefined ? { ok: true } : { ok: false, reason })
  },
  load
}
