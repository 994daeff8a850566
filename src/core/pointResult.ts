/** The distinct points and limits of a summary, and how well they predict: types only. */
import type { Inference } from './inferenceResult.js'

/** min, quartiles and max over runs. */
export interface Quantiles {
  /** Smallest. */
  readonly min: number

  /** A quarter of the runs lie at or below it. */
  readonly q25: number

  /** Half of the runs do. */
  readonly median: number

  /** Three quarters do. */
  readonly q75: number

  /** Largest. */
  readonly max: number
}

/** Two-class losses and softmax: accuracy, (recall, precision, auc: two classes only), logLoss; others: r2, devianceExplained, rmse. */
export type MetricSet<T> = Partial<
  Record<'accuracy' | 'recall' | 'precision' | 'auc' | 'logLoss' | 'r2' | 'devianceExplained' | 'rmse', T>
>

/** Whether interval arithmetic shows that exactly one stationary point is in a box, and the signs of H's eigenvalues all over it. */
export interface PointProof {
  /** Whether it was shown. */
  readonly status: 'proved' | 'not proved'
  /** Half width of that box, in the coordinates in which the engine works; 0 where nothing is proved. */
  readonly radius: number
  /** Why nothing is proved, in one sentence. */
  readonly reason?: string
  /** Of proved minima: whether it is proved that no other one listed is the same point or a copy of it. */
  readonly distinct?: boolean
}

/** A distinct stationary point, up to symmetry: a minimum, a degenerate one (with `nullity`) or a saddle (with `index`). */
export interface StationaryPoint {
  /** Unique over all distinct points: by loss, then by the first start that met them. `runs/points.parquet` and `runs/distinct.parquet` refer to it. */
  readonly id: number

  /** f there, penalties included. */
  readonly loss: number
  /** Of minima, strict or flat: the place of the loss among them, from 1 on. Losses that are equal but for rounding share one. */
  readonly rank?: number
  /** max |g_p| at the certified point, in the conditioned coordinates of the computation: free of units and offsets. */
  readonly gradientNorm: number
  /** Runs whose end point is this one or a copy of it. */
  readonly count: number
  /** Of all runs. */
  readonly share: number
  /** Wilson interval of `share` at `coverage.confidence`. */
  readonly shareInterval: readonly [number, number]
  /** Distinct symmetric images met. */
  readonly copies: number
  /** How many there are: the order of the symmetry group, for a generic point. */
  readonly copiesPossible: number
  /** Of the Hessian, ascending, on the scale that `problem.scale` names. */
  readonly eigenvalues: readonly number[]
  /** Of a strict minimum: largest eigenvalue over the smallest, in the conditioned coordinates, where units and offsets have no part in it. */
  readonly condition?: number

  /** [P], of the columns as given. */
  readonly parameters: readonly number[]

  /** [P] names of the parameters. */
  readonly names: readonly string[]
  /** First-layer biases of the columns less their means (`preprocessing.centring` in study.json): with all digits beside large means. */
  readonly atMeans?: readonly number[]
  /** Observed information; absent where the minimum is not strict or the loss is no likelihood. */
  readonly standardErrors?: readonly number[]
  /** Why there are no standard errors, as a sentence. */
  readonly standardErrorsReason?: string
  /** By the expected information, which for least squares is that of the Gauss-Newton method; of formulas, others have `inference`. */
  readonly expectedStandardErrors?: readonly number[]
  /** Of models without hidden layer whose loss is a likelihood: of their minimiser. */
  readonly inference?: Inference
  /** In standardised coordinates, where they were asked for. */
  readonly standardized?: {
    /** [P], of the standardised columns. */
    readonly parameters: readonly number[]

    /** Of the Hessian by them, ascending. */
    readonly eigenvalues: readonly number[]

    /** [P]; absent where `standardErrors` is. */
    readonly standardErrors?: readonly number[]
  }
  /** Of points on kinks: pairs of a distinct row and a unit at its kink. Then eigenvalues are along the manifold that holds them there. */
  readonly kinks?: number
  /** Of points on kinks: units of which a ridge has left nothing. */
  readonly unitsPutOut?: number

  /** Flat directions, where there are any: eigenvalues that are 0 but for rounding. */
  readonly nullity?: number
  /** How much of `nullity` continuous symmetries and dead units explain. */
  readonly nullityExplained?: number
  /** Names of parameters that move along the flat directions. */
  readonly flatParameters?: readonly string[]

  /** Of a saddle: negative eigenvalues. */
  readonly index?: number
  /** Of minima and saddles that are described in detail. */
  readonly proof?: PointProof

  /** How well it predicts; absent where there are no rows. */
  readonly metrics?: {
    /** On the training rows. */
    readonly train: MetricSet<number>
    /** On the rows held out, where there are any. */
    readonly test?: MetricSet<number>
  }
  /** Number of the first start that reached it. */
  readonly firstStart: number

  /** Numbers of the first ten, ascending. */
  readonly starts: readonly number[]
}

/** What runs to infinity approach: the same limit of the loss and of the predictions. */
export interface LimitPoint {
  /** Extrapolated along the runs. */
  readonly loss: number

  /** How far `loss` may be wrong. */
  readonly uncertainty: number

  /** Runs that approach it. */
  readonly count: number
  /** Of all runs. */
  readonly share: number

  /** Wilson interval of `share` at `coverage.confidence`. */
  readonly shareInterval: readonly [number, number]
  /** Parameters that grow without bound. */
  readonly growing: readonly string[]
  /** Of the first run that approached it, where its optimiser left it. */
  readonly metrics: {
    /** On the training rows. */
    readonly train: MetricSet<number>
    /** On the rows held out, where there are any. */
    readonly test?: MetricSet<number>
  }

  /** Number of the first start that approached it. */
  readonly firstStart: number
}

/** Counts of runs in intervals of equal width; one interval where all values are the same. */
export interface Histogram {
  /** Where the first begins. */
  readonly low: number
  /** Where the last ends. */
  readonly high: number
  /** Runs in each. */
  readonly counts: readonly number[]
}
