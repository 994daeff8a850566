// Separated data: the fit to the rows that are left, what the deviance tends to, growth under gradient descent, and what is said of it.
import { describe, expect, it } from 'vitest'
import { growthChart } from '../../src/report/charts/growth.js'
import { separationTable, separationText } from '../../src/report/separation.js'
import { study } from '../../src/study/study.js'
import { randomNumbers } from '../helpers/tables.js'
import { expectAllClose, expectClose } from '../helpers/tolerance.js'

const rows = 40
/** Columns x and g, and rows of which those with g = 1 are separated: all of them have the `end`. */
function table(seed: number, of: (mean: number, u: number) => number, end: number) {
  const random = randomNumbers(seed)
  const x = Array.from({ length: rows }, () => 3 * random() - 1.5)
  const g = x.map((_, i) => (i % 5 === 0 ? 1 : 0))
  const y = x.map((v, i) => (g[i] === 1 ? end : of(0.4 * v, random())))
  return { x, g, y }
}
const share = (z: number, u: number): number => (u < 1 / (1 + Math.exp(-z)) ? 1 : 0)
const count = (z: number, u: number): number => Math.floor(3 * u * Math.exp(z))
const kept = <T>(list: readonly T[], g: readonly number[]): T[] => list.filter((_, i) => g[i] === 0)

describe('separated data', () => {
  for (const seed of [2, 3])
    it.each([
      ['logistic', share, 1, 1],
      ['probit', share, 0, -1],
      ['cloglog', share, 0, -1],
      ['cloglog', share, 1, 1],
      ['poisson', count, 0, -1]
    ] as const)(`leave the fit to the other rows: %s (${seed})`, async (loss, of, end, sign) => {
      const { x, g, y } = table(seed, of, end)
      const s = await study({ data: { columns: { x, g, y }, target: 'y' }, model: { loss }, starts: { count: 3 } })
      expect(s.separation.status).toBe('quasi-complete')
      expect(s.separation.infinite).toEqual({ g: sign })
      expect(s.separation.rows).toEqual(g.flatMap((v, i) => (v === 1 ? [i + 1] : [])))
      const rest = await study({
        data: { columns: { x: kept(x, g), y: kept(y, g) }, target: 'y' },
        model: { loss },
        starts: { count: 3 }
      })
      const { inference } = rest.minima[0]
      const { finite, limit } = s.separation
      expectAllClose([finite['(Intercept)'], finite['x']], inference!.estimates, 1e-7, 'estimates')
      const errors = [limit!.standardErrors['(Intercept)'], limit!.standardErrors['x']]
      expectAllClose(errors, inference!.standardErrors, 1e-6, 'errors')
      expectClose(limit!.deviance!, inference!.deviance, 1e-8 * Math.max(1, inference!.deviance), 'deviance')
      // Firth's penalty was tried where it applies, and does help.
      expect(s.separation.firth).toBe(true)
      const firth = await study({
        data: { columns: { x, g, y }, target: 'y' },
        model: { loss, firth: true },
        starts: { count: 3 }
      })
      expect(firth.verdicts.minimum).toBe(3)
    })

  it('leave the deviance of the other rows with several classes', async () => {
    const { x, g } = table(4, share, 0)
    const random = randomNumbers(9)
    const y = x.map((_, i) => (g[i] === 1 ? 'a' : ['a', 'b', 'c'][Math.floor(3 * random())]))
    const s = await study({
      data: { columns: { x, g, y }, target: 'y' },
      model: { loss: 'softmax' },
      starts: { count: 3 }
    })
    const rest = await study({
      data: { columns: { x: kept(x, g), y: kept(y, g) }, target: 'y' },
      model: { loss: 'softmax' },
      starts: { count: 3 }
    })
    expect(s.separation.status).toBe('quasi-complete')
    expectClose(s.separation.limit!.deviance!, rest.minima[0].inference!.deviance, 1e-7, 'deviance')
    expect(s.separation.firth).toBeUndefined()
  })

  it('have the limits of endometrial', async () => {
    const s = await study({ data: { builtin: 'endometrial' }, starts: { count: 3 } })
    expectClose(s.separation.limit!.deviance!, 55.3932603572, 1e-8, 'deviance')
    const text = separationText(s).join(' ')
    expect(text).toMatch(/13 rows are separated .* the other 66, and the deviance tends to 55\.39326036\./)
    expect(text).toMatch(/NV grows like the logarithm of the number of steps: .* each tenfold adds about 2\.3\./)
    expect(separationTable(s)!.rows[0]).toEqual(['NV', '+∞', '–'])
    expect((await growthChart(s))!.svgs).toHaveLength(1)
  })

  it('grow under gradient descent as its recursion says', async () => {
    // f = log(1 + e^−w), curvature ¼ at the origin: steps of 4.
    const s = await study({
      data: { columns: { x: [1, -1], y: [1, 0] }, target: 'y' },
      model: { loss: 'logistic', bias: false },
      starts: { count: 3 }
    })
    const { steps, values, learningRate, name, law } = s.separation.growth!
    expect([name, law, learningRate]).toEqual(['x', 'logarithm', 4])
    let w = 0
    for (let k = 1; k <= steps[steps.length - 1]; k++) {
      w += 4 / (1 + Math.exp(w))
      const at = steps.indexOf(k)
      if (at >= 0) expectClose(values[at], w, 1e-9 * w, `after ${k} steps`)
    }
  })

  it('are said to be so before any run', async () => {
    const said: string[] = []
    let runs = 0
    await study(
      { data: { builtin: 'endometrial' }, starts: { count: 20 } },
      { onFact: fact => said.push(`${fact} ${runs}`), onProgress: ({ done }) => void (runs = done) }
    )
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(
      /separated \(quasi-complete: NV to \+∞\), so there is no finite minimiser .*--ridge 0\.01 and --firth were tried.* 0$/
    )
  })
})
