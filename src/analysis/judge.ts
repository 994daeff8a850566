/** What judging needs, what it is given, and what it gives. */
import type { Climbs, Escape } from './escape.js'
import type { JudgedObjective } from './follow.js'
import type { Receding } from './receding.js'
import type { Program } from '../engines/types.js'
import type { Network, Problem } from '../models/types.js'
import type { Filled, RunBlock } from '../runs/table.js'

/** Programs and limits that judging needs; built by the study for the certifying engine. */
export interface Judge {
  /** f64 objective on the same problem. */
  readonly objective: JudgedObjective
  /** What the objective computes where that is a network, whose units may saturate and lie on kinks; null for other functions. */
  readonly network: Problem<Network> | null
  /** Of a loss that can fall to 0 and no further, its value where all outputs are 0; null of others. */
  readonly blankLoss: number | null
  /** [P]: 1 / rms of the input column for first-layer weights, 1 elsewhere. */
  readonly scale: Float64Array
  readonly polish: Program
  readonly polishSteps: number
  readonly newton: Program
  readonly climbs: Climbs
  /** Steepest descent, and steps that it may take. */
  readonly flow: { readonly program: Program; readonly steps: number }
  /** [P] λ_p of the ridge. */
  readonly penalty: Float64Array
  /** Linear programming has shown that no finite minimiser exists: every run diverges. */
  readonly separated: boolean
  /** No direction of recession exists: a ridge falls on every parameter, or the model is convex and linear programming found none. */
  readonly bounded: boolean
  /** The loss below which every run goes to infinity; null where none is known. */
  readonly receding: Receding | null
  /** Flat directions that every minimiser of a convex model has; null where the model is not convex. */
  readonly flatDirections: number | null
  /** How far polishing may move a run, when not `thresholds.moved`: Infinity for convex models and for runs found in f32. */
  readonly moveLimit: number | undefined
  readonly eps: number
}

/** Where runs ended, and how. */
export type Found = Pick<RunBlock, 'loss' | 'gradientNorm' | 'status'>

/** Judged runs, in the order of the block they came from; the places of `verdict` are those of `verdicts`. */
export interface Judged extends Omit<Filled<'judge'>, 'conditioned'> {
  /** Steps spent on certifying, and losses evaluated beside them, for the count of evaluations. */
  readonly steps: number
  readonly losses: number
  /** The ways of diverging runs to infinity, by place in the block; separated ones have none of their own. */
  readonly ways: ReadonlyMap<number, Escape>
}

/** Whether a run of this loss is known to go to infinity. */
export const isReceding = (judge: Judge, loss: number): judge is Judge & { readonly receding: Receding } =>
  judge.receding !== null && loss < judge.receding.below
