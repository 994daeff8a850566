/** Writes a parsed formula as text again, with the fewest brackets, in this language or in another. */
import { namedConstants, type Item } from './parse.js'

export interface Dialect {
  readonly power: '^' | '**'
  /** A number as it is written. */
  number(value: number): string
  name(name: string): string
  constant(name: string): string
  /** A function other than an operator. */
  call(name: string, args: readonly string[]): string
}

const plain = /^[\p{L}_][\p{L}\p{N}_.]*$/u

export const formulaDialect: Dialect = {
  power: '^',
  number: value => String(value),
  name: name => (plain.test(name) ? name : `\`${name}\``),
  constant: name => name,
  call: (name, args) => `${name}(${args.join(', ')})`
}

interface Piece {
  readonly text: string
  /** How strongly its outermost operator binds. */
  readonly binds: number
}
const strength: Readonly<Record<string, number>> = { '+': 2, '-': 2, '*': 3, '/': 3, neg: 4, '^': 5 }
const comparison = 1
const whole = 6

const within = (piece: Piece, least: number): string => (piece.binds < least ? `(${piece.text})` : piece.text)

/** The formula as text. */
export function print(items: readonly Item[], dialect: Dialect = formulaDialect): string {
  const stack: Piece[] = []
  for (const item of items) {
    if (item.kind === 'number') stack.push({ text: dialect.number(item.value), binds: whole })
    else if (item.kind === 'name') {
      const constant = Object.hasOwn(namedConstants, item.name)
      stack.push({ text: constant ? dialect.constant(item.name) : dialect.name(item.name), binds: whole })
    } else {
      const args = stack.splice(stack.length - item.count)
      stack.push(applied(item.name, args, dialect))
    }
  }
  return stack[0].text
}

function applied(name: string, args: readonly Piece[], dialect: Dialect): Piece {
  const [a, b] = args
  if (name === 'neg') return { text: `-${within(a, strength['neg'])}`, binds: strength['neg'] }
  if (name === '^')
    return { text: `${within(a, whole)}${dialect.power}${within(b, strength['neg'])}`, binds: strength['^'] }
  const binds = Object.hasOwn(strength, name) ? strength[name] : undefined
  if (binds !== undefined) return { text: `${within(a, binds)} ${name} ${within(b, binds + 1)}`, binds }
  if (/^[<>=!]/.test(name))
    return { text: `${within(a, comparison + 1)} ${name} ${within(b, comparison + 1)}`, binds: comparison }
  return {
    text: dialect.call(
      name,
      args.map(piece => piece.text)
    ),
    binds: whole
  }
}
