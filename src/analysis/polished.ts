/** What the report of polishing (optimizers/polish.ts) says of the point that it came to. */
import { Status } from '../core/status.js'
import { thresholds } from '../core/thresholds.js'
import { reportPlaces } from '../language/program.js'
import { shiftCount } from '../models/network/shift.js'
import { exactlyFlat } from './flat.js'
import { sizeOf, type Runs } from './follow.js'
import type { Judge } from './judge.js'

export class Polished {
  /** Of the report scalars. */
  readonly places: Readonly<Record<string, number>>

  constructor(private readonly judge: Judge) {
    this.places = reportPlaces(judge.polish)
  }

  /** Half width of the band in which an eigenvalue counts as zero. */
  zeroBand(report: Float64Array): number {
    const { eps, objective } = this.judge
    return thresholds.zeroBandFactor * eps * objective.parameters * report[this.places.normH]
  }

  isStationary(report: Float64Array, theta: Float64Array): boolean {
    return (
      report[this.places.newtonStep] <= thresholds.newtonStep &&
      report[this.places.nullGradient] <=
        thresholds.nullGradient * this.zeroBand(report) * sizeOf(this.judge.scale, theta)
    )
  }

  /**
   * Whether the negative curvature of a stationary point may be none. In a flat valley the position is known to (rounding of g) ÷ (eigenvalue)
   * only, and the eigenvalues with it: one that is a little below the zero band may be the valley's. What tells is whether the loss falls.
   */
  isWeakSaddle(report: Float64Array): boolean {
    const { smallest, normH, newtonStep } = this.places
    const unsure = Math.max(thresholds.weakSaddle * this.zeroBand(report), report[newtonStep] * report[normH])
    return report[smallest] >= -unsure
  }

  /** Whether a stationary point is curved in all directions but those that the model leaves open. */
  isWhollyCurved(report: Float64Array, theta: Float64Array): boolean {
    const network = this.judge.network?.model
    const open = network ? shiftCount(network) + exactlyFlat(network, theta) : 0
    return report[this.places.zero] <= open
  }

  /** Whether polished run n has come to a strict minimum. */
  isMinimum(run: Runs, n: number): boolean {
    const [report, theta] = [run.report, run.theta].map(v => {
      const width = v.length / run.count
      return v.subarray(n * width, (n + 1) * width)
    })
    return (
      run.status[n] !== Status.failed &&
      !(report[this.places.negative] > 0) &&
      this.isStationary(report, theta) &&
      this.isWhollyCurved(report, theta)
    )
  }
}
