/** Standard errors, tests and intervals, and the ridge path, as a summary has them: types only. */
/** Two ends; null where there is none, or where it was not reached. */
export type Interval = readonly [low: number | null, high: number | null]

/** A test statistic: chi-squared with `df` degrees of freedom, or F with `df` and those of the residuals where a dispersion is estimated. */
export interface Test {
  /** χ² or F, at least 0. */
  readonly statistic: number
  /** Degrees of freedom: the parameters that the test sets to 0. */
  readonly df: number
  /** Probability of a statistic as large or larger if they were 0; from 0 to 1. */
  readonly p: number
}

/** Mean effects of the columns on the mean response, with errors by the delta method. */
export interface MarginalEffects {
  /** The columns of the design that they belong to. */
  readonly names: readonly string[]
  /** Mean of ∂μ/∂x for numbers; mean difference from the reference level for labels. */
  readonly kinds: readonly ('derivative' | 'difference')[]
  /** In units of the mean response for one unit of the column. */
  readonly estimates: readonly number[]
  /** In the same units. */
  readonly standardErrors: readonly number[]
  /** Two-sided, from 0 to 1. */
  readonly p: readonly number[]
  /** At the level of the inference. */
  readonly intervals: readonly Interval[]
}

/** What R's `summary` says of a generalised linear model; intervals at the level `confidence`. Lists are in the order of `names`. */
export interface Inference {
  /** Those of the point; for several classes the contrasts of each with the first. */
  readonly names: readonly string[]
  /** [P], in the units of the columns as given. */
  readonly estimates: readonly number[]
  /** By the observed information. */
  readonly standardErrors: readonly number[]
  /** By the expected information, as R's `summary(glm)` has them: the same for canonical links. */
  readonly expectedStandardErrors?: readonly number[]
  /** `t` and `F` with `df` degrees of freedom where the dispersion is estimated, else `z` and χ². */
  readonly distribution: 'z' | 't'
  /** The level of all intervals, such as 0.95. */
  readonly confidence: number
  /** Estimate over standard error. */
  readonly statistic: readonly number[]
  /** Two-sided, from 0 to 1, by `distribution`. */
  readonly p: readonly number[]
  /** Estimate ± quantile · standard error. */
  readonly wald: readonly Interval[]
  /** By the likelihood, penalised where the model's is; absent where `profileReason` says why. */
  readonly profile?: readonly Interval[]
  /** Each coefficient against 0, all others fitted anew. */
  readonly likelihoodRatio?: readonly Test[]
  /** Why there are no profile intervals, as a sentence. */
  readonly profileReason?: string
  /** Whether the Wald statistic falls while the estimate grows; null where that is not known. */
  readonly hauckDonner: readonly (boolean | null)[]
  /** d log|statistic| / d log|estimate|: 1 where they grow alike, negative under the Hauck-Donner effect. */
  readonly waldElasticity: readonly (number | null)[]
  /** Natural logarithm of the likelihood at the minimiser, constants included. */
  readonly logLik: number
  /** Twice what the saturated model has more of it; residual sum of squares for least squares. */
  readonly deviance: number
  /** That of the model of an intercept alone; null where it is not known. */
  readonly nullDeviance: number | null
  /** Of the residuals: rows with weight, less parameters. */
  readonly df: number
  /** Of the residuals of the null model. */
  readonly nullDf: number
  /** Akaike: −2 log L + 2 parameters. */
  readonly aic: number
  /** Schwarz: −2 log L + log(rows) parameters. */
  readonly bic: number
  /** 1 where the likelihood has none to estimate. */
  readonly dispersion: number
  /** Of least squares. */
  readonly linear?: {
    /** Standard deviation of the residuals, in the unit of the target. */
    readonly sigma: number
    /** Share of the variance explained; from 0 to 1 with an intercept. */
    readonly r2: number
    /** The same, less what as many random columns would explain. */
    readonly adjustedR2: number
    /** All columns against the intercept alone; absent where there are none. */
    readonly f?: {
      /** F, at least 0. */
      readonly statistic: number
      /** Of the columns, and of the residuals. */
      readonly df: readonly [number, number]
      /** From 0 to 1. */
      readonly p: number
    }
  }
  /** Absent where the model has no columns. */
  readonly marginalEffects?: MarginalEffects
  /** What e to the power of a coefficient is, where it is something: 'odds ratio', 'rate ratio', ... */
  readonly ratio?: string
}

/** The minimiser against the ridge, over ridges in descending order, and how well it predicts rows that it was not fitted to. */
export interface RidgePathResult {
  /** Descending. */
  readonly ridges: readonly number[]
  /** Runs for each ridge, from the first starts of the study. */
  readonly starts: number
  /** [P]; empty for networks with hidden layers. */
  readonly names: readonly string[]
  /** Whether `parameters` are those of the standardised columns, on which the ridge falls. */
  readonly standardized: boolean
  /** The best end point of each ridge; [P], empty for networks with hidden layers. */
  readonly parameters: readonly (readonly number[])[]
  /** At the best end point of each ridge, without the penalty. */
  readonly losses: readonly number[]
  /** The same with the penalty. */
  readonly objectives: readonly number[]
  /** Runs that converged, for each ridge. */
  readonly arrived: readonly number[]
  /** Distinct values of the objective among them. */
  readonly distinct: readonly number[]
  /** Largest difference between parameters of those at the best. */
  readonly spread: readonly number[]
  /** By holding out parts of the rows in turn; absent where that was not possible. */
  readonly crossValidated?: {
    /** Parts of the rows, each held out once. */
    readonly folds: number
    /** Mean loss of rows held out, for each ridge. */
    readonly losses: readonly number[]
    /** Its standard error over the folds. */
    readonly errors: readonly number[]
    /** Place in `ridges` of the least loss. */
    readonly best: number
    /** Place of the strongest ridge within one standard error of it. */
    readonly withinOneError: number
  }
}
