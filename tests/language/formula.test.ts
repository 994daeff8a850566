// Formulas: what is read, what is refused and where, and derivatives against hyper-dual numbers and closed forms.
import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/core/errors.js'
import { Stream, uniform, words } from '../../src/core/rng.js'
import { build, namesIn } from '../../src/language/formula/build.js'
import { derivatives } from '../../src/language/formula/derive.js'
import { Tape, fold } from '../../src/language/formula/evaluate.js'
import { Graph, Op, type NodeId } from '../../src/language/formula/graph.js'
import { depthLimit, lengthLimit, parse } from '../../src/language/formula/parse.js'
import { print } from '../../src/language/formula/print.js'
import { hyperDuals, scaled, type HyperDual } from '../../src/models/algebra.js'
import { randomFormula } from '../helpers/formulas.js'
import { expectClose, tolerance } from '../helpers/tolerance.js'

const { add, div, exp, log, mul, constant: real } = hyperDuals
const times = (k: number, x: HyperDual): HyperDual => scaled(hyperDuals, k, x)
const shift = (x: HyperDual, k: number): HyperDual => add(x, real(k))
const inverse = (x: HyperDual): HyperDual => div(real(1), x)

/** Names a, b, c are parameters 0, 1, 2; x, w and `dose mg` are columns. */
function made(text: string): { graph: Graph; z: NodeId } {
  const graph = new Graph()
  const known = new Map<string, () => NodeId>([
    ...['a', 'b', 'c'].map((name, p) => [name, () => graph.parameter(p)] as const),
    ...['x', 'w', 'dose mg'].map((name, d) => [name, () => graph.column(d)] as const)
  ])
  return { graph, z: build(graph, parse(text), text, known, 'Known') }
}
function value(text: string, theta: readonly number[] = [], row: readonly number[] = []): number {
  const { graph, z } = made(text)
  const tape = new Tape(graph, [z])
  tape.run(row, theta)
  return tape.root(0)
}
const refusal = (text: string): string => {
  try {
    made(text)
  } catch (error) {
    if (error instanceof InputError) return error.message
    throw error
  }
  return 'accepted'
}

describe('reading', () => {
  it.each([
    ['1 + 2 * 3', 7],
    ['2 ^ 3 ^ 2', 512],
    ['-3 ^ 2', -9],
    ['2 ** -2', 0.25],
    ['8 / 4 / 2', 1],
    ['2 - 3 - 4', -5],
    ['-2 * -3', 6],
    ['1e3 + .5 + 2.', 1002.5],
    ['cos(pi)', -1],
    ['min(3, 1, 2) + max(3, 1, 2)', 4],
    ['where(1 < 2, 5, log(-1))', 5],
    ['(2 >= 2) + (2 > 2) + (1 == 1) + (1 != 1)', 2],
    ['abs(-2) + sqrt(9) + tanh(0) + atan(0) + erf(0)', 5]
  ])('%s is %d', (text, expected) => expect(value(text)).toBe(expected))

  it('knows names with spaces, and lists names in the order of their appearance', () => {
    expect(value('b * `dose mg` + x', [0, 3, 0], [1, 0, 5])).toBe(16)
    expect(namesIn(parse('b*x + pi*exp(-a*x)'))).toEqual(['b', 'x', 'a'])
  })

  it.each([
    ['a * (b + ', /ends too soon at its end/],
    ['a * (b + c', /bracket that is not closed at character 5/],
    ['a + b)', /has "\)" at character 6/],
    ['a + * b', /has "\*" at character 5/],
    ['sinh(a)', /unknown function "sinh" at character 1 \(sinh\(a\)\).*did you mean sin\?/],
    ['a * xx', /unknown name "xx" at character 5 .*did you mean x\?/],
    ['a $ b', /unknown sign "\$" at character 3/],
    ['2a', /runs into a name at character 2/],
    ['exp(a, b)', /gives exp 2 arguments at character 1 .*it takes 1 argument\./],
    ['where(a < b, 1)', /it takes 3 arguments/],
    ['a < b < c', /compares twice/],
    ['`a', /backtick/],
    ['   ', /is empty/],
    ['1e999', /too large/],
    [`${'('.repeat(depthLimit + 1)}a${')'.repeat(depthLimit + 1)}`, /nested too deeply/],
    [`a${'+a'.repeat(lengthLimit / 2)}`, /at most 10000 are allowed/]
  ])('refuses %j', (text, message) => expect(refusal(text)).toMatch(message))

  it('reads the longest formula, and shares its equal parts', () => {
    const text = `a${'+a*x'.repeat(lengthLimit / 4 - 1)}`
    expect(value(text, [1], [2])).toBe(1 + 2 * (lengthLimit / 4 - 1))
    const { graph, z } = made('exp(-a*x)*b + exp(-a*x)*c + exp(-(x*a))')
    expect(graph.needed([z]).filter(id => graph.op[id] === Op.exp)).toHaveLength(1)
  })

  it.each(['a - (b - c)', '-(a + b)^2', '(a * b)^-c', 'a / (b * c)', 'where(a < b, a, exp(-b))', '(-a)^2', 'a^b^c'])(
    'prints %s so that it reads the same',
    text => {
      const printed = print(parse(text))
      expect(print(parse(printed))).toBe(printed)
      expect(value(printed, [1.25, 2.5, 3])).toBe(value(text, [1.25, 2.5, 3]))
    }
  )
})

/** A function lifted to hyper-dual numbers by its value and first two derivatives. */
const lifted = (x: HyperDual, h: number, h1: number, h2: number): HyperDual => ({
  v: h,
  a: h1 * x.a,
  b: h1 * x.b,
  ab: h1 * x.ab + h2 * x.a * x.b
})

