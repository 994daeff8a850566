/** The `cpu` engine: the C++ addon on all cores. This file checks arguments and keeps the handles; kernels/cpu does the rest. */
import { availableParallelism, cpus } from 'node:os'
import { WorkError } from '../../core/errors.js'
import { resamplingKinds, resamplingSize } from '../../core/resampling.js'
import type { Spare } from '../../core/spare.js'
import { rowColumns } from '../../language/formula/registers.js'
import { compileExpression } from '../../models/expression/expression.js'
import { startChunks } from '../../models/expression/starts.js'
import type { Expression } from '../../models/expression/types.js'
import { scoresOf } from '../../models/scores.js'
import { initScales } from '../../models/network/initialise.js'
import { lossConstants } from '../../models/losses/index.js'
import { parameterCount, penaltyOf, hasLoss, layoutOf } from '../../models/model.js'
import { validateProblem } from '../../models/validate.js'
import type { Problem } from '../../models/types.js'
import type {
  Certifier,
  Engine,
  EngineEntry,
  EngineOptions,
  Evaluation,
  KernelTimer,
  Needs,
  Objective,
  Precision,
  Program,
  Proofs,
  RunBlock,
  RunInputs,
  RunRequest,
  Scores
} from '../types.js'
import { inputsOf } from '../inputs.js'
import { noOwnRows } from '../../models/penalty.js'
import { readProofs } from './proofs.js'
import { loadAddon, type Addon, type NativeProblem, type NativeTarget } from './addon.js'

export interface CpuOptions extends EngineOptions {
  /** Instruction set to use instead of the best one: 'avx512', 'avx2' or 'base'. */
  readonly target?: string
}

const pairs = (list: readonly { slot: number; value: number }[]): Float64Array =>
  Float64Array.from(list.flatMap(({ slot, value }) => [slot, value]))

/** The form in which the addon takes a program. */
export const nativeProgram = (program: Program): object => ({
  needsH: program.needs === 'H',
  vectors: program.vectors,
  scalars: program.scalars,
  matrices: program.matrices,
  instructions: program.instructions,
  constants: pairs(program.constants),
  initialVectors: pairs(program.initialVectors),
  initialScalars: pairs(program.initialScalars),
  outputs: Int32Array.of(
    program.outputs.point,
    program.outputs.loss,
    program.outputs.gradientNorm,
    program.outputs.stalled
  ),
  report: Int32Array.from(program.report, r => r.slot)
})

/** A formula in the form in which the addon takes it, and its columns on the rows of a problem, one after the other. */
function nativeFormula(problem: Problem, expression: Expression): { program: object; x: Float64Array } {
  const { graph, registers } = compileExpression(expression)
  return {
    program: { ...registers, columns: registers.rowNodes.length, hasLoss: !expression.objective },
    x: rowColumns(graph, registers, problem.x, problem.rows)
  }
}

/** Inputs of the runs: slots (v ≥ 0: vector slot v, else scalar slot −1 − v) with the values of all runs. */
function nativeInputs(program: Program, inputs: RunInputs | undefined, numbers: number, count: number): object {
  const given = Object.entries(inputs?.program ?? {}).map(([name, values]) => {
    const input = program.inputs.find(i => i.name === name)
    if (!input) throw new Error(`${program.name} has no input ${name}`)
    const size = input.kind === 'vector' ? numbers : count
    if (values.length !== size) throw new Error(`the input ${name} holds ${values.length} numbers, not ${size}`)
    return { slot: input.kind === 'vector' ? input.slot : -1 - input.slot, values }
  })
  return {
    inputSlots: Int32Array.from(given, g => g.slot),
    inputValues: Float64Array.from(given.flatMap(g => [...g.values])),
    ownRidge: inputs?.ridge ?? null,
    ownFree: inputs?.free ? Float64Array.from(inputs.free) : null,
    drawStart: inputs?.draws?.start ?? null,
    drawOrder: inputs?.draws?.order ?? null,
    drawRows: inputs?.rows?.numbers ?? null,
    resamplingKind: inputs?.rows ? resamplingKinds.indexOf(inputs.rows.how.kind) : 0,
    resamplingSize: inputs?.rows ? resamplingSize(inputs.rows.how) : 0,
    resamplingSeed: inputs?.rows?.how.seed ?? 0
  }
}

export function createNativeProblem(addon: Addon, problem: Problem, precision: Precision, target = ''): NativeProblem {
  const { model } = problem
  const place = (list: 'losses' | 'activations', name: string): number => {
    const at = addon.numbering()[list].indexOf(name)
    if (at < 0) throw new WorkError(`The cpu engine does not have ${name}; use --engine reference.`)
    return at
  }
  const formula = model.kind === 'expression' ? nativeFormula(problem, model.expression) : null
  const { hidden, activation, bias, firth } = layoutOf(model)
  return addon.createProblem({
    rows: problem.rows,
    inputs: model.inputs,
    outputs: model.outputs,
    hidden: Int32Array.from(hidden),
    activation: place('activations', activation),
    loss: place('losses', model.loss),
    lossConstants: Float64Array.from(lossConstants(model.loss, model.lossParameters)),
    bias,
    firth: firth === true,
    penalty: penaltyOf(problem),
    x: formula?.x ?? problem.x,
    formula: formula?.program ?? null,
    y: problem.y,
    weight: problem.weight ?? null,
    offset: problem.offset ?? null,
    f32: precision === 'f32',
    target
  })
}

