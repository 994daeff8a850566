/** Codes the target column for a loss: labels to 0/1 or class numbers, ranges checked, the coding said in words. */
import { InputError } from '../core/errors.js'
import { defaultLosses, lossTable, type Loss } from '../models/losses/index.js'
import { isMissing, type Table } from './csv.js'

export interface Target {
  readonly y: Float64Array
  readonly loss: Loss
  readonly coding: string
  readonly classes?: readonly string[]
}

const list = (labels: readonly string[]): string =>
  labels.length <= 6 ? labels.join(', ') : `${labels.slice(0, 5).join(', ')} and ${labels.length - 5} more`

/** Labels in sorted order; numbers by value. */
function distinctLabels(cells: readonly string[]): string[] {
  const labels = [...new Set(cells)]
  const numeric = labels.every(l => Number.isFinite(Number(l)))
  return labels.sort((a, b) => (numeric ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0))
}

/** The loss that suits a target when the user names none: for two labels, other text, or numbers. */
function defaultLoss(cells: readonly string[], labels: readonly string[]): Loss {
  if (labels.length === 2) return defaultLosses.twoLabels
  return cells.every(c => Number.isFinite(Number(c))) ? defaultLosses.numbers : defaultLosses.labels
}

/**
 * @param known coding to reuse (for held-out rows), so that both tables agree
 * @throws InputError for missing cells, labels that do not fit, one class only, values out of range
 */
export function codeTarget(table: Table, column: string, loss: Loss | undefined, known?: Target): Target {
  const at = table.header.indexOf(column)
  const cells = table.cells.map(row => row[at])
  const missing = cells.findIndex(isMissing)
  if (missing >= 0)
    throw new InputError(
      `The target ${column} is missing in row ${missing + 1} (line ${table.lines[missing]}) of ${table.source}; ` +
        'fill the cell in or remove the row.'
    )
  const labels = distinctLabels(cells)
  if (!known && loss === undefined && labels.length === 1)
    throw new InputError(
      `The target ${column} of ${table.source} has one class only, the value ${labels[0]}; a model needs rows with different values.`
    )
  const chosen = known?.loss ?? loss ?? defaultLoss(cells, labels)
  const number = (allowed: string, fits: (v: number) => boolean): Float64Array =>
    Float64Array.from(cells, (cell, i) => {
      const value = Number(cell)
      if (!Number.isFinite(value) || !fits(value))
        throw new InputError(
          `The target ${column} is ${cell} in row ${i + 1} (line ${table.lines[i]}) of ${table.source}; ` +
            `the ${chosen} loss allows ${allowed}, so mend the value or choose another loss.`
        )
      return value
    })
  const oneClass = (): never => {
    throw new InputError(
      `The target ${column} of ${table.source} has one class only, the value ${labels[0]}; ` +
        `the ${chosen} loss needs rows of two classes.`
    )
  }
  const { response, allowed, fits } = lossTable[chosen]
  switch (response) {
    case 'number':
    case 'count':
    case 'positive':
      return { y: number(allowed, fits), loss: chosen, coding: '' }
    case 'class': {
      const classes = known?.classes ?? labels
      if (!known && classes.length < 2) oneClass()
      if (!known && classes.length > 50)
        throw new InputError(
          `The target ${column} of ${table.source} has ${classes.length} classes; the ${chosen} loss takes 2 to 50, ` +
            'so group them or choose a loss for numbers.'
        )
      const y = Float64Array.from(cells, (cell, i) => {
        const k = classes.indexOf(cell)
        if (k < 0)
          throw new InputError(
            `The class ${cell} in row ${i + 1} of ${table.source} is not among the training classes ${list(classes)}.`
          )
        return k
      })
      return { y, loss: chosen, classes, coding: `classes ${list(classes)}` }
    }
    case 'share': {
      const two = known?.classes ?? labels
      const numeric = two.every(l => Number(l) >= 0 && Number(l) <= 1)
      if (!known && labels.length === 1) oneClass()
      if (numeric) {
        const y = number(allowed, fits)
        return {
          y,
          loss: chosen,
          classes: two,
          coding: two.every(l => Number(l) === 0 || Number(l) === 1) ? '' : 'shares in [0, 1]'
        }
      }
      if (two.length !== 2)
        throw new InputError(
          `The target ${column} of ${table.source} has ${two.length} labels (${list(two)}); the ${chosen} loss needs exactly ` +
            'two, so drop the other rows or use ' +
            `${defaultLosses.labels}.`
        )
      const y = Float64Array.from(cells, (cell, i) => {
        const k = two.indexOf(cell)
        if (k < 0)
          throw new InputError(
            `The label ${cell} in row ${i + 1} of ${table.source} is not one of the training labels ${list(two)}.`
          )
        return k
      })
      return { y, loss: chosen, classes: two, coding: `${two[0]} = 0, ${two[1]} = 1` }
    }
    default:
      return response satisfies never
  }
}
