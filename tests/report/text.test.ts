// The result on a terminal: one study, and the table of a contrast.
import { describe, expect, it } from 'vitest'
import type { Inference, Summary } from '../../src/core/result.js'
import { wrap } from '../../src/core/text.js'
import { contrastText, fullTable, headline, keyNotes, keyTable } from '../../src/report/contrast.js'
import { studyText } from '../../src/report/text.js'
import { everyKind, makePoint, makePoints, makeSummary, same, spread, throughJson } from './summaries.js'

/** Four models as the program contrasts them, with the longest values that they can show. */
function four(): Summary[] {
  const wide = {
    train: { accuracy: spread(0.971, 0.986), recall: spread(0.943, 0.971) },
    test: { accuracy: spread(0.867, 0.933), recall: spread(0.867, 0.933) },
    asGoodAsBest: 0.99999,
    disagreement: 0.000571
  }
  const many = { verdicts: { minimum: 420_000, degenerate: 579_000, diverging: 1000 }, metrics: wide }
  return [
    makeSummary({
      name: 'logistic regression',
      convex: { model: true, modulus: 2.23e-5 },
      verdicts: { minimum: 1_000_000 },
      minima: [makePoint({ count: 1_000_000 })],
      metrics: wide
    }),
    makeSummary({
      name: 'squared loss (brier)',
      ...many,
      convex: { witness: { eigenvalue: -0.0845, parameters: [0], loss: 1 } }
    }),
    makeSummary({
      name: '4-5-1 tanh, ridge 0.01',
      ...many,
      minima: makePoints(123, 420_000),
      degenerate: makePoints(456, 579_000)
    }),
    makeSummary({
      name: '4-5-1 tanh, no ridge',
      ...many,
      convex: { witness: { eigenvalue: -1.61, parameters: [0], loss: 1 } }
    })
  ]
}

describe('the table of a contrast', () => {
  it.each([60, 80, 120])('fits %i columns for four models', width => {
    for (const line of contrastText(four(), width).split('\n')) expect(line.length, line).toBeLessThanOrEqual(width)
  })

  it('has aligned columns at 80: every row ends where the rule does', () => {
    const lines = contrastText(four(), 80).split('\n')
    const rule = lines.findIndex(line => /^-+( +-+){4}$/.test(line))
    expect(rule).toBeGreaterThan(0)
    const rows = lines.slice(rule + 1, lines.indexOf('', rule))
    expect(rows).toHaveLength(keyTable(four()).rows.length)
    for (const row of rows) {
      expect(row).toHaveLength(lines[rule].length)
      for (const gap of lines[rule].matchAll(/ {2}(?=-)/g)) expect(row.slice(gap.index, gap.index + 2), row).toBe('  ')
    }
  })

  it('is turned into a list for each model where its columns do not fit', () => {
    const text = contrastText(four(), 60)
    for (const { name } of four()) expect(text).toContain(`\n${name}\n  distinct minima `)
  })

  it('says what was compared and how to read it', () => {
    const text = contrastText(four(), 100)
    expect(text).toContain('iris2: 100 rows')
    expect(text.replaceAll('\n', ' ')).toContain(keyNotes(four()))
    for (const name of [
      'distinct minima',
      'runs that find the best',
      'runs that end in none',
      'runs as good as the best'
    ])
      expect(text).toContain(name)
  })

  it('has a cell for each model in each row, whatever the models', () => {
    const all = Object.values(everyKind()).map(throughJson)
    for (const [label, ...cells] of [...fullTable(all).rows, ...keyTable(all).rows]) {
      expect(cells).toHaveLength(all.length)
      for (const cell of cells) expect(cell, label).not.toMatch(/NaN|null|undefined|^$/)
    }
    expect(contrastText([], 80)).toBe('')
  })

  it('shows R² and rmse for a loss that is not of classes', () => {
    const metrics = { train: { r2: same(0.9), rmse: same(0.1) }, asGoodAsBest: 1, disagreement: NaN }
    const labels = fullTable([makeSummary({ metrics })]).rows.map(([label]) => label)
    expect(labels).toEqual(expect.arrayContaining(['training R²', 'training rmse']))
    expect(labels.join()).not.toMatch(/accuracy|disagree/)
  })
})

