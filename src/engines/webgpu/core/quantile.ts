/** Φ⁻¹ as lists of operations in double precision, which kernels/webgpu/normal.wgsl carries out: those of core/rng.ts, in their order. */
import { quantileTables } from '../../../core/rng.js'
import type { Values } from './text.js'

const Operation = { add: 0, subtract: 1, multiply: 2, divide: 3, root: 4 } as const

/** Registers 0 … 7; operands from there on are constants. */
const firstConstant = 8

/** The words of a number as WGSL arguments, low first. */
function words(value: number): string {
  const [low, high] = new Uint32Array(Float64Array.of(value).buffer)
  return `${low}u, ${high}u`
}

class List {
  readonly code: number[][] = []
  constructor(private readonly constants: number[]) {}

  constant(value: number): number {
    const known = this.constants.findIndex(c => Object.is(c, value))
    return firstConstant + (known >= 0 ? known : this.constants.push(value) - 1)
  }
  do(operation: keyof typeof Operation, result: number, a: number, b = 0): void {
    this.code.push([Operation[operation], result, a, b])
  }
  /** result ← Σ c_i x^i, lowest power first. */
  polynomial(result: number, coefficients: readonly number[], x: number): void {
    const constants = coefficients.map(c => this.constant(c))
    let so = constants[constants.length - 1]
    for (let i = constants.length - 2; i >= 0; i--) {
      this.do('multiply', result, so, x)
      this.do('add', result, result, constants[i])
      so = result
    }
  }
}

/** Of q in register 0. */
function centre(list: List): void {
  const [top, bottom] = quantileTables.centre
  list.do('multiply', 1, 0, 0)
  list.do('subtract', 1, list.constant(0.180625), 1)
  list.polynomial(2, top, 1)
  list.do('multiply', 2, 0, 2)
  list.polynomial(3, bottom, 1)
  list.do('divide', 2, 2, 3)
}

/** Of u = m 2^−k, with m and k in registers 0 and 1. */
function tail(list: List): void {
  const [top, bottom] = quantileTables.tail
  const [high, low] = quantileTables.logTwo
  const one = list.constant(1)
  // log u = 2 atanh s − k log 2
  list.do('subtract', 2, 0, one)
  list.do('add', 3, 0, one)
  list.do('divide', 2, 2, 3)
  list.do('multiply', 3, 2, 2)
  list.polynomial(
    4,
    Array.from({ length: 12 }, (_, n) => 1 / (2 * n + 1)),
    3
  )
  list.do('multiply', 2, list.constant(2), 2)
  list.do('multiply', 2, 2, 4)
  list.do('multiply', 3, 1, list.constant(low))
  list.do('subtract', 2, 2, 3)
  list.do('multiply', 3, 1, list.constant(high))
  list.do('subtract', 2, 2, 3)
  list.do('subtract', 2, list.constant(0), 2)
  list.do('root', 2, 2)
  list.do('subtract', 2, 2, list.constant(1.6))
  list.polynomial(3, top, 2)
  list.polynomial(4, bottom, 2)
  list.do('divide', 3, 3, 4)
}

/** What normal.wgsl needs. */
export function quantileValues(): Values {
  const constants: number[] = []
  const list = new List(constants)
  centre(list)
  const centreEnd = list.code.length
  tail(list)
  return {
    ...Operation,
    firstConstant,
    operations: list.code.length,
    code: list.code.map(step => `vec4u(${step.map(n => `${n}u`).join(', ')})`).join(', '),
    centreEnd,
    constantCount: constants.length,
    constants: constants.map(c => `vec2u(${words(c)})`).join(', '),
    limit: words(0.425),
    root: words(0.7071067811865476)
  }
}
