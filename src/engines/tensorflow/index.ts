/**
 * The `tensorflow` engine: tensor operations of TF.js in f32, on CUDA (tfjs-node-gpu), on the CPU (tfjs-node) or as WebAssembly. It
 * lives in a child process, so that the two native packages never meet and their memory goes when the engine does.
 */
import { availableParallelism } from 'node:os'
import { InputError, WorkError } from '../../core/errors.js'
import { knownNames } from '../../core/names.js'
import { parameterCount, hasFirth } from '../../models/model.js'
import { validateProblem } from '../../models/validate.js'
import type { Problem } from '../../models/types.js'
import type {
  DeviceEntry,
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
  Support
} from '../types.js'
import { Child, blocksOf, compiledWorker } from '../process/child.js'
import {
  deviceNames,
  findPackage,
  loadFailure,
  loadedSupport,
  missingParts,
  packageOf,
  type DeviceName
} from './packages.js'
import type { TensorflowQuestions } from './protocol.js'

/** Runs that the timer takes at a time: more are no faster. Fewer, but enough for a GPU, where each has a matrix. */
const timedRuns = 512
const matrixNumbers = 2 ** 19

type TensorflowChild = Child<TensorflowQuestions>

interface Opened {
  readonly support: Support
  readonly child?: TensorflowChild
}

/** @param threads for TensorFlow's operations; default: all cores */
const start = (device: DeviceName, threads?: number): TensorflowChild =>
  new Child<TensorflowQuestions>({
    program: compiledWorker('tensorflow'),
    holds: 'TensorFlow',
    env: {
      // On a GPU warnings name the libraries that are missing; on the CPU they only tell of matrices without a Cholesky factor.
      TF_CPP_MIN_LOG_LEVEL: device === 'gpu' ? '1' : '2',
      ...(threads === undefined ? {} : { TF_NUM_INTRAOP_THREADS: String(threads), TF_NUM_INTEROP_THREADS: '1' })
    }
  })