function dual(op: Op, [x, y, w]: readonly HyperDual[]): HyperDual {
  switch (op) {
    case Op.add:
      return add(x, y)
    case Op.sub:
      return add(x, times(-1, y))
    case Op.mul:
      return mul(x, y)
    case Op.div:
      return mul(x, inverse(y))
    case Op.neg:
      return times(-1, x)
    case Op.exp:
      return exp(x)
    case Op.log:
      return log(x)
    case Op.sqrt:
      return lifted(x, Math.sqrt(x.v), 0.5 / Math.sqrt(x.v), -0.25 * x.v ** -1.5)
    case Op.sin:
      return lifted(x, Math.sin(x.v), Math.cos(x.v), -Math.sin(x.v))
    case Op.cos:
      return lifted(x, Math.cos(x.v), -Math.sin(x.v), -Math.cos(x.v))
    case Op.tanh: {
      const e = exp(times(2, x))
      return mul(shift(e, -1), inverse(shift(e, 1)))
    }
    case Op.atan:
      return lifted(x, Math.atan(x.v), 1 / (1 + x.v ** 2), (-2 * x.v) / (1 + x.v ** 2) ** 2)
    case Op.erf: {
      // Σ (−1)ⁿ x^(2n+1) / (n! (2n+1)), which converges everywhere.
      let term = x.v
      let sum = x.v
      for (let n = 1; n < 80; n++) {
        term *= -(x.v ** 2) / n
        sum += term / (2 * n + 1)
      }
      const k = 2 / Math.sqrt(Math.PI)
      const bell = k * Math.exp(-(x.v ** 2))
      return lifted(x, k * sum, bell, -2 * x.v * bell)
    }
    case Op.abs:
      return x.v < 0 ? times(-1, x) : x
    case Op.min:
      return x.v < y.v ? x : y
    case Op.max:
      return x.v < y.v ? y : x
    case Op.pow:
      return exp(mul(y, log(x)))
    case Op.less:
      return real(x.v < y.v ? 1 : 0)
    case Op.lessEqual:
      return real(x.v <= y.v ? 1 : 0)
    case Op.equal:
      return real(x.v === y.v ? 1 : 0)
    case Op.where:
      return x.v !== 0 ? y : w
    default:
      throw new Error(`operation ${op} is not expected in a formula`)
  }
}

describe('derivatives', () => {
  it('agree with hyper-dual numbers on random formulas', () => {
    let compared = 0
    for (let seed = 0; seed < 300; seed++) {
      const text = randomFormula(seed)
      const { graph, z } = made(text)
      const { first, second } = derivatives(graph, z, 3)
      const theta = [...words(seed, Stream.generator, 1, 0, 3)].map(w => 0.5 + uniform(w))
      const row = [0.75, 1.375]
      const tape = new Tape(graph, [z, ...first, ...second.map(s => s.node)])
      tape.run(row, theta)
      const H = new Map(second.map((s, k) => [`${s.p},${s.q}`, tape.root(4 + k)]))
      for (let p = 0; p < 3; p++)
        for (let q = p; q < 3; q++) {
          const leaves = theta.map((v, k) => ({ v, a: k === p ? 1 : 0, b: k === q ? 1 : 0, ab: 0 }))
          let size = 1
          const [exact] = fold<HyperDual>(
            graph,
            [z],
            (op, v) => (op === Op.constant ? real(v) : op === Op.column ? real(row[v]) : leaves[v]),
            (op, args) => {
              const out = dual(op, args)
              size = Math.max(size, Math.abs(out.v), Math.abs(out.a), Math.abs(out.b), Math.abs(out.ab))
              return out
            }
          )
          const tol = tolerance('f64', 100, size * size)
          expectClose(tape.root(0), exact.v, tol, `${text}: z`)
          expectClose(tape.root(1 + p), exact.a, tol, `${text}: derivative ${p}`)
          expectClose(H.get(`${p},${q}`) ?? 0, exact.ab, tol, `${text}: derivative ${p} ${q}`)
          compared++
        }
    }
    expect(compared).toBe(1800)
  })

  it('of powers of a column that is 0 are 0', () => {
    const { graph, z } = made('a * x^b / (c^b + x^b)')
    const { first, second } = derivatives(graph, z, 3)
    const tape = new Tape(graph, [z, ...first, ...second.map(s => s.node)])
    tape.run([0], [2, 1.5, 3])
    for (let k = 0; k < 1 + first.length + second.length; k++) expect(Math.abs(tape.root(k))).toBe(0)
  })

  it('leave out the branch that is not taken, infinite or not', () => {
    const { graph, z } = made('where(a > 0, sqrt(a), 0) * b')
    const { first } = derivatives(graph, z, 3)
    const tape = new Tape(graph, first)
    tape.run([], [0, 2, 0])
    expect([tape.root(0), tape.root(1)]).toEqual([0, 0])
  })

  it('of a sum linear in its parameters are the columns themselves', () => {
    const { graph, z } = made('a + b*x + c*`dose mg`')
    const { first, second } = derivatives(graph, z, 3)
    expect(first).toEqual([graph.constant(1), graph.column(0), graph.column(2)])
    expect(second).toEqual([])
  })

  it('of too many operations are refused in a sentence', () => {
    // Each level doubles what the Hessian of the level below takes apart.
    let text = 'a*b*c*x'
    for (let k = 0; text.length < 9000; k++) text = `${k % 2 ? 'sin' : 'cos'}(${text} + ${'abc'[k % 3]}*x)`.slice(0)
    expect(refusal(text)).toMatch(/nested too deeply/)
  })
})
