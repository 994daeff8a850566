// Written by `npm run schema` from schema.ts.
/** What goes into a study, as in study.yaml; every field has a default, but for the data. */
import type { Cell, Columns } from '../data/types.js'

/** `data` of a study: the table, and how it is read. */
export interface DataInput {
  /** Path of a text table, or - for standard input. */
  readonly csv?: string
  /** Path of a Parquet file. */
  readonly parquet?: string
  /** Built-in data set: iris2, iris3, endometrial, insect_sprays, longley, xor. */
  readonly builtin?: string
  /** Two normal classes; overlap is the error rate of the best rule. */
  readonly generate?: {
    /** a whole number, above 0. */
    readonly rows: number
    /** a whole number, above 0. */
    readonly inputs: number
    /** Above 0, at most 0.5. */
    readonly overlap: number
    /** a whole number, at least 0, default 1. */
    readonly seed?: number
  }
  /** Arrays of one length by the name of their column, from a program. */
  readonly columns?: Columns
  /** a list of objects, from a program. */
  readonly rows?: readonly Readonly<Record<string, Cell>>[]
  /** SHA-256 that the data had; a note says when they have changed. */
  readonly hash?: string
  /** Column to predict, or several: an output for each. */
  readonly target?: string | readonly string[]
  /** Column of the number of trials, of which the target counts the successes. */
  readonly trials?: string
  /** Input columns, none for an intercept alone; a name with a comma stands in quotation marks. */
  readonly features?: readonly string[]
  /** Columns to leave out. */
  readonly exclude?: readonly string[]
  /** Columns that hold labels, even if they look like numbers. */
  readonly categorical?: readonly string[]
  /** Columns that must hold numbers. */
  readonly numeric?: readonly string[]
  /** Level that the others of a column are compared with. */
  readonly reference?: Readonly<Record<string, string | number | boolean>>
  /** Leave out columns that depend on those before them, as R does; for models without hidden layer. */
  readonly dropAliased?: boolean
  /** Drop: leave out rows with a missing or unreadable value in a column that is used; default "refuse". */
  readonly missing?: 'refuse' | 'drop'
  /** What stands for a missing value, beside the empty cell. */
  readonly missingValues?: readonly (string | number | boolean)[]
  /** What stands between columns, such as ; or tab. */
  readonly delimiter?: string
  /** Decimal sign of the numbers. */
  readonly decimal?: '.' | ','
  /** Column of row weights. */
  readonly weights?: string
  /** Column added to z. */
  readonly offset?: string
  /** Column whose logarithm is added to z. */
  readonly exposure?: string
  /**
   * Draw starts, and let a ridge fall, on columns of mean 0 and population standard deviation 1; parameters are
   * given for the columns as given, the standardised ones stand beside them; default false.
   */
  readonly standardize?: boolean
  /** The same for a numeric target; default false. */
  readonly standardizeTarget?: boolean
  /** Rows held out: none, a share, or those of a file. */
  readonly test?:
    | 'none'
    | {
        /** Above 0, below 1, default 0.3. */
        readonly fraction?: number
        /** a whole number, at least 0, default 1. */
        readonly seed?: number
      }
    | {
        /** Path of a text table with the same columns. */
        readonly csv: string
      }
}

