// Losses and activations against values computed with 80 digits (tests/fixtures/losses.py), on the reference and on every
// instruction set of the cpu engine, over |z| up to 10 000.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { activate, activations, activationTable } from '../../src/models/activations.js'
import type { Engine } from '../../src/engines/types.js'
import { losses, scalarLoss, type ScalarLossName } from '../../src/models/losses/index.js'
import { softmax, softmaxSecond, softmaxTerms } from '../../src/models/losses/softmax.js'
import { hyperDuals, normalCdf } from '../../src/models/algebra.js'
import { candidates } from '../helpers/engines.js'
import { lossParameters, makeProblem } from '../helpers/problems.js'
import { epsOf, expectClose, hugeOf, printWorst, tolerance } from '../helpers/tolerance.js'

printWorst()

type Value = number | 'inf' | '-inf'
/** z, y, [ℓ, ℓ′, ℓ″], the sizes of their terms, and what the rounding of an exponent costs. */
type Golden = readonly [number, number, readonly Value[], readonly Value[], number]

const golden = JSON.parse(readFileSync(new URL('../fixtures/losses.json', import.meta.url), 'utf8')) as Record<
  ScalarLossName,
  readonly Golden[]
>
const scalarLosses = losses.filter(name => name !== 'softmax')
const real = (value: Value): number => (value === 'inf' ? Infinity : value === '-inf' ? -Infinity : value)
const parts = ['ℓ', 'ℓ′', 'ℓ″'] as const
/** Roundings in a formula, the elementary functions of a few ulp included. */
const operations = 12

it('has values for every loss', () => {
  expect(Object.keys(golden).sort()).toEqual([...scalarLosses].sort())
  for (const name of scalarLosses) expect(golden[name].length).toBeGreaterThan(70)
})

it.each(scalarLosses)('%s equals its golden values', name => {
  const out = new Float64Array(3)
  for (const [z, y, values, sizes, tail] of golden[name]) {
    scalarLoss(name).terms(z, y, out, lossParameters(name))
    parts.forEach((part, k) => {
      const tol = tolerance('f64', operations * tail, real(sizes[k]))
      // A value at the edge of the range may be infinite a rounding early.
      if (Math.abs(real(values[k])) < hugeOf.f64 / 2)
        expectClose(out[k], real(values[k]), tol, `${part}(${z}, ${y})`, name)
      else expect(out[k], `${part}(${z}, ${y})`).toBe(real(values[k]))
    })
  }
})

describe.each(candidates.filter(c => c.name !== 'reference'))('$label', candidate => {
  let engine: Engine
  beforeAll(async () => {
    engine = await candidate.open(1)
  })
  afterAll(() => engine.dispose())

  it.each(scalarLosses)('%s equals its golden values', async name => {
    const points = golden[name].filter(([z, y]) => Math.fround(z) === z && Math.fround(y) === y)
    expect(points.length).toBeGreaterThan(60)
    const { model: network } = makeProblem({ loss: name, inputs: 1, bias: false })
    for (const y of new Set(points.map(([, target]) => target))) {
      const mine = points.filter(([, target]) => target === y)
      const objective = await engine.prepare({ model: network, rows: 1, x: Float64Array.of(1), y: Float64Array.of(y) })
      const { f, g, H } = await objective.evaluate(
        Float64Array.from(mine, ([z]) => z),
        { g: true, H: true }
      )
      objective.dispose()
      mine.forEach(([z, , values, sizes, tail], i) =>
        [f[i], g![i], H![i]].forEach((got, k) => {
          const expected = real(values[k])
          const tol = tolerance(candidate.precision, operations * tail, Math.min(real(sizes[k]), hugeOf.f64))
          const what = `${parts[k]}(${z}, ${y})`
          const { precision } = candidate
          if (Math.abs(expected) < hugeOf[precision] / 4) expectClose(got, expected, tol, what, `${name} ${precision}`)
          else if (Math.abs(expected) > hugeOf[precision]) expect(got, what).toBe(Math.sign(expected) * Infinity)
        })
      )
    }
  })
})

