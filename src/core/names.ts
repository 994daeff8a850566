/** Suggests what a user may have meant. */
import { distance } from 'fastest-levenshtein'

/** The known name nearest to `name`, case aside; undefined when there are none. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const gap = (k: string): number => distance(name.toLowerCase(), k.toLowerCase())
  return [...known].sort((a, b) => gap(a) - gap(b))[0]
}

/** ` Did you mean "x"?`-like clause and the list of what is known. */
export function knownNames(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  return nearest === undefined ? 'there are none' : `did you mean ${nearest}? Known: ${known.join(', ')}`
}
