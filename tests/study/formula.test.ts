// Studies of models that the user writes: certified values, known counts of minima, bounds, copies, and what is refused.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { InputError } from '../../src/core/errors.js'
import { renderReport } from '../../src/report/render.js'
import { studyText } from '../../src/report/text.js'
import { replay } from '../../src/study/replay.js'
import { compareStudies } from '../../src/study/compare/index.js'
import { study } from '../helpers/study.js'
import { manystart } from '../cli/helpers.js'

const folder = mkdtempSync(join(tmpdir(), 'manystart-formula-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A CSV file of named columns. */
function csv(name: string, columns: Readonly<Record<string, readonly number[]>>): string {
  const path = join(folder, `${name}.csv`)
  const [first] = Object.values(columns)
  const lines = first.map((_, i) => Object.values(columns).map(column => column[i]))
  writeFileSync(path, [Object.keys(columns), ...lines].map(line => line.join(',')).join('\n'))
  return path
}

// Box, Hunter and Hunter (1978) and Misra (1978), with the values that NIST certifies (Statistical Reference Datasets, nonlinear regression).
const boxbod = csv('boxbod', { y: [109, 149, 149, 191, 213, 224], x: [1, 2, 3, 5, 7, 10] })
const misra = csv('misra1a', {
  y: [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.4, 75.47, 81.78],
  x: [77.6, 114.9, 141.1, 190.8, 239.9, 289, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760]
})
const certified = [
  {
    name: 'BoxBOD',
    data: boxbod,
    rows: 6,
    parameters: { b1: { init: { uniform: [1 / 3, 300] } }, b2: { init: { uniform: [0.25, 3] } } },
    values: [213.80940889, 0.54723748542],
    sum: 1168.0088766
  },
  {
    name: 'Misra1a',
    data: misra,
    rows: 14,
    parameters: { b1: { init: { uniform: [80, 1500] } }, b2: { init: { logUniform: [3e-5, 1.5e-3] } } },
    values: [238.94212918, 5.5015643181e-4],
    sum: 0.12455138894
  }
]

const relative = (actual: number, expected: number): number => Math.abs(actual - expected) / Math.abs(expected)

describe('formulas', () => {
  it.each(certified)('$name: the certified values are a minimum', async ({ data, parameters, values, sum, rows }) => {
    const summary = await study({
      data: { csv: data, target: 'y' },
      model: { formula: 'b1*(1-exp(-b2*x))', parameters },
      starts: { count: 200 }
    })
    const found = summary.minima.find(m => relative(2 * m.loss * rows, sum) <= 1e-8)
    // Certified to 11 digits.
    found?.parameters.forEach((v, p) => expect(relative(v, values[p])).toBeLessThanOrEqual(1e-9))
    expect(found?.expectedStandardErrors).toHaveLength(2)
    expect(found?.names).toEqual(['b1', 'b2'])
    expect(found?.standardErrors?.every(e => e > 0)).toBe(true)
  })

  it('give the same minima on both engines, and on a column in other units', async () => {
    const config = (file: string, factor: number, engine: string) => ({
      data: { csv: file, target: 'y' },
      model: {
        formula: 'b1*(1-exp(-b2*x))',
        parameters: { b1: { init: { uniform: [100, 500] } }, b2: { init: { uniform: [0.1 * factor, factor] } } }
      },
      starts: { count: 60 },
      engine
    })
    const one = await study(config(boxbod, 1, 'cpu'))
    const two = await study(config(boxbod, 1, 'reference'))
    const thousand = csv('boxbod1000', { y: [109, 149, 149, 191, 213, 224], x: [1, 2, 3, 5, 7, 10].map(v => 1024 * v) })
    const three = await study(config(thousand, 1 / 1024, 'cpu'))
    for (const other of [two, three]) {
      expect(other.verdicts).toEqual(one.verdicts)
      expect(other.minima.map(m => m.count)).toEqual(one.minima.map(m => m.count))
    }
    expect(relative(1024 * three.minima[0].parameters[1], one.minima[0].parameters[1])).toBeLessThan(1e-9)
  })

  it('linear in their parameters are convex, with one minimiser where the rank is full', async () => {
    const data = csv('line', { y: [1, 3, 2, 5], x: [1, 2, 3, 4] })
    const model = { formula: 'a + b*x', parameters: { a: {}, b: {} } }
    const { convex, minima, verdicts } = await study({ data: { csv: data, target: 'y' }, model, starts: { count: 20 } })
    expect([convex.model, convex.strongly, verdicts.minimum, minima.length]).toEqual([true, true, 20, 1])
    expect(minima[0].parameters[0]).toBeCloseTo(0, 12)
    expect(minima[0].parameters[1]).toBeCloseTo(1.1, 12)
    const twice = { formula: 'a + b + c*x', parameters: { a: {}, b: {}, c: {} } }
    const flat = await study({ data: { csv: data, target: 'y' }, model: twice, starts: { count: 20 } })
    expect([flat.convex.strongly, flat.verdicts.degenerate]).toEqual([false, 20])
  })

  it('take every scalar loss: logistic regression as a formula is the built-in model', async () => {
    const data = csv('ages', { y: [0, 0, 1, 0, 1, 1, 0, 1], x: [1, 2, 3, 4, 5, 6, 7, 8], w: [3, 1, 2, 2, 1, 4, 3, 5] })
    const common = { data: { csv: data, target: 'y' }, starts: { count: 20 } }
    const formula = { formula: 'a + b*x + c*w', parameters: { a: {}, b: {}, c: {} }, loss: 'logistic' }
    const own = (await study({ ...common, model: formula })).minima[0]
    const builtIn = (await study({ ...common, model: { loss: 'logistic' } })).minima[0]
    own.parameters.forEach((v, p) => expect(relative(v, builtIn.parameters[p])).toBeLessThan(1e-10))
    own.standardErrors?.forEach((v, p) => expect(relative(v, builtIn.standardErrors![p])).toBeLessThan(1e-9))
    expect(own.standardErrors).toHaveLength(3)
  })

  it('that run to infinity are told as that', async () => {
    const data = csv('away', { y: [1, 2, 3], x: [1, 2, 3] })
    // exp(−b) tends to 0 for y of 0 where a cannot help.
    const flat = csv('zeros', { y: [0, 0, 0], x: [1, 2, 3] })
    const model = { formula: 'exp(a - b*x)', parameters: { a: { fixed: 0 }, b: { init: { uniform: [0, 2] } } } }
    const { verdicts, limits } = await study({ data: { csv: flat, target: 'y' }, model, starts: { count: 20 } })
    expect(verdicts.diverging + verdicts.unfinished + verdicts.degenerate).toBe(20)
    expect(limits.every(limit => limit.loss < 1e-6)).toBe(true)
    const pole = {
      formula: 'a * x / (b + x)',
      parameters: { a: { init: { uniform: [1, 9] } }, b: { init: { uniform: [1, 9] } } }
    }
    const away = await study({ data: { csv: data, target: 'y' }, model: pole, starts: { count: 20 } })
    // The best line is a = cb with b → ∞.
    expect(away.verdicts.diverging).toBeGreaterThan(0)
    expect(away.diverging?.names).toEqual(['a', 'b'])
    expect(away.diverging?.direction.every(Number.isFinite)).toBe(true)
  })

  it('keep bounds, and find a minimiser that lies on one', async () => {
    const data = csv('decay', { y: [5, 3, 2, 1], x: [0, 1, 2, 3] })
    const parameters = { a: { bounds: [0, 4], init: { uniform: [1, 3] } }, b: { bounds: [0, null] }, k: { fixed: 1 } }
    const summary = await study({
      data: { csv: data, target: 'y' },
      model: { formula: 'k * a * exp(-b*x)', parameters },
      starts: { count: 50 }
    })
    const [best] = summary.minima
    expect(best.names).toEqual(['a', 'b'])
    // Without the bound a would be 5.
    expect(best.parameters[0]).toBe(4)
    // There b solves Σ x e^(−bx) (4 e^(−bx) − y) = 0.
    const b = best.parameters[1]
    const slope = [0, 1, 2, 3].reduce(
      (s, x, i) => s + x * Math.exp(-b * x) * (4 * Math.exp(-b * x) - [5, 3, 2, 1][i]),
      0
    )
    expect(Math.abs(slope)).toBeLessThan(1e-9)
    expect(summary.notes?.join(' ')).toMatch(/0 ≤ a ≤ 4, 0 ≤ b.*k = 1/)
  })

  it('leave a bound on which they start and which is no minimiser; studies that end on one are compared', async () => {
    const data = csv('held', { y: [5, 3, 2, 1, 0.8], x: [0, 1, 2, 3, 4] })
    // Half of the starts, normal around 0, lie on the bound of b.
    const model = { formula: 'a*exp(-b*x)', parameters: { a: { bounds: [0, 4] }, b: { bounds: [0, null] } } }
    const outs = [1, 2].map(seed => join(folder, `held${seed}`))
    for (const [k, out] of outs.entries()) {
      const starts = { count: 60, seed: k + 1 }
      const { verdicts, minima } = await study({ data: { csv: data, target: 'y' }, model, starts }, { out })
      expect([verdicts.minimum, minima.length, minima[0].parameters[0]]).toEqual([60, 1, 4])
    }
    const { shared, onlyA, onlyB } = await compareStudies([outs[0], outs[1]])
    expect([shared.length, onlyA.length, onlyB.length, shared[0].proved]).toEqual([1, 0, 0, true])
  })

  it('of counts say where a target is none', async () => {
    const data = csv('halves', { y: [1, 2.5, 3], x: [0, 1, 2] })
    const model = { formula: 'a + b*x', parameters: { a: {}, b: {} }, loss: 'poisson' }
    const { notes } = await study({ data: { csv: data, target: 'y' }, model, starts: { count: 5 } })
    expect(notes?.join(' ')).toMatch(/The target y is 2\.5 in row 2, which is no count/)
  })

  it('count exchangeable groups as copies of one point', async () => {
    const x = Array.from({ length: 16 }, (_, i) => i / 4)
    const y = x.map(t => 2 * Math.exp(-3 * t) + Math.exp(-0.5 * t) + 0.01 * Math.sin(9 * t))
    const uniform = (low: number, high: number) => ({ init: { uniform: [low, high] } })
    const parameters = { a: uniform(0, 3), b: uniform(0, 5), c: uniform(0, 3), d: uniform(0, 5) }
    const config = {
      data: { csv: csv('two', { y, x }), target: 'y' },
      model: { formula: 'a*exp(-b*x) + c*exp(-d*x)', parameters },
      starts: { count: 100 }
    }
    const apart = await study(config)
    const together = await study({
      ...config,
      model: {
        ...config.model,
        symmetry: [
          [
            ['a', 'b'],
            ['c', 'd']
          ]
        ]
      }
    })
    const best = (m: { minima: readonly { loss: number }[] }): number =>
      m.minima.filter(p => relative(p.loss, m.minima[0].loss) < 1e-6).length
    expect([best(apart), best(together), together.minima[0].copies]).toEqual([2, 1, 2])
  })

  it('are replayed in the parameters of the user', async () => {
    const out = join(folder, 'study')
    await study(
      {
        data: { csv: misra, target: 'y' },
        model: { formula: 'b1*(1-exp(-b2*x))', parameters: certified[1].parameters },
        starts: { count: 5 }
      },
      { out }
    )
    const again = await replay(out, 2)
    again.parameters.forEach((v, p) => expect(relative(v, certified[1].values[p])).toBeLessThan(1e-9))
    // A row with x = 0 and one with x = 100, by the certified values.
    const rows = csv('new', { x: [0, 100] })
    const text = await manystart(['predict', out, '--data', rows])
    expect(text.code).toBe(0)
    const predicted = text.stdout
      .trim()
      .split('\n')
      .slice(1)
      .map(line => Number(line.split(',')[1]))
    expect(predicted[0]).toBe(0)
    expect(relative(predicted[1], certified[1].values[0] * -Math.expm1(-100 * certified[1].values[1]))).toBeLessThan(
      1e-9
    )
    expect((await manystart(['export', out, '--format', 'python'])).stderr).toMatch(/is the formula/)
    again.found.parameters.forEach((v, p) => expect(relative(v, certified[1].values[p])).toBeLessThan(1e-3))
  })
})

const ranged = (names: string, low: number, high: number) =>
  Object.fromEntries([...names].map(name => [name, { init: { uniform: [low, high] } }]))

describe('objectives', () => {
  it.each([
    ["Himmelblau's function", '(a^2+b-11)^2 + (a+b^2-7)^2', ranged('ab', -6, 6), 300, 4],
    ['the six-hump camel', '(4 - 2.1*a^2 + a^4/3)*a^2 + a*b + (4*b^2 - 4)*b^2', ranged('ab', -2, 2), 300, 6],
    [
      "Rosenbrock's function in five dimensions",
      ['a-b', 'b-c', 'c-d', 'd-e'].map(([p, , q]) => `100*(${q}-${p}^2)^2 + (1-${p})^2`).join(' + '),
      ranged('abcde', -2, 2),
      300,
      2
    ]
  ])('%s', async (_, objective, parameters, count, minima) => {
    const summary = await study({ model: { objective, parameters }, starts: { count } })
    expect(summary.minima).toHaveLength(minima)
    expect(summary.verdicts.failed).toBe(0)
  })
})

describe('what is said of a formula and of an objective', () => {
  const parameters = { b1: { init: { uniform: [100, 500] } }, b2: { init: { logUniform: [0.1, 1] } }, c: { fixed: 0 } }

  it('is its text and where each parameter starts, not a network without hidden layers', async () => {
    const s = await study({
      data: { csv: boxbod, target: 'y' },
      model: { formula: 'b1*(1-exp(-b2*x)) + c', parameters },
      starts: { count: 20 }
    })
    expect(s.problem.expression).toEqual({ text: 'b1*(1-exp(-b2*x)) + c', objective: false })
    expect(s.problem.init).toBe('b1 uniform(100, 500), b2 logUniform(0.1, 1)')
    const page = await renderReport([s], { title: 'a formula' })
    expect(page).toContain('<dd>b1*(1-exp(-b2*x)) + c, squared loss, 2 parameters</dd>')
    expect(page).not.toContain('no hidden layer')
  })

  it('is no row, target or loss of an objective', async () => {
    const s = await study({
      model: { objective: '(a^2 - 1)^2', parameters: { a: { init: { normal: [0, 2] } } } },
      starts: { count: 20 }
    })
    expect(s.problem.init).toBe('a normal(0, 2²)')
    const page = await renderReport([s], { title: 'an objective' })
    expect(page).toContain('<dt>objective</dt><dd>(a^2 - 1)^2, 1 parameter</dd>')
    for (const text of ['<dt>target</dt>', '<dt>data</dt>', 'squared loss']) expect(page).not.toContain(text)
    const text = studyText(s, 80)
    expect(text).toMatch(/^objective: 1 parameter, 20 starts\n\(a\^2 - 1\)\^2\n/)
    expect(text).not.toMatch(/target|as found|squared/)
  })
})

describe('stationary points', () => {
  it.each([
    // Four minima, four saddles and one maximum, where both partial derivatives vanish.
    ["Himmelblau's function", '(a^2+b-11)^2 + (a+b^2-7)^2', ranged('ab', -5, 5), 500, [4, 4, 1]],
    // ∂/∂a = a³ − a and ∂/∂b = b³ − b: 3 × 3 points.
    ['two double wells', '(a^2-1)^2/4 + (b^2-1)^2/4', ranged('ab', -1.5, 1.5), 300, [4, 4, 1]]
  ])('of %s', async (_, objective, parameters, count, [minima, saddles, maxima]) => {
    const summary = await study({ model: { objective, parameters }, starts: { count }, optimizer: 'stationary' })
    const index = (n: number): number => summary.saddles.filter(s => s.index === n).length
    expect([summary.minima.length, index(1), index(2)]).toEqual([minima, saddles, maxima])
  })
})

describe('what is refused', () => {
  const refused = async (config: object): Promise<string> => {
    try {
      await study(config)
    } catch (error) {
      if (error instanceof InputError) return error.message
      throw error
    }
    return 'accepted'
  }
  const a = { a: { init: { uniform: [1, 2] } } }
  it.each([
    [
      'an unknown name',
      { formula: 'a * z', parameters: a },
      /unknown name "z" at character 5 \(a \* z\); did you mean/
    ],
    ['a parameter that never occurs', { formula: 'a * x', parameters: { ...a, bb: {} } }, /bb does not occur/],
    [
      'a parameter that is a column',
      { formula: 'a * x', parameters: { ...a, x: {} } },
      /x is both a parameter and a column/
    ],
    ['the target', { formula: 'a * y', parameters: a }, /uses y, which is the target/],
    ['no parameters', { formula: 'x' }, /model\.parameters is missing/],
    ['all fixed', { formula: 'a * x', parameters: { a: { fixed: 1 } } }, /All parameters of the formula are fixed/],
    ['log of negative numbers everywhere', { formula: 'a * log(x - 9)', parameters: a }, /it takes log\(/],
    ['softmax', { formula: 'a * x', parameters: a, loss: 'softmax' }, /has one/],
    ['hidden layers', { formula: 'a * x', parameters: a, hidden: [2] }, /does not go with a formula/],
    [
      'bounds upside down',
      { formula: 'a * x', parameters: { a: { bounds: [2, 1] } } },
      /first must be below the second/
    ],
    ['an unknown field', { formula: 'a * x', parameters: { a: { bound: [2, 1] } } }, /Unknown field "bound".*bounds/],
    [
      'a range below 0',
      { formula: 'a * x', parameters: { a: { init: { logUniform: [-1, 1] } } } },
      /two numbers of one sign/
    ],
    [
      'a formula without values',
      { formula: 'log(-a) * x', parameters: a },
      /no finite value at any .* log\(-1\.\d+\) on row 1/
    ],
    [
      'groups that may not change places',
      { formula: 'a + 2*b*x', parameters: { ...a, b: {} }, symmetry: [[['a'], ['b']]] },
      /\[a\] and \[b\] may change places, but/
    ],
    ['data beside an objective', { objective: 'a^2', parameters: a }, /data\.csv does not go with an objective/]
  ])('%s', async (_, model, message) => {
    expect(await refused({ data: { csv: boxbod, target: 'y' }, model, starts: { count: 5 } })).toMatch(message)
  })

  it('not a formula without a value at some starts: those runs fail and are counted', async () => {
    const model = { formula: '100 * sqrt(a) * x', parameters: { a: { init: { uniform: [-1, 1] } } } }
    const { verdicts } = await study({ data: { csv: boxbod, target: 'y' }, model, starts: { count: 100 } })
    expect(verdicts.failed).toBeGreaterThan(30)
    expect(verdicts.failed).toBeLessThan(70)
    expect(verdicts.failed + verdicts.minimum).toBe(100)
  })

  it('several targets', async () => {
    const config = { data: { csv: boxbod, target: ['y', 'x'] }, model: { formula: 'a', parameters: a } }
    expect(await refused(config)).toMatch(/names 2 columns \(y, x\), and a formula has one output/)
  })

  it.each([
    ['a network', { hidden: [] }, 'y'],
    ['an objective', { objective: 'a^2', parameters: a }, undefined]
  ])('the matrix of Gauss and Newton for %s', async (_, model, target) => {
    const config = { ...(target ? { data: { csv: boxbod, target } } : {}), model, optimizer: 'gaussNewton' }
    expect(await refused(config)).toBe('The optimizer gaussNewton is for formulas with data; take newton.')
  })

  it('more parameters than an engine takes Hessians of', async () => {
    const names = Array.from({ length: 65 }, (_, k) => `a${k}`)
    const parameters = Object.fromEntries(names.map(name => [name, { init: { uniform: [0, 1] } }]))
    const model = { formula: `(${names.join(' + ')}) * x`, parameters }
    const config = { data: { csv: boxbod, target: 'y' }, model, optimizer: 'newton', engine: 'webgpu' }
    expect(await refused(config)).toMatch(/Hessians of formulas of up to 64 parameters .*; use lbfgs or --engine cpu/)
  })
})
