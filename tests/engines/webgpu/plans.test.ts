// Every shape that the webgpu engine promises has a plan within what every GPU offers: 256 threads and 32 KiB of workgroup memory.
import { describe, expect, it } from 'vitest'
import { Stream, uniform, words } from '../../../src/core/rng.js'
import { planGradient } from '../../../src/engines/webgpu/core/gradientPlan.js'
import { planHessian } from '../../../src/engines/webgpu/core/hessianPlan.js'
import { kernelText, type Values } from '../../../src/engines/webgpu/core/text.js'
import { readSources } from '../../../src/engines/webgpu/host/open.js'
import { parameterCount } from '../../../src/models/model.js'
import type { Problem, Network } from '../../../src/models/types.js'
import { long } from '../../helpers/length.js'
import { makeProblem } from '../../helpers/problems.js'

const mostBytes = 32768
const mostThreads = 256

/** Networks of at most `most` parameters: the longest and thinnest of each kind, and `count` drawn at random. */
function problems(most: number, count: number, seed: number): Problem<Network>[] {
  const found: Problem<Network>[] = []
  const add = (inputs: number, hidden: readonly number[], outputs: number, bias: boolean): void => {
    if (inputs < 1 || outputs < 1 || hidden.some(h => h < 1)) return
    const loss = outputs > 1 ? 'softmax' : 'logistic'
    const problem = makeProblem({ loss, inputs, hidden, outputs, bias, rows: 3 })
    if (parameterCount(problem.model) <= most) found.push(problem)
  }
  for (const bias of [true, false]) {
    const extra = bias ? 1 : 0
    add(most - extra, [], 1, bias)
    add(1, [], Math.floor(most / (1 + extra)), bias)
    add(1, [Math.floor((most - extra) / (2 + extra))], 1, bias)
    add(most - 2 - 2 * extra, [1], 1, bias)
    add(1, [1], Math.floor((most - 2) / (1 + extra)), bias)
    const even = Math.floor(Math.sqrt(most / 2)) - 1
    add(even, [even], 1, bias)
    add(1, [even, even], 1, bias)
    add(1, [Math.floor(most / 4), 1, 1], 2, bias)
    add(
      1,
      Array.from({ length: Math.floor(most / 4) }, () => 1),
      1,
      bias
    )
    add(
      2,
      Array.from({ length: Math.floor(most / 30) }, () => 4),
      3,
      bias
    )
  }
  const drawn = words(seed, Stream.generator, 0, 0, 8 * count)
  for (let i = 0; i < count; i++) {
    const u = (k: number): number => uniform(drawn[8 * i + k])
    const depth = Math.floor(4 * u(0))
    // Sizes by their logarithms, so that thin and thick layers meet.
    const size = (k: number): number => Math.ceil(Math.exp(u(k) * Math.log(most)))
    const outputs = u(6) < 0.6 ? 1 : 1 + Math.ceil(Math.exp(u(6) * 6))
    add(size(1), [size(2), size(3), size(4)].slice(0, depth), outputs, u(7) < 0.7)
  }
  return found
}

const sources = readSources()

/** The workgroup memory that a kernel declares. */
function declaredBytes(text: string, values: Values): number {
  const number = (word: string): number => {
    const constant = new RegExp(`const ${word} = ([^;]+);`).exec(text)
    return constant ? product(constant[1]) : Number(word.replace(/u$/, ''))
  }
  const product = (terms: string): number =>
    terms.split('+').reduce((sum, term) => sum + term.split('*').reduce((p, factor) => p * number(factor.trim()), 1), 0)
  let bytes = 0
  for (const [, type, size] of text.matchAll(/var<workgroup> \w+: array<(\w+), ([^>]+)>/g))
    bytes += (type === 'V' ? 4 * Number(values['width']) : 4) * product(size)
  return bytes
}

function expectFits(file: string, values: Values, name: string): void {
  const bytes = declaredBytes(kernelText(sources, file, values), values)
  if (!(bytes <= mostBytes)) expect.fail(`${name}: ${bytes} bytes of workgroup memory`)
  if (!(Number(values['threads'] ?? 64) <= mostThreads)) expect.fail(`${name}: ${String(values['threads'])} threads`)
}

const nameOf = ({ model: network }: Problem<Network>): string =>
  `${network.inputs}-${[...network.hidden.slice(0, 8), network.outputs].join('-')} (${network.hidden.length} hidden layers)`

describe('plans', () => {
  it('exist for gradients of up to 2000 parameters, on all rows and on mini-batches', () => {
    const all = problems(2000, long ? 300 : 110, 1)
    expect(all.length).toBeGreaterThan(long ? 100 : 50)
    for (const problem of all)
      for (const batchSize of [undefined, 32]) {
        const plan = planGradient({ problem, gradient: true, batchSize })
        expectFits(plan.file, plan.values, nameOf(problem))
        expect(64 % plan.runs).toBe(0)
      }
  })
  it('exist for Hessians of up to 256 parameters', () => {
    const all = problems(256, long ? 200 : 20, 2)
    expect(all.length).toBeGreaterThan(long ? 60 : 20)
    for (const problem of all) {
      const plan = planHessian(problem)
      expectFits('hessian.wgsl', plan.values, nameOf(problem))
      expect(64 % plan.runs).toBe(0)
    }
  })
})
