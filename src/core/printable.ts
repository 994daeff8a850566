/** Text that came from outside, made fit for a sentence or a terminal. */

// Control characters of ASCII and Latin-1 but tab and ends of lines, and the marks that turn the direction of writing.
const unprintable =
  // eslint-disable-next-line no-control-regex
  /\r(?!\n)|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

const escaped = (character: string): string => {
  const code = character.charCodeAt(0)
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/** The text with what would steer a terminal written out, such as \x1b; tabs and newlines stay. */
export const printable = (text: string): string => text.replace(unprintable, escaped)

/** JSON on one line whose text cannot steer a terminal either. */
export const printableJson = (value: unknown): string =>
  JSON.stringify(value).replace(unprintable, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Characters of a foreign name or value that a sentence shows. */
const shownCharacters = 60

/** A name or value in a sentence: on one line, without control characters, cut where it is long. */
export function shown(text: string, most = shownCharacters): string {
  const start = text.length > most ? `${text.slice(0, most)}…` : text
  return printable(start.replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t'))
}

/** The same in quotation marks; a cut text says how long it is. */
export const quoted = (text: string): string =>
  text.length > shownCharacters ? `"${shown(text)}" (${text.length} characters)` : `"${shown(text)}"`

/** A value as JSON, in which numbers stand that JSON has no words for; no further than a sentence shows. */
function written(value: unknown, above: readonly object[] = []): string {
  if (typeof value === 'number' || typeof value === 'bigint') return Object.is(value, -0) ? '-0' : String(value)
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? String(value)
  if (above.includes(value)) return '…'
  const inner = (part: unknown): string => written(part, [...above, value])
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const some: unknown[] = Array.prototype.slice.call(value, 0, shownCharacters)
    return `[${some.map(inner).join()}]`
  }
  const entries = Object.entries(value).slice(0, shownCharacters)
  return `{${entries.map(([name, part]) => `${JSON.stringify(name)}:${inner(part)}`).join()}}`
}

/** A value of any kind in a sentence, as it was given. */
export const shownValue = (value: unknown): string => shown(written(value))

/** "a, b and c"; a long list is cut: "a, b, c and 7 more". */
export function listed(items: readonly string[], most = 6): string {
  const some = items.slice(0, items.length > most ? most - 1 : most).map(item => shown(item))
  const rest = items.length - some.length
  if (rest > 0) return `${some.join(', ')} and ${rest} more`
  return some.length > 1 ? `${some.slice(0, -1).join(', ')} and ${some.at(-1)}` : (some[0] ?? '')
}

/** Characters of a word that a sentence shows, and of all of it: the rest tells nobody anything. */
const [longestWord, longestSentence] = [200, 4000]

/** A text without its middle, where it is longer than `most`. */
function shortened(text: string, most: number): string {
  const end = Math.floor(most / 4)
  return text.length > most ? `${text.slice(0, most - end)}…${text.slice(-end)}` : text
}

/** A sentence for the terminal: what it quotes is cut to what can be read. */
export const sentence = (text: string): string =>
  printable(
    shortened(
      text.replace(/\S{201,}/g, word => shortened(word, longestWord)),
      longestSentence
    )
  )
