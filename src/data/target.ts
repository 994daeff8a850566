/** Codes the target column for a loss: labels to 0/1 or class numbers, ranges checked, the coding said in words. */
import { InputError } from '../core/errors.js'
import { listed, quoted, shown } from '../core/printable.js'
import { defaultLosses, lossTable, type Loss } from '../models/losses/index.js'
import { flagValue, labelCodes, labelsOf, type Declared } from './design.js'
import { cellText, findColumn, place, type Column, type Table } from './table.js'
import type { TargetCoding } from './types.js'

export interface Target extends TargetCoding {
  readonly y: Float64Array
}

/** Classes that softmax takes. */
const mostClasses = 50
/** Whole numbers from 0 or 1 on that may be the numbers of classes. */
const mostClassNumbers = 10

/**
 * The loss that suits a target when the user names none: two labels → logistic, other text → softmax, numbers → squared.
 * @throws InputError for a few whole numbers in a row, which may be either
 */
function lossFor(table: Table, name: string, column: Column, declared: Declared): Loss {
  const labels = labelsOf(column, mostClasses)
  if (labels?.length === 2) return defaultLosses.twoLabels
  if (declared.categorical.includes(name) || column.codes?.some(code => code >= 0)) return defaultLosses.labels
  if (labels && labels.length <= mostClassNumbers && !declared.numeric.includes(name)) {
    const first = Number(labels[0])
    if ((first === 0 || first === 1) && labels.every((label, k) => Number(label) === first + k))
      throw new InputError(
        `The target ${shown(name)} of ${shown(table.source)} holds only the whole numbers ${listed(labels, mostClassNumbers)}, which may be numbers or classes; ` +
          `say --categorical ${flagValue(name)} for classes (loss ${defaultLosses.labels}), --numeric ${flagValue(name)} for numbers (loss ${defaultLosses.numbers}), or name a loss.`
      )
  }
  return defaultLosses.numbers
}

/** Labels that differ in nothing but capitals and spaces, such as "Yes" and "yes". */
export function twins(labels: readonly string[]): [string, string] | undefined {
  const seen = new Map<string, string>()
  for (const label of labels) {
    const key = label
      .normalize('NFKC')
      .replace(/[\s_-]+/g, ' ')
      .trim()
      .toLowerCase()
    const other = seen.get(key)
    if (other !== undefined) return [other, label]
    seen.set(key, label)
  }
  return undefined
}

/** The coding of labels to numbers, decided on the training table. */
function classesFor(table: Table, name: string, column: Column, loss: Loss, declared: Declared): readonly string[] {
  const source = shown(table.source)
  const labels = labelsOf(column)!
  if (labels.length === 1)
    throw new InputError(
      `The target ${shown(name)} of ${source} has one class only, the value ${shown(labels[0])}; the ${loss} loss needs rows of two classes.`
    )
  const alike = declared.categorical.includes(name) ? undefined : twins(labels)
  if (alike)
    throw new InputError(
      `The target ${shown(name)} of ${source} has the labels ${quoted(alike[0])} and ${quoted(alike[1])}; make them one, ` +
        `or say --categorical ${flagValue(name)} if they are different classes.`
    )
  if (lossTable[loss].response === 'class') {
    if (labels.length > mostClasses)
      throw new InputError(
        `The target ${shown(name)} of ${source} has ${labels.length} classes; the ${loss} loss takes 2 to ${mostClasses}, so group them or choose a loss for numbers.`
      )
  } else if (labels.length !== 2)
    throw new InputError(
      `The target ${shown(name)} of ${source} has ${labels.length} labels (${listed(labels)}); the ${loss} loss needs exactly two, ` +
        `so drop the other rows or use ${defaultLosses.labels}.`
    )
  return labels
}

const isShare = (loss: Loss): boolean => lossTable[loss].response === 'share'

/** Numbers as they are. @throws InputError for one out of the loss's range */
function numbers(table: Table, name: string, column: Column, loss: Loss): Float64Array {
  const { allowed, fits } = lossTable[loss]
  const { values } = column
  const wrong = values.findIndex(value => Number.isNaN(value) || !fits(value))
  if (wrong >= 0)
    throw new InputError(
      `The target ${shown(name)} is ${shown(cellText(column, wrong))} in ${place(table, wrong)}; ` +
        `the ${loss} loss allows ${allowed}, so mend the value or choose another loss.`
    )
  return values
}

/** Successes among trials as their share. @throws InputError for numbers that are no such counts */
function shares(table: Table, name: string, trialsName: string): Float64Array {
  const successes = findColumn(table, name, 'target')
  const trials = findColumn(table, trialsName, 'trials').values
  const whole = (value: number): boolean => Number.isInteger(value) && value >= 0
  return successes.values.map((value, i) => {
    if (!whole(trials[i]))
      throw new InputError(
        `The trials ${shown(trialsName)} are ${trials[i]} in ${place(table, i)}; give whole numbers of at least 0.`
      )
    if (!whole(value) || value > trials[i])
      throw new InputError(
        `The target ${shown(name)} is ${shown(cellText(successes, i))} in ${place(table, i)}, of ${trials[i]} trials; give the number of successes among them.`
      )
    return trials[i] > 0 ? value / trials[i] : 0
  })
}

