/**
 * Kernels are text templates in kernels/webgpu: shapes become constants, so that compilers unroll loops and keep weights in
 * registers. A template has expressions in double braces and three directives, each on a line of its own:
 *
 *     #if EXPRESSION … #else … #end   lines for a value that is true (not 0, not false)
 *     #for i in COUNT … #end          the lines COUNT times, with {{i}} = 0, 1, …
 *     #for i in LIST … #end           the lines for each element of a list
 *     #include file                   another template, once
 *
 * An expression is a name, a whole number, an element of a list as in {{units[m]}}, or sums and products of them, as in {{i*4+1}}.
 */
export type Single = string | number | boolean
export type Value = Single | readonly Single[]
export type Values = Readonly<Record<string, Value>>

/** The templates by the names of their files; the host brings them. */
export type Sources = Readonly<Record<string, string>>

function linesOf(sources: Sources, file: string): readonly string[] {
  const text = sources[file]
  if (text === undefined) throw new Error(`there is no kernel ${file}`)
  return text.split('\n')
}

function lookUp(name: string, values: Values, where: string): Value {
  const value = values[name]
  if (value === undefined) throw new Error(`${where}: no value for "${name}"`)
  return value
}

/** The value of an expression; a lone name or element may stand for text or a list. */
function evaluate(text: string, values: Values, where: string): Value {
  const tokens = text.match(/[A-Za-z]\w*|\d+|\S/g) ?? []
  let at = 0
  const bad = (): never => {
    throw new Error(`${where}: "${text}" is no expression`)
  }
  const number = (value: Value): number => {
    const result = typeof value === 'boolean' || typeof value === 'string' ? Number(value) : value
    if (typeof result !== 'number' || !Number.isInteger(result))
      throw new Error(`${where}: "${text}" is no whole number`)
    return result
  }
  const factor = (): Value => {
    const token = tokens[at++] ?? bad()
    if (/^\d/.test(token)) return Number(token)
    if (!/^[A-Za-z]/.test(token)) bad()
    const value = lookUp(token, values, where)
    if (tokens[at] !== '[') return value
    at++
    const index = number(sum())
    if (tokens[at++] !== ']' || !Array.isArray(value)) bad()
    const element = (value as readonly Single[])[index]
    if (element === undefined) throw new Error(`${where}: "${token}" has no element ${index}`)
    return element
  }
  const joined = (part: () => Value, sign: string, join: (a: number, b: number) => number): Value => {
    let value = part()
    while (tokens[at] === sign) {
      at++
      value = join(number(value), number(part()))
    }
    return value
  }
  const product = (): Value => joined(factor, '*', (a, b) => a * b)
  const sum = (): Value => joined(product, '+', (a, b) => a + b)
  const value = sum()
  if (at < tokens.length) bad()
  return value
}

/** The text of an expression. */
function term(text: string, values: Values, where: string): string {
  const value = evaluate(text, values, where)
  if (typeof value === 'object') throw new Error(`${where}: "${text}" is a list`)
  return typeof value === 'boolean' ? (value ? '1' : '0') : String(value)
}

const directive = /^\s*#(if|else|end|for|include)\b\s*(.*?)\s*$/

/** From line `from` to the #end (or #else) that closes the block. */
function blockEnd(
  lines: readonly string[],
  from: number,
  where: string
): { otherwise: number | undefined; end: number } {
  let depth = 0
  let otherwise: number | undefined
  for (let i = from; i < lines.length; i++) {
    const kind = directive.exec(lines[i])?.[1]
    if (kind === 'if' || kind === 'for') depth++
    if (kind === 'else' && depth === 0) otherwise = i
    if (kind === 'end' && depth-- === 0) return { otherwise, end: i }
  }
  throw new Error(`${where}: a block has no #end`)
}

function expand(
  sources: Sources,
  lines: readonly string[],
  values: Values,
  file: string,
  included: Set<string>
): string[] {
  const out: string[] = []
  for (let i = 0; i < lines.length; i++) {
    const where = `${file}: "${lines[i].trim()}"`
    const found = directive.exec(lines[i])
    if (!found) {
      out.push(lines[i].replace(/\{\{(.*?)\}\}/g, (_, text: string) => term(text, values, where)))
      continue
    }
    const [, kind, rest] = found
    if (kind === 'include') {
      if (included.has(rest)) continue
      included.add(rest)
      out.push(...expand(sources, linesOf(sources, rest), values, rest, included))
      continue
    }
    if (kind !== 'if' && kind !== 'for') throw new Error(`${where} closes nothing`)
    const { otherwise, end } = blockEnd(lines, i + 1, where)
    if (kind === 'if') {
      const wanted = evaluate(rest, values, where)
      const [from, to] = wanted ? [i + 1, otherwise ?? end] : [otherwise === undefined ? end : otherwise + 1, end]
      out.push(...expand(sources, lines.slice(from, to), values, file, included))
    } else {
      const loop = /^(\w+) in (.+)$/.exec(rest)
      if (!loop) throw new Error(`${where}: write "#for i in COUNT"`)
      const over = evaluate(loop[2], values, where)
      const elements = typeof over === 'object' ? over : Array.from({ length: Number(over) }, (_, k) => k)
      for (const element of elements)
        out.push(...expand(sources, lines.slice(i + 1, end), { ...values, [loop[1]]: element }, file, included))
    }
    i = end
  }
  return out
}

/** The text of a kernel, every name replaced. */
export const kernelText = (sources: Sources, file: string, values: Values): string =>
  expand(sources, linesOf(sources, file), values, file, new Set()).join('\n')

/** The same for lines that are no file. */
export const expandText = (sources: Sources, text: string, values: Values): string =>
  expand(sources, text.split('\n'), values, 'text', new Set()).join('\n')

/** The nearest f32 as a WGSL literal that reads back to the same bits. */
export function literal(value: number): string {
  const rounded = Math.fround(value)
  if (!Number.isFinite(rounded)) throw new Error(`${value} has no literal`)
  const text = String(rounded)
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`
}

/** Both words of a whole number below 2⁵³. */
export const halves = (n: number): [low: number, high: number] => [n % 2 ** 32, Math.floor(n / 2 ** 32)]

/** A seed as the kernels' constants. */
export const seedValues = (seed: number): Values => {
  const [seedLow, seedHigh] = halves(seed)
  return { seedLow, seedHigh }
}
