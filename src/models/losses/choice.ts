/** A loss as a study names it: by its name alone, or with its parameters, `{NAME: {PARAMETER: 1}}`. */
import { InputError } from '../../core/errors.js'
import { knownNames } from '../../core/names.js'
import { shownValue } from '../../core/printable.js'
import { losses, lossTable, type Loss, type LossParameters } from './index.js'

export type LossChoice = Loss | Readonly<Partial<Record<Loss, Readonly<Record<string, number>>>>>

const isLoss = (name: string): name is Loss => (losses as readonly string[]).includes(name)

/** Name and parameters of a choice. */
export function chosenLoss(choice: LossChoice): { readonly loss: Loss; readonly parameters: LossParameters } {
  if (typeof choice === 'string') return { loss: choice, parameters: [] }
  const [[name, values]] = Object.entries(choice) as [Loss, Readonly<Record<string, number>>][]
  return { loss: name, parameters: lossTable[name].parameters.map(p => values[p.name]) }
}

/** The name alone. */
export const lossName = (choice: LossChoice | undefined): Loss | undefined =>
  choice === undefined ? undefined : chosenLoss(choice).loss

/** @throws InputError for an unknown loss or parameter (with the nearest known name), and for one that is missing or out of range */
export function resolveLoss(raw: unknown, where: string): LossChoice {
  const entries: [string, unknown][] =
    typeof raw === 'string' ? [[raw, {}]] : raw !== null && typeof raw === 'object' ? Object.entries(raw) : []
  if (entries.length !== 1)
    throw new InputError(`model.loss in ${where} must name one of ${losses.join(', ')}, with its parameters below it.`)
  const [[name, given]] = entries
  if (!isLoss(name)) throw new InputError(`model.loss in ${where} is ${shownValue(name)}; ${knownNames(name, losses)}.`)
  const { parameters } = lossTable[name]
  if (given !== null && typeof given !== 'object')
    throw new InputError(`The parameters of the loss ${name} in ${where} must be a mapping, e.g. {${name}: {}}.`)
  const values = { ...(given as Record<string, unknown> | null) }
  for (const key of Object.keys(values))
    if (!parameters.some(p => p.name === key)) {
      const known = parameters.map(p => p.name)
      const remedy = known.length > 0 ? knownNames(key, known) : 'it has none, so remove it'
      throw new InputError(`The loss ${name} in ${where} has no parameter "${key}"; ${remedy}.`)
    }
  if (parameters.length === 0) return name
  const example = `{${name}: {${parameters.map(p => `${p.name}: 1`).join(', ')}}}`
  for (const { name: key, meaning, above, most } of parameters) {
    const value = values[key]
    if (value === undefined)
      throw new InputError(
        `The loss ${name} in ${where} needs ${key} (${meaning}); give loss: ${example} or --${key} 1.`
      )
    if (!(typeof value === 'number' && value > above && value <= most))
      throw new InputError(
        `${key} of the loss ${name} in ${where} is ${shownValue(value)}; give a number above ${above} and at most ${most}.`
      )
  }
  return { [name]: values }
}

/** Parameters of all losses, as flags have them. */
export const lossParameterNames: readonly string[] = [
  ...new Set(losses.flatMap(name => lossTable[name].parameters.map(p => p.name)))
]
/** What a parameter means, with the loss it belongs to. */
export const lossParameterMeaning = (key: string): string =>
  losses
    .flatMap(name => lossTable[name].parameters.filter(p => p.name === key).map(p => `${p.meaning} (loss ${name})`))
    .join('; ')
