/** YAML, of which JSON is a part. The package is loaded by who has some to read: most runs of the program have none. */
import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import { InputError } from './errors.js'
import { shown } from './printable.js'

/**
 * @param maxAliasCount how often an anchor may be used
 * @param source what to call it in messages
 * @throws InputError for a number that none of ours is as large as; other errors where the text is no YAML
 */
export function parseYaml(text: string, maxAliasCount: number, source: string): unknown {
  const { parseDocument, visit, isPair, isScalar } = createRequire(import.meta.url)('yaml') as typeof Yaml
  // Told to be silent, the package would make something of a text that is cut off, or names a field twice.
  const document = parseDocument(text, { logLevel: 'error' })
  if (document.errors.length > 0) throw document.errors[0]
  visit(document, {
    Scalar(_, { value, source: digits }, above) {
      if (typeof value !== 'number' || digits === undefined || Number.isFinite(value) || !/\d/.test(digits)) return
      const names = above.flatMap(node => (isPair(node) && isScalar(node.key) ? [String(node.key.value)] : []))
      const what = names.length > 0 ? `${shown(names.join('.'))} in ${shown(source)}` : shown(source)
      throw new InputError(
        `${what} is ${shown(digits)}, beyond the largest number, ${Number.MAX_VALUE.toPrecision(2)}; give a smaller one.`
      )
    }
  })
  return document.toJS({ maxAliasCount })
}
