/**
 * The saved result of a study (`summary.json`): types only, no input or output. Adding a field raises `summaryVersion`.
 * A report is a pure function of these objects.
 */
import type { RidgePathResult } from './inferenceResult.js'
import type { ResamplingResult } from './resamplingResult.js'
import type { Curves, Decisions, Landscape } from './landscapeResult.js'
import type { Multiplicity } from './multiplicityResult.js'
import type { Histogram, LimitPoint, MetricSet, Quantiles, StationaryPoint } from './pointResult.js'
import type { RestartsResult } from './restartsResult.js'

export type * from './inferenceResult.js'
export type * from './landscapeResult.js'
export type * from './multiplicityResult.js'
export type * from './resamplingResult.js'
export type * from './pointResult.js'

/** In every summary: what kind of file it is. */
export const summaryFormat = 'manystart/summary'
/** Of the fields of a summary. */
export const summaryVersion = 3

/** All verdicts. */
export const verdicts = ['minimum', 'degenerate', 'saddle', 'diverging', 'unfinished', 'failed'] as const
/** What lies at the end of a run (DESIGN §5). */
export type Verdict = (typeof verdicts)[number]
/** Numbers of the verdicts: their places in `verdicts`. */
export const VerdictCode = {
  /** A strict minimum. */
  minimum: 0,

  /** Flat directions, none that leads down. */
  degenerate: 1,

  /** A direction leads down. */
  saddle: 2,

  /** No finite minimiser that way. */
  diverging: 3,

  /** Not stationary, or not judged. */
  unfinished: 4,

  /** Not a number. */
  failed: 5
} as const satisfies Record<Verdict, number>

/** All reasons why a run is unfinished. */
export const unfinishedReasons = ['budget', 'saturated', 'kink', 'stalled', 'unjudged'] as const
/**
 * Why a run is unfinished: its steps were used up; a hidden unit is flat on all rows because its net inputs are so large; a relu unit
 * sits on its kink; no further progress was possible, though no stationary point is near; or the study judges only some of its runs.
 */
export type UnfinishedReason = (typeof unfinishedReasons)[number]

/** Words of the column `reason` of stored runs: none for runs that are not unfinished. */
export const reasonWords = ['', ...unfinishedReasons] as const
/** Numbers of the reasons: their places in `reasonWords`. */
export const ReasonCode = Object.fromEntries(unfinishedReasons.map((reason, i) => [reason, i + 1])) as Record<
  UnfinishedReason,
  number
>

/** How the table was read: what study.json keeps in full, for people. */
export interface DatasetSummary {
  /** Rows of the table that were read, left out because of missing values, used for training and held out. */
  readonly rows: {
    /** Of the table. */
    readonly read: number

    /** Left out because of missing values. */
    readonly dropped: number

    /** Used for training. */
    readonly training: number

    /** Held out. */
    readonly heldOut: number
  }
  /** Columns of the design matrix. */
  readonly columns: number
  /** The features: numbers, or labels with their levels, the first of which is the reference. */
  readonly features: readonly {
    /** Name of the column. */
    readonly column: string
    /** Its labels, the reference first; absent for numbers. */
    readonly levels?: readonly string[]
  }[]

  /** What is predicted. */
  readonly target: {
    /** Its column, or several with commas between. */
    readonly column: string
    /** How labels became numbers, in words; empty for numbers. */
    readonly coding: string
    /** Labels by their number. */
    readonly classes?: readonly string[]
  }
  /** Column of the weights, where there is one. */
  readonly weights?: string

  /** Column of the trials, where there is one. */
  readonly trials?: string
  /** What was taken for what, a sentence each. */
  readonly notes: readonly string[]
}

/** Whether a direction separates the rows, so that the loss falls along it for ever. */
export type Separation = Summary['separation']

