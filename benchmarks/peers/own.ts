/** Manystart's own figures beside the peers', and the stationary points that its studies find. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DistinctPoints } from '../../src/analysis/distinctPoints.js'
import { chooseEngine, engines } from '../../src/engines/registry.js'
import type { Objective } from '../../src/engines/types.js'
import { parameterCount } from '../../src/models/model.js'
import { mapPoints } from '../../src/models/network/parameterMap.js'
import { optimizers, resolveOptimizer } from '../../src/optimizers/registry.js'
import { epsilonOf } from '../../src/optimizers/types.js'
import type { Program } from '../../src/language/program.js'
import { StudyDirectory } from '../../src/runs/directory.js'
import { requestOf } from '../../src/study/run.js'
import { identityOf, recordText } from '../../src/study/record.js'
import { runInMemory, runSession, type SessionOptions } from '../../src/study/session.js'
import { setUp, type Setup } from '../../src/study/setup.js'
import { wholeStudy } from './judge.js'
import { configOf, names, studyNames, type Prepared } from './problems.js'
import type { KnownPoint, Missing, PeerAnswer, PeerFigure } from './types.js'

/** Distinct losses of the minima, flat minima and saddles that a whole study finds, by loss. */
export async function knownPoints(setup: Setup): Promise<KnownPoint[]> {
  const { minima, degenerate, saddles } = (await runInMemory(setup)).folded
  const of = (kind: KnownPoint['kind'], points: DistinctPoints): KnownPoint[] =>
    Array.from(points.column('loss'), loss => ({ kind, loss }))
  const all = [...of('minimum', minima), ...of('degenerate', degenerate), ...of('saddle', saddles)].sort(
    (a, b) => a.loss - b.loss
  )
  return all.filter((p, i) => i === 0 || p.loss - all[i - 1].loss > 1e-9)
}

const samples = 3
const evaluationBudget = 1

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}

/** The ends of all starts by an optimiser, without verdicts, as the peers do it; blocks arrive in any order. */
async function search(setup: Setup, program: Program, steps: number): Promise<Float64Array> {
  const P = setup.objective.parameters
  const count = setup.config.starts.count
  const ends = new Float64Array(count * P).fill(NaN)
  const request = requestOf(
    setup,
    { first: 0, count },
    { program, stop: { steps, gradient: setup.config.stop.gradient } }
  )
  for await (const block of setup.objective.minimise(request))
    for (let i = 0; i < block.count; i++) ends.set(block.theta.subarray(i * P, (i + 1) * P), block.start[i] * P)
  return ends
}

const rows = (values: Float64Array, width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, i) => Array.from(values.subarray(i * width, (i + 1) * width)))

async function studyFigures(setup: Setup, problem: string): Promise<PeerFigure[]> {
  const figures: PeerFigure[] = []
  const parameters = setup.objective.parameters
  const count = setup.config.starts.count
  for (const name of ['newton', 'lbfgs'] as const) {
    const { options } = resolveOptimizer(name)
    const program = optimizers[name].build(options, { eps: epsilonOf.f64, parameters })
    const { steps } = optimizers[name]
    const ends = await search(setup, program, steps)
    const seconds: number[] = []
    for (let k = 0; k < samples; k++) seconds.push(await timed(() => search(setup, program, steps)))
    figures.push({ what: 'study', problem, method: name, count, seconds, ends: rows(ends, parameters) })
  }
  return figures
}

/** Writes the ends of all runs of a study into `ends` [starts, P], in the coordinates of the shared starts. */
function endsInto({ model, frame }: Setup, ends: Float64Array): NonNullable<SessionOptions['onPart']> {
  const P = parameterCount(model)
  return ({ rows: { count, start, end, ends: of } }) => {
    const theta = of.theta!
    const own = model.kind === 'network' ? mapPoints(model, frame.fromUser, theta) : theta
    for (let i = 0; i < count; i++) ends.set(own.subarray(end[i] * P, (end[i] + 1) * P), start[i] * P)
  }
}

/** Starts of the whole studies: enough that what a study does once is a small part of it. */
const wholeStarts = { [names.logistic]: 200_000, [names.netAll]: 100_000 } as const
const isWhole = (name: string): name is keyof typeof wholeStarts => name in wholeStarts

/** Optimisers and precisions of searches in whole studies; end points are polished, judged and proved in f64 whichever it is. */
const searches = [
  { optimizer: 'newton', precision: 'f64' },
  { optimizer: 'newton', precision: 'mixed' },
  { optimizer: 'newton', precision: 'f32' },
  { optimizer: 'lbfgs', precision: 'mixed' },
  { optimizer: 'lbfgs', precision: 'f32' }
] as const

