/**
 * What runs bring of their own (`RunInputs`) on a GPU: words that lie beside each start in the queue, and the kernels that take them to a
 * lane when its run enters, add a run's own penalty, hold coordinates, and draw the rows of a resample.
 */
import { poissonWords, resamplingSize } from '../../../core/resampling.js'
import { Stream } from '../../../core/rng.js'
import { parameterCount } from '../../../models/model.js'
import type { Problem } from '../../../models/types.js'
import type { Program } from '../../../language/program.js'
import type { RunInputs } from '../../types.js'
import type { Binding, Gpu } from './device.js'
import type { Dispatch } from './program.js'
import { halves, seedValues, type Values } from './text.js'
import { elementAt } from './update.js'

/** In place of a number: no number. */
const none = 2 ** 32 - 1

/** Buffers of a batch that the kernels work on, lanes innermost. */
export interface OwnBuffers {
  readonly lanes: number
  readonly state: Binding
  readonly scalars: Binding
  readonly vectors: Binding
  readonly x: Binding
  /** u32 [places][width] */
  readonly own: Binding
  /** f32 [terms][P][lanes]; absent where there are none. */
  readonly terms: Binding | undefined
  /** f32 [N][lanes] shares of the rows, [N] weights, and u32 [N][lanes] for their order; for rows of a run's own. */
  readonly shares: Binding | undefined
  readonly weights: Binding | undefined
  readonly order: Binding | undefined
}

/** f, g and H of one evaluation, and where it was. */
export interface OwnEvaluation {
  readonly theta: Binding
  readonly f: Binding
  readonly g: Binding
  readonly H: Binding | undefined
}

/** Where each part of a run's words begins; in `terms`, the rows of P numbers that a lane keeps. */
interface Layout {
  readonly width: number
  readonly values: readonly { readonly values: Float64Array; readonly at: number; readonly count: number }[]
  readonly rowsAt: number
  readonly entering: readonly string[]
  readonly terms: number
  readonly ridgeAt: number
  readonly freeAt: number
  readonly startAt: number
}

function layoutOf(program: Program, inputs: RunInputs, parameters: number): Layout {
  const values: { values: Float64Array; at: number; count: number }[] = []
  const entering: string[] = []
  let width = 0
  const bring = (list: Float64Array, count: number): number => {
    values.push({ values: list, at: width, count })
    width += count
    return width - count
  }
  for (const { name, kind, slot } of program.inputs) {
    const list = inputs.program?.[name]
    if (!list) continue
    if (kind === 'scalar')
      entering.push(`if (p == 0u) { scalars[${slot}u * lanes + lane] = brought(at + ${bring(list, 1)}u); }`)
    else {
      const { buffer, index } = elementAt(slot, `${parameters}u`)
      entering.push(`${buffer}[${index}] = brought(at + ${bring(list, parameters)}u + p);`)
    }
  }
  let terms = 0
  const keep = (value: string): number => {
    entering.push(`terms[${terms}u * size + p * lanes + lane] = ${value};`)
    return terms++
  }
  const ridgeAt = inputs.ridge ? keep(`brought(at + ${bring(inputs.ridge, parameters)}u + p)`) : 0
  const freeAt = inputs.free ? keep(`brought(at + ${bring(Float64Array.from(inputs.free), parameters)}u + p)`) : 0
  const startAt = inputs.free ? keep('x[p * lanes + lane]') : 0
  const rowsAt = width
  if (inputs.rows) width += 3
  // Buffers are not empty.
  return { width: Math.max(1, width), values, rowsAt, entering, terms, ridgeAt, freeAt, startAt }
}

export class OwnPlan {
  private constructor(
    private readonly gpu: Gpu,
    private readonly inputs: RunInputs,
    private readonly parameters: number,
    private readonly layout: Layout,
    private readonly usesScalars: boolean,
    private readonly usesVectors: boolean,
    private readonly entering: GPUComputePipeline,
    private readonly adding: Readonly<Record<'g' | 'H', GPUComputePipeline>> | undefined,
    private readonly drawing: GPUComputePipeline | undefined
  ) {}