describe('softmax', () => {
  const z = Float64Array.of(0.25, -1.5, 2)
  it.each([0, 1, 2])('has the derivatives of its definition for class %i', k => {
    const p = new Float64Array(3)
    const d = new Float64Array(3)
    const value = softmaxTerms(z, k, p, d)
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 3; b++) {
        const seeded = Array.from(z, (v, i) => ({ v, a: i === a ? 1 : 0, b: i === b ? 1 : 0, ab: 0 }))
        const exact = softmax.value(hyperDuals, seeded, k)
        const tol = tolerance('f64', operations, 2 + Math.abs(z[k]))
        expectClose(value, exact.v, tol, 'ℓ')
        expectClose(d[a], exact.a, tol, `∂${a}`)
        expectClose(softmaxSecond(p, a, b), exact.ab, tol, `∂${a}∂${b}`)
      }
  })
  it('is flat along equal changes of all outputs, and finite far out', () => {
    const p = new Float64Array(3)
    const d = new Float64Array(3)
    for (const shift of [0, 700, -1e4, 1e4]) {
      softmaxTerms(
        z.map(v => v + shift),
        1,
        p,
        d
      )
      expectClose(d[0] + d[1] + d[2], 0, tolerance('f64', operations, 1), 'Σ∂')
      for (let a = 0; a < 3; a++)
        expectClose(
          softmaxSecond(p, a, 0) + softmaxSecond(p, a, 1) + softmaxSecond(p, a, 2),
          0,
          tolerance('f64', operations, 1),
          'Σ∂²'
        )
    }
    expect(softmaxTerms(Float64Array.of(1e4, -1e4), 1, new Float64Array(2), new Float64Array(2))).toBe(2e4)
    expect(softmaxTerms(Float64Array.of(1e4, -1e4), 0, new Float64Array(2), new Float64Array(2))).toBe(0)
  })
})

describe('activations', () => {
  it.each(activations)('%s has the derivatives of its definition', name => {
    const out = new Float64Array(3)
    for (const u of [-4.5, -1.25, -0.375, 0.0625, 0.75, 2.5, 5]) {
      activate(name, u, out)
      const exact = activationTable[name].value(hyperDuals, { v: u, a: 1, b: 1, ab: 0 })
      // The definition forms e^u where it can cancel.
      const tol = tolerance('f64', operations, 1 + Math.abs(u))
      ;[exact.v, exact.a, exact.ab].forEach((expected, k) => expectClose(out[k], expected, tol, `${parts[k]}(${u})`))
    }
  })
  it.each(activations)('%s and its derivatives hold to each other by identities', name => {
    const out = new Float64Array(3)
    for (const u of [0, 1e-9, 0.5, 3, 20, 40, 700, 1e4].flatMap(v => [v, -v])) {
      activate(name, u, out)
      const [value, first, second] = out
      const tol = (size: number): number => 8 * epsOf.f64 * Math.abs(size) + 2 ** -1022
      const what = `${name}(${u})`
      switch (name) {
        case 'identity':
          expect([value, first, second]).toEqual([u, 1, 0])
          break
        case 'tanh': {
          expectClose(value, Math.tanh(u), tol(1), what)
          const c = Math.cosh(u)
          expectClose(first, 1 / c / c, tol(1 / c / c) * (1 + Math.abs(u)), `${what}′`)
          expectClose(second, -2 * value * first, tol(first), `${what}″`)
          break
        }
        case 'logistic': {
          const e = Math.exp(-Math.abs(u))
          expectClose(value, u >= 0 ? 1 / (1 + e) : e / (1 + e), tol(value), what)
          expectClose(first, e / (1 + e) ** 2, tol(first), `${what}′`)
          expectClose(second, first * (1 - 2 * value), tol(first), `${what}″`)
          break
        }
        case 'softplus': {
          const e = Math.exp(-Math.abs(u))
          expectClose(value, Math.max(u, 0) + Math.log1p(e), tol(value), what)
          expectClose(first, u >= 0 ? 1 / (1 + e) : e / (1 + e), tol(first), `${what}′`)
          expectClose(second, e / (1 + e) ** 2, tol(second), `${what}″`)
          break
        }
        case 'relu':
          expect([value, first, second]).toEqual([Math.max(u, 0), u > 0 ? 1 : 0, 0])
          break
        case 'sin':
          expect([value, first, second]).toEqual([Math.sin(u), Math.cos(u), -Math.sin(u)])
          break
        case 'gelu': {
          // φ(u) − φ(−u) = u; φ″ = (2 − u²) times the density; φ′ from it by the density's own derivative.
          activate(name, -u, out)
          expectClose(value - out[0], u, tol(u), what)
          expectClose(first + out[1], 1, tol(1), `${what}′`)
          const density = Math.exp(-0.5 * u * u) / Math.sqrt(2 * Math.PI)
          expectClose(second, (2 - u * u) * density, tol(second) * (1 + u * u), `${what}″`)
          expectClose(first, normalCdf(u) + u * density, tol(1), `${what}′`)
          break
        }
        default:
          break
      }
    }
  })
})
