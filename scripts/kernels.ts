// Compiles the WGSL of a grid of models on Dawn's null backend, which takes shaders as any GPU does and computes nothing: part of
// `npm run check`. A kernel that none of them uses is an error, too.
import { Batch } from '../src/engines/webgpu/core/batch.js'
import { Gpu, requestDevice } from '../src/engines/webgpu/core/device.js'
import { Evaluator, laneMultiple } from '../src/engines/webgpu/core/evaluate.js'
import { LocalObjective } from '../src/engines/webgpu/core/objective.js'
import { planGradient } from '../src/engines/webgpu/core/gradientPlan.js'
import { planHessian } from '../src/engines/webgpu/core/hessianPlan.js'
import { Plan } from '../src/engines/webgpu/core/plan.js'
import { kernelText } from '../src/engines/webgpu/core/text.js'
import { instance, readSources } from '../src/engines/webgpu/host/open.js'
import type { Resampling } from '../src/core/resampling.js'
import type { RunInputs } from '../src/engines/types.js'
import type { Program } from '../src/language/program.js'
import { Rule } from '../src/language/rule.js'
import { activations } from '../src/models/activations.js'
import { losses, isScalar } from '../src/models/losses/index.js'
import type { Problem } from '../src/models/types.js'
import { expressionOf, formulaProblem, free, objectiveProblem } from '../tests/helpers/formulas.js'
import { makeProblem, type Recipe } from '../tests/helpers/problems.js'
import { givenStarts, methods, randomStarts, rule } from '../tests/helpers/runs.js'
import { isNetwork } from '../src/models/model.js'

const networks: Recipe[] = [
  // Every loss on a model without hidden layer, with one and with two; mini-batches and Hessians follow below.
  ...losses.flatMap((loss): Recipe[] => [
    { loss, shifted: isScalar(loss), ridge: 0.5 },
    { loss, hidden: [3], weighted: true, outputs: 3 },
    { loss, hidden: [3, 2], mixed: true, bias: false }
  ]),
  ...activations.flatMap((activation): Recipe[] => [
    { loss: 'squared', activation, hidden: [3] },
    { loss: 'softmax', activation, hidden: [4, 3], ridge: 0.5, penalizeBias: true }
  ]),
  // Several chunks of rows.
  { loss: 'poisson', rows: 600, ridge: 0.5 }
]

/** Every operation, with every loss, and an objective. */
const formula =
  'exp(-a) + log(a^2 + 1) + sqrt(b^2 + 1) + sin(c * x) + cos(a) + tan(b / 9) + tanh(c) + atan(a * w) + erf(b) + abs(c) + min(a, b) + max(b, c) + x^2^a + where(a < b, a, where(a <= c, b, where(a == x, 1, 2)))'
const named = ['a', 'b', 'c'].map(name => free(name))
const problems: Problem[] = [
  ...networks.map(makeProblem),
  ...losses.filter(isScalar).map(loss => formulaProblem(expressionOf(formula, named), { loss, rows: 600 })),
  objectiveProblem('(a^2 + b - 11)^2 + c', named)
]

/** Sizes for each of the kernels of the gradient, which take more than that too. */
const large: Recipe[] = [
  { loss: 'logistic', inputs: 30, hidden: [16], rows: 1500 },
  { loss: 'squared', inputs: 8, hidden: [9], outputs: 4, rows: 530 },
  { loss: 'softmax', inputs: 9, hidden: [12, 8], rows: 600, ridge: 0.5 },
  { loss: 'poisson', inputs: 12, hidden: [5, 5, 5, 5, 5, 5], mixed: true }
]

const resamplings: readonly Resampling[] = [
  { kind: 'bootstrap', seed: 1 },
  { kind: 'folds', folds: 2, seed: 1 },
  { kind: 'poisson', seed: 1 },
  { kind: 'split', held: 1, seed: 1 }
]
/** All that a run of its own can bring. */
const ownInputs = (parameters: number, how: Resampling): RunInputs => ({
  ridge: new Float64Array(parameters),
  free: new Uint8Array(parameters),
  rows: { how, numbers: new Float64Array(1) }
})

class CountingGpu extends Gpu {
  readonly texts = new Set<string>()
  override module(source: string, label: string): Promise<GPUShaderModule> {
    this.texts.add(source)
    return super.module(source, label)
  }
}

