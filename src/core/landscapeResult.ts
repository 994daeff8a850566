/** What a summary holds for drawing: convergence, the loss between and around end points, decisions. Types only. */
/** Quantile bands over traced runs at common step numbers. */
export interface Curves {
  /** That were traced. */
  readonly runs: number
  /** Ascending, from 0 on. */
  readonly steps: readonly number[]
  /** Loss minus the smallest certified loss of the study. */
  readonly lossGap: Bands
  /** max |g_p| in conditioned coordinates. */
  readonly gradientNorm: Bands
}
/** Quantiles over runs, one number of each for every step number. */
export interface Bands {
  /** 5 % of the runs lie below. */
  readonly q05: readonly number[]
  /** 25 % lie below. */
  readonly q25: readonly number[]
  /** Half lie below. */
  readonly median: readonly number[]
  /** 75 % lie below. */
  readonly q75: readonly number[]
  /** 95 % lie below. */
  readonly q95: readonly number[]
}

/** A function of the plane, by its lines of one level. */
export interface Contours {
  /** By their loss, ascending. */
  readonly levels: readonly {
    /** The value of f on these lines. */
    readonly loss: number
    /** Each a list of points [x, y] of the plane. */
    readonly lines: readonly (readonly (readonly [number, number])[])[]
  }[]
}

/** The loss between end points, symmetric copies aligned, and over the plane through three of them. */
export interface Landscape {
  /** Absent where there is one point only. */
  readonly segment?: {
    /** What the first point is, such as `minimum 1`. */
    readonly from: string
    /** What the second is. */
    readonly to: string
    /** 0 at the first point, 1 at the second. */
    readonly at: readonly number[]
    /** f at each place of `at`; null where it is not a number. */
    readonly losses: readonly (number | null)[]
    /** Largest loss between them, less that of the higher one; 0 where none lies between. */
    readonly barrier: number
    /** The same segment under the convex loss for the same targets. */
    readonly twin?: {
      /** Its name, such as `logistic`. */
      readonly loss: string
      /** Its value at each place of `at`. */
      readonly losses: readonly (number | null)[]
    }
  }
  /** Absent where no three points span one. */
  readonly plane?: Contours & {
    /** In units of the distance of the first two. */
    readonly points: readonly {
      /** Such as `minimum 1`. */
      readonly name: string
      /** First coordinate in the plane. */
      readonly x: number
      /** Second coordinate. */
      readonly y: number
      /** f there. */
      readonly loss: number
    }[]
    /** The same plane under the convex loss for the same targets; absent where there is none. */
    readonly twin?: Contours & {
      /** Its name, such as `logistic`. */
      readonly loss: string
    }
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
