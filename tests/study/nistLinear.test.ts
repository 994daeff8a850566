// NIST's Statistical Reference Datasets, linear regression (https://www.itl.nist.gov/div898/strd/lls/lls.shtml): certified estimates and
// standard deviations, to seven digits, with every run at the minimum. Norris and Filip lie beside the cases of the data.
import { describe, expect, it } from 'vitest'
import { study } from '../../src/study/study.js'

interface DataSet {
  readonly columns: Readonly<Record<string, number[]>>
  readonly bias?: false
  readonly estimates: readonly number[]
  readonly deviations: readonly number[]
}

const pontius = [
  [0.11019, 0.21956, 0.32949, 0.43899, 0.54803, 0.65694, 0.76562, 0.87487, 0.98292, 1.09146],
  [1.20001, 1.30822, 1.41599, 1.52399, 1.63194, 1.73947, 1.84646, 1.95392, 2.06128, 2.16844],
  [0.11052, 0.22018, 0.32939, 0.43886, 0.54798, 0.65739, 0.76596, 0.87474, 0.983, 1.0915],
  [1.20004, 1.30818, 1.41613, 1.52408, 1.63159, 1.73965, 1.84696, 1.95445, 2.06177, 2.16829]
].flat()
const load = pontius.map((_, i) => 150000 * (1 + (i % 20)))

/** Errors of Wampler 3, 4 and 5, times 1, 100 and 10 000. */
const half = [759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048]
const errors = [...half, 2048, ...half.toReversed()]
const powers = Object.fromEntries([1, 2, 3, 4, 5].map(k => [`x${k}`, errors.map((_, x) => x ** k)] as const))
const quintic = (coefficient: (k: number) => number, error: number): number[] =>
  errors.map((e, x) => {
    // Sums of decimals, rounded once.
    const sum = [0, 1, 2, 3, 4, 5].reduce((s, k) => s + Math.round(1e5 * coefficient(k)) * x ** k, 0)
    return sum / 1e5 + error * e
  })
const ones = new Array<number>(6).fill(1)
const wamplerDeviations = [
  2152.3262467817, 2363.55173469681, 779.343524331583, 101.47550755035, 5.64566512170752, 0.112324854679312
]

const sets: Readonly<Record<string, DataSet>> = {
  pontius: {
    columns: { x: load, x2: load.map(v => v * v), y: pontius },
    estimates: [0.673565789473684e-3, 0.732059160401003e-6, -0.316081871345029e-14],
    deviations: [0.107938612033077e-3, 0.157817399981659e-9, 0.486652849992036e-16]
  },
  noInt1: {
    columns: { x: Array.from({ length: 11 }, (_, i) => 60 + i), y: Array.from({ length: 11 }, (_, i) => 130 + i) },
    bias: false,
    estimates: [2.07438016528926],
    deviations: [0.0165289256198347]
  },
  noInt2: {
    columns: { x: [4, 5, 6], y: [3, 4, 4] },
    bias: false,
    estimates: [0.727272727272727],
    deviations: [0.0420827318078432]
  },
  wampler1: { columns: { ...powers, y: quintic(() => 1, 0) }, estimates: ones, deviations: [] },
  wampler2: {
    columns: { ...powers, y: quintic(k => 10 ** -k, 0) },
    estimates: [1, 0.1, 0.01, 0.001, 0.0001, 0.00001],
    deviations: []
  },
  ...Object.fromEntries(
    [1, 100, 10_000].map((size, k) => [
      `wampler${3 + k}`,
      {
        columns: { ...powers, y: quintic(() => 1, size) },
        estimates: ones,
        deviations: wamplerDeviations.map(v => size * v)
      }
    ])
  )
}

const longley: Pick<DataSet, 'estimates' | 'deviations'> = {
  estimates: [
    -3482258.63459582, 15.0618722713733, -0.035819179292591, -2.02022980381683, -1.03322686717359, -0.0511041056535807,
    1829.15146461355
  ],
  deviations: [
    890420.383607373, 84.9149257747669, 0.0334910077722432, 0.488399681651699, 0.214274163161675, 0.22607320006937,
    455.478499142212
  ]
}
/** From R's units to NIST's: target, columns. */
const [employed, nist] = [1e3, [1, 1, 1e3, 10, 10, 1e3, 1]]

const agree = (got: readonly number[], want: readonly number[], what: string): void => {
  expect(got).toHaveLength(want.length)
  got.forEach((v, p) =>
    expect(Math.abs(v - want[p]) <= 1e-7 * Math.abs(want[p]), `${what} ${p}: ${v}, not ${want[p]}`).toBe(true)
  )
}

describe('NIST', () => {
  it.each(Object.entries(sets))('%s', async (_, { columns, bias, estimates, deviations }) => {
    const { verdicts, minima } = await study({
      data: { columns, target: 'y' },
      model: { hidden: [], loss: 'squared', ...(bias === false ? { bias } : {}) },
      starts: { count: 30 },
      engine: 'cpu'
    })
    expect(verdicts.minimum).toBe(30)
    expect(minima).toHaveLength(1)
    agree(minima[0].parameters, estimates, 'estimate')
    if (deviations.length > 0) agree(minima[0].standardErrors ?? [], deviations, 'deviation')
    expect(minima[0].eigenvalues[0]).toBeGreaterThan(0)
  })

  it('longley', async () => {
    const { verdicts, minima } = await study({ data: { builtin: 'longley' }, starts: { count: 30 }, engine: 'cpu' })
    expect(verdicts.minimum).toBe(30)
    const unit = nist.map((u, p) => employed / (p === 0 ? 1 : u))
    agree(
      minima[0].parameters.map((v, p) => v * unit[p]),
      longley.estimates,
      'estimate'
    )
    agree(
      (minima[0].standardErrors ?? []).map((v, p) => v * unit[p]),
      longley.deviations,
      'deviation'
    )
  })
})
