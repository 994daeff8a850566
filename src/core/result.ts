/**
 * The saved result of a study (`summary.json`): types only, no input or output. Adding a field raises `summaryVersion`.
 * A report is a pure function of these objects.
 */
/** In every summary: what kind of file it is. */
export const summaryFormat = 'manystart/summary'
/** Of the fields of a summary. */
export const summaryVersion = 2

/** All verdicts. */
export const verdicts = ['minimum', 'degenerate', 'saddle', 'diverging', 'unfinished', 'failed'] as const
/** What lies at the end of a run (DESIGN §5). */
export type Verdict = (typeof verdicts)[number]
/** Numbers of the verdicts: their places in `verdicts`. */
export const VerdictCode = {
  minimum: 0,
  degenerate: 1,
  saddle: 2,
  diverging: 3,
  unfinished: 4,
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

/** min, quartiles and max over runs. */
export interface Quantiles {
  readonly min: number
  readonly q25: number
  readonly median: number
  readonly q75: number
  readonly max: number
}

/** Two-class losses and softmax: accuracy, (recall, precision, auc: two classes only), logLoss; others: r2, devianceExplained, rmse. */
export type MetricSet<T> = Partial<
  Record<'accuracy' | 'recall' | 'precision' | 'auc' | 'logLoss' | 'r2' | 'devianceExplained' | 'rmse', T>
>

/** Whether interval arithmetic shows that exactly one stationary point is in a box, and the signs of H's eigenvalues all over it. */
export interface PointProof {
  readonly status: 'proved' | 'not proved'
  /** Half width of that box, in the coordinates in which the engine works; 0 where nothing is proved. */
  readonly radius: number
  /** Why nothing is proved, in one sentence. */
  readonly reason?: string
  /** Of proved minima: whether it is proved that no other one listed is the same point or a copy of it. */
  readonly distinct?: boolean
}

/** Two ends; null where there is none, or where it was not reached. */
export type Interval = readonly [low: number | null, high: number | null]

/** A test statistic: chi-squared with `df` degrees of freedom, or F with `df` and those of the residuals where a dispersion is estimated. */
export interface Test {
  readonly statistic: number
  readonly df: number
  readonly p: number
}

/** Mean effects of the columns on the mean response, with errors by the delta method. */
export interface MarginalEffects {
  readonly names: readonly string[]
  /** Mean of ∂μ/∂x for numbers; mean difference from the reference level for labels. */
  readonly kinds: readonly ('derivative' | 'difference')[]
  readonly estimates: readonly number[]
  readonly standardErrors: readonly number[]
  readonly p: readonly number[]
  readonly intervals: readonly Interval[]
}

/** What R's `summary` says of a generalised linear model; intervals at the level `confidence`. Lists are in the order of `names`. */
export interface Inference {
  /** Those of the point; for several classes the contrasts of each with the first. */
  readonly names: readonly string[]
  readonly estimates: readonly number[]
  /** By the observed information. */
  readonly standardErrors: readonly number[]
  /** By the expected information, as R's `summary(glm)` has them: the same for canonical links. */
  readonly expectedStandardErrors?: readonly number[]
  /** `t` and `F` with `df` degrees of freedom where the dispersion is estimated, else `z` and χ². */
  readonly distribution: 'z' | 't'
  readonly confidence: number
  readonly statistic: readonly number[]
  readonly p: readonly number[]
  readonly wald: readonly Interval[]
  /** By the likelihood, penalised where the model's is; absent where `profileReason` says why. */
  readonly profile?: readonly Interval[]
  readonly likelihoodRatio?: readonly Test[]
  readonly profileReason?: string
  /** Whether the Wald statistic falls while the estimate grows; null where that is not known. */
  readonly hauckDonner: readonly (boolean | null)[]
  /** d log|statistic| / d log|estimate|: 1 where they grow alike, negative under the Hauck-Donner effect. */
  readonly waldElasticity: readonly (number | null)[]
  readonly logLik: number
  readonly deviance: number
  readonly nullDeviance: number | null
  /** Of the residuals and of the null model's: rows with weight less parameters. */
  readonly df: number
  readonly nullDf: number
  readonly aic: number
  readonly bic: number
  /** 1 where the likelihood has none to estimate. */
  readonly dispersion: number
  /** Of least squares. */
  readonly linear?: {
    readonly sigma: number
    readonly r2: number
    readonly adjustedR2: number
    readonly f?: { readonly statistic: number; readonly df: readonly [number, number]; readonly p: number }
  }
  readonly marginalEffects?: MarginalEffects
  /** What e to the power of a coefficient is, where it is something: 'odds ratio', 'rate ratio', ... */
  readonly ratio?: string
}

/** The minimiser against the ridge, over ridges in descending order, and how well it predicts rows that it was not fitted to. */
export interface RidgePathResult {
  readonly ridges: readonly number[]
  /** Runs for each ridge, from the first starts of the study. */
  readonly starts: number
  readonly names: readonly string[]
  /** Whether `parameters` are those of the standardised columns, on which the ridge falls. */
  readonly standardized: boolean
  /** The best end point of each ridge; [P], empty for networks with hidden layers. */
  readonly parameters: readonly (readonly number[])[]
  /** Loss without the penalty, and with it. */
  readonly losses: readonly number[]
  readonly objectives: readonly number[]
  /** Runs that converged, distinct values of the objective among them, and the largest difference between parameters of those at the best. */
  readonly arrived: readonly number[]
  readonly distinct: readonly number[]
  readonly spread: readonly number[]
  readonly crossValidated?: {
    readonly folds: number
    /** Mean loss of rows held out, and its standard error over the folds. */
    readonly losses: readonly number[]
    readonly errors: readonly number[]
    /** Places in `ridges`: the least loss, and the strongest ridge within one standard error of it. */
    readonly best: number
    readonly withinOneError: number
  }
}

/** A distinct stationary point, up to symmetry: a minimum, a degenerate one (with `nullity`) or a saddle (with `index`). */
export interface StationaryPoint {
  /** Unique over all distinct points: by loss, then by the first start that met them. `runs/points.parquet` refers to it. */
  readonly id: number
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
  readonly parameters: readonly number[]
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
    readonly parameters: readonly number[]
    readonly eigenvalues: readonly number[]
    readonly standardErrors?: readonly number[]
  }
  /** Of points on kinks: pairs of a distinct row and a unit at its kink. Then eigenvalues are along the manifold that holds them there. */
  readonly kinks?: number
  /** Of points on kinks: units of which a ridge has left nothing. */
  readonly unitsPutOut?: number
  readonly nullity?: number
  /** How much of `nullity` continuous symmetries and dead units explain. */
  readonly nullityExplained?: number
  /** Names of parameters that move along the flat directions. */
  readonly flatParameters?: readonly string[]
  readonly index?: number
  /** Of minima and saddles that are described in detail. */
  readonly proof?: PointProof
  readonly metrics?: { readonly train: MetricSet<number>; readonly test?: MetricSet<number> }
  /** First start that reached it, and the first ten. */
  readonly firstStart: number
  readonly starts: readonly number[]
}

