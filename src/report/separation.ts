/** What is left of separated data: the coefficients that stay, what the deviance tends to, and how slowly the others grow. */
import type { Summary } from '../core/result.js'
import { formatCount } from '../core/units.js'
import type { Table } from './table.js'
import { count, fixed, isSeparated, listed, none, short } from './words.js'

/** Row numbers named one by one. */
const namedRows = 12

/** Where each coefficient goes, with the standard errors of the fit to the rows that are left; undefined where data are not separated. */
export function separationTable(s: Summary): Table | undefined {
  if (!isSeparated(s)) return undefined
  const { infinite, undetermined, finite, limit } = s.separation
  const rows = [
    ...Object.entries(infinite).map(([name, sign]) => [name, sign > 0 ? '+∞' : '−∞', none]),
    ...Object.entries(finite).map(([name, value]) => [name, fixed(value, 8), fixed(limit?.standardErrors[name], 6)]),
    ...undetermined.map(name => [name, 'not determined', none])
  ]
  if (rows.length === 0) return undefined
  return { title: 'Where the coefficients go', head: ['coefficient', 'limit', 'standard error'], rows }
}

/** The rows that are separated and the fit to the others, in sentences. */
export function separationText(s: Summary): string[] {
  if (!isSeparated(s)) return []
  const { rows, limit, growth } = s.separation
  const out: string[] = []
  if (rows.length > 0) {
    const some = rows.slice(0, namedRows).map(String)
    const named = rows.length > namedRows ? `${some.join(', ')} and ${rows.length - namedRows} more` : listed(some)
    const left = s.problem.rows - rows.length
    const deviance = limit?.deviance === undefined ? '' : `, and the deviance tends to ${short(limit.deviance, 10)}`
    out.push(
      left > 0
        ? `${count(rows.length, 'row is', 'rows are')} separated (${named}) and cost nothing in the end; limits and standard errors are those of the fit to the other ${left}${deviance}.`
        : `All ${rows.length} rows are separated and cost nothing in the end${deviance}.`
    )
  }
  if (growth) {
    const [first, last] = [growth.values.length - 3, growth.values.length - 1]
    const each = (growth.values[last] - growth.values[first]) / Math.log(growth.steps[last] / growth.steps[first])
    const after = `after ${formatCount(growth.steps[last])} steps it is ${short(growth.values[last])}`
    out.push(
      growth.law === 'logarithm'
        ? `Under gradient descent ${growth.name} grows like the logarithm of the number of steps: ${after}, and each tenfold adds about ` +
            `${short(Math.log(10) * each, 2)}. Where a run stops says nothing about it.`
        : `Under gradient descent ${growth.name} grows more slowly than the logarithm of the number of steps: ${after}. Where a run stops says nothing about it.`
    )
  }
  return out
}