/** Runs of a block: what is done for a block and not for a run should take no time that counts, and blocks should not take much memory. */
const blockRuns = (parameters: number): number =>
  Math.max(fewestRuns, Math.min(mostRuns, Math.floor(blockNumbers / parameters)))
const [fewestRuns, mostRuns, blockNumbers] = [2 ** 11, 2 ** 13, 2 ** 17]

class CpuObjective implements Objective {
  readonly parameters: number
  private native: NativeProblem | null
  private readonly others = new WeakMap<Problem, NativeProblem>()
  readonly certifier?: Certifier

  constructor(
    private readonly addon: Addon,
    readonly problem: Problem,
    private readonly precision: Precision,
    private readonly threads: number,
    private readonly target: string
  ) {
    validateProblem(problem)
    this.parameters = parameterCount(problem.model)
    this.native = createNativeProblem(addon, problem, precision, target)
    if (precision === 'f64' && this.enclosed())
      this.certifier = {
        prove: theta => this.proofs(theta, false),
        settle: theta => this.proofs(theta, true),
        firstOutside: (theta, from, to, center, radii) => addon.firstOutside(theta, from, to, center, radii)
      }
  }

  private handle(): NativeProblem {
    if (!this.native) throw new Error('this objective has been disposed of')
    return this.native
  }

  private check(theta: Float64Array): void {
    if (theta.length % this.parameters !== 0)
      throw new Error(`theta holds ${theta.length} numbers, not a multiple of ${this.parameters}`)
  }

  async evaluate(theta: Float64Array, needs: Needs, out?: Evaluation): Promise<Evaluation> {
    this.check(theta)
    return this.addon.evaluate(this.handle(), theta, needs.g === true, needs.H === true, this.threads, out)
  }

  private on(data?: Problem): NativeProblem {
    if (!data) return this.handle()
    let native = this.others.get(data)
    if (!native) {
      native = createNativeProblem(this.addon, data, this.precision, this.target)
      this.others.set(data, native)
    }
    return native
  }

  async score(theta: Float64Array, data?: Problem, spare?: Spare): Promise<Scores> {
    this.check(theta)
    const none = new Float64Array(0)
    const metrics = scoresOf(this.problem.model).length
    if (metrics === 0) return { values: none, classCounts: none }
    const out = spare && { values: spare.f64((theta.length / this.parameters) * metrics) }
    return this.addon.score(this.on(data), theta, this.threads, out)
  }

  async outputs(theta: Float64Array, data?: Problem): Promise<Float64Array> {
    this.check(theta)
    return this.addon.outputs(this.on(data), theta, this.threads)
  }

  /** Whether the kernels have the model over intervals. */
  private enclosed(): boolean {
    const { model } = this.problem
    const { hidden, activation, firth } = layoutOf(model)
    const { enclosed } = this.addon.numbering()
    const units = hidden.length === 0 || enclosed.includes(`activation ${activation}`)
    const scored = !hasLoss(model) || enclosed.includes(`loss ${model.loss}`)
    return !firth && units && scored
  }

  private async proofs(theta: Float64Array, settle: boolean): Promise<Proofs> {
    this.check(theta)
    return readProofs(await this.addon.prove(this.handle(), theta, settle, this.threads))
  }

  /** Arrays for a block of so many runs. */
  private blockIn(spare: Spare, count: number, report: number): RunBlock {
    return {
      count,
      start: spare.f64(count),
      theta: spare.f64(count * this.parameters),
      loss: spare.f64(count),
      gradientNorm: spare.f64(count),
      report: spare.f64(count * report),
      steps: spare.u32(count),
      status: spare.u8(count)
    }
  }

