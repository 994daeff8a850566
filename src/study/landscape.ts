/**
 * The loss between end points: along the segment between the two best minima, and over the plane through three points, networks after
 * bringing each to the copy nearest to the first. Models without hidden layer have the loss of their convex twin beside it.
 */
import type { DistinctPoints } from '../analysis/distinctPoints.js'
import { isolines } from '../core/contours.js'
import type { Contours, Landscape } from '../core/result.js'
import type { Objective } from '../engines/types.js'
import { convexTwin } from '../models/losses/index.js'
import { canonicalizerOf, networkOf } from '../models/model.js'
import type { Model } from '../models/types.js'
import type { Folded } from './fold.js'
import type { Setup } from './setup.js'

const cells = 48
/** Values along the segment, a quarter of it beyond each end. */
const stations = 121
const beyond = 0.25
const levels = 12
/** Room around the three points, as a share of their range. */
const margin = 0.35
/** Multiplications up to which a picture is worth its time. */
const affordable = 3e9

interface Named {
  readonly name: string
  readonly theta: Float64Array
}

const minus = (a: Float64Array, b: Float64Array): Float64Array => a.map((v, p) => v - b[p])
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, v, p) => sum + v * b[p], 0)
const tidy = (v: number): number => Number(v.toPrecision(5))

/** The image of a point that is nearest to another. */
function nearestCopy(model: Model, theta: Float64Array, to: Float64Array): Float64Array {
  let best = theta
  let least = Infinity
  canonicalizerOf(model).images(theta, image => {
    const d = minus(image, to)
    const size = dot(d, d)
    if (size < least) [best, least] = [image.slice(), size]
    return false
  })
  return best
}

/** Minima, strict ones first, then saddles, then where the first runs started. */
function pointsOf(setup: Setup, { minima, degenerate, saddles }: Folded): Named[] {
  const named = (kind: string, list: DistinctPoints): Named[] =>
    list.slice(0, 3).map((c, i) => ({ name: `${kind} ${i + 1}`, theta: c.parameters }))
  const starts = [0, 1].map(i => ({
    name: `start ${i}`,
    theta: setup.starts.at(i)
  }))
  return [...named('minimum', minima), ...named('flat minimum', degenerate), ...named('saddle', saddles), ...starts]
}

/** Orthonormal directions of a plane through a point, and the coordinates of the points in it. */
interface Plane {
  readonly origin: Float64Array
  readonly unit: number
  readonly u: Float64Array
  /** Absent where all points lie on a line. */
  readonly v: Float64Array | undefined
  readonly points: readonly (Named & { readonly x: number; readonly y: number })[]
}

/** The plane through the first three points that do not lie on a line; undefined where all are one. */
function planeThrough(model: Model, candidates: readonly Named[]): Plane | undefined {
  const [first, ...others] = candidates
  if (!first) return undefined
  const points = [{ ...first, x: 0, y: 0 }]
  let [u, v]: [Float64Array | undefined, Float64Array | undefined] = [undefined, undefined]
  let unit = 1
  for (const { name, theta } of others) {
    const image = nearestCopy(model, theta, first.theta)
    const d = minus(image, first.theta)
    const length = Math.sqrt(dot(d, d))
    if (!(length > 0) || !Number.isFinite(length)) continue
    if (!u) {
      unit = length
      u = d.map(a => a / length)
      points.push({ name, theta: image, x: 1, y: 0 })
      continue
    }
    const along = dot(d, u)
    const rest = d.map((a, p) => a - along * u![p])
    const height = Math.sqrt(dot(rest, rest))
    if (!(height > 1e-6 * length)) continue
    v = rest.map(a => a / height)
    points.push({ name, theta: image, x: along / unit, y: height / unit })
    break
  }
  return u && { origin: first.theta, unit, u, v, points }
}

type Evaluate = (points: readonly (readonly [number, number])[]) => Promise<Float64Array>

const evaluator =
  (objective: Objective, { origin, unit, u, v }: Plane, scale: number): Evaluate =>
  async places => {
    const P = origin.length
    const theta = new Float64Array(places.length * P)
    places.forEach(([x, y], r) => {
      for (let p = 0; p < P; p++) theta[r * P + p] = origin[p] + unit * (x * u[p] + (v ? y * v[p] : 0))
    })
    const { f } = await objective.evaluate(theta, {})
    return f.map(value => scale * value)
  }