/** Distinct points of one kind together. */
export interface DistinctTotals {
  /** How many they are, listed or not. */
  readonly points: number
  /** Distinct symmetric images met of all of them. */
  readonly copies: number
  /** The lowest and the highest loss; absent where there is no point. */
  readonly losses?: readonly [number, number]
}

/** What a study found: `summary.json`. Losses are in the units of f, parameters for the columns as given, times in seconds. */
export interface Summary {
  /** What kind of file it is. */
  readonly format: typeof summaryFormat

  /** Of its fields. */
  readonly version: number
  /** Of the study: its record, parts, summary and report carry the same. */
  readonly identity: string

  /** Of the model, in words. */
  readonly name: string

  /** Runs that this is a summary of. */
  readonly starts: number
  /** Starts that were asked for; larger than `starts` when the study was interrupted. */
  readonly startsRequested: number

  /** Whether it was stopped before all of them had ended. */
  readonly interrupted: boolean

  /** How many runs have each verdict. */
  readonly verdicts: Readonly<Record<Verdict, number>>

  /** Whether f is convex. */
  readonly convex: {
    /** For every θ, whatever the data. */
    readonly model: boolean

    /** With a minimum that is unique and finite. */
    readonly strongly: boolean
    /** Smallest Hessian eigenvalue at the minimiser (strong-convexity modulus there), where there is one. */
    readonly modulus: number | null

    /** Why, as a sentence. */
    readonly reason: string
    /** For a non-convex model: a point with a negative Hessian eigenvalue, where one was found. */
    readonly witness?: {
      /** The negative one. */
      readonly eigenvalue: number
      /** [P], of the columns as given. */
      readonly parameters: readonly number[]
      /** f there. */
      readonly loss: number
    }
  }

  /** Whether a direction separates the rows, so that f has no finite minimiser: decided before any run. */
  readonly separation: {
    /** `undecided`: margins lie within the rounding of the data; `reason` says so. */
    readonly status: 'none' | 'quasi-complete' | 'complete' | 'not-applicable' | 'undecided'
    /** Coefficients that go to infinity, with their sign. */
    readonly infinite: Readonly<Record<string, 1 | -1>>
    /** Coefficients that may go to infinity either way, or not at all, while the loss falls. */
    readonly undetermined: readonly string[]
    /** Limits of the coefficients that stay. */
    readonly finite: Readonly<Record<string, number>>
    /** Numbers, from 1, of the rows that are separated: their loss tends to the least that there is. */
    readonly rows: readonly number[]
    /** [P] along which the loss falls for ever, of unit length; empty where there is none. */
    readonly direction: readonly number[]
    /** The infimum of the loss, and standard errors of the coefficients that stay, from the rows that are left. */
    readonly limit?: {
      /** The infimum of f. */
      readonly loss: number

      /** By the name of the coefficient. */
      readonly standardErrors: Readonly<Record<string, number>>
      /** That the deviance tends to; absent for losses that are no likelihood. */
      readonly deviance?: number
    }

    /** Why it is not applicable or undecided, as a sentence. */
    readonly reason?: string
    /** For separated data: the weakest ridge that was tried and gave a finite minimiser; null where none of those tried did. */
    readonly remedy?: {
      /** The ridge. */
      readonly ridge: number
      /** Whether it has to fall on biases too. */
      readonly penalizeBias: boolean
    } | null
    /** For separated data of a loss that takes it: whether Firth's penalty, which was tried, gave a finite minimiser. */
    readonly firth?: boolean
    /** Gradient descent from the origin, with a constant step: a coefficient that goes to infinity after so many steps. */
    readonly growth?: {
      /** Of the coefficient. */
      readonly name: string
      /** Of the time: the loss of a row falls exponentially where it is separated, or faster. */
      readonly law: 'logarithm' | 'slower'

      /** The step: of the standardised columns. */
      readonly learningRate: number

      /** Ascending. */
      readonly steps: readonly number[]

      /** The coefficient after so many steps. */
      readonly values: readonly number[]
    }
  }

