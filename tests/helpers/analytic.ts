// Functions whose stationary points are all known, and a way to walk an update program over them one step at a time.
import type { JudgedObjective } from '../../src/analysis/follow.js'
import { Interpreter } from '../../src/engines/reference/interpreter.js'
import { runOne } from '../../src/engines/reference/run.js'
import type { RunBlock } from '../../src/engines/types.js'
import { Slot, type Program } from '../../src/language/program.js'

export interface Landscape {
  readonly size: number
  f(x: Float64Array): number
  g(x: Float64Array): number[]
  /** Row-major. */
  H(x: Float64Array): number[]
}

/** ½ xᵀAx − bᵀx, A row-major. */
export function quadratic(A: readonly number[], b: readonly number[]): Landscape {
  const n = b.length
  const times = (x: Float64Array): number[] => b.map((_, i) => b.reduce((sum, _b, j) => sum + A[i * n + j] * x[j], 0))
  return {
    size: n,
    f: x => times(x).reduce((sum, v, i) => sum + x[i] * (0.5 * v - b[i]), 0),
    g: x => times(x).map((v, i) => v - b[i]),
    H: () => [...A]
  }
}

/** (x² + y − 11)² + (x + y² − 7)²: four minima with f = 0, four saddles, one maximum. */
export const himmelblau: Landscape = {
  size: 2,
  f: ([x, y]) => (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
  g: ([x, y]) => [4 * x * (x * x + y - 11) + 2 * (x + y * y - 7), 2 * (x * x + y - 11) + 4 * y * (x + y * y - 7)],
  H: ([x, y]) => [12 * x * x + 4 * y - 42, 4 * (x + y), 4 * (x + y), 12 * y * y + 4 * x - 26]
}
/** Stationary points to the last digit, by Newton's iteration in 30-digit arithmetic. */
export const himmelblauMinima: readonly (readonly [number, number])[] = [
  [3, 2],
  [-2.805118086952745, 3.131312518250573],
  [-3.779310253377747, -3.283185991286169],
  [3.584428340330492, -1.8481265269644036]
]
export const himmelblauSaddles: readonly (readonly [number, number])[] = [
  [0.0866775045553964, 2.884254701174776],
  [3.385154183607021, 0.07385187983774929],
  [-3.0730257507643895, -0.08135304428796751],
  [-0.12796134673068007, -1.9537149802445764]
]
export const himmelblauMaximum: readonly [number, number] = [-0.2708445906673476, -0.9230385564799815]

/** ¼x⁴ − ½x² + ½y²: minima at (±1, 0), a strict saddle at the origin. */
export const doubleWell: Landscape = {
  size: 2,
  f: ([x, y]) => x ** 4 / 4 - x ** 2 / 2 + y ** 2 / 2,
  g: ([x, y]) => [x ** 3 - x, y],
  H: ([x]) => [3 * x * x - 1, 0, 0, 1]
}

export interface Taken {
  /** Where f and g were evaluated in this step. */
  readonly evaluated: Float64Array
  /** The current point after it, with its loss and gradient norm. */
  readonly point: Float64Array
  readonly loss: number
  readonly gradientNorm: number
  readonly stalled: boolean
  /** What will be evaluated next. */
  readonly next: Float64Array
  readonly report: readonly number[]
}

/** The first `steps` steps of a program from `start`; ends early where the program says that it has stalled. */
export function walk(
  program: Program,
  landscape: Landscape,
  start: readonly number[],
  steps: number,
  scale: readonly number[] = start.map(() => 1)
): Taken[] {
  const state = new Interpreter(program, landscape.size, Float64Array.from(scale))
  const x = state.vectors[Slot.x]
  state.reset(Float64Array.from(start))
  const taken: Taken[] = []
  for (let step = 0; step < steps; step++) {
    const evaluated = Float64Array.from(x)
    state.scalars[Slot.f] = landscape.f(x)
    state.vectors[Slot.g].set(landscape.g(x))
    if (program.needs === 'H') state.matrices[Slot.H].set(landscape.H(x))
    state.scalars[Slot.step] = step
    state.run()
    const { outputs } = program
    taken.push({
      evaluated,
      point: Float64Array.from(state.vectors[outputs.point]),
      loss: state.scalars[outputs.loss],
      gradientNorm: state.scalars[outputs.gradientNorm],
      stalled: state.scalars[outputs.stalled] !== 0,
      next: Float64Array.from(x),
      report: program.report.map(r => state.scalars[r.slot])
    })
    if (taken[step].stalled) break
  }
  return taken
}

/** A landscape as an objective: programs run from given points. */
export function objectiveOf(landscape: Landscape): JudgedObjective {
  const P = landscape.size
  const rows = (theta: Float64Array): Float64Array[] =>
    Array.from({ length: theta.length / P }, (_, r) => theta.subarray(r * P, (r + 1) * P))
  const evaluator = {
    parameters: P,
    problem: { rows: 1 },
    evaluate(x: Float64Array, g?: Float64Array, H?: Float64Array): number {
      g?.set(landscape.g(x))
      H?.set(landscape.H(x))
      return landscape.f(x)
    }
  }
  return {
    parameters: P,
    evaluate: theta =>
      Promise.resolve({
        f: Float64Array.from(rows(theta), x => landscape.f(x)),
        g: Float64Array.from(rows(theta).flatMap(x => landscape.g(x))),
        H: Float64Array.from(rows(theta).flatMap(x => landscape.H(x)))
      }),
    async *minimise(request): AsyncIterable<RunBlock> {
      if (request.starts.kind !== 'given') throw new Error('a landscape is run from given points only')
      const state = new Interpreter(request.program, P, new Float64Array(P).fill(1))
      const runs = rows(request.starts.theta).map((x, i) => runOne(evaluator, state, request, i, x))
      yield await Promise.resolve({
        count: runs.length,
        start: Float64Array.from(runs, (_, i) => i),
        theta: Float64Array.from(runs.flatMap(run => [...run.theta])),
        loss: Float64Array.from(runs, run => run.loss),
        gradientNorm: Float64Array.from(runs, run => run.gradientNorm),
        steps: Uint32Array.from(runs, run => run.steps),
        status: Uint8Array.from(runs, run => run.status),
        report: Float64Array.from(runs.flatMap(run => [...run.report]))
      })
    }
  }
}
