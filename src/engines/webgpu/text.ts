/**
 * Kernels are text templates in kernels/webgpu: shapes become constants, so that compilers unroll loops and keep weights in
 * registers. A template has names in double braces and three directives, each on a line of its own:
 *
 *     #if NAME … #else … #end      lines for a value that is true (not 0, not false)
 *     #for i in NAME … #end        the lines NAME times, with {{i}} = 0, 1, …
 *     #include file                another template, once
 *
 * Between braces stand a name, a whole number, or sums and products of them, as in {{i*4+1}}.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export type Value = string | number | boolean
export type Values = Readonly<Record<string, Value>>

const folder = new URL('../../../kernels/webgpu/', import.meta.url)
const files = new Map<string, readonly string[]>()

function linesOf(file: string): readonly string[] {
  let lines = files.get(file)
  if (!lines) {
    lines = readFileSync(fileURLToPath(new URL(file, folder)), 'utf8').split('\n')
    files.set(file, lines)
  }
  return lines
}

function lookUp(name: string, values: Values, where: string): Value {
  const value = values[name]
  if (value === undefined) throw new Error(`${where}: no value for "${name}"`)
  return value
}

/** A sum of products of names and whole numbers; a lone name may stand for text. */
function term(text: string, values: Values, where: string): string {
  const alone = text.trim()
  if (/^[A-Za-z]\w*$/.test(alone)) {
    const value = lookUp(alone, values, where)
    return typeof value === 'boolean' ? (value ? '1' : '0') : String(value)
  }
  const sum = alone.split('+').reduce((total, product) => {
    const value = product.split('*').reduce((p, factor) => {
      const word = factor.trim()
      return p * Number(/^\d+$/.test(word) ? word : lookUp(word, values, where))
    }, 1)
    return total + value
  }, 0)
  if (!Number.isInteger(sum)) throw new Error(`${where}: "${text}" is no whole number`)
  return String(sum)
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

function expand(lines: readonly string[], values: Values, file: string, included: Set<string>): string[] {
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
      out.push(...expand(linesOf(rest), values, rest, included))
      continue
    }
    if (kind !== 'if' && kind !== 'for') throw new Error(`${where} closes nothing`)
    const { otherwise, end } = blockEnd(lines, i + 1, where)
    if (kind === 'if') {
      const wanted = lookUp(rest, values, where)
      const [from, to] = wanted ? [i + 1, otherwise ?? end] : [otherwise === undefined ? end : otherwise + 1, end]
      out.push(...expand(lines.slice(from, to), values, file, included))
    } else {
      const loop = /^(\w+) in (.+)$/.exec(rest)
      if (!loop) throw new Error(`${where}: write "#for i in COUNT"`)
      const count = Number(term(loop[2], values, where))
      for (let k = 0; k < count; k++)
        out.push(...expand(lines.slice(i + 1, end), { ...values, [loop[1]]: k }, file, included))
    }
    i = end
  }
  return out
}

/** The text of a kernel, every name replaced. */
export const kernelText = (file: string, values: Values): string =>
  expand(linesOf(file), values, file, new Set()).join('\n')

/** The same for lines that are no file. */
export const expandText = (text: string, values: Values): string =>
  expand(text.split('\n'), values, 'text', new Set()).join('\n')

/** The nearest f32 as a WGSL literal that reads back to the same bits. */
export function literal(value: number): string {
  const rounded = Math.fround(value)
  if (!Number.isFinite(rounded)) throw new Error(`${value} has no literal`)
  const text = String(rounded)
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`
}
