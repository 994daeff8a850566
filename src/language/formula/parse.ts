/**
 * From the text of a formula to postfix code: a Pratt parser over a hand-written scanner. Names are not looked up here. Errors are one
 * sentence and point at the character.
 */
import { InputError } from '../../core/errors.js'
import { nearestName } from '../../core/names.js'

/** Functions by name, with the least and the largest number of their arguments. */
export const functions: Readonly<Record<string, readonly [number, number]>> = {
  exp: [1, 1],
  log: [1, 1],
  sqrt: [1, 1],
  sin: [1, 1],
  cos: [1, 1],
  tan: [1, 1],
  tanh: [1, 1],
  atan: [1, 1],
  erf: [1, 1],
  abs: [1, 1],
  min: [2, 64],
  max: [2, 64],
  where: [3, 3]
}
export const namedConstants: Readonly<Record<string, number>> = { pi: Math.PI }

/** One item of postfix code. `at`: place in the text, from 0. */
export type Item =
  | { readonly kind: 'number'; readonly value: number; readonly at: number }
  | { readonly kind: 'name'; readonly name: string; readonly at: number }
  /** An operator (`+ - * / ^ < <= > >= == !=`, `neg`) or a function, applied to the last `count` values. */
  | { readonly kind: 'apply'; readonly name: string; readonly count: number; readonly at: number }

/** Longest formula. */
export const lengthLimit = 10_000
/** Brackets, calls, signs and powers inside each other. */
export const depthLimit = 200

type Lexeme = { readonly kind: 'number' | 'name' | 'sign' | 'end'; readonly text: string; readonly at: number }

const letter = /[\p{L}_]/u
const inName = /[\p{L}\p{N}_.]/u
const signs = ['**', '<=', '>=', '==', '!=', '+', '-', '*', '/', '^', '<', '>', '(', ')', ',']
const numberAt = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y

/** Where in a text, in words: the number of the character, and what stands there. */
export function place(text: string, at: number): string {
  if (at >= text.length) return 'at its end'
  const from = Math.max(0, at - 8)
  const to = Math.min(text.length, at + 12)
  return `at character ${at + 1} (${from > 0 ? '…' : ''}${text.slice(from, to)}${to < text.length ? '…' : ''})`
}

const fail = (what: string, text: string, at: number, remedy: string): never => {
  throw new InputError(`The formula ${what} ${place(text, at)}; ${remedy}.`)
}

function scan(text: string): Lexeme[] {
  const out: Lexeme[] = []
  for (let at = 0; at < text.length;) {
    const c = String.fromCodePoint(text.codePointAt(at)!)
    if (/\s/.test(c)) {
      at += c.length
      continue
    }
    numberAt.lastIndex = at
    const number = numberAt.exec(text)
    if (number) {
      const end = at + number[0].length
      if (end < text.length && letter.test(text[end]))
        fail('has a number that runs into a name', text, end, 'write * between them')
      out.push({ kind: 'number', text: number[0], at })
      at = end
    } else if (c === '`') {
      const end = text.indexOf('`', at + 1)
      if (end <= at + 1) fail('has a backtick without another', text, at, 'write names with spaces as `a name`')
      out.push({ kind: 'name', text: text.slice(at + 1, end), at })
      at = end + 1
    } else if (letter.test(c)) {
      let end = at
      for (let next = c; end < text.length && inName.test(next);) {
        end += next.length
        next = end < text.length ? String.fromCodePoint(text.codePointAt(end)!) : ''
      }
      out.push({ kind: 'name', text: text.slice(at, end), at })
      at = end
    } else {
      const sign =
        signs.find(s => text.startsWith(s, at)) ??
        fail(`has an unknown sign "${c}"`, text, at, 'allowed are + - * / ^ ( ) , < <= > >= == != and names')
      out.push({ kind: 'sign', text: sign === '**' ? '^' : sign, at })
      at += sign.length
    }
  }
  out.push({ kind: 'end', text: '', at: text.length })
  return out
}