  /** How far the end points of runs lie apart that are minima or degenerate. */
  readonly spread: {
    /** Largest difference of a parameter, relative to max(1, |value|). */
    readonly parameters: number
    /** Largest difference of the loss, likewise. */
    readonly loss: number
  }

  /** How many distinct points there are; of each kind so many are listed, those with the lowest loss, that a text holds them. */
  readonly distinct: {
    /** Strict minima. */
    readonly minima: DistinctTotals
    /** Points with flat directions. */
    readonly degenerate: DistinctTotals
    /** Saddles. */
    readonly saddles: DistinctTotals
    /** Of the minima, strict or flat, that share the lowest loss; absent where there is none. */
    readonly lowest?: {
      /** How many they are. */
      readonly points: number
      /** Runs that ended there. */
      readonly runs: number
    }
  }

  /** Strict minima, by loss. */
  readonly minima: readonly StationaryPoint[]

  /** Points with flat directions, by loss. */
  readonly degenerate: readonly StationaryPoint[]

  /** Saddles, by loss. */
  readonly saddles: readonly StationaryPoint[]
  /** Limits that runs to infinity approach, by loss; those of separated convex models are one. */
  readonly limits: readonly LimitPoint[]
  /** Why runs failed, where some did: the cause with the name of its column, and what to do, as the end of a sentence. */
  readonly failure?: string
  /** Why unfinished runs are unfinished. */
  readonly unfinished: Readonly<Record<UnfinishedReason, number>>
  /** Example of a run with verdict `diverging`. */
  readonly diverging?: {
    /** Its number. */
    readonly start: number

    /** f where its optimiser left it. */
    readonly loss: number

    /** Length of θ there. */
    readonly norm: number

    /** [P] θ over its length. */
    readonly direction: readonly number[]

    /** [P] names of the parameters. */
    readonly names: readonly string[]
  }

  /** How well the runs predict that did not fail, where the optimiser left them. */
  readonly metrics: {
    /** On the training rows. */
    readonly train: MetricSet<Quantiles>

    /** On the rows held out, where there are any. */
    readonly test?: MetricSet<Quantiles>

    /** How many runs have which value of the metric by which such models are judged, the first of accuracy, R² and deviance explained. */
    readonly histogram?: {
      /** Its name. */
      readonly metric: keyof MetricSet<number>
      /** On the training rows. */
      readonly train: Histogram
      /** On the rows held out. */
      readonly test?: Histogram
    }

    /** Share of the runs whose training accuracy, else loss, is that of the best run. */
    readonly asGoodAsBest: number

    /** Mean share of the rows for which two runs predict different classes. */
    readonly disagreement: number
  }

  /** How far the predictions of good runs, and of minima, differ; absent for models without data. */
  readonly multiplicity?: Multiplicity

  /** How many starts are needed. */
  readonly restarts: RestartsResult
  /** How many minima may not have been seen. */
  readonly coverage: {
    /** Good and Turing's estimate of the probability that a further run ends in a minimum not seen so far. */
    readonly goodTuring: number

    /** Upper bound of that probability at `confidence`. */
    readonly unseenUpperBound: number

    /** The level of bounds and intervals, such as 0.95. */
    readonly confidence: number
    /** Distinct minima after so many starts. */
    readonly discovery: readonly {
      /** So many starts. */
      readonly starts: number
      /** Distinct minima among their ends. */
      readonly minima: number
    }[]
    /** Further starts needed until the bound is 1 %, if no new minimum turns up; 0 when it is already. */
    readonly moreStartsForOnePercent: number
  }

  /** Of the optimiser, over the runs. */
  readonly steps: Quantiles

  /** What it cost. */
  readonly timing: {
    /** From the first start to the last verdict. */
    readonly wallSeconds: number

    /** Runs over these seconds. */
    readonly runsPerSecond: number

    /** How often f and its derivatives were computed for one θ. */
    readonly evaluations: {
      /** Loss alone. */
      readonly f: number
      /** Loss and gradient. */
      readonly g: number
      /** Loss, gradient and Hessian. */
      readonly H: number
    }
  }