  async *minimise(request: RunRequest, spare?: Spare): AsyncIterable<RunBlock> {
    const { starts, program, stop, batch } = request
    if (starts.kind === 'given' && starts.theta.length !== starts.count * this.parameters)
      throw new Error(
        `${starts.count} starts of ${this.parameters} parameters do not fit ${starts.theta.length} numbers`
      )
    if (starts.count === 0 || request.signal?.aborted) return
    const { model } = this.problem
    if (starts.kind === 'random' && model.kind === 'expression') {
      const { inputs } = request
      for (const given of startChunks(model.expression, starts, inputs?.draws?.start)) {
        const part = inputs && inputsOf(inputs, starts.count, (given.first ?? 0) - starts.first, given.count)
        yield* this.minimise({ ...request, starts: given, ...(part ? { inputs: part } : {}) }, spare)
      }
      return
    }
    const drawn = starts.kind === 'random' && model.kind === 'network' ? initScales(model, starts.init) : undefined
    const map = starts.kind === 'random' ? starts.map : undefined
    const options = {
      count: starts.count,
      first: starts.first ?? 0,
      seed: starts.kind === 'random' ? starts.seed : 0,
      normal: drawn?.kind === 'normal',
      scale: drawn?.scale ?? null,
      map: map?.first ?? null,
      mapScale: map?.scale ?? null,
      mapShift: map?.shift ?? null,
      given: starts.kind === 'given' ? starts.theta : null,
      steps: stop.steps,
      gradient: stop.gradient,
      batch: batch?.size ?? 0,
      sharedOrder: batch?.order === 'shared',
      batchSeed: batch?.seed ?? 0,
      lanes: request.lanes ?? 0,
      threads: this.threads,
      blockRuns: request.blockRuns ?? blockRuns(this.parameters),
      trace: request.trace === true,
      ...nativeInputs(program, request.inputs, starts.count * this.parameters, starts.count)
    }
    let wake: (() => void) | undefined
    const run = this.addon.run(this.handle(), nativeProgram(program), options, () => wake?.())
    const stopRun = (): void => {
      this.addon.abort(run)
      wake?.()
    }
    request.signal?.addEventListener('abort', stopRun, { once: true })
    try {
      for (;;) {
        const { waiting, end, busy, all } = this.addon.state(run)
        if (waiting > 0) yield this.addon.take(run, spare && this.blockIn(spare, waiting, program.report.length))
        else if (end) {
          request.onOccupancy?.(busy, all)
          return
        } else
          await new Promise<void>(resolve => {
            wake = resolve
          })
      }
    } finally {
      request.signal?.removeEventListener('abort', stopRun)
      this.addon.abort(run)
    }
  }

  dispose(): void {
    // The addon frees the problem when nothing refers to it any more, running batches included.
    this.native = null
  }
}

/** Of each thread's share of a copy that no cache holds. */
const memoryBytes = 2 ** 27

/** All threads at once: each has a lane group of its own, and peak and copy are those of all together. */
function cpuTimer(
  addon: Addon,
  problem: Problem,
  precision: Precision,
  target: NativeTarget,
  threads: number
): KernelTimer {
  const native = createNativeProblem(addon, problem, precision, target.id)
  const none = new Float64Array(0)
  return {
    lanes: threads * (precision === 'f64' ? target.lanes64 : target.lanes32),
    peak: async milliseconds => (await addon.bench(native, 'peak', none, milliseconds, null, threads, 0))[0],
    copy: async (milliseconds, bytes = memoryBytes * threads) =>
      (await addon.bench(native, 'copy', none, milliseconds, null, threads, bytes / threads))[0],
    time: (kernel, theta, repeats) => addon.bench(native, kernel, theta, repeats, null, threads, 0),
    async timeSteps(program, theta, repeats) {
      const seconds = await addon.bench(native, 'step', theta, repeats, nativeProgram(program), threads, 0)
      return { evaluation: seconds.slice(0, repeats), update: seconds.slice(repeats) }
    }
  }
}

export const cpuEntry: EngineEntry = {
  name: 'cpu',
  precisions: ['f64', 'f32'],
  available() {
    const found = loadAddon()
    if ('reason' in found) return Promise.resolve({ ok: false, reason: found.reason })
    const best = found.addon.targets().find(t => t.usable)
    return Promise.resolve({ ok: true, detail: `${best?.name ?? 'no SIMD'}, ${availableParallelism()} threads` })
  },
  supports(problem, { inputs }) {
    const found = loadAddon()
    if ('reason' in found) return Promise.resolve({ ok: false, reason: found.reason })
    const { losses: known, activations: units } = found.addon.numbering()
    const { loss } = problem.model
    const { activation, firth } = layoutOf(problem.model)
    const missing = !known.includes(loss)
      ? `${loss} loss`
      : !units.includes(activation)
        ? `${activation} units`
        : undefined
    if (inputs === 'rows' && firth) return Promise.resolve({ ok: false, reason: noOwnRows('cpu') })
    return Promise.resolve(
      missing === undefined
        ? { ok: true }
        : { ok: false, reason: `The cpu engine has no ${missing}; use --engine reference.` }
    )
  },
  load(options: CpuOptions) {
    const found = loadAddon()
    if ('reason' in found) return Promise.reject(new WorkError(found.reason))
    const { addon } = found
    const target = addon.targets().find(t => t.usable && (options.target === undefined || t.id === options.target))
    if (!target) return Promise.reject(new WorkError(`This processor cannot run the ${options.target} kernels.`))
    const threads = options.threads ?? availableParallelism()
    const engine: Engine = {
      name: 'cpu',
      precision: options.precision,
      device: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${target.name}`,
      threads,
      // A wrong problem must reject, not throw.
      prepare: problem =>
        Promise.resolve().then(() => new CpuObjective(addon, problem, options.precision, threads, target.id)),
      timer: problem => cpuTimer(addon, problem, options.precision, target, threads),
      dispose: () => undefined
    }
    return Promise.resolve(engine)
  }
}
