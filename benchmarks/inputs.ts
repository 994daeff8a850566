/**
 * What lanes cost whose runs bring something of their own (rows, ridge, learning rate), beside lanes that differ in their start alone.
 *
 *     npm run bench:inputs
 *
 * Processor time of the search of the `cpu` engine, on one thread, for every step of a run; plain runs and those with inputs in turn, the
 * ratio pair by pair, and of the ratios the median and the middle half. Runs go on for a fixed number of steps, so that only what a step
 * costs is compared, not how many there are.
 */
import { cpus } from 'node:os'
import { quantileSorted } from '../src/core/stats.js'
import type { RunInputs, RunRequest } from '../src/engines/types.js'
import { resolveConfig } from '../src/study/config.js'
import { requestOf } from '../src/study/run.js'
import { setUp, type Setup } from '../src/study/setup.js'

const standardized = { builtin: 'iris2', standardize: true }
const uniform = { init: { uniform: [-1, 1] } }
/** `size`: a step takes so many times as long as one of logistic regression, and so many times fewer runs are measured. */
const models = {
  logistic: { data: standardized, model: { hidden: [], ridge: 0.01 }, size: 1 },
  '4-5-1': { data: standardized, model: { hidden: [5], ridge: 0.01 }, size: 6 },
  'a tanh(b x + c) + d': {
    data: { builtin: 'iris2' },
    model: {
      formula: 'a * tanh(b * `Petal.Length` + c) + d',
      parameters: { a: uniform, b: uniform, c: uniform, d: uniform },
      loss: 'logistic'
    },
    size: 2
  }
}
const optimizers = {
  'adam, all rows': { optimizer: { adam: {} }, steps: 100, count: 6000 },
  'adam, mini-batches of 20': { optimizer: { adam: { batchSize: 20 } }, steps: 100, count: 6000 },
  newton: { optimizer: 'newton', steps: 20, count: 6000 }
}
const pairs = 15

/** What runs bring, by name; undefined where the optimiser has no such input. */
function inputsOf(setup: Setup, count: number): Record<string, RunInputs | undefined> {
  const P = setup.objective.parameters
  const numbers = Float64Array.from({ length: count }, (_, i) => i)
  const rate = setup.program.inputs.some(i => i.name === 'learningRate')
  return {
    'rows: bootstrap': { rows: { how: { kind: 'bootstrap', seed: 1 }, numbers } },
    'rows: Poisson(1)': { rows: { how: { kind: 'poisson', seed: 1 }, numbers } },
    'rows: 10 folds': { rows: { how: { kind: 'folds', folds: 10, seed: 1 }, numbers } },
    ridge: { ridge: new Float64Array(count * P).fill(0.01) },
    'learning rate': rate ? { program: { learningRate: new Float64Array(count).fill(0.01) } } : undefined
  }
}

/** Microseconds of processor time for a step of a run. */
async function stepTime(setup: Setup, request: RunRequest): Promise<number> {
  const before = process.cpuUsage()
  let steps = 0
  for await (const block of setup.objective.minimise(request)) for (const n of block.steps) steps += n
  const { user, system } = process.cpuUsage(before)
  return (user + system) / steps
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)
print(`${cpus()[0]?.model.trim() ?? ''}, Node ${process.version}, one thread, ${pairs} pairs\n`)
print('| runs | model | optimiser | a step of a plain run | time, plain = 1 | middle half |')
print('| --- | --- | --- | --: | --: | --: |')
for (const [name, { data, model, size }] of Object.entries(models))
  for (const [words, { optimizer, steps, count }] of Object.entries(optimizers)) {
    // A gradient of 0 is never met: every run takes all its steps.
    const config = resolveConfig(
      {
        data,
        model,
        optimizer,
        engine: 'cpu',
        starts: { count },
        stop: { steps, gradient: 1e-300 }
      },
      'the benchmark'
    )
    const setup = await setUp(config, { threads: 1 })
    const some = Math.round(count / size)
    const request = (inputs?: RunInputs): RunRequest =>
      requestOf(setup, { first: 0, count: some }, inputs ? { inputs } : {})
    for (const [own, inputs] of Object.entries(inputsOf(setup, some))) {
      if (!inputs) continue
      await stepTime(setup, request(inputs))
      const plain: number[] = []
      const ratios: number[] = []
      for (let i = 0; i < pairs; i++) {
        plain.push(await stepTime(setup, request()))
        ratios.push((await stepTime(setup, request(inputs))) / plain[i])
      }
      const at = (values: number[], q: number): number => quantileSorted(Float64Array.from(values).sort(), q)
      print(
        `| ${own} | ${name} | ${words} | ${at(plain, 0.5).toFixed(3)} µs | ${at(ratios, 0.5).toFixed(2)} | ${at(ratios, 0.25).toFixed(2)}–${at(ratios, 0.75).toFixed(2)} |`
      )
    }
    setup.dispose()
  }
