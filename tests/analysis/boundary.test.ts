// Decision boundaries as lines for drawing: on them z is zero, straight ones are straight, closed ones are closed.
import { describe, expect, it } from 'vitest'
import { boundary, boxAround, type Box } from '../../src/analysis/boundary.js'
import { outputs } from '../../src/models/outputs.js'
import { parameterCount } from '../../src/models/model.js'
import { makeProblem, points } from '../helpers/problems.js'

const box: Box = { low: [-2, -1], high: [2, 3] }
const linear = makeProblem({ loss: 'logistic', inputs: 2, hidden: [] }).model
const network = makeProblem({ loss: 'logistic', inputs: 2, hidden: [3] }).model

const zAt = (net: typeof network, theta: Float64Array, line: readonly (readonly [number, number])[]): Float64Array =>
  outputs({ model: net, rows: line.length, x: Float64Array.from(line.flat()), y: new Float64Array(line.length) }, theta)

it('of a generalised linear model is one straight line from side to side', () => {
  const theta = Float64Array.of(-0.4, 1, 0.6)
  const [line, ...others] = boundary(linear, theta, box)
  expect(others).toEqual([])
  for (const z of zAt(linear, theta, line)) expect(Math.abs(z)).toBeLessThan(1e-12)
  for (const [x, y] of [line[0], line.at(-1)!])
    expect(Math.min(Math.abs(Math.abs(x) - 2), Math.abs(y + 1), Math.abs(y - 3))).toBeLessThan(1e-12)
})

it('is empty where one class is the likelier everywhere', () => {
  expect(boundary(linear, Float64Array.of(50, 1, 0.6), box)).toEqual([])
})

describe('of networks', () => {
  it.each([1, 2, 3, 4, 5, 6])('lies where z changes its sign, seed %i', seed => {
    const problem = { ...makeProblem({ loss: 'logistic', inputs: 2, hidden: [3] }), model: network }
    const theta = points(problem, 1, seed, 3)
    expect(theta).toHaveLength(parameterCount(network))
    for (const line of boundary(network, theta, box)) {
      // Between corners z is taken for linear: what is left is its curvature over a cell, small beside z's range.
      const scale = Math.max(
        ...zAt(
          network,
          theta,
          [box.low, box.high, [0, 0]].map(p => [p[0], p[1]] as const)
        ).map(Math.abs),
        1
      )
      for (const z of zAt(network, theta, line)) expect(Math.abs(z)).toBeLessThan(0.1 * scale)
      line.slice(1).forEach(([x, y], i) => {
        const [u, v] = line[i]
        expect(Math.hypot((x - u) / 4, (y - v) / 4) * 60).toBeLessThan(Math.SQRT2 + 1e-9)
      })
    }
  })

  it('is closed where it surrounds a region', () => {
    // Two softplus-like ridges of tanh units across each other make a hill at the origin.
    const hill = makeProblem({ loss: 'logistic', inputs: 2, hidden: [4] }).model
    const theta = Float64Array.of(3, 3, 0, 3, -3, 0, 3, 0, 3, 3, 0, -3, -5.5, 2, 2, 2, 2)
    const lines = boundary(hill, theta, { low: [-3, -3], high: [3, 3] })
    expect(lines).toHaveLength(1)
    expect(lines[0][0]).toEqual(lines[0].at(-1))
    expect(lines[0].length).toBeGreaterThan(20)
  })
})

it('the box has room around the rows, and some where all are the same', () => {
  const { low, high } = boxAround(Float64Array.of(0, 5, 10, 5))
  expect([low[0] < 0, high[0] > 10, low[1] < 5, high[1] > 5]).toEqual([true, true, true, true])
})
