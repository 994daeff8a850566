/** Restart studies of formulas as tables. */
import { markdownTable } from '../../src/bench/kernels/tables.js'
import { formatRate } from '../../src/core/units.js'

export interface FormulaRow {
  readonly problem: string
  readonly method: string
  readonly count: number
  /** Runs, on one core, by the fastest sample. */
  readonly perSecond: number
  /** Runs that reach the least sum of squares. */
  readonly share: number
}

export interface FormulaResults {
  readonly rows: readonly FormulaRow[]
  /** Steps per second of logistic regression as a formula, relative to the built-in model. */
  readonly logistic: number
  readonly versions: Readonly<Record<string, string>>
  readonly date: string
}

export function formulaTable({ rows, logistic, versions, date }: FormulaResults, render = markdownTable): string[] {
  const own = new Map(rows.filter(r => r.method.startsWith('Manystart')).map(r => [r.problem, r]))
  return [
    render(
      ['problem', 'method', 'runs', 'runs per second', 'reach the least', 'Manystart is faster by'],
      rows.map(r => [
        r.problem,
        r.method,
        String(r.count),
        formatRate(r.perSecond),
        `${(100 * r.share).toFixed(1)} %`,
        own.get(r.problem) === r ? '' : (own.get(r.problem)!.perSecond / r.perSecond).toFixed(1)
      ])
    ),
    '',
    `${date.slice(0, 10)}; one core, processor time, the fastest of several samples, compilation left out; ${Object.entries(
      versions
    )
      .map(([name, v]) => `${name} ${v}`)
      .join(
        ', '
      )}. Starts within a factor of ten around NIST's second; Gpufit's example: 25 points, at most 10 steps. ` +
      `Logistic regression as a formula takes ${(100 * logistic).toFixed(0)} % as many steps per second as the built-in model.`
  ]
}
