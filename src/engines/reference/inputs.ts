/** What a run brings of its own (engines/types.ts, `RunInputs`), applied to the slots of a program and to f, g and H. */
import type { RunInputs } from '../types.js'
import type { Interpreter } from './interpreter.js'

/** @throws Error for values that do not fit the program or the number of runs */
export function checkInputs(inputs: RunInputs, state: Interpreter, count: number): void {
  const P = state.parameters
  for (const [name, values] of Object.entries(inputs.program ?? {})) {
    const input = state.program.inputs.find(i => i.name === name)
    if (!input) throw new Error(`${state.program.name} has no input ${name}`)
    const size = count * (input.kind === 'vector' ? P : 1)
    if (values.length !== size) throw new Error(`the input ${name} holds ${values.length} numbers, not ${size}`)
  }
  for (const values of [inputs.ridge, inputs.free])
    if (values && values.length !== count * P) throw new Error(`an input of the runs holds ${values.length} numbers`)
  for (const values of [inputs.draws?.start, inputs.draws?.order, inputs.rows?.numbers])
    if (values && values.length !== count)
      throw new Error(`the numbers that runs draw by are ${values.length}, not ${count}`)
}

/** The run at place `index` enters: its inputs take their slots. */
export function enterInputs(inputs: RunInputs, state: Interpreter, index: number): void {
  const P = state.parameters
  for (const { name, kind, slot } of state.program.inputs) {
    const values = inputs.program?.[name]
    if (!values) continue
    if (kind === 'scalar') state.scalars[slot] = values[index]
    else state.vectors[slot].set(values.subarray(index * P, (index + 1) * P))
  }
}

/** f with the run's own penalty; g and H have it added, and their fixed coordinates held. */
export function ownTerms(
  { ridge, free }: RunInputs,
  index: number,
  x: Float64Array,
  f: number,
  g?: Float64Array,
  H?: Float64Array
): number {
  const P = x.length
  let value = f
  if (ridge)
    for (let p = 0; p < P; p++) {
      const r = ridge[index * P + p]
      value += 0.5 * r * x[p] * x[p]
      if (g) g[p] += r * x[p]
      if (H) H[p * P + p] += r
    }
  if (free)
    for (let p = 0; p < P; p++) {
      if (free[index * P + p] !== 0) continue
      if (g) g[p] = 0
      if (H) for (let q = 0; q < P; q++) H[p * P + q] = H[q * P + p] = p === q ? 1 : 0
    }
  return value
}

/** Takes held coordinates back to where they began: an update moves them by rounding, through a basis for one. */
export function hold({ free }: RunInputs, index: number, start: Float64Array, x: Float64Array): void {
  if (free) for (let p = 0; p < x.length; p++) if (free[index * x.length + p] === 0) x[p] = start[p]
}