/** How the table was read: what study.json keeps in full, for people. */
export interface DatasetSummary {
  /** Rows of the table that were read, left out because of missing values, used for training and held out. */
  readonly rows: {
    readonly read: number
    readonly dropped: number
    readonly training: number
    readonly heldOut: number
  }
  /** Columns of the design matrix. */
  readonly columns: number
  /** The features: numbers, or labels with their levels, the first of which is the reference. */
  readonly features: readonly { readonly column: string; readonly levels?: readonly string[] }[]
  readonly target: { readonly column: string; readonly coding: string; readonly classes?: readonly string[] }
  /** Columns of the weights, and of the trials, where there are any. */
  readonly weights?: string
  readonly trials?: string
  /** What was taken for what, a sentence each. */
  readonly notes: readonly string[]
}

/** What runs to infinity approach: the same limit of the loss and of the predictions. */
export interface LimitPoint {
  /** Extrapolated, and how far that may be wrong. */
  readonly loss: number
  readonly uncertainty: number
  readonly count: number
  /** Of all runs. */
  readonly share: number
  readonly shareInterval: readonly [number, number]
  /** Parameters that grow without bound. */
  readonly growing: readonly string[]
  /** Of the first run that approached it, where its optimiser left it. */
  readonly metrics: { readonly train: MetricSet<number>; readonly test?: MetricSet<number> }
  readonly firstStart: number
}

