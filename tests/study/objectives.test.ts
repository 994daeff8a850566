// Functions whose minima are all known: by formula, or by bisection of the derivative of one variable.
import { describe, expect, it } from 'vitest'
import { study } from '../helpers/study.js'
import { expectClose } from '../helpers/tolerance.js'

/** Parameters with one letter each, drawn between two numbers or held between them. */
const within = (names: string, low: number, high: number, held = false) =>
  Object.fromEntries([...names].map(n => [n, held ? { bounds: [low, high] } : { init: { uniform: [low, high] } }]))

const minimise = (objective: string, parameters: object, count: number) =>
  study({ model: { objective, parameters }, starts: { count }, engine: 'cpu' })

/** The x in an interval at which a rising function changes sign. */
function root(slope: (x: number) => number, low: number, high: number): number {
  let [a, b] = [low, high]
  for (let k = 0; k < 200; k++) {
    const middle = (a + b) / 2
    if (slope(middle) < 0) a = middle
    else b = middle
  }
  return (a + b) / 2
}

/** All points whose coordinates are among the values. */
const grid = (values: readonly number[], d: number): number[][] =>
  d === 0 ? [[]] : grid(values, d - 1).flatMap(point => values.map(v => [...point, v]))

/** The minima of a study are these, each once. */
function expectMinima(minima: readonly { readonly parameters: readonly number[] }[], known: readonly number[][]): void {
  expect(minima).toHaveLength(known.length)
  for (const point of known) {
    const near = minima.filter(m => m.parameters.every((v, p) => Math.abs(v - point[p]) < 1e-6))
    expect(near, String(point)).toHaveLength(1)
    near[0].parameters.forEach((v, p) => expectClose(v, point[p], 1e-9 * Math.max(1, Math.abs(v)), point.join(', ')))
  }
}

describe('all minima', () => {
  it("121 of Rastrigin's function between bounds", async () => {
    const objective = '20 + a^2 - 10*cos(2*pi*a) + b^2 - 10*cos(2*pi*b)'
    const { minima, verdicts } = await minimise(objective, within('ab', -5.12, 5.12, true), 3000)
    const slope = (x: number): number => 2 * x + 20 * Math.PI * Math.sin(2 * Math.PI * x)
    const values = Array.from({ length: 11 }, (_, k) => root(slope, k - 5.25, k - 4.75))
    expectMinima(minima, grid(values, 2))
    expect(verdicts.minimum).toBe(3000)
  })

  it('16 of the function of Styblinski and Tang in four dimensions', async () => {
    const objective = [...'abcd'].map(v => `(${v}^4 - 16*${v}^2 + 5*${v})/2`).join(' + ')
    const { minima, verdicts } = await minimise(objective, within('abcd', -5, 5), 600)
    const slope = (x: number): number => 4 * x ** 3 - 32 * x + 5
    expectMinima(minima, grid([root(slope, -4, -2), root(slope, 2, 4)], 4))
    expect(verdicts.minimum).toBe(600)
  })

  it("three of Branin's function, all of them as low", async () => {
    const objective = '(b - 5.1/(4*pi^2)*a^2 + 5/pi*a - 6)^2 + 10*(1 - 1/(8*pi))*cos(a) + 10'
    const parameters = { a: { bounds: [-5, 10] }, b: { bounds: [0, 15] } }
    const { minima } = await minimise(objective, parameters, 200)
    // cos a = −1, and the square is 0.
    const at = [-Math.PI, Math.PI, 3 * Math.PI].map(a => [
      a,
      (5.1 / (4 * Math.PI ** 2)) * a ** 2 - (5 / Math.PI) * a + 6
    ])
    expectMinima(minima, at)
    for (const m of minima) expectClose(m.loss, 10 / (8 * Math.PI), 1e-13, 'loss')
  })

  it("one of Beale's function, and no other end is called one", async () => {
    const objective = '(1.5 - a + a*b)^2 + (2.25 - a + a*b^2)^2 + (2.625 - a + a*b^3)^2'
    const { minima, degenerate, saddles } = await minimise(objective, within('ab', -4.5, 4.5), 200)
    expectMinima(minima, [[3, 0.5]])
    expect([...degenerate, ...saddles]).toEqual([])
  })
})

describe("Ackley's function", () => {
  it('has no second derivative at its least value: runs that end there are unfinished, whatever curvature is beside it', async () => {
    const objective = '-20*exp(-0.2*sqrt((a^2 + b^2)/2)) - exp((cos(2*pi*a) + cos(2*pi*b))/2) + 20 + exp(1)'
    const { minima, degenerate, verdicts, unfinished } = await minimise(objective, within('ab', -3, 3), 400)
    expect(degenerate).toEqual([])
    expect(verdicts.unfinished).toBeGreaterThan(10)
    expect(unfinished.stalled).toBe(verdicts.unfinished)
    // The others lie beside the other points of the lattice.
    expect(minima.length).toBeGreaterThan(8)
    expect(minima.every(m => m.loss > 2)).toBe(true)
  })
})