/** Seconds of the whole study into a directory, from its first start to its last part, and the ends of all runs. */
async function wholeFigure(
  problem: keyof typeof wholeStarts,
  threads: number,
  { optimizer, precision }: (typeof searches)[number]
): Promise<PeerFigure> {
  const count = wholeStarts[problem]
  const setup = await setUp(configOf(problem, count, { engine: 'cpu', precision, optimizer }), { threads })
  const P = setup.objective.parameters
  const ends = new Float64Array(count * P).fill(NaN)
  const range = { first: 0, count }
  const study = async (options: SessionOptions = {}): Promise<number> => {
    const folder = mkdtempSync(join(tmpdir(), 'manystart-whole-'))
    const path = join(folder, 'study')
    const record = recordText(setup, range, undefined, path)
    const directory = await StudyDirectory.create(path, identityOf(setup), record)
    try {
      return await timed(() => runSession(setup, identityOf(setup), range, directory, options))
    } finally {
      await directory.close()
      rmSync(folder, { recursive: true, force: true })
    }
  }
  await study({ onPart: endsInto(setup, ends) })
  const seconds: number[] = []
  for (let k = 0; k < samples; k++) seconds.push(await study())
  setup.dispose()
  const method = `${optimizer} in ${precision}, ${wholeStudy}`
  return { what: 'study', problem, method, count, seconds, ends: rows(ends, P) }
}

async function evaluationFigures(
  { shared }: Prepared,
  objective: Objective,
  method: string,
  more: Partial<PeerFigure> = {}
): Promise<PeerFigure[]> {
  const P = objective.parameters
  const figures: PeerFigure[] = []
  for (const what of ['gradient', 'hessian'] as const) {
    const size = what === 'gradient' ? P : P * P
    const count = Math.min(shared.starts.length, Math.max(32, Math.floor(2 ** 20 / size)))
    const theta = Float64Array.from(shared.starts.slice(0, count).flat())
    const needs = { g: true, H: what === 'hessian' }
    // Arrays that are written again, as a program keeps them that calls more than once.
    let out = await objective.evaluate(theta, needs)
    const evaluate = async (): Promise<void> => {
      out = await objective.evaluate(theta, needs, out)
    }
    const seconds: number[] = []
    for (
      let sum = 0;
      seconds.length < samples || (seconds.length < 20 && sum < evaluationBudget);
      sum += seconds.at(-1)!
    )
      seconds.push(await timed(evaluate))
    const sample = Array.from((what === 'gradient' ? out.g! : out.H!).subarray(0, 2 * size))
    figures.push({ what, problem: shared.name, method, count, seconds, sample, ...more })
  }
  return figures
}

/** Searches with each optimiser, whole studies, and evaluations of all problems. */
export async function ownFigures(prepared: readonly Prepared[], threads: number): Promise<PeerFigure[]> {
  const figures: PeerFigure[] = []
  for (const p of prepared) {
    const { name } = p.shared
    if (p.setup) figures.push(...(await studyFigures(p.setup, name)))
    if (isWhole(name)) for (const search of searches) figures.push(await wholeFigure(name, threads, search))
    if (p.evaluated) figures.push(...(await evaluationFigures(p, p.objective, 'cpu engine')))
  }
  return figures
}

/** Starts for an engine that may be slow. */
const tensorflowStarts = 100

/** Manystart's tensorflow engine where it can run: it searches in f32 and its end points are polished in f64. */
export async function tensorflowAnswer(prepared: readonly Prepared[], threads: number): Promise<PeerAnswer | Missing> {
  const peer = 'tensorflow engine'
  const entry = engines.find(e => e.name === 'tensorflow')
  if (!entry) return { peer, reason: 'The registry of engines does not name it.' }
  const support = await entry.available()
  if (!support.ok) return { peer, reason: support.reason }
  const figures: PeerFigure[] = []
  const precision = 'f32'
  const { engine } = await chooseEngine('tensorflow', { precision, threads })
  for (const p of prepared.filter(q => q.evaluated)) {
    const objective = await engine.prepare(p.setup?.problem ?? p.objective.problem)
    figures.push(...(await evaluationFigures(p, objective, 'tensorflow engine', { precision })))
    objective.dispose()
  }
  engine.dispose()
  for (const problem of studyNames) {
    const setup = await setUp(configOf(problem, tensorflowStarts, { engine: 'tensorflow', precision }), { threads })
    const P = setup.objective.parameters
    const ends = new Float64Array(tensorflowStarts * P).fill(NaN)
    const study = (): Promise<unknown> => runInMemory(setup, { onPart: endsInto(setup, ends) })
    await study()
    const seconds: number[] = []
    for (let k = 0; k < samples; k++) seconds.push(await timed(study))
    const method = 'newton in f32, end points polished in f64 with verdicts'
    figures.push({ what: 'study', problem, method, count: tensorflowStarts, seconds, ends: rows(ends, P), precision })
    setup.dispose()
  }
  return { peer, versions: { [support.detail]: '' }, figures, notes: [] }
}
