/** YAML, of which JSON is a part. The package is loaded by who has some to read: most runs of the program have none. */
import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'

/**
 * @param maxAliasCount how often an anchor may be used
 * @throws Error where the text is none
 */
export function parseYaml(text: string, maxAliasCount: number): unknown {
  const { parse } = createRequire(import.meta.url)('yaml') as typeof Yaml
  return parse(text, { logLevel: 'silent', maxAliasCount })
}
