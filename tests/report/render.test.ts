// The HTML of a report as text: structure, escaping, no script and no address outside itself, charts with finite numbers.
// How it looks is for browser.test.ts.
import { beforeAll, describe, expect, it } from 'vitest'
import { verdicts, type Summary } from '../../src/core/result.js'
import type { Chart } from '../../src/report/charts/chart.js'
import { convergence } from '../../src/report/charts/convergence.js'
import { discovery } from '../../src/report/charts/discovery.js'
import { scores } from '../../src/report/charts/scores.js'
import { shares } from '../../src/report/charts/shares.js'
import { spectrum } from '../../src/report/charts/spectrum.js'
import { waterfall } from '../../src/report/charts/waterfall.js'
import { renderReport } from '../../src/report/render.js'
import { everyKind, makeLimit, makePoint, makePoints, makeSummary, throughJson } from './summaries.js'

const kinds = everyKind()
const several = kinds['several minima, flat ones, saddles']
const pages: Record<string, readonly Summary[]> = {
  ...Object.fromEntries(Object.entries(kinds).map(([what, s]) => [what, [s]])),
  'all of them side by side': Object.values(kinds)
}
const render = (summaries: readonly Summary[]): Promise<string> =>
  renderReport(summaries.map(throughJson), { title: 'A title' })

const voidTags = new Set(['meta', 'br', 'hr', 'img', 'input', 'link', '!doctype'])
/** Opening and closing tags must nest; returns the names met. */
function tags(html: string): Set<string> {
  const open: string[] = []
  const met = new Set<string>()
  const style = /<style>[^<]*<\/style>/g
  for (const [tag, slash, name, rest] of html
    .replace(style, '')
    .matchAll(/<(\/?)([a-z!][a-z0-9]*)((?:"[^"]*"|[^">])*)>/gi)) {
    met.add(name)
    if (slash === '/') expect(open.pop(), `${tag} closes it`).toBe(name)
    else if (!voidTags.has(name) && !rest.endsWith('/')) open.push(name)
  }
  expect(open).toEqual([])
  return met
}

/** Every number of a drawing. */
const drawn = (svg: string): string[] =>
  [...svg.matchAll(/ (?:d|transform|x|y|x1|x2|y1|y2|width|height|viewBox)="([^"]*)"/g)].map(m => m[1])

