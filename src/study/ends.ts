/** Where points lead: Newton's method from each of them on all rows, and the distinct points that it comes to. */
import { openClusters } from '../analysis/cluster.js'
import { DistinctPoints, type PointSource } from '../analysis/distinctPoints.js'
import { VerdictCode, verdicts } from '../core/result.js'
import { newton } from '../optimizers/newton.js'
import type { Setup } from './setup.js'

/** Points that are judged at a time. */
const together = 2048

export interface End {
  /** `minimum 1`, `flat minimum 1` …, numbered by loss, or the verdict of points that come to none. */
  readonly end: string
  /** Of a minimum, in the user's units. */
  readonly loss: number | null
  /** [R] 1 for the points that come to it, else 0. */
  readonly runs: Uint8Array
}

/** The ends of the points θ [R, P], the most frequent first, and where each point came to: its end certified, [R] losses and [R, P]. */
export async function endsOf(
  setup: Setup,
  theta: Float64Array
): Promise<{ ends: End[]; loss: Float64Array; theta: Float64Array }> {
  const { certifier, judge, frame, config } = setup
  const { objective } = certifier
  const P = objective.parameters
  const R = theta.length / P
  const { minima, degenerate } = openClusters(setup.problem)
  const settled = { loss: new Float64Array(R), theta: new Float64Array(R * P) }
  const names: string[] = new Array<string>(R).fill('')
  const width = degenerate.data.rows * setup.model.outputs
  for (let first = 0; first < R; first += together) {
    const count = Math.min(together, R - first)
    const starts = { kind: 'given', theta: theta.slice(first * P, (first + count) * P), count, first } as const
    const stop = { steps: newton.steps, gradient: config.stop.gradient }
    const blocks = []
    for await (const block of objective.minimise({ program: judge.newton, starts, stop })) blocks.push(block)
    // In the order of the points, so that what is known when does not depend on threads.
    const places = blocks.flatMap(block => Array.from({ length: block.count }, (_, i) => ({ block, i })))
    places.sort((a, b) => a.block.start[a.i] - b.block.start[b.i])
    const at = new Float64Array(count * P)
    places.forEach(({ block, i }, n) => at.set(block.theta.subarray(i * P, (i + 1) * P), n * P))
    const found = {
      loss: Float64Array.from(places, ({ block, i }) => block.loss[i]),
      gradientNorm: Float64Array.from(places, ({ block, i }) => block.gradientNorm[i]),
      status: Uint8Array.from(places, ({ block, i }) => block.status[i])
    }
    const { end, ends: judged } = await setup.judgeRuns(at, found, count)
    for (let i = 0; i < count; i++) {
      const e = end[i]
      settled.loss[first + i] = judged.loss[e]
      settled.theta.set(judged.theta.subarray(e * P, (e + 1) * P), (first + i) * P)
    }
    const flat = [...judged.verdict.keys()].filter(e => judged.verdict[e] === VerdictCode.degenerate)
    const some = new Float64Array(flat.length * P)
    flat.forEach((e, n) => some.set(judged.theta.subarray(e * P, (e + 1) * P), n * P))
    const z = flat.length > 0 ? await objective.outputs(some, degenerate.data) : new Float64Array(0)
    const outputsOf = new Map(flat.map((e, n) => [e, z.subarray(n * width, (n + 1) * width)] as const))
    const nameOf = new Map<number, string>()
    for (let i = 0; i < count; i++) {
      const e = end[i]
      if (!nameOf.has(e)) {
        const values = [first + i, judged.loss[e], judged.gradientNorm[e], judged.precision[e]] as const
        const outputs = outputsOf.get(e)
        if (judged.verdict[e] === VerdictCode.minimum) nameOf.set(e, `m${minima.add(...values, judged.theta, e * P)}`)
        else if (outputs) nameOf.set(e, `d${degenerate.add(...values, outputs, judged.theta, e * P)}`)
        else nameOf.set(e, verdicts[judged.verdict[e]])
      }
      names[first + i] = nameOf.get(e)!
    }
  }
  const known = new Map<string, { end: string; loss: number | null }>()
  const number = (letter: string, word: string, source: PointSource): void =>
    DistinctPoints.of([source])
      .idsByRow()[0]
      .forEach((place, row) =>
        known.set(`${letter}${row}`, { end: `${word} ${place + 1}`, loss: frame.lossScale * source.table.loss[row] })
      )
  number('m', 'minimum', minima.source)
  number('d', 'flat minimum', degenerate.source)
  const list = [...new Set(names)].map(name => ({
    ...(known.get(name) ?? { end: name, loss: null }),
    runs: Uint8Array.from(names, other => (other === name ? 1 : 0))
  }))
  const sizeOf = (end: End): number => end.runs.reduce((sum, v) => sum + v, 0)
  list.sort((a, b) => sizeOf(b) - sizeOf(a) || (a.end < b.end ? -1 : 1))
  return { ends: list, ...settled }
}