interface Box {
  readonly low: readonly [number, number]
  readonly size: number
}

/** A square around the points. */
function boxOf({ points }: Plane): Box {
  const ends = (of: 'x' | 'y'): [number, number] => [
    Math.min(...points.map(p => p[of])),
    Math.max(...points.map(p => p[of]))
  ]
  const [[x0, x1], [y0, y1]] = [ends('x'), ends('y')]
  const size = (1 + 2 * margin) * Math.max(x1 - x0, y1 - y0)
  return { low: [(x0 + x1 - size) / 2, (y0 + y1 - size) / 2], size }
}

/** Lines of levels that lie closer together near the lowest value. */
async function contours(evaluate: Evaluate, { low, size }: Box): Promise<Contours> {
  const n = cells + 1
  const place = (i: number, j: number): [number, number] => [low[0] + (size * i) / cells, low[1] + (size * j) / cells]
  const z = await evaluate(Array.from({ length: n * n }, (_, at) => place(at % n, Math.floor(at / n))))
  const known = [...z].filter(Number.isFinite).sort((a, b) => a - b)
  const [least, most] = [known[0], known[Math.floor(0.9 * (known.length - 1))]]
  if (!(most > least)) return { levels: [] }
  return {
    levels: Array.from({ length: levels }, (_, k) => {
      const loss = tidy(least + (most - least) * ((k + 0.5) / levels) ** 2)
      const lines = isolines(z, n, loss)
      return { loss, lines: lines.map(line => line.map(([i, j]) => place(i, j).map(tidy) as [number, number])) }
    })
  }
}

/** @returns undefined where there is one point only, or the model is too large */
export async function landscapeOf(setup: Setup, folded: Folded): Promise<Landscape | undefined> {
  const { problem, certifier, frame } = setup
  const model = networkOf(setup.model)
  const P = certifier.objective.parameters
  if (!model || (cells + 1) ** 2 * problem.rows * P > affordable) return undefined
  const plane = planeThrough(model, pointsOf(setup, folded))
  if (!plane) return undefined
  const twinLoss = convexTwin(model.loss)
  const { lossParameters: _, ...bare } = problem.model
  const twin =
    model.hidden.length === 0 && twinLoss !== model.loss
      ? await certifier.engine.prepare({ ...problem, model: { ...bare, loss: twinLoss } })
      : undefined
  try {
    const own = evaluator(certifier.objective, plane, frame.lossScale)
    const other = twin && evaluator(twin, plane, frame.targetScale ** 2)
    const box = boxOf(plane)
    const losses = await own(plane.points.map(({ x, y }) => [x, y]))
    const segment = plane.points[1].name.startsWith('start') ? undefined : await along(plane, own, other)
    if (!segment && !plane.v) return undefined
    return {
      ...(segment
        ? {
            segment: {
              ...segment.shape,
              losses: segment.own,
              barrier: segment.barrier,
              ...(segment.twin ? { twin: { loss: twinLoss, losses: segment.twin } } : {})
            }
          }
        : {}),
      ...(plane.v
        ? {
            plane: {
              points: plane.points.map(({ name, x, y }, k) => ({ name, x: tidy(x), y: tidy(y), loss: losses[k] })),
              ...(await contours(own, box)),
              ...(other ? { twin: { loss: twinLoss, ...(await contours(other, box)) } } : {})
            }
          }
        : {})
    }
  } finally {
    twin?.dispose()
  }
}

async function along({ points }: Plane, own: Evaluate, other: Evaluate | undefined) {
  const at = Array.from({ length: stations }, (_, k) => tidy(-beyond + ((1 + 2 * beyond) * k) / (stations - 1)))
  const places = at.map(t => [t, 0] as const)
  const values = await own(places)
  const [a, b] = await own([
    [0, 0],
    [1, 0]
  ])
  const inside = [...values].filter((_, k) => at[k] > 0 && at[k] < 1)
  const finite = (list: Float64Array): (number | null)[] => Array.from(list, v => (Number.isFinite(v) ? v : null))
  return {
    shape: { from: points[0].name, to: points[1].name, at },
    own: finite(values),
    barrier: Math.max(0, Math.max(...inside) - Math.max(a, b)),
    twin: other && finite(await other(places))
  }
}
