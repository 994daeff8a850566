/** What a run brings of its own (engines/types.ts, `RunInputs`), applied to the slots of a program and to f, g and H. */
import type { RunInputs } from '../types.js'
import type { Interpreter } from './interpreter.js'

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