/** How strongly an operator binds on its left and on its right. */
const binding: Readonly<Record<string, readonly [number, number]>> = {
  '<': [1, 2],
  '<=': [1, 2],
  '>': [1, 2],
  '>=': [1, 2],
  '==': [1, 2],
  '!=': [1, 2],
  '+': [3, 4],
  '-': [3, 4],
  '*': [5, 6],
  '/': [5, 6],
  '^': [10, 9]
}
/** A sign before a value binds less than a power, as in −x² = −(x²), and more than a product. */
const signBinding = 8

class Parser {
  private next = 0
  private depth = 0
  readonly items: Item[] = []

  constructor(
    private readonly text: string,
    private readonly lexemes: readonly Lexeme[]
  ) {}

  private get here(): Lexeme {
    return this.lexemes[this.next]
  }
  private is(sign: string): boolean {
    return this.here.kind === 'sign' && this.here.text === sign
  }
  private expected(what: string): never {
    const { kind, text, at } = this.here
    const found = kind === 'end' ? 'ends too soon' : `has "${text}"`
    return fail(found, this.text, at, `${what} is due there`)
  }

  expression(least: number): void {
    if (++this.depth > depthLimit)
      fail('is nested too deeply', this.text, this.here.at, `at most ${depthLimit} levels of brackets are allowed`)
    this.operand()
    for (;;) {
      const { kind, text, at } = this.here
      const powers = kind === 'sign' && Object.hasOwn(binding, text) ? binding[text] : undefined
      if (!powers || powers[0] < least) break
      this.next++
      this.expression(powers[1])
      this.items.push({ kind: 'apply', name: text, count: 2, at })
      if (powers[0] === 1 && this.here.kind === 'sign' && binding[this.here.text]?.[0] === 1)
        fail('compares twice in a row', this.text, this.here.at, 'write (a < b) * (b < c)')
    }
    this.depth--
  }

  private operand(): void {
    const { kind, text, at } = this.here
    if (kind === 'number') {
      const value = Number(text)
      if (!Number.isFinite(value)) fail('has a number that is too large', this.text, at, 'give one below 1e308')
      this.items.push({ kind: 'number', value, at })
      this.next++
    } else if (kind === 'name') {
      this.next++
      if (this.is('(')) this.call(text, at)
      else this.items.push({ kind: 'name', name: text, at })
    } else if (this.is('(')) {
      this.next++
      this.expression(0)
      this.close(at)
    } else if (this.is('-') || this.is('+')) {
      this.next++
      this.expression(signBinding)
      if (text === '-') this.items.push({ kind: 'apply', name: 'neg', count: 1, at })
    } else this.expected('a number, a name or a bracket')
  }

  private close(opened: number): void {
    if (!this.is(')')) {
      if (this.here.kind === 'end') fail('has a bracket that is not closed', this.text, opened, 'add a )')
      this.expected('an operator or a )')
    }
    this.next++
  }

  private call(name: string, at: number): void {
    const known = Object.hasOwn(functions, name) ? functions[name] : undefined
    if (!known) {
      const names = Object.keys(functions)
      const nearest = nearestName(name, names)
      return fail(
        `has the unknown function "${name}"`,
        this.text,
        at,
        `did you mean ${nearest}? Known: ${names.join(', ')}; a product needs a *`
      )
    }
    const opened = this.here.at
    this.next++
    let count = 0
    if (!this.is(')'))
      for (;;) {
        this.expression(0)
        count++
        if (!this.is(',')) break
        this.next++
      }
    this.close(opened)
    const [low, high] = known
    if (count < low || count > high) {
      const due = low === high ? `${low} argument${low > 1 ? 's' : ''}` : `${low} to ${high} arguments`
      fail(`gives ${name} ${count} argument${count === 1 ? '' : 's'}`, this.text, at, `it takes ${due}`)
    }
    this.items.push({ kind: 'apply', name, count, at })
  }

  finish(): void {
    if (this.here.kind !== 'end') this.expected('an operator or the end')
  }
}

/** Postfix code of a formula. @throws InputError in one sentence */
export function parse(text: string): readonly Item[] {
  if (text.trim() === '') throw new InputError('The formula is empty; give one such as "a * exp(-b * x)".')
  if (text.length > lengthLimit)
    throw new InputError(
      `The formula has ${text.length} characters; at most ${lengthLimit} are allowed, so shorten it or use a network.`
    )
  const parser = new Parser(text, scan(text))
  parser.expression(0)
  parser.finish()
  return parser.items
}