  static async make(gpu: Gpu, program: Program, inputs: RunInputs, problem: Problem): Promise<OwnPlan> {
    const parameters = parameterCount(problem.model)
    const layout = layoutOf(program, inputs, parameters)
    const { ridgeAt, freeAt, startAt, rowsAt, width } = layout
    const entering = layout.entering.map(line => `    ${line}`).join('\n')
    const [usesScalars, usesVectors] = [/\bscalars\[/.test(entering), /\bvectors\[/.test(entering)]
    const ridged = inputs.ridge !== undefined
    const held = inputs.free !== undefined
    const shape = { parameters, ridged, held, ridgeAt, freeAt, startAt, width }
    const enter = { ...shape, kept: layout.terms > 0, usesScalars, usesVectors, entering }
    const add = (hessian: boolean): Promise<GPUComputePipeline> => gpu.kernel('own_terms.wgsl', { ...shape, hessian })
    return new OwnPlan(
      gpu,
      inputs,
      parameters,
      layout,
      usesScalars,
      usesVectors,
      await gpu.kernel('enter.wgsl', enter),
      layout.terms > 0 ? { g: await add(false), H: await add(true) } : undefined,
      inputs.rows && (await gpu.kernel('resample.wgsl', resampleValues(inputs.rows.how, problem.rows, rowsAt, width)))
    )
  }

  /** Words of each run in the queue. */
  get width(): number {
    return this.layout.width
  }
  /** Rows of P numbers that a lane keeps. */
  get terms(): number {
    return this.layout.terms
  }
  get drawsRows(): boolean {
    return this.drawing !== undefined
  }
  /** Whether resamples are cut from an order of the rows. */
  get shuffles(): boolean {
    return shuffles(this.inputs.rows?.how.kind)
  }

  /** The number by which a run's mini-batches are drawn, where it is not its own. */
  orderOf(index: number): number | undefined {
    return this.inputs.draws?.order?.[index]
  }

  /** Words of runs by their place in the request: [runs, width]. */
  words(places: readonly number[]): Uint32Array<ArrayBuffer> {
    const { width, values, rowsAt } = this.layout
    const words = new Uint32Array(places.length * width)
    const numbers = new Float32Array(words.buffer)
    const { rows } = this.inputs
    places.forEach((place, i) => {
      for (const { values: list, at, count } of values)
        for (let k = 0; k < count; k++) numbers[i * width + at + k] = list[place * count + k]
      if (!rows) return
      const number = rows.numbers[place]
      const folds = rows.how.kind === 'folds' ? rows.how.folds : 1
      const drawn = number < 0 ? [none, none] : halves(Math.floor(number / folds))
      words.set([...drawn, number < 0 ? 0 : number % folds], i * width + rowsAt)
    })
    return words
  }

  /** The commands after runs have entered their lanes. */
  bindEnter(buffers: OwnBuffers): Dispatch[] {
    const { state, own, scalars, vectors, x, terms, shares, weights, order, lanes } = buffers
    const enter: Dispatch = {
      pipeline: this.entering,
      group: this.gpu.bind(this.entering, [
        state,
        own,
        this.usesScalars ? scalars : undefined,
        this.usesVectors ? vectors : undefined,
        this.inputs.free ? x : undefined,
        terms
      ]),
      x: lanes / 64,
      y: this.parameters
    }
    const { drawing } = this
    if (!drawing) return [enter]
    const draw = this.gpu.bind(drawing, [state, own, weights, shares, this.shuffles ? order : undefined])
    return [enter, { pipeline: drawing, group: draw, x: lanes / 64, y: 1 }]
  }

  /** The command after an evaluation, where it adds something. */
  bindTerms({ theta, f, g, H }: OwnEvaluation, { terms, lanes }: OwnBuffers): Dispatch | undefined {
    const pipeline = this.adding?.[H ? 'H' : 'g']
    if (!pipeline) return undefined
    const group = this.gpu.bind(pipeline, [terms, theta, f, g, H])
    return { pipeline, group, x: lanes / 64, y: this.parameters + 1 }
  }
}

const shuffles = (kind: string | undefined): boolean => kind === 'folds' || kind === 'split'

function resampleValues(
  how: NonNullable<RunInputs['rows']>['how'],
  rows: number,
  rowsAt: number,
  width: number
): Values {
  return {
    ...seedValues(how.seed),
    stream: Stream.rows,
    dataRows: rows,
    size: resamplingSize(how),
    shuffles: shuffles(how.kind),
    folds: how.kind === 'folds',
    poisson: how.kind === 'poisson',
    poissonTerms: poissonWords.length,
    poissonWords: poissonWords.map(word => `${word}u`).join(', '),
    rowsAt,
    width
  }
}