describe('the text of a study', () => {
  const kinds = everyKind()

  it.each(Object.keys(kinds))('%s: every number is one, in lines of a terminal', what => {
    for (const s of [kinds[what], throughJson(kinds[what])]) {
      for (const width of [40, 60, 80, 120]) {
        const text = studyText(s, width)
        expect(text).not.toMatch(/NaN|null|undefined/)
        for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(width)
      }
    }
  })

  it('lists coefficients with standard errors for a generalised linear model only', () => {
    expect(studyText(kinds['convex, all arrived'], 110)).toMatch(
      /Coefficients:\n.*estimate +standard error\n-.*\n\(Intercept\) +-1\.50000 +0\.5000\n/
    )
    expect(studyText(kinds['several minima, flat ones, saddles'], 110)).not.toMatch(/coefficients/i)
  })

  it('shows tests and intervals where there are some, ratios on request, and tests that mislead', () => {
    const inference: Inference = {
      names: ['(Intercept)', 'a', 'b'],
      estimates: [-1.5, 2.25, 0.125],
      standardErrors: [0.5, 1.5, 0.125],
      distribution: 'z',
      confidence: 0.95,
      statistic: [-3, 1.5, 1],
      p: [0.0027, 0.13, 0.3173],
      wald: [
        [-2.48, -0.52],
        [-0.69, 5.19],
        [-0.12, 0.37]
      ],
      profile: [
        [-2.5, -0.5],
        [0.5, null],
        [-0.1, 0.4]
      ],
      likelihoodRatio: [
        { statistic: 9, df: 1, p: 0.0027 },
        { statistic: 12, df: 1, p: 0.00053 },
        { statistic: 1, df: 1, p: 0.3173 }
      ],
      hauckDonner: [false, true, null],
      waldElasticity: [1, -2, null],
      logLik: -20,
      deviance: 40,
      nullDeviance: 60,
      df: 97,
      nullDf: 99,
      aic: 46,
      bic: 53.8,
      dispersion: 1,
      ratio: 'odds ratio'
    }
    const s = makeSummary({
      verdicts: { minimum: 10 },
      convex: { model: true },
      problem: { hidden: [] },
      minima: [makePoint({ inference })]
    })
    const text = studyText(s, 110)
    expect(text).toMatch(/\na +2\.25000 +1\.500 +1\.5 +0\.13 +0\.5 to – +0\.00053/)
    expect(text.replaceAll('\n', ' ')).toMatch(
      /Hauck-Donner effect, strong, on a: its z falls .* its likelihood ratio is 12, p 0\.00053 beside 0\.13\./
    )
    expect(text).toContain('deviance 40 on 97 degrees of freedom (of the mean alone 60 on 99)')
    const ratios = studyText(s, 110, { exponentiate: true })
    expect(ratios).toContain('Coefficients as odds ratios:')
    expect(ratios).toMatch(/\nb +1\.13315 +1 +0\.317 +0\.9048 to 1\.492/)
    for (const width of [40, 60, 80])
      for (const line of studyText(throughJson(s), width).split('\n'))
        expect(line.length, line).toBeLessThanOrEqual(width)
  })

  it('keeps long options and metrics within the lines, too', () => {
    const long = 'adam (learningRate 0.01, beta1 0.9, beta2 0.999, epsilon 1e-8, batchSize 25, order run)'
    const q = spread(0.87651, 0.98764)
    const text = studyText(
      makeSummary({
        problem: { optimizer: long, coding: Array.from({ length: 30 }, (_, i) => `label${i} = ${i}`).join(', ') },
        verdicts: { minimum: 50 },
        minima: [makePoint({ count: 50 })],
        metrics: {
          train: { accuracy: q, recall: q, precision: q, auc: q, logLoss: q },
          asGoodAsBest: 1,
          disagreement: 0
        }
      }),
      110
    )
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(120)
    expect(text.replaceAll('\n', ' ')).toContain(`${long}; cpu f64 on a processor, 2 threads: 500 ms`)
  })

  it('says how the target was coded', () => {
    expect(studyText(kinds['convex, all arrived'], 110)).toContain(
      '\ntarget Species (versicolor = 0, virginica = 1), logistic loss\n'
    )
  })

  it('names every verdict that occurred, with its count', () => {
    expect(studyText(kinds['several minima, flat ones, saddles'], 110)).toContain(
      'verdicts: minimum 800, degenerate 150, saddle 30, unfinished 19, failed 1'
    )
  })

  it('shows ten minima and says how many more there are', () => {
    const text = studyText(kinds['several minima, flat ones, saddles'], 110)
    expect(text).toContain('minima (12):')
    expect(text).toContain('and 2 more in summary.json')
    expect(text.match(/^ *\d+ +\d\.\d{6,} +\d+ /gm)).toHaveLength(10)
  })

  it('says which coefficients go to infinity on separated data', () => {
    expect(studyText(kinds['convex, separated'], 110)).toContain('separation: quasi-complete, NV to +∞, PI to −∞')
  })
})

it('a headline says how many minima there are and who finds the best', () => {
  const [convex, brier, network] = four()
  expect(headline(convex)).toBe('1 minimum, 1 000 000 of 1 000 000 runs'.replaceAll(/(?<=\d) (?=\d)/g, '\u202f'))
  expect(headline(network)).toMatch(/^579 minima, the best from \S+ of 1\u202f000\u202f000 runs$/)
  expect(headline(brier)).toMatch(/^no minimum, 1000 of .* run away$/)
  const away = makeSummary({ verdicts: { diverging: 90, minimum: 10 }, minima: [makePoint({ count: 10 })] })
  expect(headline(away)).toBe('90 of 100 runs run away, 1 minimum met')
})

it('a line does not end between a number and its percent sign', () => {
  const text = 'a share of 90.8 % (84.8–95.6) and 9.2 % of the rest, over 99.9 % of all'
  for (let width = 12; width < text.length; width++) {
    const lines = wrap(text, width)
    expect(lines.join(' ')).toBe(text)
    for (const line of lines) expect(line).not.toMatch(/^%/)
  }
})

it('wrapped text keeps every word, in lines that fit', () => {
  const text = 'one two three ' + 'x'.repeat(50) + ' four'
  const lines = wrap(text, 20)
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(20)
  expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
})
