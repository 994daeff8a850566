import { describe, expect, it } from 'vitest'
import { Canonicalizer, flipsOf, genericCoefficients } from '../../../src/models/network/symmetry.js'
import { canonicalize, copiesPossible, parameterCount } from '../../../src/models/model.js'
import { outputs } from '../../../src/models/outputs.js'
import { normalQuantile, Stream, uniform, words } from '../../../src/core/rng.js'
import type { Network, Problem } from '../../../src/models/types.js'

const base: Network = {
  kind: 'network',
  inputs: 3,
  hidden: [3],
  outputs: 1,
  activation: 'tanh',
  loss: 'logistic',
  bias: true,
  ridge: 0,
  penalizeBias: false
}
const random = (n: number, start: number): Float64Array =>
  Float64Array.from(words(7, Stream.generator, start, 0, n), w => normalQuantile(uniform(w)))

/** Every member of the orbit of a point, by brute force, written apart from the code under test: one hidden layer at a time. */
function orbit(network: Network, theta: Float64Array): Float64Array[] {
  const extra = network.bias ? 1 : 0
  const sizes = [network.inputs, ...network.hidden, network.outputs]
  let points = [theta]
  let at = 0
  for (let l = 1; l < sizes.length - 1; l++) {
    const h = sizes[l]
    const stride = sizes[l - 1] + extra
    const next = at + h * stride
    const orders: number[][] = [[]]
    for (let k = 0; k < h; k++) {
      const grown = orders.splice(0).flatMap(o =>
        Array.from({ length: h }, (_, i) => i)
          .filter(i => !o.includes(i))
          .map(i => [...o, i])
      )
      orders.push(...grown)
    }
    const flips = flipsOf(network)
    const grown: Float64Array[] = []
    for (const point of points)
      for (const order of orders)
        for (let bits = 0; bits < (flips === 'none' ? 1 : 2 ** h); bits++) {
          const image = Float64Array.from(point)
          order.forEach((from, k) => {
            const s = (bits >> k) & 1 ? -1 : 1
            for (let d = 0; d < stride; d++) image[at + k * stride + d] = s * point[at + from * stride + d]
            for (let q = 0; q < sizes[l + 1]; q++) {
              const row = next + q * (h + extra)
              const v = point[row + extra + from]
              image[row + extra + k] = s * v
              if (s < 0 && flips === 'bias') image[row] += v
            }
          })
          grown.push(image)
        }
    points = grown
    at = next
  }
  return points
}

const cases: readonly [string, Network, number][] = [
  ['tanh', base, 48],
  ['tanh without bias', { ...base, bias: false }, 48],
  ['logistic, free biases', { ...base, activation: 'logistic', ridge: 0.1 }, 48],
  ['logistic, penalised biases', { ...base, activation: 'logistic', ridge: 0.1, penalizeBias: true }, 6],
  ['logistic without bias', { ...base, activation: 'logistic', bias: false }, 6],
  ['softplus', { ...base, activation: 'softplus' }, 6],
  ['relu', { ...base, activation: 'relu' }, 6],
  ['two hidden layers', { ...base, hidden: [2, 3] }, 8 * 48],
  [
    'two hidden layers of logistic units, softmax',
    { ...base, hidden: [3, 2], activation: 'logistic', loss: 'softmax', outputs: 3 },
    48 * 8
  ],
  ['no hidden layer', { ...base, hidden: [] }, 1]
]