/** `model` of a study: a network or generalised linear model, or one of your own. */
export interface ModelInput {
  /** Units of the hidden layers; none: a generalised linear model; default []. */
  readonly hidden?: readonly number[]
  /** Of the hidden units: identity, tanh, logistic, softplus, relu, sin, gelu; default "tanh". */
  readonly activation?: 'identity' | 'tanh' | 'logistic' | 'softplus' | 'relu' | 'sin' | 'gelu'
  /**
   * What is minimised over the rows: squared, logistic, probit, cloglog, poisson, gamma, softmax, brier,
   * negativeBinomial, huber, student.
   */
  readonly loss?:
    | 'squared'
    | 'logistic'
    | 'probit'
    | 'cloglog'
    | 'poisson'
    | 'gamma'
    | 'softmax'
    | 'brier'
    | {
        /** The parameters of negativeBinomial. */
        readonly negativeBinomial: {
          /** α of the variance μ + α μ²; above 0, at most 1000000. */
          readonly dispersion: number
        }
      }
    | {
        /** The parameters of huber. */
        readonly huber: {
          /** Residual from which the loss grows in proportion; above 0, at most 1e+100. */
          readonly delta: number
        }
      }
    | {
        /** The parameters of student. */
        readonly student: {
          /** Degrees of freedom ν; above 0, at most 1000000. */
          readonly df: number
          /** Scale s of the errors; above 0, at most 1e+100. */
          readonly scale: number
        }
      }
  /** Biases (use --no-bias for none); default true. */
  readonly bias?: boolean
  /**
   * Adds (ridge/2) Σ θ² over the weights; path (49 values, path:100 so many), or a list: without one, and beside
   * it the minimiser against such ridges; default 0.
   */
  readonly ridge?:
    | number
    | 'path'
    | {
        /** a whole number, at least 2, at most 500. */
        readonly path: number
      }
    | readonly number[]
  /** Ridge on biases too; default false. */
  readonly penalizeBias?: boolean
  /**
   * Firth’s penalty, −½ log det of the expected information over the total weight: logistic, probit, cloglog and
   * poisson without hidden layer, on cpu and reference; default false.
   */
  readonly firth?: boolean
  /** z as an expression of columns and parameters, in place of a network. */
  readonly formula?: string
  /** What is minimised itself, as an expression of parameters, without data. */
  readonly objective?: string
  /** Parameters of the formula by name, with init, bounds or a fixed value each. */
  readonly parameters?: Readonly<
    Record<
      string,
      {
        /** Where starts lie; without it uniform between the bounds, else as `starts.init` says. */
        readonly init?:
          | {
              /** A for ±A, or [lower end, upper end]. */
              readonly uniform: number | readonly [number, number]
            }
          | {
              /** Standard deviation, or [mean, standard deviation]. */
              readonly normal: number | readonly [number, number]
            }
          | {
              /** [lower end, upper end] of one sign, uniform in the logarithm. */
              readonly logUniform: readonly [number, number]
            }
        /** [least, largest] value, null for none. */
        readonly bounds?: readonly [number | null, number | null]
        /** Value of a parameter that is not fitted. */
        readonly fixed?: number
      }
    >
  >
  /** Groups of parameters that may change places. */
  readonly symmetry?: readonly (readonly (readonly string[])[])[]
}

/** `starts` of a study: where the runs start. */
export interface StartsInput {
  /** Number of starts; a whole number, above 0, at most 1099511627776, default 1000. */
  readonly count?: number
  /** Seed of starts and mini-batches; a whole number, at least 0, default 1. */
  readonly seed?: number
  /** Where starts lie: normal of standard deviation S, uniform on ±A, glorot or he; default {"normal":1}. */
  readonly init?:
    | {
        /** At least 0. */
        readonly normal: number
      }
    | {
        /** At least 0. */
        readonly uniform: number
      }
    | 'glorot'
    | 'he'
  /**
   * How starts are drawn from the init: one by one at random, or as a scrambled Sobol sequence, which fills the
   * space more evenly; default "random".
   */
  readonly design?: 'random' | 'sobol'
  /**
   * Starts of your own: CSV or Parquet with a column for each parameter, named as in the summary; all rows unless
   * `count` says fewer.
   */
  readonly file?: string
  /** What the starts of the file are expected to be, as study.json has it. */
  readonly hash?: string
}

/** `stop` of a study: when runs stop, and the study. */
export interface StopInput {
  /** Budget of steps per run; a whole number, above 0. */
  readonly steps?: number
  /** a run has converged when max |g| is at most this, in standardised coordinates; above 0, default 1e-8. */
  readonly gradient?: number
  /**
   * The study ends by itself when a further run that ends in a minimum ends in one not seen so far with at most
   * this probability, with 95 % confidence; it looks each time that its starts have doubled; above 0, below 1.
   */
  readonly unseen?: number
}

