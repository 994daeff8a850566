// What must not matter to a whole study: the order of rows and columns, repeated rows in place of weights, offsets and units of columns,
// and the unit of the target. Random data of every kind, by seed.
import { describe, expect, it } from 'vitest'
import type { StationaryPoint, Summary } from '../../src/core/result.js'
import { study } from '../../src/study/study.js'
import { normals } from '../helpers/problems.js'

type Column = (number | string)[]
type Table = Readonly<Record<string, Column>>

const N = 48
/** Multiples of 2⁻¹⁰, so that offsets of 2³⁰ are added exactly. */
const coarse = (values: Iterable<number>): number[] => Array.from(values, v => Math.round(1024 * v) / 1024)

interface Kind {
  readonly label: string
  readonly loss: unknown
  readonly target: (z: number, e: number) => number | string
}
const kinds: readonly Kind[] = [
  { label: 'squared', loss: 'squared', target: (z, e) => coarse([z + e])[0] },
  { label: 'logistic', loss: 'logistic', target: (z, e) => Number(z + 1.5 * e > 0) },
  { label: 'probit', loss: 'probit', target: (z, e) => Number(z + 1.5 * e > 0) },
  { label: 'cloglog', loss: 'cloglog', target: (z, e) => Number(z + 1.5 * e > 0) },
  { label: 'poisson', loss: 'poisson', target: (z, e) => Math.max(0, Math.round(Math.exp(0.7 * z) + e)) },
  { label: 'gamma', loss: 'gamma', target: (z, e) => Math.exp(0.5 * (z + e)) },
  { label: 'softmax', loss: 'softmax', target: (z, e) => `c${z + 2 * e > 1 ? 2 : z - 2 * e > 0 ? 1 : 0}` },
  {
    label: 'negativeBinomial',
    loss: { negativeBinomial: { dispersion: 0.5 } },
    target: (z, e) => Math.max(0, Math.round(Math.exp(0.7 * z + 0.5 * e)))
  },
  { label: 'huber', loss: { huber: { delta: 1.2 } }, target: (z, e) => coarse([z + e ** 3])[0] }
]

function tableOf({ target }: Kind, seed: number): Table {
  const [a, b, c, e] = [1, 2, 3, 4].map(k => coarse(normals(N, 10 * seed + k)))
  return { a, b, c, y: a.map((v, i) => target(0.8 * v - 0.5 * b[i] + 0.2 * c[i] + 0.2, e[i])) }
}

const fit = (columns: Table, { loss }: Kind, data: object = {}, model: object = {}, count = 8): Promise<Summary> =>
  study({
    data: { columns, target: 'y', ...data },
    model: { hidden: [], loss: loss as 'squared', ...model },
    starts: { count },
    engine: 'cpu'
  })
const only = (s: Summary, count = 8): StationaryPoint => {
  expect(s.verdicts.minimum).toBe(count)
  expect(s.minima).toHaveLength(1)
  return s.minima[0]
}
const errorsOf = (m: StationaryPoint): readonly number[] => m.inference?.standardErrors ?? m.standardErrors ?? []

function near(got: readonly number[], want: readonly number[], share: number, what: string): void {
  expect(got).toHaveLength(want.length)
  got.forEach((v, i) =>
    expect(
      Math.abs(v - want[i]) <= share * Math.max(Math.abs(want[i]), 1e-2),
      `${what} ${i}: ${v}, not ${want[i]}`
    ).toBe(true)
  )
}
/** A permutation of 0 … n − 1. */
const shuffled = (n: number, seed: number): number[] => {
  const keys = normals(n, seed)
  return Array.from({ length: n }, (_, i) => i).sort((i, j) => keys[i] - keys[j])
}

