// What a GPU gives: kernels, checked before they are timed; whole studies beside the processor's; searches beside JAX on the same GPU.
// Plain JavaScript over the compiled program, so that it runs from the bundle too. A part that is done is saved at once.
// Usage: report.mjs [--out DIR] [--device NAME] [--small] [kernels] [studies] [jax]

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
/** A compiled module. @param {string} path below dist/ */
const dist = path => import(new URL(`../../dist/${path}`, import.meta.url).href)

/** @type {typeof import('../../src/bench/kernels/kernels.js')} */
const { benchKernels } = await dist('bench/kernels/kernels.js')
/** @type {typeof import('../../src/bench/kernels/sizes.js')} */
const { ladder, pointsFor, problemOfSize, smallSizes } = await dist('bench/kernels/sizes.js')
/** @type {typeof import('../../src/bench/statistics.js')} */
const { median, speedRatio } = await dist('bench/statistics.js')
/** @type {typeof import('../../src/bench/kernels/tables.js')} */
const { kernelText, textTable } = await dist('bench/kernels/tables.js')
/** @type {typeof import('../../src/core/units.js')} */
const { formatRate, formatSeconds } = await dist('core/units.js')
/** @type {typeof import('../../src/engines/registry.js')} */
const { engines } = await dist('engines/registry.js')
/** @type {typeof import('../../src/models/model.js')} */
const { layoutOf, parameterCount, startPoint } = await dist('models/model.js')
/** @type {typeof import('../../src/optimizers/registry.js')} */
const { optimizers, resolveOptimizer } = await dist('optimizers/registry.js')
/** @type {typeof import('../../src/optimizers/types.js')} */
const { epsilonOf } = await dist('optimizers/types.js')
/** @type {typeof import('../../src/study/config.js')} */
const { resolveConfig } = await dist('study/config.js')
/** @type {typeof import('../../src/study/run.js')} */
const { requestOf } = await dist('study/run.js')
/** @type {typeof import('../../src/study/session.js')} */
const { runInMemory } = await dist('study/session.js')
/** @type {typeof import('../../src/study/setup.js')} */
const { setUp } = await dist('study/setup.js')

/** @typedef {import('../../src/study/setup.js').Setup} Setup */
/** @typedef {import('../../src/models/types.js').Problem} Problem */
/**
 * One figure: what, by whom and how, in seconds of each sample.
 * @typedef {object} Figure
 * @property {'study' | 'search' | 'gradient' | 'hessian'} what
 * @property {string} problem
 * @property {string} who
 * @property {string} method
 * @property {number} count starts, gradients or Hessians of a sample
 * @property {readonly number[]} seconds
 * @property {number} perSecond from the median sample; of runs, those that met the stopping test; 0 where `error` is given
 * @property {number | null} converged runs that met it; null for gradients and Hessians
 * @property {string} [error] what is wrong with the result
 */

const samples = 3
const net = { hidden: [5], activation: 'tanh', loss: 'logistic', ridge: 0.01 }
const problemName = 'iris2 4-5-1 tanh, ridge 0.01'
/** What single precision reaches on that problem from nearly all starts. */
const gradientTolerance = 1e-5
/** In f64, a gradient found in f32 is off by its roundings. */
const gradientSlack = 2
/** Losses of the same minimum after polishing in f64. */
const lossTolerance = 1e-8

const { values: flags, positionals } = parseArgs({
  options: {
    out: { type: 'string', default: 'gpu-report' },
    device: { type: 'string' },
    small: { type: 'boolean', default: false }
  },
  allowPositionals: true
})
const parts = ['kernels', 'studies', 'jax']
const unknown = positionals.find(p => !parts.includes(p))
if (unknown !== undefined) {
  console.error(`There is no part "${unknown}"; there are: ${parts.join(', ')}.`)
  process.exit(2)
}
const wanted = positionals.length > 0 ? positionals : parts
const out = resolve(flags.out)
const where = flags.device === undefined ? {} : { device: flags.device }

