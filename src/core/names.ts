/** Names: what a user may have meant by one, and which stands there twice. */
import { distance } from 'fastest-levenshtein'
import { shown } from './printable.js'
import { synonyms } from './synonyms.js'

/** Characters that names are compared by; the cost of a comparison grows with their square. */
const compared = 64
/** Names that a list shows. */
const listedNames = 30

const plain = (name: string): string =>
  name
    .slice(0, compared)
    .toLowerCase()
    .replace(/[-_ .]/g, '')

/** What another program's word for a thing is called here, if that is among the known names. */
const translated = (name: string, known: readonly string[]): string | undefined =>
  Object.hasOwn(synonyms, plain(name)) ? synonyms[plain(name)].find(word => known.includes(word)) : undefined

/**
 * The known name that `name` surely stands for: another program's word for it, its beginning, or a spelling of it with an error in
 * three letters at most.
 */
export function closeName(name: string, known: readonly string[]): string | undefined {
  const other = translated(name, known)
  if (other !== undefined) return other
  const longer = name.length > 2 ? known.filter(k => plain(k).startsWith(plain(name))) : []
  const nearest = nearestOf(name, longer.length > 0 ? longer : known)
  if (nearest === undefined) return undefined
  return longer.length > 0 || distance(plain(name), plain(nearest)) <= Math.ceil(name.length / 3) ? nearest : undefined
}

const nearestOf = (name: string, known: readonly string[]): string | undefined => {
  const wanted = plain(name)
  let nearest: { readonly name: string; readonly gap: number } | undefined
  for (const candidate of known) {
    const gap = distance(wanted, plain(candidate))
    if (nearest === undefined || gap < nearest.gap) nearest = { name: candidate, gap }
  }
  return nearest?.name
}

/** The known name nearest to `name`, case aside; undefined when there are none. */
export const nearestName = (name: string, known: readonly string[]): string | undefined =>
  closeName(name, known) ?? nearestOf(name, known)

/** ` Did you mean "x"?`-like clause and the list of what is known. */
export function knownNames(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  if (nearest === undefined) return 'there are none'
  const rest = known.length - listedNames
  const list = known
    .slice(0, listedNames)
    .map(text => shown(text))
    .join(', ')
  return `did you mean ${shown(nearest)}? Known: ${list}${rest > 0 ? ` and ${rest} more` : ''}`
}

/** The first name that has stood there before; undefined where all differ. */
export function firstRepeated(names: readonly string[]): string | undefined {
  const seen = new Set<string>()
  return names.find(name => seen.has(name) || !seen.add(name))
}
