// Problems whose model is a formula.
import { modelOf } from '../../src/models/expression/expression.js'
import type { Expression, FreeParameter } from '../../src/models/expression/types.js'
import type { Loss, Problem } from '../../src/models/types.js'
import { integers, lossParameters, normals } from './problems.js'

/** A parameter without bounds that starts in [−1, 1]. */
export const free = (name: string, extra: Partial<FreeParameter> = {}): FreeParameter => ({
  name,
  init: { kind: 'uniform', low: -1, high: 1 },
  lower: null,
  upper: null,
  scale: 1,
  ...extra
})

export const expressionOf = (
  formula: string,
  parameters: readonly FreeParameter[],
  extra: Partial<Expression> = {}
): Expression => ({
  formula,
  objective: false,
  columns: ['x', 'w'],
  parameters,
  fixed: [],
  symmetry: [],
  coordinates: 'inner',
  ...extra
})

export interface FormulaRecipe {
  readonly loss?: Loss
  readonly rows?: number
  readonly weighted?: boolean
  readonly shifted?: boolean
  readonly seed?: number
}

/** Seeded rows for an expression in the columns x and w; all numbers exact in f32. */
export function formulaProblem(expression: Expression, recipe: FormulaRecipe = {}): Problem {
  const { loss = 'squared', rows = 7, seed = 5 } = recipe
  const D = expression.columns.length
  const values = lossParameters(loss)
  return {
    model: { ...modelOf(expression, loss), ...(values.length > 0 ? { lossParameters: values } : {}) },
    rows,
    x: normals(rows * D, seed, 1),
    y: integers(rows, 2, seed, 2).map(v => (loss === 'gamma' ? v + 0.5 : v)),
    ...(recipe.weighted ? { weight: integers(rows, 3, seed, 3).map((w, i) => (i === 0 ? 1 : w)) } : {}),
    ...(recipe.shifted ? { offset: normals(rows, seed, 4) } : {})
  }
}

/** An objective of the given parameters. */
export const objectiveProblem = (formula: string, parameters: readonly FreeParameter[]): Problem => ({
  ...formulaProblem(expressionOf(formula, parameters, { objective: true, columns: [] }), { rows: 1 }),
  y: new Float64Array(1)
})

/** A formula of the parameters a, b, c and the columns x, w that is defined, with moderate derivatives, near parameters of size 1. */
export function randomFormula(seed: number, depth = 3): string {
  const random = integers(400, 2 ** 20, seed, 9)
  let used = 0
  const below = (n: number): number => random[used++ % 400] % n
  const leaf = (): string => ['a', 'b', 'c', 'x', '1.5', '0.25', 'w'][below(7)]
  const positive = (inner: string): string => `(1.25 + (${inner})^2)`
  const make = (level: number): string => {
    if (level === 0) return leaf()
    const one = make(level - 1)
    const two = (): string => make(level - 1)
    const forms: (() => string)[] = [
      () => `(${one} + ${two()})`,
      () => `(${one} - ${two()})`,
      () => `(${one} * ${two()})`,
      () => `(${one} / ${positive(two())})`,
      () => `exp(-(0.5 * ${one})^2)`,
      () => `log(${positive(one)})`,
      () => `sqrt(${positive(one)})`,
      () => `sin(${one})`,
      () => `cos(${one})`,
      () => `tan(tanh(${one}))`,
      () => `tanh(${one})`,
      () => `atan(${one})`,
      () => `erf(tanh(${one}))`,
      () => `abs(${one})`,
      () => `min(${one}, ${two()})`,
      () => `max(${one}, ${two()})`,
      () => `where(${one} < ${two()}, ${two()}, ${one})`,
      () => `${positive(one)}^tanh(${two()})`,
      () => `(${one})^3`
    ]
    return forms[below(forms.length)]()
  }
  return make(depth)
}
