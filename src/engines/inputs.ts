/** What a run brings of its own (`RunInputs`), as every engine checks and divides it. */
import type { Program } from '../language/program.js'
import type { RunInputs } from './types.js'

/** @throws Error for values that do not fit the program, its number of parameters or the number of runs */
export function checkInputs(inputs: RunInputs, program: Program, parameters: number, count: number): void {
  for (const [name, values] of Object.entries(inputs.program ?? {})) {
    const input = program.inputs.find(i => i.name === name)
    if (!input) throw new Error(`${program.name} has no input ${name}`)
    const size = count * (input.kind === 'vector' ? parameters : 1)
    if (values.length !== size) throw new Error(`the input ${name} holds ${values.length} numbers, not ${size}`)
  }
  for (const values of [inputs.ridge, inputs.free])
    if (values && values.length !== count * parameters)
      throw new Error(`an input of the runs holds ${values.length} numbers`)
  for (const values of [inputs.draws?.start, inputs.draws?.order, inputs.rows?.numbers])
    if (values && values.length !== count)
      throw new Error(`the numbers that runs draw by are ${values.length}, not ${count}`)
}

/** The inputs of `some` runs from place `from` on, of those of `count` runs, whose starts are given by then. */
export function inputsOf(
  { program, ridge, free, draws, rows }: RunInputs,
  count: number,
  from: number,
  some: number
): RunInputs {
  const part = <T extends Float64Array | Uint8Array>(values: T): T => {
    const width = values.length / count
    return values.slice(from * width, (from + some) * width) as T
  }
  return {
    ...(program ? { program: Object.fromEntries(Object.entries(program).map(([name, v]) => [name, part(v)])) } : {}),
    ...(ridge ? { ridge: part(ridge) } : {}),
    ...(free ? { free: part(free) } : {}),
    ...(draws?.order ? { draws: { order: part(draws.order) } } : {}),
    ...(rows ? { rows: { ...rows, numbers: part(rows.numbers) } } : {})
  }
}