describe.each(cases)('symmetry of %s', (_, network, order) => {
  const P = parameterCount(network)
  const N = 5
  const problem: Problem = { model: network, rows: N, x: random(N * network.inputs, 99), y: new Float64Array(N) }
  // A flip moves a bias by an addition and a subtraction: a few roundings at the size of the parameters.
  const tolerance = 16 * Number.EPSILON

  it('has the order of the group', () => expect(copiesPossible(network)).toBe(order))

  it('sends all images to one canonical point, with as many keys as images, and keeps the outputs', () => {
    for (let start = 0; start < 5; start++) {
      const theta = random(P, start)
      const canonical = new Float64Array(P)
      canonicalize(network, theta, canonical)
      const z = outputs(problem, theta)
      const canonicalizer = new Canonicalizer(network)
      const out = new Float64Array(P)
      const keys = new Set<number>()
      const all = orbit(network, theta)
      expect(all.length).toBe(order)
      for (const image of all) {
        keys.add(canonicalizer.canonicalize(image, out))
        for (let p = 0; p < P; p++)
          if (!(Math.abs(out[p] - canonical[p]) <= tolerance * 8))
            expect.fail(`parameter ${p}: ${out[p]} and ${canonical[p]}`)
      }
      expect(keys.size).toBe(order)
      const zCanonical = outputs(problem, canonical)
      // Sums of at most a dozen products of size about 10.
      z.forEach((value, i) => {
        if (!(Math.abs(value - zCanonical[i]) <= 64 * P * Number.EPSILON)) expect.fail(`${value} and ${zCanonical[i]}`)
      })
    }
  })

  it('is the identity on canonical points', () => {
    const once = new Float64Array(P)
    const twice = new Float64Array(P)
    canonicalize(network, random(P, 3), once)
    canonicalize(network, once, twice)
    expect(twice).toEqual(once)
  })
})

it('does not take the rounding noise of a dead unit or of twin units for copies', () => {
  const network = { ...base, hidden: [2] }
  const P = parameterCount(network)
  const canonicalizer = new Canonicalizer(network)
  const out = new Float64Array(P)
  const twins = Float64Array.from([0.3, 1, -2, 0.7, 0.3, 1, -2, 0.7, 0.1, 1.5, 0.4])
  const keys = new Set<number>()
  for (const noise of [0, 1e-12, -1e-12]) {
    const point = Float64Array.from(twins)
    point[2] += noise
    keys.add(canonicalizer.canonicalize(point, out))
  }
  expect(keys.size).toBe(1)
})

it('offers the whole small group, and near-ties of a large one', () => {
  const small = new Canonicalizer({ ...base, hidden: [2] })
  const seen: string[] = []
  small.images(random(small.parameters, 1), image => {
    seen.push(image.join())
    return false
  })
  expect(new Set(seen).size).toBe(8)

  const network = { ...base, hidden: [5] }
  const large = new Canonicalizer(network)
  const theta = random(large.parameters, 2)
  const point = new Float64Array(large.parameters)
  large.canonicalize(theta, point)
  let offered = 0
  large.images(point, () => (offered++, false))
  expect(offered).toBe(0)
  // Shift the first unit's bias so that its functional is within the near-tie of zero: its flip is offered.
  const c = genericCoefficients(4)
  point[0] -= (c[0] * point[0] + c[1] * point[1] + c[2] * point[2] + c[3] * point[3]) / c[0] - 1e-6
  let flipped: Float64Array | undefined
  expect(large.images(point, image => ((flipped = Float64Array.from(image)), true))).toBe(true)
  expect(flipped?.[0]).toBe(-point[0])
})

describe('an image close to a point', () => {
  const networks: readonly Partial<Network>[] = [
    { hidden: [3] },
    { hidden: [4], activation: 'softplus', inputs: 1 },
    { hidden: [2, 2], activation: 'logistic', inputs: 1, outputs: 2 },
    { hidden: [2, 3], inputs: 1, bias: false },
    { hidden: [] }
  ]
  it.each(networks)('is found where going through the whole group finds one: %o', some => {
    const network: Network = { ...base, ...some }
    const canonicalizer = new Canonicalizer(network)
    const P = parameterCount(network)
    const found = { yes: 0, no: 0 }
    for (let n = 0; n < 60; n++) {
      // Few values, so that many units look alike from below; some points have an image close by, others nearly.
      const theta = random(P, 300 + n).map(v => Math.sign(v) * (Math.abs(v) > 1.2 ? 1 : n % 3 === 0 ? 0.5 : 1))
      const images = orbit(network, theta)
      const at = images[n % images.length].map((v, p) => v + (n % 2 === 1 && p === n % P ? 1 : 1e-3))
      const isNear = (p: number, v: number): boolean => Math.abs(v - at[p]) <= 2e-3
      const expected = images.some(image => image.every((v, p) => isNear(p, v)))
      expect(canonicalizer.hasImage(theta, isNear), `point ${n}`).toBe(expected)
      found[expected ? 'yes' : 'no']++
    }
    expect(found.yes).toBeGreaterThan(20)
    expect(found.no).toBeGreaterThan(10)
  })

  it('is found in a group of 10¹¹ elements, and left open where units alike leave too many', () => {
    const network: Network = { ...base, hidden: [10] }
    const canonicalizer = new Canonicalizer(network)
    const P = parameterCount(network)
    const theta = random(P, 400)
    const image = new Float64Array(P)
    canonicalizer.canonicalize(theta, image)
    const near = (at: Float64Array) => (p: number, v: number) => Math.abs(v - at[p]) < 1e-6
    expect(canonicalizer.hasImage(theta, near(image))).toBe(true)
    for (let p = 0; p < P; p++) {
      const moved = image.slice()
      moved[p] += 1e-3
      expect(canonicalizer.hasImage(theta, near(moved))).toBe(false)
    }
    const alike = new Float64Array(P)
    alike[P - 1] = 1
    expect(canonicalizer.hasImage(alike, near(new Float64Array(P)))).toBeUndefined()
    expect(new Canonicalizer({ ...network, activation: 'sin' }).hasImage(theta, near(theta))).toBeUndefined()
  })
})

