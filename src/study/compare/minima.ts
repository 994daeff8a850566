/** Which minima of one study are those of another: the same point up to symmetry, told apart as those of one study are. */
import { openClusters } from '../../analysis/cluster.js'
import { provedDistinct, provePoints, type Box } from '../../analysis/proof.js'
import type { OwnPoint, SharedPoint } from '../../core/comparisonResult.js'
import type { StationaryPoint, Summary } from '../../core/result.js'
import { conditionedPoints } from '../../models/model.js'
import type { Setup } from '../setup.js'

/** A point of one of the studies. */
interface Placed {
  readonly study: 0 | 1
  readonly kind: 'minimum' | 'flat minimum'
  readonly point: StationaryPoint
  readonly theta: Float64Array
  /** Points with the same number are one. */
  number: number
  box?: Box
}

/** Points of a summary in the coordinates of the setup, strict ones where Newton's method leads from the digits that a file has. */
async function placed(setup: Setup, summary: Summary, study: 0 | 1): Promise<Placed[]> {
  const { model, frame, certifier } = setup
  const at = (point: StationaryPoint): Float64Array =>
    conditionedPoints(model, frame.fromUser, Float64Array.from(point.parameters))
  const flat = summary.degenerate.map((point): Placed => ({
    study,
    kind: 'flat minimum',
    point,
    theta: at(point),
    number: -1
  }))
  const { minima } = summary
  const P = setup.objective.parameters
  const all = new Float64Array(minima.length * P)
  minima.forEach((point, i) => all.set(at(point), i * P))
  const own = certifier.objective.certifier
  const settled = own && minima.length > 0 ? await own.settle(all) : undefined
  const strict = minima.map((point, i): Placed => {
    const theta = settled?.status[i] === 'proved' ? settled.theta : all
    return { study, kind: 'minimum', point, theta: theta.slice(i * P, (i + 1) * P), number: -1 }
  })
  return [...strict, ...flat]
}

/** Numbers points that are one alike, and gives boxes to those that are proved. */
async function numbered(setup: Setup, points: readonly Placed[]): Promise<void> {
  const { frame, problem, certifier } = setup
  const clusters = openClusters(problem)
  const strict = points.filter(p => p.kind === 'minimum')
  const precision = Number.EPSILON
  strict.forEach((p, i) => {
    p.number = clusters.minima.add(i, p.point.loss / frame.lossScale, p.point.gradientNorm, precision, p.theta)
  })
  for (const [i, p] of points.filter(p => p.kind === 'flat minimum').entries()) {
    const z = await certifier.objective.outputs(p.theta, clusters.degenerate.data)
    const loss = p.point.loss / frame.lossScale
    // Strict and flat points are numbered apart.
    p.number = -2 - clusters.degenerate.add(i, loss, p.point.gradientNorm, precision, z, p.theta)
  }
  const P = setup.objective.parameters
  const all = new Float64Array(strict.length * P)
  strict.forEach((p, i) => all.set(p.theta, i * P))
  if (strict.length === 0) return
  const { proofs, radii } = await provePoints(
    certifier.objective,
    all,
    strict.map(() => 0)
  )
  strict.forEach((p, i) => {
    if (proofs[i].status !== 'proved') return
    p.box = { theta: p.theta, radii: radii.slice(i * P, (i + 1) * P), loss: p.point.loss / frame.lossScale }
  })
}

/** What both have met, and what one has alone. */
export async function sharedMinima(
  setup: Setup,
  a: Summary,
  b: Summary
): Promise<{ shared: SharedPoint[]; onlyA: OwnPoint[]; onlyB: OwnPoint[] }> {
  const points = [...(await placed(setup, a, 0)), ...(await placed(setup, b, 1))]
  await numbered(setup, points)
  // One box for each number: two boxes around one point are no two points.
  const boxed = [...new Map(points.filter(p => p.box).map(p => [p.number, p])).values()]
  const distinct = provedDistinct(
    setup.model,
    boxed.map(p => p.box!)
  )
  const apart = new Set(boxed.filter((_, i) => distinct[i]).map(p => p.number))
  const of = (study: 0 | 1): Placed[] => points.filter(p => p.study === study)
  const others = new Map(of(1).map(p => [p.number, p]))
  const mine = new Map(of(0).map(p => [p.number, p]))
  const shared = of(0).flatMap((p): SharedPoint[] => {
    const other = others.get(p.number)
    if (!other) return []
    // A proved box holds one stationary point: both are it where both lie in it, to the last digit, up to symmetry.
    const proved = p.box !== undefined && other.box !== undefined && !provedDistinct(setup.model, [p.box, other.box])[0]
    return [
      {
        a: p.point.id,
        b: other.point.id,
        kind: p.kind,
        loss: p.point.loss,
        shares: [p.point.share, other.point.share],
        proved
      }
    ]
  })
  const alone = (list: readonly Placed[], known: ReadonlyMap<number, Placed>): OwnPoint[] =>
    list
      .filter(p => !known.has(p.number))
      .map(({ point, kind, number }) => ({
        id: point.id,
        kind,
        loss: point.loss,
        share: point.share,
        proved: apart.has(number)
      }))
  return { shared, onlyA: alone(of(0), others), onlyB: alone(of(1), mine) }
}