/** @param {'webgpu' | 'cpu'} engine @param {number} count @param {number} gradient */
const setUpOn = (engine, count, gradient) =>
  setUp(
    resolveConfig(
      {
        data: { builtin: 'iris2', standardize: true },
        model: net,
        optimizer: 'newton',
        starts: { count, seed: 1 },
        stop: { gradient },
        engine,
        precision: engine === 'cpu' ? 'f64' : 'f32',
        ...(engine === 'cpu' ? {} : where)
      },
      'the report'
    ),
    { threads: availableParallelism() }
  )

/** Seconds of each of `samples` repeats, after one that compiles and does not count. @param {() => Promise<unknown>} work */
async function timed(work) {
  await work()
  const seconds = []
  for (let k = 0; k < samples; k++) {
    const began = performance.now()
    await work()
    seconds.push((performance.now() - began) / 1000)
  }
  return seconds
}

/** The whole study with verdicts on the GPU and on all cores, from the same starts. @param {number} count */
async function compareStudies(count) {
  /** @type {Figure[]} */
  const figures = []
  const minima = []
  for (const engine of /** @type {const} */ (['webgpu', 'cpu'])) {
    const setup = await setUpOn(engine, count, 1e-8)
    try {
      /** @type {readonly number[]} */
      let losses = []
      const seconds = await timed(async () => {
        const { folded } = await runInMemory(setup)
        losses = [...folded.minima.column('loss')]
      })
      minima.push(losses)
      const { device, threads } = setup.engine
      figures.push({
        what: 'study',
        problem: problemName,
        who: engine === 'cpu' ? `Manystart on ${threads} CPU threads (${device})` : `Manystart on ${device}`,
        method: 'Newton, end points polished in f64, verdicts',
        count,
        seconds,
        perSecond: count / median(seconds),
        converged: count
      })
    } finally {
      setup.dispose()
    }
  }
  const [onGpu, onCpu] = minima
  const lost = onCpu.find(w => !onGpu.some(f => Math.abs(f - w) <= lossTolerance * Math.max(1, Math.abs(w))))
  if (lost !== undefined)
    Object.assign(figures[0], {
      error: `The minimum with loss ${lost}, which the processor finds from these starts, is missing.`,
      perSecond: 0
    })
  return figures
}

/**
 * How a search in f32 did, by f64 gradients at its ends.
 * @param {Setup} setup @param {string} who @param {string} method @param {readonly number[]} seconds @param {Float64Array} ends
 * @returns {Promise<Figure>}
 */
async function judged(setup, who, method, seconds, ends) {
  const P = setup.objective.parameters
  const { g = new Float64Array(0) } = await setup.certifier.objective.evaluate(ends, { g: true })
  const count = ends.length / P
  let converged = 0
  for (let i = 0; i < count; i++) {
    let norm = 0
    for (const v of g.subarray(i * P, (i + 1) * P)) norm = Math.max(norm, Math.abs(v))
    if (norm <= gradientSlack * gradientTolerance) converged++
  }
  const perSecond = converged / median(seconds)
  return { what: 'search', problem: problemName, who, method, count, seconds, perSecond, converged }
}

/** Manystart's searches alone, without verdicts. @param {Setup} setup */
async function ownSearches(setup) {
  const P = setup.objective.parameters
  const { count } = setup.config.starts
  const figures = []
  for (const name of /** @type {const} */ (['newton', 'lbfgs'])) {
    const program = optimizers[name].build(resolveOptimizer(name).options, { eps: epsilonOf.f32, parameters: P })
    const stop = { steps: optimizers[name].steps, gradient: gradientTolerance }
    const ends = new Float64Array(count * P).fill(NaN)
    const seconds = await timed(async () => {
      for await (const block of setup.objective.minimise(requestOf(setup, { first: 0, count }, { program, stop })))
        for (let i = 0; i < block.count; i++) ends.set(block.theta.subarray(i * P, (i + 1) * P), block.start[i] * P)
    })
    figures.push(await judged(setup, 'Manystart', `${name} in f32`, seconds, ends))
  }
  return figures
}

/**
 * Runs jax_gpu.py on a problem from given starts.
 * @param {Problem} problem @param {Float32Array} starts @param {object} more @param {(line: { method: string, seconds: number[], ends: string }) => Promise<void>} onFigure
 * @returns {Promise<{ device?: string, platform?: string, versions?: Record<string, string>, missing?: string, notes: string[] }>}
 */