describe.each(Object.keys(pages))('page: %s', what => {
  let page = ''
  beforeAll(async () => {
    page = await render(pages[what])
  })

  it('is well formed', () => {
    const html = page
    expect(html.startsWith('<!doctype html>\n<html lang="en">')).toBe(true)
    const met = tags(html)
    for (const name of ['html', 'head', 'title', 'body', 'main', 'h1', 'article', 'details', 'summary', 'table'])
      expect(met).toContain(name)
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(m => m[1])
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('runs no script and fetches nothing', () => {
    const html = page
      .replaceAll('xmlns="http://www.w3.org/2000/svg"', '')
      .replaceAll('xmlns:xlink="http://www.w3.org/1999/xlink"', '')
    expect(html).not.toMatch(/<(script|iframe|object|embed|link|img|form|base)\b/i)
    expect(html).not.toMatch(/\son[a-z]+\s*=|javascript:|https?:|\/\/[a-z]|@import|url\(/i)
    expect(html).not.toMatch(/\b(href|src|action)=/)
  })

  it('shows no number that is none', () => {
    expect(page).not.toMatch(/NaN|undefined|\bnull\b|\[object|Infinity/)
  })

  it('draws with finite numbers and names every picture', () => {
    const pictures = [...page.matchAll(/<svg [^>]*role="img"[^>]*>.*?<\/svg>/gs)].map(m => m[0])
    expect(pictures.length).toBe(page.match(/role="img"/g)?.length ?? 0)
    for (const svg of pictures) {
      expect(svg).toMatch(/<title>[^<]{10,}<\/title>/)
      expect(svg).toMatch(/viewBox="0 0 \d+(\.\d+)? \d+(\.\d+)?"/)
      for (const numbers of drawn(svg)) expect(numbers).not.toMatch(/NaN|undefined|Infinity|null/)
    }
  })
})

describe('what is on the page', () => {
  it('names that every object has, such as toString, as other names', async () => {
    for (const name of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
      const page = await render([
        { ...several, name },
        { ...makeSummary(), name: 'another' }
      ])
      expect(page).toContain(name)
      expect(page).toMatch(/<svg/)
    }
  })

  it('every verdict that occurred, with its meaning', async () => {
    const html = await render([several])
    const rows = [...html.matchAll(/<tr><td>([a-z]+)<\/td><td class="n">(\d+)<\/td><td>([^<]+)<\/td><\/tr>/g)]
    const shown = Object.fromEntries(rows.map(([, verdict, n]) => [verdict, Number(n)]))
    for (const v of verdicts.filter(v => several.verdicts[v] > 0)) expect(shown[v]).toBe(several.verdicts[v])
  })

  it('pictures with their headlines, the table and the answer first; the rest folded, the thresholds at the end', async () => {
    const html = await render([kinds['convex, all arrived'], several])
    const places = [
      'class="panels"',
      '1 minimum, 1000 of 1000 runs',
      '</svg>',
      'distinct minima',
      'class="answer"',
      '<details>'
    ]
    const at = places.map(text => html.indexOf(text))
    expect(
      at.every((n, i) => n > (at[i - 1] ?? 0)),
      String(at)
    ).toBe(true)
    expect(html.slice(html.indexOf('<details>'))).toMatch(/<h2>Thresholds<\/h2>.*newtonStep.*1e-6/s)
    expect(html).not.toContain('<details open')
  })

  it('the limits of runs to infinity, with shares, intervals and what grows', async () => {
    const limits = [makeLimit(0, 630), makeLimit(1 / 16, 370)]
    const html = await render([makeSummary({ verdicts: { diverging: 1000 }, fields: { limits } })])
    const rows = [...html.matchAll(/<tr>((?:<td[^>]*>[^<]*<\/td>)+)<\/tr>/g)].map(m =>
      [...m[1].matchAll(/<td[^>]*>([^<]*)</g)].map(c => c[1])
    )
    expect(rows.find(r => r[1] === '0.0625')).toEqual([
      '2',
      '0.0625',
      '1e-9',
      '370',
      '37 %',
      '18.5 to 74 %',
      'out:h1.1, h1.1:a and h1.1:b',
      '0.75'
    ])
  })

  it('how the table was read: rows left out, levels and the reference', async () => {
    const dataset: Summary['dataset'] = {
      rows: { read: 1200, dropped: 34, training: 816, heldOut: 350 },
      columns: 9,
      features: [{ column: 'dose' }, { column: 'site', levels: ['a<b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'] }],
      target: { column: 'cured', coding: '' },
      notes: []
    }
    const html = await render([makeSummary({ fields: { dataset } })])
    expect(html).toContain('1200 read, 34 left out because of missing values, 816 for training, 350 held out')
    expect(html).toContain('dose, site (labels a&#60;b, c, d, e, f, g and 2 more; reference a&#60;b)')
  })

  it('what all studies share once', async () => {
    const html = await render([kinds['convex, all arrived'], several])
    expect(html.match(/why that engine/g)).toHaveLength(1)
  })

  it('the table of the terminal and a section for each model of a contrast', async () => {
    const html = await render([kinds['convex, all arrived'], several])
    for (const text of ['All figures', 'distinct minima', 'runs as good as the best', 'steps to the end'])
      expect(html).toContain(text)
    expect(html).toContain('<h2>logistic regression</h2>')
    expect(html).toContain('<h2>4-2-1 tanh, ridge 0.01</h2>')
  })

  it('predictions on training and held-out rows', async () => {
    const html = await render([several])
    expect(html).toContain('<td>accuracy</td><td class="n">0.95 [0.9, 1]</td><td class="n">0.75 [0.5, 1]</td>')
    expect(html).toContain(
      'As good as the best run: 9.91 % of the runs. Two runs predict different classes on 1.23 % of the rows.'
    )
  })

  it('four of many separated coefficients', async () => {
    const infinite = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`column${i}`, 1 as const]))
    const html = await render([
      makeSummary({ separation: { status: 'complete', infinite }, verdicts: { diverging: 1 } })
    ])
    expect(html).toContain('column3 to +∞ and 36 more')
    expect(html).not.toContain('column4 ')
  })

  it('flat minima with what is not identified, in the singular for one', async () => {
    const flat = (nullity: number, n: number): Promise<string> =>
      render([
        makeSummary({
          verdicts: { degenerate: n },
          degenerate: [makePoint({ count: n, nullity, nullityExplained: nullity, flatParameters: ['h1.1:a'] })]
        })
      ])
    expect(await flat(1, 1)).toContain(
      '(1 run): 1 flat direction, 1 explained by symmetries and dead units; not identified: h1.1:a.'
    )
    expect(await flat(2, 9)).toContain('(9 runs): 2 flat directions, 2 explained')
  })

  it('thirty minima of many, and how many more there are', async () => {
    const html = await render([makeSummary({ verdicts: { minimum: 100 }, minima: makePoints(100, 100) })])
    expect(html).toContain('Minima (100)')
    expect(html).toContain('and 70 more in summary.json')
  })
})

describe('text from the data', () => {
  const evil = '<script>alert(1)</script><img src=x onerror="alert(2)">\'&amp;'

  it('is escaped wherever it appears', async () => {
    const point = makePoint({
      names: [evil, evil, evil],
      flatParameters: [evil],
      nullity: 1,
      standardErrors: [1, 1, 1]
    })
    const s = makeSummary({
      name: evil,
      convex: { model: true, reason: evil },
      separation: { status: 'quasi-complete', infinite: { [evil]: 1 }, reason: evil },
      problem: { hidden: [], data: evil, target: evil, coding: evil, optimizer: evil, init: evil },
      verdicts: { minimum: 5, degenerate: 5 },
      minima: [point, { ...point, id: 1 }],
      degenerate: [point],
      fields: {
        notes: [evil],
        engine: { name: evil, precision: evil, device: evil, threads: 1, why: evil },
        thresholds: { [evil]: { value: 1, meaning: evil } }
      }
    })
    for (const summaries of [[s], [s, { ...s, convex: { ...s.convex, model: false } }]]) {
      const html = await renderReport(summaries, { title: evil })
      expect(html).not.toMatch(/<script|<img|onerror="|&amp;(?!amp;)/)
      expect(html).toContain('&#60;script&#62;')
      tags(html)
    }
  })
})

describe('charts', () => {
  const ok = (chart: Chart | undefined): Chart => {
    expect(chart).toBeDefined()
    return chart!
  }

  it('leave out what has nothing to show', async () => {
    const one = kinds['convex, all arrived']
    expect(await shares(one)).toBeUndefined()
    expect(await discovery(one)).toBeUndefined()
    expect(await waterfall(kinds['nothing finite'])).toBeUndefined()
    expect(await waterfall(kinds['no run at all'])).toBeUndefined()
    expect(await spectrum(kinds['a point with holes'])).toBeUndefined()
    expect(await convergence([kinds['nothing finite']])).toBeUndefined()
    expect(await scores([kinds['nothing finite']].map(throughJson))).toBeUndefined()
  })

  it('the waterfall has a mark for each run, grouped by shape as well as by colour', async () => {
    const s = makeSummary({
      verdicts: { minimum: 4, saddle: 1 },
      minima: makePoints(2, 4),
      saddles: makePoints(1, 1, { index: 1 }),
      fields: {
        waterfall: [0, 0, 1, 1]
          .map(id => ({ loss: 0.1 + 0.1 * id, verdict: 'minimum' as const, point: id }))
          .concat([{ loss: 0.5, verdict: 'saddle' as const, point: 0 } as never])
      }
    })
    const { svgs } = ok(await waterfall(s))
    const marks = /mark-symbol role-mark.*?<\/g>/s.exec(svgs[0])![0]
    const looks = [...marks.matchAll(/d="(M[^"]*)"[^>]*fill="(#\w+)"/g)]
    expect(looks).toHaveLength(5)
    const shapes = new Map(looks.map(([, d, fill]) => [fill, d]))
    expect(shapes.size).toBe(3)
    expect(new Set(shapes.values()).size).toBe(3)
    for (const name of ['minimum 1', 'minimum 2', 'saddle']) expect(svgs[0]).toContain(`>${name}</text>`)
  })

  it('losses that differ by rounding are drawn as one level', async () => {
    const loss = 0.0594927
    const s = makeSummary({
      verdicts: { minimum: 3 },
      minima: [makePoint({ loss })],
      fields: {
        waterfall: [0, 1, 2].map(i => ({
          loss: loss * (1 + i * Number.EPSILON),
          verdict: 'minimum' as const,
          point: 0
        }))
      }
    })
    const { svgs } = ok(await waterfall(s))
    const marks = /mark-symbol role-mark.*?<\/g>/s.exec(svgs[0])![0]
    const levels = [...marks.matchAll(/translate\([\d.]+,([\d.]+)\)/g)].map(m => m[1])
    expect(levels).toHaveLength(3)
    expect(new Set(levels).size).toBe(1)
  })

  it('convergence has a line for each model with a dash of its own, and says which is convex', async () => {
    const { svgs, legend } = ok(await convergence([kinds['convex, all arrived'], several]))
    expect(svgs).toHaveLength(2)
    expect(legend?.map(l => l.name)).toEqual(['logistic regression (convex)', '4-2-1 tanh, ridge 0.01 (not convex)'])
    for (const svg of svgs) {
      const lines = [...svg.matchAll(/stroke-dasharray="([^"]+)"/g)].map(m => m[1])
      expect(new Set(lines).size).toBe(2)
    }
  })

  it('the spectrum tells signs by shape', async () => {
    const { svgs, caption } = ok(await spectrum(several))
    for (const name of ['positive', 'negative', 'zero', 'minimum 1', 'flat minimum 1', 'saddle 1'])
      expect(svgs[0]).toContain(`>${name}</text>`)
    expect(caption).toContain('saddle')
  })

  it('shares stand beside their intervals', async () => {
    const { svgs, caption } = ok(await shares(several))
    expect(caption).toContain('95 % Wilson interval')
    expect(svgs[0].match(/>\d+: \d\.\d+</g)).toHaveLength(12)
  })
})
