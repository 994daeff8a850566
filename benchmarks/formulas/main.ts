/**
 * Restart studies of formulas beside other programs, on one core: NIST's Misra1a and MGH17, and the example of Gpufit (a two-dimensional
 * Gaussian on 25 points, 5 parameters, at most 10 steps); and logistic regression as a formula beside the built-in model.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toUser } from '../../src/models/expression/coordinates.js'
import { startPoint } from '../../src/models/model.js'
import { resolveConfig } from '../../src/study/config.js'
import { requestOf } from '../../src/study/run.js'
import { setUp, type Setup } from '../../src/study/setup.js'
import { describeMachine } from '../../src/bench/machine.js'
import { machineLines, textTable } from '../../src/bench/kernels/tables.js'
import { writePage } from '../page.js'
import { ask, pythonPeer } from '../peers/ask.js'
import { store } from '../store.js'
import { formulaTable, type FormulaResults, type FormulaRow } from './table.js'

const small = process.argv.includes('--small')
const count = small ? 500 : 20_000
/** Starts that peers get, and those that go one by one. */
const shared = small ? 500 : 2000
const few = small ? 20 : 100
const repeats = small ? 2 : 7
/** A run is good when its sum of squares is at most this much above the least, relative. */
const good = 1e-6

interface NistSet {
  readonly name: string
  readonly formula: string
  readonly parameters: readonly { readonly name: string; readonly start1: number; readonly start2: number }[]
  readonly data: Readonly<Record<string, readonly number[]>>
}

/** The rows of a table as objects. */
const rowsOf = (columns: Readonly<Record<string, readonly number[]>>): Record<string, number>[] =>
  columns['y'].map((_, i) => Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[i]])))

/** Gpufit's simple example, made without noise but for a fixed pattern: 5 × 5 points. */
function gaussian(): Record<string, number[]> {
  const cells = Array.from({ length: 25 }, (_, i) => [i % 5, Math.floor(i / 5)] as const)
  const value = (u: number, v: number): number =>
    10 * Math.exp(-((u - 2.1) ** 2 + (v - 1.9) ** 2) / 2) + 5 + 0.2 * Math.sin(7 * u + 3 * v)
  return { y: cells.map(([u, v]) => value(u, v)), u: cells.map(c => c[0]), v: cells.map(c => c[1]) }
}

interface Case {
  readonly name: string
  readonly formula: string
  readonly parameters: Readonly<Record<string, object>>
  readonly data: Readonly<Record<string, readonly number[]>>
  readonly steps: number
}

function cases(): Case[] {
  const path = new URL('../../tests/fixtures/nistNonlinear.json', import.meta.url)
  const sets = JSON.parse(readFileSync(path, 'utf8')) as NistSet[]
  const nist = ['Misra1a', 'MGH17'].map((name): Case => {
    const { formula, parameters, data } = sets.find(s => s.name === name)!
    const inits = parameters.map(p => {
      const ends = [p.start2 / Math.sqrt(10), p.start2 * Math.sqrt(10)]
      return [p.name, { init: { logUniform: [Math.min(...ends), Math.max(...ends)] } }] as const
    })
    return { name, formula, parameters: Object.fromEntries(inits), data, steps: 500 }
  })
  return [
    ...nist,
    {
      name: '2D Gaussian',
      formula: 'b1*exp(-((u-b2)^2+(v-b3)^2)/(2*b4^2))+b5',
      parameters: {
        b1: { init: { uniform: [8, 12] } },
        b2: { init: { uniform: [1.6, 2.4] } },
        b3: { init: { uniform: [1.6, 2.4] } },
        b4: { init: { uniform: [0.8, 1.2] } },
        b5: { init: { uniform: [4, 6] } }
      },
      data: gaussian(),
      steps: 10
    }
  ]
}

const configOf = ({ formula, parameters, data, steps }: Case): Promise<Setup> =>
  setUp(
    resolveConfig(
      {
        data: { rows: rowsOf(data), target: 'y' },
        model: { formula, parameters, loss: 'squared' },
        starts: { count, seed: 1 },
        stop: { steps },
        engine: 'cpu'
      },
      'the benchmark'
    ),
    { threads: 1 }
  )

/** Processor seconds of a search from all starts, and where it ended, block by block. */
async function search(setup: Setup): Promise<{ seconds: number; blocks: Float64Array[] }> {
  const before = process.cpuUsage()
  const blocks: Float64Array[] = []
  for await (const block of setup.objective.minimise(requestOf(setup, { first: 0, count }))) blocks.push(block.theta)
  const used = process.cpuUsage(before)
  return { seconds: (used.user + used.system) / 1e6, blocks }
}

/** End points in the user's parameters, [count][P]. */
function endsOf({ objective, model }: Setup, blocks: readonly Float64Array[]): number[][] {
  const P = objective.parameters
  return blocks.flatMap(theta =>
    Array.from({ length: theta.length / P }, (_, i) => {
      const u = theta.subarray(i * P, (i + 1) * P)
      return [...(model.kind === 'expression' ? toUser(model.expression, u) : u)]
    })
  )
}