/** Quantile bands over traced runs at common step numbers. */
export interface Curves {
  readonly runs: number
  readonly steps: readonly number[]
  /** Loss minus the smallest certified loss of the study. */
  readonly lossGap: Bands
  readonly gradientNorm: Bands
}
/** Quantiles over runs, one number of each for every step number. */
export interface Bands {
  readonly q05: readonly number[]
  readonly q25: readonly number[]
  readonly median: readonly number[]
  readonly q75: readonly number[]
  readonly q95: readonly number[]
}

/** Whether a direction separates the rows, so that the loss falls along it for ever. */
export type Separation = Summary['separation']

/** A function of the plane, by its lines of one level. */
export interface Contours {
  readonly levels: readonly {
    readonly loss: number
    readonly lines: readonly (readonly (readonly [number, number])[])[]
  }[]
}

/** The loss between end points, symmetric copies aligned, and over the plane through three of them. */
export interface Landscape {
  /** Absent where there is one point only. */
  readonly segment?: {
    readonly from: string
    readonly to: string
    /** 0 at the first point, 1 at the second. */
    readonly at: readonly number[]
    readonly losses: readonly (number | null)[]
    /** Largest loss between them, less that of the higher one; 0 where none lies between. */
    readonly barrier: number
    /** The same segment under the convex loss for the same targets. */
    readonly twin?: { readonly loss: string; readonly losses: readonly (number | null)[] }
  }
  /** Absent where no three points span one. */
  readonly plane?: Contours & {
    /** In units of the distance of the first two. */
    readonly points: readonly { readonly name: string; readonly x: number; readonly y: number; readonly loss: number }[]
    readonly twin?: Contours & { readonly loss: string }
  }
}

/** What a model of two inputs and two classes decides, for drawing: its training rows, and where its best minima change their mind. */
export interface Decisions {
  /** Names of the two columns. */
  readonly columns: readonly [string, string]
  /** [first input, second input, class 0 or 1] of each row. */
  readonly rows: readonly (readonly [number, number, number])[]
  /** Lines on which both classes are equally likely, of the minima with the lowest loss, in the order of `minima`. */
  readonly boundaries: readonly (readonly (readonly (readonly [number, number])[])[])[]
}