/** a study: the fields of study.yaml, with arrays or row objects in the place of a file where wanted. */
export interface StudyInput {
  /** What to call the study. */
  readonly name?: string
  /** The table, and how it is read. */
  readonly data?: DataInput
  /** a network or generalised linear model, or one of your own. */
  readonly model?: ModelInput
  /** Where the runs start. */
  readonly starts?: StartsInput
  /** What the runs follow: gd, momentum, adam, lbfgs, newton, gaussNewton, stationary, alone or with options. */
  readonly optimizer?:
    | 'gd'
    | 'momentum'
    | 'adam'
    | 'lbfgs'
    | 'newton'
    | 'gaussNewton'
    | 'stationary'
    | {
        /** The options of gd. */
        readonly gd: {
          /** Step length per unit of gradient; above 0, at most 1000000, default 0.1. */
          readonly learningRate?: number
          /** Rows per mini-batch; all rows when not given; a whole number, at least 1, at most 1000000000. */
          readonly batchSize?: number
          /** Whether each run has its own order of mini-batches or all share one; default "run". */
          readonly order?: 'run' | 'shared'
        }
      }
    | {
        /** The options of momentum. */
        readonly momentum: {
          /** Step length per unit of gradient; above 0, at most 1000000, default 0.1. */
          readonly learningRate?: number
          /** Share β of the last velocity that is kept; at least 0, at most 1, default 0.9. */
          readonly momentum?: number
          /** Take the gradient at the look-ahead point; default false. */
          readonly nesterov?: boolean
          /** Rows per mini-batch; all rows when not given; a whole number, at least 1, at most 1000000000. */
          readonly batchSize?: number
          /** Whether each run has its own order of mini-batches or all share one; default "run". */
          readonly order?: 'run' | 'shared'
        }
      }
    | {
        /** The options of adam. */
        readonly adam: {
          /** Step length per unit of gradient; above 0, at most 1000000, default 0.01. */
          readonly learningRate?: number
          /** Decay of the mean gradient; at least 0, at most 0.999999, default 0.9. */
          readonly beta1?: number
          /** Decay of the mean squared gradient; at least 0, at most 0.99999999, default 0.999. */
          readonly beta2?: number
          /** Added to the root; above 0, at most 1, default 1e-8. */
          readonly epsilon?: number
          /** Rows per mini-batch; all rows when not given; a whole number, at least 1, at most 1000000000. */
          readonly batchSize?: number
          /** Whether each run has its own order of mini-batches or all share one; default "run". */
          readonly order?: 'run' | 'shared'
        }
      }
    | {
        /** The options of lbfgs. */
        readonly lbfgs: {
          /** Pairs of steps that are kept; a whole number, at least 1, at most 50, default 10. */
          readonly memory?: number
        }
      }
    | {
        /** The options of newton. */
        readonly newton: {
          /** First trust-region radius, relative to max(1, length of the start); above 0, at most 1000000, default 1. */
          readonly radius?: number
        }
      }
    | {
        /** The options of gaussNewton. */
        readonly gaussNewton: {
          /** First trust-region radius, relative to max(1, length of the start); above 0, at most 1000000, default 1. */
          readonly radius?: number
        }
      }
    | {
        /** The options of stationary. */
        readonly stationary: {
          /** Longest step, relative to max(1, length of the point); above 0, at most 1000000, default 1. */
          readonly radius?: number
        }
      }
  /** When runs stop, and the study. */
  readonly stop?: StopInput
  /** Parameters of every run as found and certified, as certified, or of the points that runs end at, once each. */
  readonly keep?: 'all' | 'end' | 'none'
  /** How far the predictions of good runs differ. */
  readonly multiplicity?: {
    /**
     * Predictions are compared of the runs, and of the minima, that are at most so much worse than the best, for
     * each ε of the list; default [0,0.01,0.02,0.05,0.1].
     */
    readonly epsilon?: readonly number[]
    /**
     * Whether ε is of the training error (1 − accuracy; where the response is a number, 1 − deviance explained) or
     * of the loss that is minimised; default "error".
     */
    readonly of?: 'error' | 'loss'
  }
  /** What the fit owes to the rows: bootstrap and cross-validation. */
  readonly resampling?: {
    /**
     * Resamples of the rows, with replacement, over which the best minimum is followed: standard errors and
     * intervals of its parameters, and of predictions; a whole number, at least 40, at most 1000000.
     */
    readonly bootstrap?: number
    /**
     * Parts of the rows, of which each is predicted by the model fitted to the others: the loss and scores of
     * cross-validation; a whole number, at least 2, at most 1000000.
     */
    readonly folds?: number
    /** Divisions of the rows into such parts; a whole number, above 0, at most 10000, default 1. */
    readonly repeats?: number
    /**
     * Starts on each resample and each part, of which the lowest loss counts; a whole number, above 0, at most
     * 1000000.
     */
    readonly starts?: number
  }
  /**
   * Which runs are judged: all, a sample, or those with the lowest losses of each part of the runs (starts 0 to
   * 255, 256 to 511, 512 to 1023 …); sample:0.05 for a twentieth of them, a tenth unless told otherwise.
   */
  readonly judge?:
    | 'all'
    | 'sample'
    | 'best'
    | {
        /** Above 0, at most 1. */
        readonly sample: number
      }
    | {
        /** Above 0, at most 1. */
        readonly best: number
      }
  /** What computes the runs: auto, cpu, webgpu, tensorflow, reference; default "auto". */
  readonly engine?: 'auto' | 'cpu' | 'webgpu' | 'tensorflow' | 'reference'
  /** Of the engine: gpu, cpu or wasm for tensorflow, an adapter for webgpu. */
  readonly device?: string
  /** Of the search; mixed: in f32 until its rounding matters, then in f64; end points are judged in f64. */
  readonly precision?: 'f64' | 'f32' | 'mixed'
}