describe('sine units', () => {
  const rows = 11
  const x = random(rows * 3, 90)
  const problemOf = (network: Network): Problem => ({
    model: network,
    rows,
    x,
    y: new Float64Array(rows * network.outputs)
  })
  const network: Network = { ...base, activation: 'sin', hidden: [3, 2], ridge: 0.1 }

  it('move their biases by π where outgoing weights change their signs, and have one canonical form', () => {
    const P = parameterCount(network)
    for (let n = 0; n < 60; n++) {
      // Wide biases, so that most of them are moved.
      const theta = random(P, 200 + n).map(v => 4 * v)
      const image = theta.slice()
      // (w, b, v) → (−w, π − b, v) of unit 0, b → b + 2π k of unit 1, (b, v) → (b + π, −v) of unit 2 of the first layer.
      for (let d = 0; d < 4; d++) image[d] = -image[d]
      image[0] += Math.PI
      image[4] += 2 * Math.PI * ((n % 5) - 2)
      image[8] += Math.PI
      for (const row of [12, 16]) image[row + 3] = -image[row + 3]
      const [a, b] = [outputs(problemOf(network), theta), outputs(problemOf(network), image)]
      a.forEach((z, i) => expect(Math.abs(z - b[i])).toBeLessThan(1e-11))
      const canonicalizer = new Canonicalizer(network)
      const [one, two, back] = [new Float64Array(P), new Float64Array(P), new Float64Array(P)]
      canonicalizer.canonicalize(image, two)
      const element = canonicalizer.canonicalize(theta, one)
      expect(Number.isSafeInteger(element)).toBe(true)
      canonicalizer.restore(one, back)
      back.forEach((v, p) => expect(Math.abs(v - theta[p])).toBeLessThan(1e-13 * (1 + Math.abs(theta[p]))))
      one.forEach((v, p) => expect(Math.abs(v - two[p]), `parameter ${p} of point ${n}`).toBeLessThan(1e-12))
      for (const at of [0, 4, 8, 12, 16]) expect(Math.abs(one[at])).toBeLessThanOrEqual(Math.PI / 2 + 1e-15)
    }
    expect(copiesPossible(network)).toBe(Infinity)
  })

  it('beside the end of the range of biases are found again under the other end', () => {
    const single: Network = { ...network, hidden: [1] }
    const P = parameterCount(single)
    const canonicalizer = new Canonicalizer(single)
    for (const sign of [1, -1]) {
      const [a, b] = [1e-9, -1e-9].map(gap => {
        const out = new Float64Array(P)
        canonicalizer.canonicalize(Float64Array.of(sign * (Math.PI / 2 - gap), 0.5, -1, 2, 0.25, 1.5), out)
        return out
      })
      const close = (p: Float64Array, q: Float64Array): boolean => p.every((v, i) => Math.abs(v - q[i]) < 1e-8)
      expect(close(a, b) || canonicalizer.images(b, image => close(image, a))).toBe(true)
    }
  })

  it('keep their biases where a ridge falls on them, or there are none', () => {
    for (const other of [{ penalizeBias: true }, { bias: false }]) {
      expect(copiesPossible({ ...network, hidden: [3], ...other })).toBe(48)
    }
  })
})