/** What a study found: `summary.json`. Losses are in the units of f, parameters for the columns as given, times in seconds. */
export interface Summary {
  readonly format: typeof summaryFormat
  readonly version: number
  /** Of the study: its record, parts, summary and report carry the same. */
  readonly identity: string
  readonly name: string
  readonly starts: number
  /** Starts that were asked for; larger than `starts` when the study was interrupted. */
  readonly startsRequested: number
  readonly interrupted: boolean
  readonly verdicts: Readonly<Record<Verdict, number>>
  readonly convex: {
    readonly model: boolean
    readonly strongly: boolean
    /** Smallest Hessian eigenvalue at the minimiser (strong-convexity modulus there), where there is one. */
    readonly modulus: number | null
    readonly reason: string
    /** For a non-convex model: a point with a negative Hessian eigenvalue, where one was found. */
    readonly witness?: { readonly eigenvalue: number; readonly parameters: readonly number[]; readonly loss: number }
  }
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
      readonly loss: number
      readonly standardErrors: Readonly<Record<string, number>>
      /** That the deviance tends to; absent for losses that are no likelihood. */
      readonly deviance?: number
    }
    readonly reason?: string
    /** For separated data: the weakest ridge that was tried and gave a finite minimiser; null where none of those tried did. */
    readonly remedy?: { readonly ridge: number; readonly penalizeBias: boolean } | null
    /** For separated data of a loss that takes it: whether Firth's penalty, which was tried, gave a finite minimiser. */
    readonly firth?: boolean
    /** Gradient descent from the origin, with a constant step: a coefficient that goes to infinity after so many steps. */
    readonly growth?: {
      readonly name: string
      /** Of the time: the loss of a row falls exponentially where it is separated, or faster. */
      readonly law: 'logarithm' | 'slower'
      readonly learningRate: number
      readonly steps: readonly number[]
      readonly values: readonly number[]
    }
  }
  readonly spread: { readonly parameters: number; readonly loss: number }
  readonly minima: readonly StationaryPoint[]
  readonly degenerate: readonly StationaryPoint[]
  readonly saddles: readonly StationaryPoint[]
  /** Limits that runs to infinity approach, by loss; those of separated convex models are one. */
  readonly limits: readonly LimitPoint[]
  /** Why runs failed, where some did: the cause with the name of its column, and what to do, as the end of a sentence. */
  readonly failure?: string
  /** Why unfinished runs are unfinished. */
  readonly unfinished: Readonly<Record<UnfinishedReason, number>>
  /** Example of a run with verdict `diverging`. */
  readonly diverging?: {
    readonly start: number
    readonly loss: number
    readonly norm: number
    readonly direction: readonly number[]
    readonly names: readonly string[]
  }
  readonly metrics: {
    readonly train: MetricSet<Quantiles>
    readonly test?: MetricSet<Quantiles>
    readonly asGoodAsBest: number
    readonly disagreement: number
  }
  readonly coverage: {
    readonly goodTuring: number
    readonly unseenUpperBound: number
    readonly confidence: number
    /** Distinct minima after so many starts. */
    readonly discovery: readonly { readonly starts: number; readonly minima: number }[]
    /** Further starts needed until the bound is 1 %, if no new minimum turns up; 0 when it is already. */
    readonly moreStartsForOnePercent: number
  }
  readonly steps: Quantiles
  readonly timing: {
    readonly wallSeconds: number
    readonly runsPerSecond: number
    readonly evaluations: { readonly f: number; readonly g: number; readonly H: number }
  }
  readonly engine: {
    readonly name: string
    readonly precision: string
    readonly device: string
    readonly threads: number
    readonly why: string
  }
  readonly dataset: DatasetSummary
  /** What was studied, for the heading of the report. */
  readonly problem: {
    readonly data: string
    readonly rows: number
    readonly testRows: number
    readonly inputs: number
    readonly outputs: number
    readonly parameters: number
    readonly hidden: readonly number[]
    readonly activation: string
    readonly loss: string
    readonly ridge: number
    readonly penalizeBias: boolean
    /** Firth's penalty. */
    readonly firth?: boolean
    readonly bias: boolean
    readonly standardize: boolean
    /**
     * Which coordinates eigenvalues and the modulus refer to: `data`, the columns and target as given, or `standardized`, where these were
     * asked for and the model has hidden layers or a ridge. Parameters and standard errors refer to what was given, always.
     */
    readonly scale: 'data' | 'standardized'
    readonly target: string
    /** Words on the target's coding, e.g. "versicolor = 0, virginica = 1". */
    readonly coding: string
    readonly optimizer: string
    readonly seed: number
    readonly init: string
    readonly stop: { readonly steps: number; readonly gradient: number }
  }
  /** Thresholds that verdicts and clusters used, by name, with one sentence each. */
  readonly thresholds: Readonly<Record<string, { readonly value: number; readonly meaning: string }>>
  /** A sample, evenly spaced by rank, of certified end-point losses; `point` is the id and kind that it belongs to. */
  readonly waterfall: readonly { readonly loss: number; readonly verdict: Verdict; readonly point: number | null }[]
  readonly curves?: Curves
  readonly ridgePath?: RidgePathResult
  readonly landscape?: Landscape
  readonly decisions?: Decisions
  /** Training rows on which two classes are equally likely at the best minimum, so that rounding chooses; absent where there are none. */
  readonly tiedRows?: number
  readonly notes: readonly string[]
}
