// Standard errors by the expected information: R's, the same as by the observed one for canonical links, and said under the table.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Inference, Summary } from '../../src/core/result.js'
import { losses, lossTable, type Loss } from '../../src/models/losses/index.js'
import { studyText } from '../../src/report/text.js'
import { study } from '../helpers/study.js'
import { normals } from '../helpers/problems.js'
import { expectAllClose, tolerance } from '../helpers/tolerance.js'

interface Fixture {
  readonly x: number[]
  readonly u: number[]
  readonly w: number[]
  readonly o: number[]
  readonly losses: Readonly<Record<string, { readonly y: number[]; readonly standardErrors: number[] }>>
}
const fixture = JSON.parse(readFileSync(new URL('../fixtures/expected.json', import.meta.url), 'utf8')) as Fixture

async function fit(columns: Record<string, (number | string)[]>, loss: unknown, more: object = {}): Promise<Summary> {
  return study({
    data: { columns, target: 'y', ...more },
    model: { hidden: [], loss: loss as Loss },
    starts: { count: 3 },
    engine: 'cpu'
  })
}
const inferred = (s: Summary): Inference => s.minima[0]?.inference ?? expect.fail('there is no inference')

describe('the expected information', () => {
  const { x, u, w, o } = fixture
  for (const [loss, { y, standardErrors }] of Object.entries(fixture.losses)) {
    it(`has the errors of R's glm: ${loss}`, async () => {
      const s = await fit({ x, u, w, o, y }, loss, { weights: 'w', offset: 'o' })
      const { expectedStandardErrors } = inferred(s)
      // R solves the normal equations of columns as they are: the condition of these is about 1e4.
      expectAllClose(
        expectedStandardErrors ?? [],
        standardErrors,
        k => tolerance('f64', 2 ** 16, standardErrors[k]),
        loss
      )
      const dispersed = loss === 'gamma' || loss === 'squared'
      expect(studyText(s, 200)).toContain(dispersed ? 'weights ("w") are precisions' : 'weights ("w") are counts')
    })
  }

  it('is the observed one for canonical links, and not for others', async () => {
    const [a, b, e] = [normals(50, 1), normals(50, 2), normals(50, 3)]
    const z = [...a].map((v, i) => 0.5 * v - b[i] + 0.5)
    const classes = z.map((v, i) => Number(v + e[i] > 0))
    const targets: Readonly<Record<string, readonly [target: (number | string)[], loss: unknown, canonical: boolean]>> =
      {
        squared: [z.map((v, i) => v + e[i]), 'squared', true],
        logistic: [classes, 'logistic', true],
        poisson: [z.map((v, i) => Math.round(Math.exp(v + 0.3 * e[i]))), 'poisson', true],
        softmax: [z.map((v, i) => `c${v + e[i] > 1 ? 2 : v - e[i] > 0 ? 1 : 0}`), 'softmax', true],
        probit: [classes, 'probit', false],
        cloglog: [classes, 'cloglog', false],
        gamma: [z.map((v, i) => Math.exp(v + e[i])), 'gamma', false],
        negativeBinomial: [
          z.map((v, i) => Math.round(Math.exp(v + e[i]))),
          { negativeBinomial: { dispersion: 0.7 } },
          false
        ],
        student: [z.map((v, i) => v + e[i]), { student: { df: 4, scale: 1 } }, false]
      }
    for (const loss of losses.filter(name => lossTable[name].noLikelihood === undefined)) {
      const [y, asked, canonical] = targets[loss]
      const s = await fit({ a: [...a], b: [...b], y }, asked)
      const { standardErrors, expectedStandardErrors } = inferred(s)
      const ratios = standardErrors.map((se, k) => (expectedStandardErrors?.[k] ?? NaN) / se)
      for (const ratio of ratios) {
        expect(Math.abs(Math.log(ratio))).toBeLessThan(canonical ? tolerance('f64', 256, 1) : Math.log(2))
        if (!canonical) expect(ratio).not.toBe(1)
      }
      expect(studyText(s, 200)).toContain(canonical ? 'which is the expected one too' : 'by expected information')
    }
  })
})
