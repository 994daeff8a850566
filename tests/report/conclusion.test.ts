// The answer in words, for every combination of convexity, separation and verdicts: it says the right thing, never the
// opposite, and reads as English for one and for many.
import { describe, expect, it } from 'vitest'
import { verdicts, type Summary, type UnfinishedReason, type Verdict } from '../../src/core/result.js'
import { conclusion, coverageText } from '../../src/report/conclusion.js'
import { headline } from '../../src/report/contrast.js'
import { placeTexts } from '../../src/report/words.js'
import { everyKind, makeLimit, makePoint, makePoints, makeSummary, same, spread, throughJson } from './summaries.js'

const answer = (s: Summary): string => conclusion([s]).join(' ')
const convex = { model: true, strongly: true, modulus: 0.0123 }
const glm = { hidden: [] }

describe('Firth’s penalty', () => {
  it('leaves open whether the loss is convex', () => {
    const minima = [makePoint({ count: 1000 })]
    const text = answer(makeSummary({ problem: { hidden: [], firth: true }, verdicts: { minimum: 1000 }, minima }))
    expect(text).toContain('since the loss is not known to be convex, nothing rules out another one')
  })
})

describe('runs to infinity', () => {
  it('are told apart by what they approach', () => {
    const limits = [makeLimit(0, 630), makeLimit(1 / 16, 370)]
    const text = answer(makeSummary({ verdicts: { diverging: 1000 }, fields: { limits } }))
    expect(text).toContain('63 % of all runs approach a loss of 0 and 37 % one of 0.0625')
    const some = makeSummary({
      verdicts: { minimum: 900, diverging: 100 },
      minima: [makePoint({ count: 900 })],
      fields: { limits: [makeLimit(0.25, 100)] }
    })
    expect(answer(some)).not.toMatch(/undefined|NaN/)
  })
})

describe('minima of equal loss', () => {
  const points = makePoints(4, 1000).map((p, i) => ({ ...p, loss: i < 3 ? 1 / 12 : 0.5, rank: i < 3 ? 1 : 4 }))
  it('share the lowest loss, and none is called the best', () => {
    const s = makeSummary({ verdicts: { minimum: 1000 }, minima: points })
    expect(answer(s)).toContain('3 minima share the lowest loss, which 75 % of the runs found')
    expect(answer(s)).not.toContain('the best by')
    expect(placeTexts(points)).toEqual(['1=', '1=', '1=', '4'])
    expect(headline(s)).toBe('4 minima, 3 minima share the lowest loss, from 750 of 1000 runs')
  })
  it('a flat one among them counts', () => {
    const s = makeSummary({
      verdicts: { minimum: 250, degenerate: 250 },
      minima: points.slice(0, 1),
      degenerate: points.slice(1, 2)
    })
    expect(answer(s)).toContain('2 minima share the lowest loss')
  })
  it('one alone is the best', () => {
    const alone = points.map((p, i) => ({ ...p, rank: i + 1 }))
    const s = makeSummary({ verdicts: { minimum: 1000 }, minima: alone })
    expect(answer(s)).toContain('the best by 25 % of the runs')
    expect(placeTexts(alone)).toEqual(['1', '2', '3', '4'])
  })
})

