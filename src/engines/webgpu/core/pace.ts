/** How many lanes a batch has and how many rounds a submit: by memory, and by measured time. */
import { parameterCount } from '../../../models/model.js'
import type { Problem } from '../../../models/types.js'
import { Evaluator, laneMultiple } from './evaluate.js'

/** What a GPU says of its memory: the largest buffer, and the largest part of one that a kernel sees. WebGPU tells no more. */
export interface MemoryLimits {
  readonly maxBufferSize: number
  readonly maxStorageBufferBindingSize: number
}

const whole = (lanes: number): number => Math.max(1, Math.floor(lanes / laneMultiple)) * laneMultiple

/**
 * Lanes that fit: all terms together into the largest buffer that the GPU grants (of its whole memory it says nothing; where even that
 * is too much, the batch is halved), the largest buffer of lanes into a binding, and the grid into its limit.
 */
export function lanesThatFit(
  limits: MemoryLimits,
  terms: Readonly<Record<string, number>>,
  fixedBytes: number,
  placeBytes: number,
  largestPerLane: number
): number {
  const perLane = Object.values(terms).reduce((a, b) => a + b, 0)
  // Places of the queue: up to four for each lane.
  const memory = (limits.maxBufferSize - fixedBytes) / (perLane + 4 * placeBytes)
  const binding = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize) / largestPerLane
  return whole(Math.min(memory, binding, 65535 * laneMultiple))
}

export type TimedKernel = 'gradient' | 'hessian' | 'eigh' | 'update'

/** Of `wanted` lanes as many as the largest array of a kernel that is timed alone leaves room for. */
export function timedLanes(limits: MemoryLimits, problem: Problem, kernel: TimedKernel, wanted: number): number {
  const P = parameterCount(problem.model)
  const { g, sums } = Evaluator.laneBytes(problem, 'g')
  // A step keeps some vectors and a matrix; Hessians have copies and factors beside them.
  const others = { gradient: 0, update: 4 * (32 * P + P * P), hessian: 16 * P * P, eigh: 16 * P * P }[kernel]
  return whole(Math.min(wanted, limits.maxStorageBufferBindingSize / Math.max(g, sums, others)))
}

/** Milliseconds that a submit should take. */
export const submitMilliseconds = { least: 5, wanted: 20, most: 50 } as const
/** Commands of a submit: recording more takes the host longer than it gains. */
const mostRounds = 256

/** Rounds of the next submit, from the times of those before. */
export class Pace {
  private perRound: number | undefined
  private last = 0

  /** Milliseconds of a round, once one has been measured. */
  get roundMilliseconds(): number | undefined {
    return this.perRound
  }

  note(rounds: number, milliseconds: number): void {
    const measured = milliseconds / rounds
    // A single slow submit says less than several; the first one of all includes what is done only once.
    this.perRound =
      this.perRound === undefined ? measured : Math.min(2 * this.perRound, 0.5 * (this.perRound + measured))
  }

  /** @param most rounds that can be of use */
  rounds(most: number): number {
    const wanted = this.perRound === undefined ? 1 : Math.round(submitMilliseconds.wanted / this.perRound)
    // Steady growth: the first times are the least reliable.
    this.last = Math.max(1, Math.min(wanted, most, mostRounds, Math.max(1, 4 * this.last)))
    return this.last
  }
}

/** Lanes of the next batch, when that should be another one. */
export class Growth {
  private before: { lanes: number; perMillisecond: number } | undefined
  private settled = false

  /** @param fixed the number of lanes was asked for: only memory may change it */
  constructor(
    private most: number,
    private readonly fixed: boolean
  ) {}

  /** A first batch for so many starts. */
  first(starts: number, guess: number): number {
    return Math.min(
      this.most,
      whole(Math.max(laneMultiple, Math.min(Math.ceil(starts / laneMultiple) * laneMultiple, guess)))
    )
  }

  /** There was no memory for so many. @returns the next number to try, or undefined when it cannot be less */
  halved(lanes: number): number | undefined {
    if (lanes <= laneMultiple) return undefined
    this.most = whole(lanes / 2)
    this.settled = true
    return this.most
  }

  /** @param left starts that no lane holds yet */
  next(lanes: number, roundMilliseconds: number, left: number): number | undefined {
    if (this.settled || this.fixed) return undefined
    if (roundMilliseconds > submitMilliseconds.most && lanes > laneMultiple) {
      this.settled = true
      const fitting = whole((lanes * submitMilliseconds.wanted) / roundMilliseconds)
      return fitting < lanes ? fitting : undefined
    }
    const perMillisecond = lanes / roundMilliseconds
    const more = Math.min(this.most, growthFactor * lanes, whole(lanes + left))
    const gained = this.before === undefined || perMillisecond > leastGain * this.before.perMillisecond
    this.before = { lanes, perMillisecond }
    if (more >= 2 * lanes && gained && growthFactor * roundMilliseconds < submitMilliseconds.wanted) return more
    this.settled = true
    return undefined
  }
}

const growthFactor = 4
/** A batch that has grown and does not do so much more per millisecond fills the device. */
const leastGain = 1.25