async function askJax({ model, rows, x, y }, starts, more, onFigure) {
  const folder = mkdtempSync(join(tmpdir(), 'manystart-jax-'))
  try {
    const P = parameterCount(model)
    const given = {
      N: rows,
      D: model.inputs,
      hidden: layoutOf(model).hidden,
      ridge: layoutOf(model).ridge,
      penalizeBias: layoutOf(model).penalizeBias,
      x: Array.from({ length: rows }, (_, i) => Array.from(x.subarray(i * model.inputs, (i + 1) * model.inputs))),
      y: Array.from(y),
      parameters: P,
      ...more
    }
    writeFileSync(join(folder, 'problem.json'), JSON.stringify(given))
    writeFileSync(join(folder, 'starts.f32'), starts)
    const args = [join(here, 'jax_gpu.py'), join(folder, 'problem.json'), join(folder, 'starts.f32'), folder]
    // It would take nearly all memory of the GPU, of which this process has a part.
    const env = { XLA_PYTHON_CLIENT_MEM_FRACTION: '0.6', ...process.env }
    const child = spawn('python3', args, { stdio: ['ignore', 'pipe', 'pipe'], env })
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', text => (errors = (errors + text).slice(-2000)))
    const ended = new Promise(done => {
      child.once('error', error => done(error.message))
      child.once('close', code => done(code === 0 ? null : `exit code ${code}`))
    })
    const told = { notes: /** @type {string[]} */ ([]) }
    let done = false
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text)
      if (line.method !== undefined) await onFigure(line)
      else if (line.note !== undefined) told.notes.push(line.note)
      else if (line.done) done = true
      else Object.assign(told, line)
    }
    const failed = await ended
    if (done) return told
    const last = errors.trim().split('\n').at(-1)
    return {
      ...told,
      missing: `python3 with JAX did not do it (${failed ?? 'it ended early'}${last ? `: ${last}` : ''}).`
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Searches by Manystart and JAX from the same starts; the fastest batch size of each method of JAX's. @param {number} count */
async function compareSearches(count) {
  const setup = await setUpOn('webgpu', count, gradientTolerance)
  try {
    const figures = await ownSearches(setup)
    const { model, config, problem, frame } = setup
    const P = setup.objective.parameters
    const starts = new Float32Array(count * P)
    for (let i = 0; i < count; i++) starts.set(startPoint(model, config.starts.init, 1, i, frame.fromAsked), i * P)
    /** @type {Map<string, Figure>} */
    const best = new Map()
    const more = {
      what: 'study',
      gradient: gradientTolerance,
      steps: 1000,
      batches: [2 ** 11, 2 ** 14, 2 ** 17, 2 ** 20]
    }
    const told = await askJax(problem, starts, more, async ({ method, seconds, ends }) => {
      const { buffer, byteOffset, byteLength } = readFileSync(ends)
      const theta = Float64Array.from(new Float32Array(buffer, byteOffset, byteLength / 4))
      const figure = await judged(setup, 'JAX', `${method}, in f32`, seconds, theta)
      const name = method.replace(/, batches of \d+$/, '')
      if (figure.perSecond > (best.get(name)?.perSecond ?? -1)) best.set(name, figure)
    })
    return { figures: [...figures, ...best.values()], ...told }
  } finally {
    setup.dispose()
  }
}

/** JAX's gradients and Hessians at the sizes of the bars. @param {boolean} small */
async function jaxEvaluations(small) {
  /** @type {Figure[]} */
  const figures = []
  for (const size of [
    { N: 1000, D: 30, hidden: [16] },
    { N: 96, D: 4, hidden: [5] }
  ]) {
    const problem = problemOfSize(size)
    for (const what of /** @type {const} */ (['gradient', 'hessian'])) {
      const count = small ? 32 : what === 'gradient' ? 2 ** 15 : 2 ** 11
      const starts = Float32Array.from(pointsFor(problem, count))
      /** @type {Figure | undefined} */
      let best
      const more = { what, batches: small ? [count] : [2 ** 8, 2 ** 11, 2 ** 13, 2 ** 15] }
      const told = await askJax(problem, starts, more, async ({ method, seconds }) => {
        const perSecond = count / median(seconds)
        const name = `N=${size.N} ${[size.D, ...size.hidden, 1].join('-')}`
        if (perSecond > (best?.perSecond ?? 0))
          best = {
            what,
            problem: name,
            who: 'JAX',
            method: `${method}, f32`,
            count,
            seconds,
            perSecond,
            converged: null
          }
      })
      if (told.missing !== undefined) return { figures, missing: told.missing }
      if (best) figures.push(best)
    }
  }
  return { figures }
}

/** Rates, and how many times as fast the first figure of each kind is. @param {readonly Figure[]} figures */
function figureTable(figures) {
  const rows = figures.map(f => {
    const first = /** @type {Figure} */ (figures.find(o => o.what === f.what && o.problem === f.problem))
    const perItem = (/** @type {Figure} */ g) => g.seconds.map(s => s / (g.converged ?? g.count))
    const ratio = first === f || f.perSecond === 0 ? null : speedRatio(perItem(f), perItem(first)).ratio
    const met = f.converged === null || f.what === 'study' ? '' : `${((100 * f.converged) / f.count).toFixed(1)} %`
    return [
      f.who,
      f.what,
      f.problem,
      f.method,
      String(f.count),
      f.error ?? formatRate(f.perSecond),
      met,
      ratio === null ? '' : ratio.toPrecision(3)
    ]
  })
  const header = ['who', 'what', 'problem', 'how', 'count', 'per second', 'converged', 'first is faster by']
  return textTable(header, rows)
}

const webgpu = engines.find(e => e.name === 'webgpu')
const support = webgpu ? await webgpu.available() : { ok: false, reason: 'This build has no webgpu engine.' }
if (!support.ok) {
  console.error(`No GPU can be used: ${support.reason}`)
  process.exit(1)
}
mkdirSync(out, { recursive: true })
const began = performance.now()
/** @type {Record<string, unknown>} */
const report = {}
/** @param {string} name @param {object} part */
function save(name, part) {
  report[name] = part
  writeFileSync(join(out, 'gpu-report.json'), `${JSON.stringify(report)}\n`)
}

let wrong = false
if (wanted.includes('kernels')) {
  const results = await benchKernels({
    engines: engines.filter(e => e.name === 'webgpu' || e.name === 'cpu'),
    ...(flags.device === undefined ? {} : { devices: [flags.device] }),
    kernels: ['gradient', 'hessian', 'update', 'eigh'],
    sizes: flags.small ? smallSizes : ladder,
    threads: [availableParallelism()],
    secondsPerKernel: flags.small ? 0.02 : 0.5,
    studyScale: 1
  })
  save('kernels', results)
  wrong ||= results.records.some(r => r.error !== undefined)
  console.log(kernelText(results, 120))
}
if (wanted.includes('studies')) {
  const figures = await compareStudies(flags.small ? 50 : 200_000)
  save('studies', figures)
  wrong ||= figures.some(f => f.error !== undefined)
  console.log(`${figureTable(figures)}\n`)
}
if (wanted.includes('jax')) {
  const searches = await compareSearches(flags.small ? 50 : 200_000)
  save('searches', searches)
  console.log(
    `Until the largest gradient element is at most ${gradientTolerance}, from the same starts, without verdicts:`
  )
  console.log(`${figureTable(searches.figures)}\n`)
  if (searches.missing === undefined) {
    console.log(`JAX computed on ${searches.device} (${searches.platform}).`)
    const evaluations = await jaxEvaluations(flags.small)
    save('evaluations', evaluations)
    console.log(`${figureTable(evaluations.figures)}\n`)
  } else console.log(`JAX is missing: ${searches.missing}`)
}
console.log(`Written to ${join(out, 'gpu-report.json')} in ${formatSeconds((performance.now() - began) / 1000)}.`)
if (wrong) {
  console.error('Something is wrong; the lines above say what.')
  process.exitCode = 1
}