describe.each(kinds)('$label', kind => {
  it.each([1, 2])('the order of rows, table %i', async seed => {
    const table = tableOf(kind, seed)
    const order = shuffled(N, 90 + seed)
    const permuted = Object.fromEntries(Object.entries(table).map(([name, v]) => [name, order.map(i => v[i])]))
    const [here, there] = [only(await fit(table, kind)), only(await fit(permuted, kind))]
    near([there.loss], [here.loss], 1e-12, 'loss')
    near(there.parameters, here.parameters, 1e-10, 'parameter')
    near(errorsOf(there), errorsOf(here), 1e-9, 'error')
  })

  it.each([3, 4])('the order of columns, table %i', async seed => {
    const table = tableOf(kind, seed)
    const { a, b, c, y } = table
    const here = only(await fit(table, kind))
    const there = only(await fit({ c: c, a: a, b: b, y: y }, kind))
    const byName = ({ names, parameters }: StationaryPoint): number[] =>
      names
        .map((name, p) => [name, parameters[p]] as const)
        .sort(([m], [n]) => (m < n ? -1 : 1))
        .map(([, v]) => v)
    near([there.loss], [here.loss], 1e-12, 'loss')
    near(byName(there), byName(here), 1e-10, 'parameter')
    near([...there.eigenvalues], [...here.eigenvalues], 1e-9, 'eigenvalue')
  })

  it.each([5, 6])('repeated rows in place of weights, table %i', async seed => {
    const table = tableOf(kind, seed)
    const w = Array.from(normals(N, seed), v => 1 + (Math.round(4 * Math.abs(v)) % 4))
    const repeated = Object.fromEntries(
      Object.entries(table).map(([name, v]) => [
        name,
        v.flatMap((value, i) => new Array<number | string>(w[i]).fill(value))
      ])
    )
    const [here, there] = [only(await fit({ ...table, w }, kind, { weights: 'w' })), only(await fit(repeated, kind))]
    near([there.loss], [here.loss], 1e-12, 'loss')
    near(there.parameters, here.parameters, 1e-10, 'parameter')
    // Where a dispersion is estimated, weights are precisions and the number of rows counts.
    if (here.inference?.distribution === 'z') near(errorsOf(there), errorsOf(here), 1e-9, 'error')
  })

  it.each([
    [2 ** 27, 1],
    [-(2 ** 27), 2 ** 40],
    [2 ** 27, 2 ** -40]
  ])('columns moved by %d deviations, in units of %d', async (offset, unit) => {
    const table = tableOf(kind, 7)
    const moved = {
      ...table,
      a: table['a'].map(v => (Number(v) + offset) * unit),
      c: table['c'].map(v => Number(v) / unit)
    }
    const [here, there] = [await fit(table, kind), await fit(moved, kind)]
    expect(there.separation.status).toBe(here.separation.status)
    const [m, n] = [only(here), only(there)]
    near([n.loss], [m.loss], 1e-11, 'loss')
    const scale = (name: string): number => (name.endsWith('a') ? unit : name.endsWith('c') ? 1 / unit : 1)
    const slopes = ({ names, parameters }: StationaryPoint): number[] =>
      parameters.filter((_, p) => !names[p].endsWith('(Intercept)'))
    const units = m.names.filter(name => !name.endsWith('(Intercept)')).map(scale)
    // Means are rounded in the last place of the offset, and fits with them.
    near(
      slopes(n).map((v, p) => v * units[p]),
      slopes(m),
      1e-7,
      'slope'
    )
    const errors = (s: StationaryPoint): number[] => {
      const named = s.inference?.names ?? s.names
      return errorsOf(s).filter((_, p) => !named[p].endsWith('(Intercept)'))
    }
    const named = (m.inference?.names ?? m.names).filter(name => !name.endsWith('(Intercept)')).map(scale)
    near(
      errors(n).map((v, p) => v * named[p]),
      errors(m),
      1e-7,
      'error'
    )
  })
})

const nets = [
  ['tanh, ridge', { hidden: [2], activation: 'tanh', ridge: 0.01 }],
  ['logistic units, ridge on all', { hidden: [2], activation: 'logistic', ridge: 0.01, penalizeBias: true }]
] as const

it.each([1e200, 1e-200, 1e160])('columns and targets in units of %d have finite results', async unit => {
  const [squared] = kinds
  const table = tableOf(squared, 12)
  const here = only(await fit(table, squared))
  const moved = { ...table, a: table['a'].map(v => Number(v) * unit) }
  const there = only(await fit(moved, squared))
  near([errorsOf(there)[1] * unit], [errorsOf(here)[1]], 1e-9, 'error')
  near([there.parameters[1] * unit], [here.parameters[1]], 1e-10, 'slope')
  await expect(fit({ ...table, y: table['y'].map(v => Number(v) * unit) }, squared)).rejects.toThrow(
    /^The target varies by .*another unit\.$/
  )
  const target = only(await fit({ ...table, y: table['y'].map(v => Number(v) * Math.sqrt(unit)) }, squared))
  near(
    errorsOf(target).map(v => v / Math.sqrt(unit)),
    errorsOf(here),
    1e-9,
    'error'
  )
})

describe.each(nets)('a network of %s', (_, model) => {
  const [squared] = kinds
  const losses = (s: Summary): number[] => s.minima.map(m => m.loss)

  it.each([2 ** 30, 2 ** -30])('in units of the target of %d: verdicts, counts and shares', async unit => {
    const table = tableOf(squared, 8)
    const standard = { standardize: true, standardizeTarget: true }
    const here = await fit(table, squared, standard, model, 60)
    const there = await fit({ ...table, y: table['y'].map(v => Number(v) * unit) }, squared, standard, model, 60)
    expect(there.verdicts).toEqual(here.verdicts)
    expect(there.minima.map(m => [m.count, m.share])).toEqual(here.minima.map(m => [m.count, m.share]))
    near(
      losses(there).map(v => v / unit ** 2),
      losses(here),
      1e-11,
      'loss'
    )
  })

  it('in units and offsets of columns: verdicts, counts and shares', async () => {
    const table = tableOf(squared, 9)
    const here = await fit(table, squared, { standardize: true }, model, 60)
    const moved = {
      ...table,
      a: table['a'].map(v => (Number(v) + 2 ** 27) * 2 ** 40),
      b: table['b'].map(v => Number(v) * 2 ** -40)
    }
    const there = await fit(moved, squared, { standardize: true }, model, 60)
    expect(there.verdicts).toEqual(here.verdicts)
    expect(there.minima.map(m => m.count)).toEqual(here.minima.map(m => m.count))
    near(losses(there), losses(here), 1e-7, 'loss')
  })

  it('in the order of rows', async () => {
    const table = tableOf(squared, 11)
    const order = shuffled(N, 99)
    const permuted = Object.fromEntries(Object.entries(table).map(([name, v]) => [name, order.map(i => v[i])]))
    const [here, there] = [
      await fit(table, squared, { standardize: true }, model, 60),
      await fit(permuted, squared, { standardize: true }, model, 60)
    ]
    near(losses(there).slice(0, 1), losses(here).slice(0, 1), 1e-11, 'best loss')
    expect(there.verdicts).toEqual(here.verdicts)
  })
})