/**
 * @param known coding to reuse (for held-out rows), so that both tables agree
 * @throws InputError for labels that do not fit, one class only, values out of range
 */
export function codeTarget(
  table: Table,
  name: string,
  loss: Loss | undefined,
  declared: Declared,
  trials?: string,
  known?: TargetCoding
): Target {
  const column = findColumn(table, name, 'target')
  if (!known && loss === undefined && trials === undefined && labelsOf(column, 1))
    throw new InputError(
      `The target ${shown(name)} of ${shown(table.source)} has one class only, the value ${shown(cellText(column, 0))}; a model needs rows with different values.`
    )
  if (trials !== undefined) {
    const chosen = known?.loss ?? loss ?? defaultLosses.twoLabels
    if (!isShare(chosen))
      throw new InputError(
        `The ${chosen} loss has no trials; use a loss for two classes, such as ${defaultLosses.twoLabels}, or leave data.trials out.`
      )
    const y = shares(table, name, trials)
    if (!known && !(y.some(share => share > 0) && y.some(share => share < 1)))
      throw new InputError(
        `The target ${shown(name)} of ${shown(table.source)} has ${y[0] > 0 ? 'successes' : 'failures'} only; the ${chosen} loss needs both.`
      )
    return { column: name, y, loss: chosen, classes: ['0', '1'], coding: `successes of ${trials}`, trials }
  }
  const chosen = known?.loss ?? loss ?? lossFor(table, name, column, declared)
  const labelled = column.codes?.some(code => code >= 0) ?? false
  const inUnit =
    isShare(chosen) && !labelled && (known ? numericClasses(known) : column.values.every(lossTable[chosen].fits))
  if (!inUnit && (lossTable[chosen].response === 'class' || isShare(chosen))) {
    const classes = known?.classes ?? classesFor(table, name, column, chosen, declared)
    const codes = labelCodes(column, classes)
    const unknown = codes.indexOf(-1)
    if (unknown >= 0)
      throw new InputError(
        `The target ${shown(name)} is ${quoted(cellText(column, unknown))} in ${place(table, unknown)}, which is not among the training classes ${listed(classes)}.`
      )
    const coding =
      lossTable[chosen].response === 'class'
        ? `classes ${listedClasses(classes)}`
        : `${classes[0]} = 0, ${classes[1]} = 1`
    return { column: name, y: Float64Array.from(codes), loss: chosen, classes, coding }
  }
  const y = numbers(table, name, column, chosen)
  if (!isShare(chosen)) return { column: name, y, loss: chosen, coding: '' }
  const labels = labelsOf(column, 2)
  if (!known && labels?.length === 1) classesFor(table, name, column, chosen, declared)
  const plain = labels?.every(label => label === '0' || label === '1') ?? false
  return { column: name, y, loss: chosen, classes: ['0', '1'], coding: plain ? '' : 'shares in [0, 1]' }
}

/** Whether a coding is that of numbers in [0, 1] as they are. */
const numericClasses = ({ classes }: TargetCoding): boolean => classes?.[0] === '0' && classes[1] === '1'

const listedClasses = (labels: readonly string[]): string =>
  labels.length <= 6 ? labels.join(', ') : `${labels.slice(0, 5).join(', ')} and ${labels.length - 5} more`

/**
 * Codes one target column or several, each an output with the same loss: y is then [N, C] row-major.
 * @throws InputError as `codeTarget`, and for several columns with a loss that takes one
 */
export function codeTargets(
  table: Table,
  names: readonly string[],
  loss: Loss | undefined,
  declared: Declared,
  trials?: string,
  known?: TargetCoding
): Target {
  const first = codeTarget(table, names[0], loss, declared, trials, known)
  if (names.length === 1) return first
  if (lossTable[first.loss].response === 'class')
    throw new InputError(
      `The ${first.loss} loss takes one target column and ${names.length} are named (${listed(names)}); name one, or choose a loss for numbers or for two classes.`
    )
  const C = names.length
  const rest = names
    .slice(1)
    .map((name, c) => codeTarget(table, name, first.loss, declared, undefined, known?.others?.[c]))
  const y = new Float64Array(first.y.length * C)
  const all = [first, ...rest]
  all.forEach((target, c) => target.y.forEach((v, i) => (y[i * C + c] = v)))
  const codings = all.flatMap(({ column, coding }) => (coding === '' ? [] : [`${column}: ${coding}`]))
  const others = rest.map(({ y: _, ...coding }) => coding)
  return { ...first, y, coding: codings.join('; '), others }
}
