/** Plain text on lines of a given width. */

/** Words on lines of at most `width` characters, which may be Infinity; a longer word is broken, a number stays beside its percent sign. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text
    .split(/ (?!%)/)
    .flatMap(w => w.match(new RegExp(`.{1,${Math.max(1, Math.min(width, text.length))}}`, 'gu')) ?? [])) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/**
 * Names beside their descriptions, which are wrapped within their own column; a name too long for its column has a line of its own.
 * @param rows [name, description]
 */
export function definitions(rows: readonly (readonly [string, string])[], width: number, indent = 2): string[] {
  const most = Math.floor(width / 3)
  const column = Math.max(0, ...rows.map(([name]) => name.length).filter(length => length <= most))
  const left = indent + column + 2
  return rows.flatMap(([name, what]) => {
    const lines = wrap(what, Math.max(10, width - left))
    const head = ' '.repeat(indent) + name
    const rest = lines.map(line => ' '.repeat(left) + line)
    if (name.length > column) return [head, ...rest]
    return [head.padEnd(left) + lines[0], ...rest.slice(1)].map(line => line.trimEnd())
  })
}