const used = new Set<string>()
const sources = new Proxy(readSources(), {
  get(target, file: string) {
    used.add(file)
    return target[file]
  }
})

async function open(): Promise<CountingGpu> {
  const adapter = await (await instance(['backend=null'])).requestAdapter()
  if (!adapter) throw new Error('Dawn has no null backend')
  return new CountingGpu(await requestDevice(adapter), sources, { name: 'null', kind: 'null', software: true })
}

/** That of a network takes more workgroup memory than the null backend binds. */
async function checkHessian(gpu: Gpu, problem: Problem): Promise<void> {
  if (!isNetwork(problem)) await Evaluator.create(gpu, problem, { lanes: laneMultiple, needs: 'H' })
  else
    for (const own of [false, true]) {
      const values = { ...planHessian(problem).values, own, sharesAt: 8, dataRows: problem.rows }
      await gpu.module(kernelText(sources, 'hessian.wgsl', values), 'hessian.wgsl')
    }
}

async function checkModel(gpu: Gpu, problem: Problem, number: number): Promise<void> {
  const objective = new LocalObjective(gpu, problem)
  const theta = new Float64Array(objective.parameters)
  await objective.evaluate(theta, {})
  await objective.evaluate(theta, { g: true })
  await checkHessian(gpu, problem)
  await objective.score(theta)
  // Every method on the first models, and two of them on each of the others, in turn.
  const own = number < 2 ? methods : [0, 1].map(k => methods[(2 * number + k) % methods.length])
  for (const method of own) {
    const drawn = number % 2 === 0 && isNetwork(problem)
    const starts = drawn ? randomStarts(1) : givenStarts(theta, 1)
    // Runs with all of their own, and without.
    const inputs = ownInputs(objective.parameters, resamplings[(number >> 1) % resamplings.length])
    const request = {
      ...rule(method, problem, 'f32'),
      starts,
      stop: { steps: 3, gradient: 0 },
      trace: number % 3 === 0,
      ...(number % 2 === 0 ? {} : { inputs })
    }
    const plan = await Plan.make(gpu, problem, request)
    if (plan.needs === 'H') continue
    // Binds the buffers, too.
    const batch = await Batch.create(plan, laneMultiple)
    batch.dispose()
  }
}

async function checkTexts(gpu: Gpu, recipe: Recipe): Promise<void> {
  const problem = makeProblem(recipe)
  for (const batchSize of [undefined, 20]) {
    const { file, values } = planGradient({ problem, gradient: true, batchSize })
    await gpu.module(kernelText(sources, file, values), file)
  }
  await checkHessian(gpu, problem)
}

const began = performance.now()
const gpu = await open()
for (const [number, problem] of problems.entries()) await checkModel(gpu, problem, number)
for (const recipe of large) await checkTexts(gpu, recipe)
/** A rule of the operations on matrices that no optimiser uses. */
function spectral(): Program {
  const r = new Rule('spectral', 'H')
  const one = r.vectorState(1)
  const { values, vectors } = r.eigh(r.H, one)
  const turned = r.multiply(vectors, r.mul(values, r.multiplyTransposed(vectors, r.x)))
  r.next(one, one)
  return r.compile({ point: turned, loss: r.f, gradientNorm: r.maxAbs(r.g) })
}
// Starts from the uniform distribution, and vectors that threads share.
const long = makeProblem({ loss: 'logistic', inputs: 80 })
for (const given of [...methods.map(method => rule(method, long, 'f32')), { program: spectral() }])
  await Plan.make(gpu, long, {
    ...given,
    starts: { kind: 'random', seed: 1, first: 0, count: 1, init: { uniform: 1 } },
    stop: { steps: 1, gradient: 0 }
  })
// What `bench kernels` measures beside the engine's own.
await gpu.kernel('copy.wgsl', {})
await gpu.kernel('peak.wgsl', { chains: 8, unrolled: 8 })
const unused = Object.keys(sources).filter(file => !used.has(file))
if (unused.length > 0) throw new Error(`no model of scripts/kernels.ts uses ${unused.join(', ')}`)
const seconds = ((performance.now() - began) / 1000).toFixed(1)
process.stdout.write(`${gpu.texts.size} kernels of ${problems.length + large.length} models compile (${seconds} s).\n`)
gpu.destroy()