describe('a convex model', () => {
  const one = [makePoint({ count: 1000 })]

  it('has the same result whichever way it is started, and why', () => {
    const text = answer(makeSummary({ convex, problem: glm, verdicts: { minimum: 1000 }, minima: one }))
    expect(text).toBe(
      'Model: the same result whichever way it is started, because the loss is convex and has one minimiser ' +
        '(smallest curvature 0.0123); all 1000 runs reached it, to within 2e-15.'
    )
  })

  it('with a single run does not speak of "all 1 runs"', () => {
    const text = answer(
      makeSummary({ convex, problem: glm, verdicts: { minimum: 1 }, minima: [makePoint({ count: 1 })] })
    )
    expect(text).toContain('the only run reached it')
  })

  it('with unfinished runs recommends more steps only where the budget was used up', () => {
    const unfinished = (n: number, reason: UnfinishedReason, condition = 10): string =>
      answer(
        makeSummary({
          convex,
          verdicts: { minimum: 1000 - n, unfinished: n },
          minima: one.map(m => ({ ...m, condition })),
          fields: { unfinished: { budget: 0, saturated: 0, kink: 0, stalled: 0, unjudged: 0, [reason]: n } }
        })
      )
    expect(unfinished(1, 'budget')).toContain(
      '999 of 1000 runs reached it, 1 was unfinished; the budget of 500 steps was used up, so more steps may help'
    )
    expect(unfinished(2, 'stalled')).toContain('2 were unfinished; rounding hides the slope')
    expect(unfinished(2, 'stalled')).toContain('more steps would change nothing')
    expect(unfinished(2, 'stalled', 1e12)).toContain(
      'ill-conditioned: curvatures differ by a factor of 1e12), so more steps would change nothing'
    )
    expect(unfinished(2, 'saturated')).toContain('smaller starts or a ridge may')
    expect(unfinished(2, 'kink')).not.toContain('may help')
  })

  it('that is flat has the same fitted values but not the same weights', () => {
    const flat = makeSummary({ convex: { model: true }, verdicts: { degenerate: 10 }, degenerate: [makePoint()] })
    expect(answer(flat)).toMatch(/fitted values are the same .* but the weights are not/)
  })

  it('recommends of remedies only what was tried and worked', () => {
    const separated = (remedy: NonNullable<Summary['separation']['remedy']> | null): string =>
      answer(
        makeSummary({
          convex: { model: true },
          separation: { status: 'complete', infinite: { a: -1 }, direction: [-1], remedy },
          verdicts: { diverging: 10 }
        })
      )
    expect(separated({ ridge: 0.01, penalizeBias: true })).toContain(
      'a ridge of 0.01 on weights and biases (on weights alone is not enough) makes the minimiser finite'
    )
    expect(separated(null)).toContain('no ridge that was tried makes the minimiser finite')
  })

  it('on separated data has no finite result, with the coefficients that run away', () => {
    for (const status of ['complete', 'quasi-complete'] as const) {
      const text = answer(
        makeSummary({
          convex: { model: true },
          separation: { status, infinite: { NV: 1 }, direction: [0, 1], remedy: { ridge: 0.01, penalizeBias: false } },
          verdicts: { diverging: 10 }
        })
      )
      expect(text).toMatch(/no finite result, because the data are separated/)
      expect(text).toContain(status)
      expect(text).toContain('NV to +∞')
      expect(text).toMatch(/; a ridge of 0\.01 makes the minimiser finite\.$/)
      expect(text).not.toMatch(/same result|converged/)
    }
  })

  it('whose runs all failed or stopped early is not called solved', () => {
    for (const [verdict, advice] of [
      ['unfinished', /the budget of 500 steps was used up, so more steps may help\.$/],
      ['failed', /the offset column "t" overflows\.$/]
    ] as const) {
      const fields = verdict === 'failed' ? { failure: 'the offset column "t" overflows' } : {}
      const text = answer(makeSummary({ convex: { model: true }, verdicts: { [verdict]: 10 }, fields }))
      expect(text).toMatch(/no run arrived/)
      expect(text).toMatch(advice)
      expect(text).not.toMatch(/reached it/)
    }
  })
})

describe('a model that is not convex', () => {
  it('with several minima depends on the start', () => {
    const s = makeSummary({
      verdicts: { minimum: 900, saddle: 4, unfinished: 96 },
      minima: makePoints(3, 900),
      metrics: { train: { accuracy: spread(0.9, 1) }, asGoodAsBest: 0.1, disagreement: 0.2 }
    })
    const text = answer(s)
    expect(text).toContain(
      'the result depends on the start, because the loss is not convex: 3 distinct minima were found'
    )
    expect(text).toContain('losses from 0.1 to 0.3, the best by 30 % of the runs')
    expect(text).toContain('4 stopped at a saddle and 96 were unfinished')
    expect(text).toContain('The accuracy differs over the runs: in training from 0.9 to 1.')
  })

  it('with one minimum says that others may have been missed', () => {
    const text = answer(makeSummary({ verdicts: { minimum: 10 }, minima: [makePoint()] }))
    expect(text).toMatch(/same result from all 10 starts.*nothing rules out another one/)
    const single = answer(makeSummary({ verdicts: { minimum: 1 }, minima: [makePoint({ count: 1 })] }))
    expect(single).toContain('the same result from the only start')
  })

  it('with one minimum and unfinished runs leaves open what the unfinished would have found', () => {
    const some = { minima: [makePoint({ count: 7 })] }
    const text = answer(makeSummary({ verdicts: { minimum: 7, unfinished: 3 }, ...some }))
    expect(text).toMatch(/it is open whether the result depends on the start/)
    const saddles = answer(makeSummary({ verdicts: { minimum: 7, saddle: 3 }, ...some }))
    expect(saddles).toMatch(/so the result depends on the start/)
  })

  it('does not give a range from a number to itself', () => {
    const minima = [makePoint({ loss: 0.1021615833 }), makePoint({ loss: 0.1021615871 })]
    const text = answer(makeSummary({ verdicts: { minimum: 20 }, minima }))
    expect(text).toContain('with losses that agree to six digits (0.102162)')
  })

  it('whose weights run away is not called converged', () => {
    const text = answer(makeSummary({ verdicts: { diverging: 10 } }))
    expect(text).toMatch(/no run converged: in all 10 runs the weights run away/)
    expect(text).not.toMatch(/minima were found/)
  })

  it('counts flat minima beside strict ones', () => {
    const s = makeSummary({
      verdicts: { minimum: 5, degenerate: 5 },
      minima: makePoints(2, 5),
      degenerate: [makePoint({ loss: 0.05, count: 5 })]
    })
    expect(answer(s)).toContain(
      '3 distinct minima, 1 of them flat, were found, losses from 0.05 to 0.2, the best by 50 %'
    )
  })
})

