/** Which shard of a study a process is to run: said by `--shard`, or by the array variable of a scheduler. */
import { InputError } from '../core/errors.js'
import type { Shard } from '../study/record.js'

type Environment = Readonly<Record<string, string | undefined>>

/** How a scheduler tells a task its number: `index` counts from `first` in steps of `step`; `of` where it tells how many there are. */
interface Scheduler {
  readonly variable: string
  place(env: Environment, index: number): { readonly index: number; readonly of?: number }
}

const numberIn = (env: Environment, name: string): number | undefined => {
  const text = env[name]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** The place of a number in first, first + step, … */
const placeOf = (index: number, first = 1, step = 1): number => (index - first) / step + 1

/** In the order in which they are asked. */
const schedulers: readonly Scheduler[] = [
  {
    variable: 'SLURM_ARRAY_TASK_ID',
    place(env, index) {
      const of = numberIn(env, 'SLURM_ARRAY_TASK_COUNT')
      const place = placeOf(index, numberIn(env, 'SLURM_ARRAY_TASK_MIN'), numberIn(env, 'SLURM_ARRAY_TASK_STEP'))
      return { index: place, ...(of === undefined ? {} : { of }) }
    }
  },
  { variable: 'PBS_ARRAY_INDEX', place: (_, index) => ({ index }) },
  {
    variable: 'SGE_TASK_ID',
    place(env, index) {
      const [first = 1, last, step = 1] = ['SGE_TASK_FIRST', 'SGE_TASK_LAST', 'SGE_TASK_STEPSIZE'].map(name =>
        numberIn(env, name)
      )
      return {
        index: placeOf(index, first, step),
        ...(last === undefined ? {} : { of: Math.floor(placeOf(last, first, step)) })
      }
    }
  },
  // Kubernetes counts from 0.
  { variable: 'JOB_COMPLETION_INDEX', place: (_, index) => ({ index: index + 1 }) },
  { variable: 'PARALLEL_SEQ', place: (_, index) => ({ index }) }
]

const variables = schedulers.map(s => s.variable).join(', ')

/**
 * @param value of `--shard`: "3/64"; "/64" or "" where the scheduler knows the rest
 * @throws InputError for numbers that are out of range, and where the scheduler says too little
 */
export function shardFrom(value: string, env: Environment = process.env): Shard {
  const form = /^(\d+)?(?:\/(\d+))?$/.exec(value.trim())
  if (!form || (form[1] !== undefined && form[2] === undefined))
    throw new InputError(`--shard is "${value}"; give its number and how many there are, such as 3/64.`)
  let index = form[1] === undefined ? undefined : Number(form[1])
  let of = form[2] === undefined ? undefined : Number(form[2])
  let source = `--shard ${value}`
  if (index === undefined) {
    const scheduler = schedulers.find(s => numberIn(env, s.variable) !== undefined)
    if (!scheduler)
      throw new InputError(
        `--shard has no number, and no scheduler gives one (${variables} are not set); give it, such as --shard 3/64.`
      )
    const told = scheduler.place(env, numberIn(env, scheduler.variable) ?? 0)
    index = told.index
    source = `${scheduler.variable}=${env[scheduler.variable]}`
    if (of === undefined && told.of === undefined)
      throw new InputError(`${source} does not say how many shards there are; give it, such as --shard /64.`)
    if (of !== undefined && told.of !== undefined && of !== told.of)
      throw new InputError(
        `--shard ${value} and ${scheduler.variable} disagree: the scheduler has ${told.of} tasks; give --shard without a number.`
      )
    of ??= told.of
  }
  if (!(Number.isSafeInteger(of) && of! >= 1 && Number.isSafeInteger(index) && index >= 1 && index <= of!))
    throw new InputError(`${source} is shard ${index} of ${of}; shards are numbered from 1 to ${Math.max(1, of ?? 1)}.`)
  return { index, of: of! }
}
