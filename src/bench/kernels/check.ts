/** Whether an engine's results are right: compared with the reference engine before anything is timed. */
import { symmetricEigen } from '../../core/linalg.js'
import { parameterCount, layoutOf } from '../../models/model.js'
import type { Problem } from '../../models/types.js'
import { Op, Slot, instructionWidth, type Program } from '../../language/program.js'
import { epsilonOf } from '../../optimizers/types.js'
import type { Engine, Objective, Precision } from '../../engines/types.js'
import type { KernelName } from './records.js'

/** Points that are compared; an exact Hessian of a large network takes the reference a second. */
export const checkedPoints = 2

/** What a rounding count leaves out: elementary functions of a few units in the last place, correlated roundings. */
const safety = 16

/** Roundings that meet in one element of a gradient or Hessian: a sum over rows of products through all layers. */
function roundings({ model, rows }: Problem): number {
  return rows + model.inputs + layoutOf(model).hidden.reduce((a, b) => a + b, 0) + 10
}

/** The largest |a − b|; NaN when any is, and ∞ for other lengths. */
function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity
  let largest = 0
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i] - b[i])
    if (Number.isNaN(d)) return NaN
    if (d > largest) largest = d
  }
  return largest
}

const largest = (a: ArrayLike<number>): number => largestDifference(a, new Float64Array(a.length))

/** A sentence when they differ by more than the tolerance, NaN included. */
function disagreement(
  what: string,
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
  tolerance: number
): string | null {
  const difference = largestDifference(got, wanted)
  if (difference <= tolerance) return null
  return `${what} differs from the reference by ${difference.toPrecision(2)}, where ${tolerance.toPrecision(2)} is allowed.`
}

/** One step whose point is the ascending eigenvalues of H at the start, so that `eigh` is seen from outside. */
export const eigenvalueProgram: Program = {
  name: 'eigenvalues',
  needs: 'H',
  vectors: 5,
  scalars: 4,
  matrices: 2,
  instructions: Int32Array.from(
    [[Op.eigh, 3, 0, 4, 1, 0]].flatMap(i => [...i, 0, 0, 0, 0, 0].slice(0, instructionWidth))
  ),
  constants: [],
  initialVectors: [{ slot: 4, value: 1 }],
  inputs: [],
  initialScalars: [
    { slot: 2, value: 0 },
    { slot: 3, value: 1 }
  ],
  outputs: { point: 3, loss: Slot.f, gradientNorm: 3, stalled: 2 },
  report: []
}

/** End points of `steps` steps from given starts, in their order. */
async function stepped(
  objective: Objective,
  program: Program,
  theta: Float64Array,
  steps: number
): Promise<{ theta: Float64Array; loss: Float64Array }> {
  const P = objective.parameters
  const count = theta.length / P
  const out = { theta: new Float64Array(theta.length), loss: new Float64Array(count) }
  const request = { program, starts: { kind: 'given' as const, theta, count }, stop: { steps, gradient: 1e-300 } }
  for await (const block of objective.minimise(request))
    for (let i = 0; i < block.count; i++) {
      out.theta.set(block.theta.subarray(i * P, (i + 1) * P), block.start[i] * P)
      out.loss[block.start[i]] = block.loss[i]
    }
  return out
}

/** What the checks of one problem share: the reference's values at a few points. */
export interface Answers {
  readonly problem: Problem
  /** [checkedPoints, P] */
  readonly theta: Float64Array
  readonly reference: Objective
  readonly g: Float64Array
  /** Only where a Hessian is to be checked. */
  readonly H: Float64Array | undefined
}

export async function answersOf(
  reference: Engine,
  problem: Problem,
  theta: Float64Array,
  hessian: boolean
): Promise<Answers> {
  const P = parameterCount(problem.model)
  const points = theta.slice(0, Math.min(checkedPoints, theta.length / P) * P)
  const objective = await reference.prepare(problem)
  const { g, H } = await objective.evaluate(points, { g: true, H: hessian })
  return { problem, theta: points, reference: objective, g: g!, H }
}

/** Updates are compared after so many steps by the loss they lead to: small differences in θ have not grown yet. */
const checkedSteps = 3

/** @returns one sentence saying what is wrong, or null */
export async function checkKernel(
  objective: Objective,
  precision: Precision,
  answers: Answers,
  kernel: KernelName,
  program?: Program
): Promise<string | null> {
  const { problem, theta, g, H } = answers
  const eps = epsilonOf[precision] * roundings(problem) * safety
  const P = objective.parameters
  switch (kernel) {
    case 'gradient': {
      const got = await objective.evaluate(theta, { g: true })
      return disagreement('The gradient', got.g ?? [], g, eps * Math.max(1, largest(g)))
    }
    case 'hessian': {
      const got = await objective.evaluate(theta, { g: true, H: true })
      return disagreement('The Hessian', got.H ?? [], H!, eps * Math.max(1, largest(H!)))
    }
    case 'eigh': {
      const got = await stepped(objective, eigenvalueProgram, theta, 1)
      const wanted = new Float64Array(theta.length)
      for (let r = 0; r < theta.length / P; r++)
        wanted.set(symmetricEigen(H!.slice(r * P * P, (r + 1) * P * P), P).values, r * P)
      // Weyl: eigenvalues move by no more than the norm of the change of the matrix, here P times its largest element.
      return disagreement('An eigenvalue', got.theta, wanted, eps * P * Math.max(1, largest(H!)))
    }
    case 'update': {
      const got = await stepped(objective, program!, theta, checkedSteps)
      const wanted = await stepped(answers.reference, program!, theta, checkedSteps)
      return disagreement(
        'The loss after three steps',
        got.loss,
        wanted.loss,
        Math.sqrt(epsilonOf[precision]) * Math.max(1, largest(wanted.loss))
      )
    }
    case 'study':
      return null
    default:
      return kernel satisfies never
  }
}