/** Starts a child with the package in `folder`. Without a usable one, the child is gone again and `support` says why. */
async function open(device: DeviceName, folder: string | null, threads?: number): Promise<Opened> {
  const missing = missingParts(device, folder)
  if (missing || folder === null) return { support: missing! }
  const child = start(device, threads)
  try {
    const loaded = await child.ask('open', { device, folder }).answer
    if (loaded.gpu || device !== 'gpu') return { support: loadedSupport(device, loaded, ''), child }
    await child.close()
    return { support: loadedSupport(device, loaded, child.log) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    await child.close()
    return { support: loadFailure(device, { message, log: child.log }) }
  }
}

class TensorflowObjective implements Objective {
  readonly parameters: number

  constructor(
    private readonly child: TensorflowChild,
    private readonly number: number,
    readonly problem: Problem
  ) {
    this.parameters = parameterCount(problem.model)
  }

  private disposed = false
  private usable(theta?: Float64Array): void {
    if (this.disposed) throw new Error('this objective has been disposed of')
    if (theta && theta.length % this.parameters !== 0)
      throw new Error(`theta holds ${theta.length} numbers, not a multiple of ${this.parameters}`)
  }

  async evaluate(theta: Float64Array, needs: Needs): Promise<Evaluation> {
    this.usable(theta)
    return this.child.ask('evaluate', { objective: this.number, theta, needs }).answer
  }

  async score(theta: Float64Array, data?: Problem): Promise<Scores> {
    this.usable(theta)
    return this.child.ask('score', { objective: this.number, theta, ...(data ? { data } : {}) }).answer
  }

  async *minimise(request: RunRequest): AsyncIterable<RunBlock> {
    this.usable()
    const { signal, onOccupancy, ...plain } = request
    if (plain.inputs) throw new InputError(noInputs)
    const { starts } = plain
    if (starts.kind === 'given' && starts.theta.length !== starts.count * this.parameters)
      throw new Error(
        `${starts.count} starts of ${this.parameters} parameters do not fit ${starts.theta.length} numbers`
      )
    if (starts.count === 0 || signal?.aborted) return
    yield* blocksOf(this.child, { objective: this.number, request: plain }, signal, onOccupancy)
  }

  dispose(): void {
    if (this.disposed) return
    this.disposed = true
    // The engine may be gone already, and the problem with it.
    this.child.ask('release', { objective: this.number }).answer.catch(() => undefined)
  }
}

function timer(child: TensorflowChild, problem: Problem): KernelTimer {
  let prepared: Promise<number> | undefined
  const objective = (): Promise<number> => (prepared ??= child.ask('prepare', { problem }).answer)
  const P = parameterCount(problem.model)
  return {
    lanes: timedRuns,
    lanesFor(kernel, program) {
      const matrices = kernel === 'hessian' || kernel === 'eigh' || program?.needs === 'H'
      return matrices ? Math.min(timedRuns, 8 * Math.ceil(matrixNumbers / (8 * P * P))) : timedRuns
    },
    async time(kernel, theta, repeats) {
      return child.ask('time', { objective: await objective(), kernel, theta, repeats }).answer
    },
    async timeSteps(program, theta, repeats) {
      return child.ask('timeSteps', { objective: await objective(), program, theta, repeats }).answer
    }
  }
}

const isDevice = (name: string): name is DeviceName => (deviceNames as readonly string[]).includes(name)

function asked(device: string | undefined): readonly DeviceName[] {
  if (device === undefined) return deviceNames
  if (isDevice(device)) return [device]
  throw new InputError(`The tensorflow engine has no device "${device}" (${knownNames(device, deviceNames)}).`)
}

/** Whether the package in `folder`, null for none, serves as that device; tried in a process of its own. */
export async function tryPackage(device: DeviceName, folder: string | null): Promise<Support> {
  const { support, child } = await open(device, folder)
  child?.dispose()
  return support
}

/** What can run here is asked once per process: every answer costs a child. */
const known = new Map<DeviceName, Promise<Support>>()
const supportOf = (device: DeviceName): Promise<Support> =>
  known.get(device) ?? known.set(device, tryPackage(device, findPackage(packageOf[device]))).get(device)!

async function load(options: EngineOptions): Promise<Engine> {
  if (options.precision !== 'f32')
    throw new WorkError('The tensorflow engine computes in f32 only; use --precision f32.')
  const reasons: string[] = []
  for (const device of asked(options.device)) {
    const { support, child } = await open(device, findPackage(packageOf[device]), options.threads)
    if (!support.ok || !child) {
      if (!support.ok) reasons.push(support.reason)
      continue
    }
    return {
      name: 'tensorflow',
      precision: 'f32',
      device: support.ok ? support.detail : '',
      threads: device === 'cpu' ? (options.threads ?? availableParallelism()) : 1,
      async prepare(problem) {
        validateProblem(problem)
        if (hasFirth(problem.model)) throw new InputError(noFirth)
        return new TensorflowObjective(child, await child.ask('prepare', { problem }).answer, problem)
      },
      timer: problem => timer(child, problem),
      dispose: () => child.dispose()
    }
  }
  throw new WorkError(reasons.join(' '))
}

const noInputs =
  'The tensorflow engine takes no inputs of single runs, because its steps share their tensors; use --engine cpu.'

const noFirth = 'The tensorflow engine does not have Firth’s penalty; use --engine cpu.'
const noColumns =
  'The tensorflow engine takes models with an input column and this one has an intercept alone; use --engine cpu.'

export const tensorflowEntry: EngineEntry = {
  name: 'tensorflow',
  precisions: ['f32'],
  async available(hardware = false) {
    const reasons: string[] = []
    for (const device of hardware ? (['gpu'] as const) : deviceNames) {
      const support = await supportOf(device)
      if (support.ok) return support
      reasons.push(support.reason)
    }
    return { ok: false, reason: reasons.join(' ') }
  },
  async devices() {
    const list: DeviceEntry[] = []
    for (const name of deviceNames) list.push({ name, support: await supportOf(name) })
    return list
  },
  supports: ({ model }, { inputs }) => {
    const reason = hasFirth(model)
      ? noFirth
      : model.inputs === 0 && model.kind === 'network'
        ? noColumns
        : inputs
          ? noInputs
          : undefined
    return Promise.resolve(reason === undefined ? { ok: true } : { ok: false, reason })
  },
  load
}