  /** What computed the runs. */
  readonly engine: {
    /** `cpu`, `webgpu`, `tensorflow` or `reference`. */
    readonly name: string

    /** Of the search: `f64`, `f32` or `mixed`. */
    readonly precision: string

    /** Processor or graphics card, in words. */
    readonly device: string

    /** Threads of the search. */
    readonly threads: number

    /** Why this engine, as a sentence. */
    readonly why: string
  }

  /** How the table was read. */
  readonly dataset: DatasetSummary
  /** What was studied, for the heading of the report. */
  readonly problem: {
    /** Name of the table. */
    readonly data: string

    /** N, the training rows. */
    readonly rows: number

    /** Rows held out. */
    readonly testRows: number

    /** D, columns of the design without the intercept. */
    readonly inputs: number

    /** C, outputs of the model. */
    readonly outputs: number

    /** P. */
    readonly parameters: number

    /** Units of the hidden layers, from the inputs on. */
    readonly hidden: readonly number[]

    /** Of the hidden units. */
    readonly activation: string

    /** Its name. */
    readonly loss: string

    /** λ of the penalty ½ λ Σ θ²; 0 for none. */
    readonly ridge: number

    /** Whether it falls on biases too. */
    readonly penalizeBias: boolean
    /** Firth's penalty. */
    readonly firth?: boolean

    /** Whether the model has biases. */
    readonly bias: boolean

    /** Whether starts and ridge refer to standardised columns. */
    readonly standardize: boolean
    /**
     * Which coordinates eigenvalues and the modulus refer to: `data`, the columns and target as given, or `standardized`, where these were
     * asked for and the model has hidden layers or a ridge. Parameters and standard errors refer to what was given, always.
     */
    readonly scale: 'data' | 'standardized'

    /** Column of the target. */
    readonly target: string
    /** Words on the target's coding, e.g. "versicolor = 0, virginica = 1". */
    readonly coding: string

    /** With its options, in words. */
    readonly optimizer: string

    /** Of starts and mini-batches. */
    readonly seed: number

    /** Where starts lie, in words. */
    readonly init: string

    /** A model that was written as an expression, in place of a network. */
    readonly expression?: {
      /** As it was given. */
      readonly text: string
      /** Whether it is what is minimised, without data; else it is z. */
      readonly objective: boolean
    }

    /** When runs stop. */
    readonly stop: {
      /** After so many steps. */
      readonly steps: number
      /** When max |g_p| is at most this, in conditioned coordinates. */
      readonly gradient: number
    }
  }
  /** Thresholds that verdicts and clusters used, by name, with one sentence each. */
  readonly thresholds: Readonly<
    Record<
      string,
      {
        /** The number. */
        readonly value: number
        /** What it decides, as a sentence. */
        readonly meaning: string
      }
    >
  >
  /** A sample, evenly spaced by rank, of certified end-point losses; `point` is the id and kind that it belongs to. */
  readonly waterfall: readonly {
    /** Certified. */
    readonly loss: number
    /** Of the run. */
    readonly verdict: Verdict
    /** `id` of the distinct point; null where the run ends at none. */
    readonly point: number | null
  }[]

  /** How runs converge; absent where none were traced. */
  readonly curves?: Curves

  /** The minimiser against the ridge, where it was asked for. */
  readonly ridgePath?: RidgePathResult

  /** Bootstrap and cross-validation, where they were asked for. */
  readonly resampling?: ResamplingResult

  /** The loss between and around end points; absent where there are none. */
  readonly landscape?: Landscape

  /** Of models of two inputs and two classes. */
  readonly decisions?: Decisions
  /** Training rows on which two classes are equally likely at the best minimum, so that rounding chooses; absent where there are none. */
  readonly tiedRows?: number

  /** What else is to be known, a sentence each. */
  readonly notes: readonly string[]
}