/** Twice the loss of end points in the user's parameters. */
async function sums(setup: Setup, ends: readonly (readonly (number | null)[])[]): Promise<number[]> {
  const { model } = setup
  if (model.kind !== 'expression') throw new Error('only formulas are compared')
  const problem = {
    ...setup.problem,
    model: { ...model, expression: { ...model.expression, coordinates: 'user' as const } }
  }
  const objective = await setup.engine.prepare(problem)
  const { f } = await objective.evaluate(
    Float64Array.from(ends.flat(), v => v ?? NaN),
    {}
  )
  objective.dispose()
  return [...f]
}

async function logisticRatio(): Promise<number> {
  const columns = ['Sepal.Length', 'Sepal.Width', 'Petal.Length', 'Petal.Width']
  const formula = ['b0', ...columns.map((name, k) => `b${k + 1} * \`${name}\``)].join(' + ')
  const parameters = Object.fromEntries(['b0', ...columns.map((_, k) => `b${k + 1}`)].map(name => [name, {}]))
  const perStep: number[] = []
  for (const model of [{ loss: 'logistic' }, { formula, parameters, loss: 'logistic' }]) {
    const setup = await setUp(
      resolveConfig({ data: { builtin: 'iris2' }, model, starts: { count }, engine: 'cpu' }, 'the benchmark'),
      { threads: 1 }
    )
    const rates: number[] = []
    for (let k = 0; k < repeats; k++) {
      const before = process.cpuUsage()
      let steps = 0
      for await (const block of setup.objective.minimise(requestOf(setup, { first: 0, count })))
        steps += block.steps.reduce((a, b) => a + b, 0)
      const used = process.cpuUsage(before)
      rates.push((1e6 * steps) / (used.user + used.system))
    }
    perStep.push(Math.max(...rates))
    setup.dispose()
  }
  return perStep[1] / perStep[0]
}

const folder = mkdtempSync(join(tmpdir(), 'manystart-formulas-'))
try {
  const list: { case: Case; setup: Setup }[] = []
  for (const c of cases()) list.push({ case: c, setup: await configOf(c) })
  const rows: FormulaRow[] = []
  const ours = new Map<string, { seconds: number[]; ends: number[][] }>()
  for (const { case: c, setup } of list) {
    await search(setup)
    const seconds: number[] = []
    // What is kept of a sample is put in order after the last one: its garbage would be collected, and counted, in the next.
    let blocks: Float64Array[] = []
    for (let k = 0; k < repeats; k++) {
      const found = await search(setup)
      seconds.push(found.seconds)
      blocks = found.blocks
    }
    ours.set(c.name, { seconds, ends: endsOf(setup, blocks) })
  }
  // Made after our own samples, which its garbage would fall into.
  const file = join(folder, 'problems.json')
  const problems = list.map(({ case: { name, data, steps }, setup }) => ({
    name,
    x: Object.entries(data)
      .filter(([column]) => column !== 'y')
      .map(([, values]) => values),
    y: data['y'],
    steps,
    few,
    starts: Array.from({ length: shared }, (_, start) => {
      const { model } = setup
      const theta = startPoint(model, 'glorot', 1, start)
      return [...(model.kind === 'expression' ? toUser(model.expression, theta) : theta)]
    })
  }))
  writeFileSync(file, JSON.stringify({ problems }))
  const { answer, missing } = await ask(pythonPeer('formulas', '../formulas/peer.py'), file, 300)
  for (const { case: c, setup } of list) {
    const { seconds, ends } = ours.get(c.name)!
    const figures = [
      { method: `Manystart, ${setup.optimizer.name}`, count, seconds, ends },
      ...answer.figures.filter(f => f.problem === c.name).map(f => ({ ...f, ends: f.ends ?? [] }))
    ]
    const all = await Promise.all(figures.map(f => sums(setup, f.ends)))
    const least = Math.min(...all.flat().filter(Number.isFinite))
    figures.forEach((f, k) => {
      const fastest = Math.min(...f.seconds)
      const share = all[k].filter(v => v <= least * (1 + good)).length / f.count
      rows.push({ problem: c.name, method: f.method, count: f.count, perSecond: f.count / fastest, share })
    })
  }
  const machine = describeMachine()
  const results: FormulaResults = {
    rows,
    logistic: await logisticRatio(),
    versions: answer.versions,
    date: machine.date
  }
  console.log([...machineLines(machine), '', ...formulaTable(results, textTable)].join('\n'))
  if (missing) console.log(missing.reason)
  if (!small && !missing) {
    console.log(`Written to ${store({ formulas: results })}`)
    await writePage()
  }
  for (const { setup } of list) setup.dispose()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
