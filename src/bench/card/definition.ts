/** What `manystart bench` measures. A change of anything here is another version: figures of two versions are not comparable. */
import type { Size } from '../kernels/sizes.js'
import { studyCases, type StudyCase } from '../kernels/studies.js'

export const cardVersion = 1

/** Certified runs of these are counted: the names of their records, and what a card calls them. */
export const studyTitles: Readonly<Record<string, string>> = {
  'iris2 logistic newton': 'runs, iris2 logistic, Newton',
  'iris2 4-5-1 tanh ridge 0.01 newton': 'runs, iris2 4-5-1, Newton',
  'iris2 4-5-1 tanh ridge 0.01 lbfgs': 'runs, iris2 4-5-1, L-BFGS'
}
export const cardStudies: readonly StudyCase[] = studyCases.filter(c => Object.hasOwn(studyTitles, c.name))

/** Gradients and Hessians: of a table of a hundred rows, where little is to be done for each row, and where matrix products decide. */
export const cardSizes: readonly Size[] = [
  { N: 96, D: 4, hidden: [5] },
  { N: 1000, D: 30, hidden: [16] }
]

export interface Scale {
  /** A study has so many starts that it takes this long at least. */
  readonly studySeconds: number
  readonly firstStarts: number
  /** Repeats of each study, in turn with the others. */
  readonly rounds: number
  readonly secondsPerKernel: number
  readonly sizes: readonly Size[]
}

/** One to two minutes for each engine. */
export const fullScale: Scale = {
  studySeconds: 1.5,
  firstStarts: 1000,
  rounds: 5,
  secondsPerKernel: 0.7,
  sizes: cardSizes
}

/** Seconds; to see that it works. */
export const quickScale: Scale = {
  studySeconds: 0.02,
  firstStarts: 20,
  rounds: 2,
  secondsPerKernel: 0.02,
  sizes: cardSizes.slice(0, 1)
}

/** The next number of 1, 2, 5, 10, 20, 50 … */
export function roundUp(count: number): number {
  const decade = 10 ** Math.floor(Math.log10(count))
  return [1, 2, 5, 10].map(d => d * decade).find(n => n >= count * (1 - 1e-9))!
}

export const unit = 'certified runs/s'

export const definition =
  `Score, version ${cardVersion}: ${unit}, the geometric mean over three studies of iris2 (two species, 100 rows): logistic regression with ` +
  "Newton's method, and the network 4-5-1 (tanh, ridge 0.01, standardised columns) with Newton's method and with L-BFGS. A run is certified " +
  'when it has been searched, polished and judged in f64, and counted to its minimum; set-up is not timed. Starts: the first of 1000, 2000, ' +
  `5000 … with which a study takes ${fullScale.studySeconds} s. Median of ${fullScale.rounds} repeats, studies in turn; the interval is Student's over the repeats.`
