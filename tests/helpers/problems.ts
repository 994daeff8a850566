// Small seeded problems of the whole model family. All numbers are exact in f32, so that a single-precision engine is judged
// by its arithmetic, not by the rounding of what it was given.
import { Stream, normalQuantile, uniform, words } from '../../src/core/rng.js'
import { parameterCount } from '../../src/models/model.js'
import { activations, type Activation } from '../../src/models/activations.js'
import { isScalar, losses, lossTable, type Loss } from '../../src/models/losses/index.js'
import type { Network, Problem } from '../../src/models/types.js'

/** n standard normal numbers, each the nearest f32. */
export const normals = (n: number, seed: number, series = 0): Float64Array =>
  Float64Array.from(words(seed, Stream.generator, series, 0, n), w => Math.fround(normalQuantile(uniform(w))))

/** n whole numbers in 0 … below − 1. */
export const integers = (n: number, below: number, seed: number, series = 0): Float64Array =>
  Float64Array.from(words(seed, Stream.generator, series, 0, n), w => Math.floor(uniform(w) * below))

/** Columns a and b, and a class k of three that overlap. */
export function threeClasses(rows: number, seed: number): Record<string, (number | string)[]> {
  const [a, b, noise] = [normals(rows, seed), normals(rows, seed + 1), normals(rows, seed + 2)]
  const named = (v: number, i: number): string =>
    ['low', 'middle', 'high'][v + 1.5 * noise[i] < -0.8 ? 0 : v - b[i] + noise[i] < 0.8 ? 1 : 2]
  return { a: [...a], b: [...b], k: [...a].map(named) }
}

export interface Recipe {
  readonly loss: Loss
  readonly activation?: Activation
  readonly hidden?: readonly number[]
  readonly inputs?: number
  readonly rows?: number
  readonly outputs?: number
  readonly bias?: boolean
  readonly ridge?: number
  readonly penalizeBias?: boolean
  /** A penalty that differs from parameter to parameter, some of them 0. */
  readonly mixed?: boolean
  readonly weighted?: boolean
  readonly shifted?: boolean
  readonly seed?: number
}

/** Values for the parameters of a loss that has some. */
export const lossParameters = (loss: Loss): number[] => lossTable[loss].parameters.map((_, k) => [0.75, 1.5][k])

function target(loss: Loss, classes: number, raw: number): number {
  const { response } = lossTable[loss]
  switch (response) {
    case 'number':
      return raw - 4
    case 'class':
      return raw % classes
    case 'count':
      return raw
    case 'positive':
      return (raw + 1) / 4
    case 'share':
      // Mostly labels, now and then a share.
      return raw === 3 ? 0.375 : raw % 2
    default:
      return response satisfies never
  }
}

export function makeProblem(recipe: Recipe): Problem<Network> {
  const { loss, rows = 7, inputs = 2, seed = 5 } = recipe
  const together = !isScalar(loss)
  const outputs = recipe.outputs ?? (together ? 3 : 1)
  const parameters = lossParameters(loss)
  const network: Network = {
    kind: 'network',
    inputs,
    hidden: recipe.hidden ?? [],
    outputs,
    activation: recipe.activation ?? 'tanh',
    loss,
    ...(parameters.length > 0 ? { lossParameters: parameters } : {}),
    bias: recipe.bias ?? true,
    ridge: recipe.ridge ?? 0,
    penalizeBias: recipe.penalizeBias ?? false
  }
  return {
    model: network,
    rows,
    x: normals(rows * inputs, seed, 1),
    y: integers(rows * (together ? 1 : outputs), 8, seed, 2).map(raw => target(loss, outputs, raw)),
    ...(recipe.mixed ? { penalty: integers(parameterCount(network), 5, seed, 5).map(v => v / 64) } : {}),
    ...(recipe.weighted ? { weight: integers(rows, 4, seed, 3).map((w, i) => (i === 0 ? 1 : w)) } : {}),
    ...(recipe.shifted && !together ? { offset: normals(rows, seed, 4) } : {})
  }
}

/** [count, P] parameter vectors with elements N(0, size²). */
export const points = (problem: Problem, count: number, seed = 11, size = 0.75): Float64Array =>
  normals(count * parameterCount(problem.model), seed, 6).map(v => Math.fround(size * v))

export const sizesByDepth: readonly (readonly number[])[] = [[], [3], [3, 2], [2, 3, 2]]

/** Every loss × activation × depth 0 … 3, with bias, ridge, penalizeBias, weights and offsets varied from case to case. */
export function familyCases(): { label: string; problem: Problem<Network> }[] {
  const cases: { label: string; problem: Problem<Network> }[] = []
  for (const loss of losses)
    for (const hidden of sizesByDepth)
      for (const activation of activations) {
        const n = cases.length
        // Without a hidden layer the activation does not matter; the five cases serve as five sets of options.
        const recipe = {
          loss,
          activation,
          hidden,
          bias: n % 3 !== 1,
          ridge: n % 2 === 0 ? 0.03125 : 0,
          penalizeBias: n % 4 === 0,
          mixed: n % 6 === 0,
          weighted: n % 5 < 2,
          shifted: n % 7 < 4,
          rows: 5 + (n % 3),
          seed: 100 + n
        }
        const options = [
          recipe.bias && 'bias',
          recipe.mixed ? 'mixed penalty' : recipe.ridge > 0 && (recipe.penalizeBias ? 'ridge on all' : 'ridge')
        ]
        const extra = [recipe.weighted && 'weights', recipe.shifted && isScalar(loss) && 'offset']
        const words = [...options, ...extra].filter(Boolean).join(' ')
        cases.push({ label: `${loss} [${hidden.join(',')}] ${activation} ${words}`, problem: makeProblem(recipe) })
      }
  return cases
}