describe('several models', () => {
  const away = (name: string): Summary => makeSummary({ name, verdicts: { diverging: 10 } })
  const certain = makeSummary({
    name: 'logistic regression',
    convex,
    verdicts: { minimum: 10 },
    minima: [makePoint({ count: 10 })]
  })

  it('of one kind share a sentence, which says what it found of each', () => {
    const some = makeSummary({
      name: '4-2-1 tanh, ridge 0.01',
      verdicts: { minimum: 10 },
      minima: makePoints(2, 10),
      metrics: { train: { accuracy: spread(0.9, 0.95) }, asGoodAsBest: 0.5, disagreement: 0.1 }
    })
    expect(conclusion([certain, away('4-2-1 tanh, no ridge'), some, away('4-3-1 tanh, no ridge')])).toEqual([
      'The same result from every start, because the loss is convex and has one minimiser: logistic regression (all 10 runs reached it; training accuracy 0.98).',
      'A result that depends on the start, because the loss is not convex: 4-2-1 tanh, ridge 0.01 (2 distinct minima, the best found by 50 % of the runs; training accuracy 0.9–0.95).',
      'No result to arrive at, because the weights run away while the loss goes on falling: 4-2-1 tanh, no ridge (all 10 runs; training accuracy 0.98) and 4-3-1 tanh, no ridge (all 10 runs; training accuracy 0.98).'
    ])
  })

  it('of no kind keep sentences of their own', () => {
    const separated = makeSummary({
      convex,
      separation: { status: 'complete', infinite: { a: 1 } },
      verdicts: { diverging: 10 }
    })
    const one = makeSummary({ verdicts: { minimum: 10 }, minima: [makePoint({ count: 10 })] })
    expect(conclusion([certain, separated, one]).slice(1)).toEqual([...conclusion([separated]), ...conclusion([one])])
  })

  it('say on how many rows ties decide', () => {
    expect(conclusion([{ ...certain, tiedRows: 4 }, certain])[0]).toContain('0.98; ties decide on 4 rows) and')
  })
})

/** Verdict counts with each verdict absent, once or many times: 3⁶ − 1 cases. */
function* mixtures(): Generator<Record<Verdict, number>> {
  for (let code = 1; code < 3 ** verdicts.length; code++)
    yield Object.fromEntries(verdicts.map((v, i) => [v, [0, 1, 40][Math.floor(code / 3 ** i) % 3]])) as Record<
      Verdict,
      number
    >
}

describe('every mixture of verdicts', () => {
  const separations = ['none', 'quasi-complete', 'complete', 'not-applicable'] as const
  const cases = [...mixtures()].flatMap(v =>
    [true, false].flatMap(model => separations.map(status => ({ v, model, status })))
  )

  it(`reads as English and claims nothing false (${cases.length} cases)`, () => {
    for (const { v, model, status } of cases) {
      const separated = status === 'complete' || status === 'quasi-complete'
      const s = throughJson(
        makeSummary({
          convex: { model, modulus: model && v.minimum > 0 ? 0.01 : null },
          separation: { status, infinite: separated ? { a: 1 } : {} },
          verdicts: v,
          minima: v.minimum > 0 ? makePoints(v.minimum > 1 && !model ? 2 : 1, v.minimum) : [],
          degenerate: v.degenerate > 0 ? makePoints(1, v.degenerate, { nullity: 1 }) : [],
          saddles: v.saddle > 0 ? makePoints(1, v.saddle, { index: 1 }) : []
        })
      )
      const text = answer(s)
      const at = `${JSON.stringify(v)} ${model ? 'convex' : 'not convex'} ${status}: ${text}`
      expect(text, at).toMatch(/^Model: .*[.]$/)
      expect(text, at).not.toMatch(/NaN|null|undefined|Infinity|\(\)|, ,| {2}|\.\.|;\s*[.;]/)
      expect(text, at).not.toMatch(/\b1 (runs|starts|minima|were)\b|all 1 /)
      expect(text, at).not.toMatch(/\b(40|0|[2-9]\d*) was\b/)
      // What does not hold is not said.
      if (v.minimum + v.degenerate === 0) expect(text, at).not.toMatch(/reached it|same result/)
      if (!separated) expect(text, at).not.toMatch(/are separated/)
      else expect(text, at).toMatch(/are separated/)
      if (!model) expect(text, at).not.toMatch(/loss is convex/)
      if (model && !separated) expect(text, at).not.toMatch(/not convex|depends on the start/)
      for (const [n, word] of [
        [v.failed, 'failed'],
        [v.saddle, 'saddle']
      ] as const)
        if (n === 0) expect(text, at).not.toContain(word)
    }
  })
})

describe('predictions', () => {
  const with_ = (metrics: Summary['metrics']): string => answer(makeSummary({ verdicts: { diverging: 10 }, metrics }))

  it('are said to be the same or to differ, on both parts', () => {
    expect(with_({ train: { accuracy: same(1) }, asGoodAsBest: 1, disagreement: 0 })).toContain(
      'The accuracy is the same over the runs: in training 1.'
    )
    expect(
      with_({ train: { accuracy: same(1) }, test: { accuracy: spread(0.8, 1) }, asGoodAsBest: 1, disagreement: 0 })
    ).toContain('The accuracy differs over the runs: in training 1 every time, held out from 0.8 to 1.')
  })

  it('are left out where there is no number', () => {
    const text = with_(
      throughJson(makeSummary({ metrics: { train: { accuracy: same(NaN) }, asGoodAsBest: NaN, disagreement: NaN } }))
        .metrics
    )
    expect(text).not.toMatch(/accuracy/)
  })
})

describe('coverage', () => {
  it('gives the bound, and the further starts where there are any to make', () => {
    const s = makeSummary({ verdicts: { minimum: 10 }, minima: [makePoint()] })
    expect(coverageText(s)).toMatch(/^With 95 % confidence, .* probability at most 0\.003\.$/)
    const more = (n: number): string =>
      coverageText({ ...s, coverage: { ...s.coverage, unseenUpperBound: 0.26, moreStartsForOnePercent: n } })
    expect(more(1)).toMatch(/; 1 more start without a new minimum would bring that to 1 %\.$/)
    expect(more(300)).toMatch(/; 300 more starts /)
  })

  it('gives no bound of 1', () => {
    const s = makeSummary({ verdicts: { minimum: 2 }, minima: [makePoint({ count: 2 })] })
    const text = coverageText({ ...s, coverage: { ...s.coverage, unseenUpperBound: 1, moreStartsForOnePercent: 298 } })
    expect(text).toMatch(/^Too few runs .*; 298 more starts without a new one .* 1 %, with 95 % confidence\.$/)
  })

  it('is silent about a convex loss, and where no run ended in a minimum', () => {
    expect(coverageText(makeSummary({ convex, verdicts: { minimum: 1 }, minima: [makePoint()] }))).toMatch(
      /no other minimum/
    )
    expect(coverageText(makeSummary({ verdicts: { diverging: 1 } }))).toMatch(/nothing can be said/)
  })
})

it('no kind of summary, read back from JSON, breaks it', () => {
  for (const [what, s] of Object.entries(everyKind())) {
    const text = [answer(throughJson(s)), coverageText(throughJson(s))].join(' ')
    expect(text, what).not.toMatch(/NaN|null|undefined/)
  }
})
