/** The charts of a report: Vega-Lite specifications rendered to inline SVG without a browser. */
import * as vega from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import type { Bands, Summary } from '../core/result.js'

/** Okabe and Ito's palette, legible to most colour-blind readers, on light and dark ground. */
export const palette = ['#0072B2', '#E69F00', '#009E73', '#CC79A7', '#56B4E9', '#D55E00', '#999999', '#B8A100']
/** Text and lines take the page's colours, so that charts follow light and dark. */
const ink = 'currentColor'
const faint = '#8886'

const config = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  axis: {
    labelColor: ink,
    titleColor: ink,
    gridColor: faint,
    domainColor: faint,
    tickColor: faint,
    titleFontWeight: 'normal',
    labelFontSize: 11,
    titleFontSize: 12
  },
  legend: {
    labelColor: ink,
    titleColor: ink,
    titleFontWeight: 'normal',
    labelLimit: 260,
    orient: 'bottom',
    columns: 2
  },
  header: { labelColor: ink, titleColor: ink },
  range: { category: palette }
} as const

async function svg(spec: object): Promise<string> {
  const full = {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    ...spec,
    config
  } as unknown as TopLevelSpec
  const quiet = vega.logger(vega.Error)
  const compiled = compile(full, { logger: quiet }).spec
  const view = new vega.View(vega.parse(compiled), { renderer: 'none', logger: quiet })
  const text = await view.toSVG()
  view.finalize()
  // The schema's namespaces stay; sizes come from the page.
  return text.replace(/<svg ([^>]*?)width="(\d+)" height="(\d+)"/, '<svg role="img" $1')
}

export interface Chart {
  readonly title: string
  /** What is shown, with n and the thresholds that matter. */
  readonly caption: string
  readonly svg: string
}

const width = 560
const height = 260

/** Values that a log axis cannot show are drawn at this share of the smallest positive one, and the caption says so. */
function floorOf(values: readonly number[]): number {
  const positive = values.filter(v => v > 0 && Number.isFinite(v))
  return positive.length > 0 ? Math.min(...positive) / 3 : 1e-16
}

const origin = (s: Summary): string =>
  `n = ${s.starts} runs, seed ${s.problem.seed}, ${s.engine.name} ${s.engine.precision}`

/** Certified end-point losses by rank, coloured by where the run ended. */
export async function waterfall(s: Summary): Promise<Chart | undefined> {
  const points = s.waterfall.filter(p => Number.isFinite(p.loss))
  if (points.length === 0) return undefined
  const rank = new Map(s.minima.map((m, i) => [m.id, i + 1]))
  const shown = palette.length - 2
  const group = (p: (typeof points)[number]): string => {
    if (p.verdict !== 'minimum') return p.verdict === 'degenerate' ? 'flat minimum' : p.verdict
    const i = rank.get(p.point ?? -1) ?? Infinity
    return i <= shown ? `minimum ${i}` : 'other minima'
  }
  const lowest = Math.min(...points.map(p => p.loss))
  const highest = Math.max(...points.map(p => p.loss))
  const log = lowest > 0 && highest / lowest > 30
  // Losses that differ by rounding only are drawn as one line, not as a picture of the rounding.
  const pad = Math.max(0, 1e-3 * Math.max(Math.abs(lowest), Math.abs(highest)) - (highest - lowest))
  const domain = pad > 0 ? { domain: [lowest - pad, highest + pad] } : {}
  const values = points.map((p, i) => ({
    run: points.length === 1 ? 1 : 1 + (i * (s.starts - 1)) / (points.length - 1),
    loss: p.loss,
    end: group(p)
  }))
  const names = [...new Set(values.map(v => v.end))]
  const chart = await svg({
    width,
    height,
    data: { values },
    mark: { type: 'point', filled: true, size: 22, opacity: 0.85 },
    encoding: {
      x: {
        field: 'run',
        type: 'quantitative',
        title: 'runs, sorted by loss',
        scale: { nice: false },
        axis: { tickCount: 6 }
      },
      y: {
        field: 'loss',
        type: 'quantitative',
        title: 'loss at the end point',
        scale: { type: log ? 'log' : 'linear', zero: false, ...domain }
      },
      color: { field: 'end', type: 'nominal', title: null, sort: names, scale: { domain: names } },
      shape: { field: 'end', type: 'nominal', title: null, sort: names, scale: { domain: names } }
    }
  })
  const part = points.length < s.starts ? ` ${points.length} of them shown, evenly spaced by rank.` : ''
  return { title: 'Where the runs end', caption: `${origin(s)}; losses as certified in f64.${part}`, svg: chart }
}

/** Loss gap and gradient norm against steps for every model that has curves. */
export async function convergence(summaries: readonly Summary[]): Promise<Chart | undefined> {
  const traced = summaries.filter(s => s.curves)
  if (traced.length === 0) return undefined
  const rows: object[] = []
  const floors: Record<string, number> = {}
  for (const [kind, label] of [
    ['lossGap', 'loss above the best'],
    ['gradientNorm', 'gradient norm']
  ] as const) {
    const all = traced.flatMap(s => s.curves![kind].q05.concat(s.curves![kind].median))
    const floor = Math.max(1e-17, floorOf(all))
    floors[label] = floor
    for (const s of traced) {
      const bands: Bands = s.curves![kind]
      s.curves!.steps.forEach((step, i) => {
        const at = (list: readonly number[]): number => Math.max(floor, list[i])
        if (!Number.isFinite(bands.median[i])) return
        rows.push({
          step,
          model: s.name,
          kind: label,
          low: at(bands.q05),
          q25: at(bands.q25),
          median: at(bands.median),
          q75: at(bands.q75),
          high: at(bands.q95)
        })
      })
    }
  }
  const names = traced.map(s => s.name)
  const legend = { symbolOpacity: 1, symbolType: 'square', columns: 4 }
  const color = { field: 'model', type: 'nominal', title: null, sort: names, scale: { domain: names }, legend }
  const x = { field: 'step', type: 'quantitative', title: 'step', scale: { type: 'log', nice: false } }
  const panel = (kind: string): object => ({
    width: 400,
    height: 260,
    transform: [{ filter: { field: 'kind', equal: kind } }],
    layer: [
      {
        mark: { type: 'area', opacity: 0.12 },
        encoding: {
          x,
          y: {
            field: 'low',
            type: 'quantitative',
            title: kind,
            scale: { type: 'log' },
            axis: { format: '.0e', tickCount: 6 }
          },
          y2: { field: 'high' },
          color
        }
      },
      {
        mark: { type: 'area', opacity: 0.22 },
        encoding: { x, y: { field: 'q25', type: 'quantitative' }, y2: { field: 'q75' }, color }
      },
      { mark: { type: 'line', strokeWidth: 2 }, encoding: { x, y: { field: 'median', type: 'quantitative' }, color } }
    ]
  })
  const chart = await svg({ data: { values: rows }, hconcat: Object.keys(floors).map(panel), spacing: 36 })
  const runs = traced.map(s => s.curves!.runs)
  return {
    title: 'Convergence',
    caption:
      `Median, quartiles and 5-95 % bands over the first ${Math.max(...runs)} runs of each model; a run that has ended stays where it ended. ` +
      'The gap is measured from the lowest certified loss of the model; values at or below rounding are drawn at the bottom.',
    svg: chart
  }
}

/** Hessian eigenvalues of the first minima. */
export async function spectrum(s: Summary): Promise<Chart | undefined> {
  const sets = [
    ...s.minima.slice(0, 8).map((m, i) => ({ name: `minimum ${i + 1}`, point: m })),
    ...s.degenerate.slice(0, 3).map((m, i) => ({ name: `flat ${i + 1}`, point: m })),
    ...s.saddles.slice(0, 3).map((m, i) => ({ name: `saddle ${i + 1}`, point: m }))
  ].filter(p => p.point.eigenvalues.length > 0)
  if (sets.length === 0) return undefined
  const size = sets.flatMap(p => p.point.eigenvalues.map(Math.abs))
  const top = Math.max(...size)
  const floor = Math.max(floorOf(size.filter(v => v > top * 1e-16)), top * 1e-17)
  const values = sets.flatMap(({ name, point }) =>
    point.eigenvalues.map(v => ({
      name,
      size: Math.max(floor, Math.abs(v)),
      sign: Math.abs(v) <= floor ? 'zero' : v < 0 ? 'negative' : 'positive'
    }))
  )
  const chart = await svg({
    width,
    height: Math.max(60, 24 * sets.length),
    data: { values },
    mark: { type: 'tick', thickness: 2, bandSize: 16 },
    encoding: {
      x: {
        field: 'size',
        type: 'quantitative',
        title: '|eigenvalue|',
        scale: { type: 'log' },
        axis: { format: '.0e', tickCount: 8 }
      },
      y: { field: 'name', type: 'nominal', title: null, sort: sets.map(p => p.name) },
      color: {
        field: 'sign',
        type: 'nominal',
        title: null,
        scale: { domain: ['positive', 'negative', 'zero'], range: [palette[0], palette[5], palette[6]] }
      }
    }
  })
  const scale = s.problem.scale === 'standardized' ? 'in the standardised columns' : 'in the columns as given'
  return {
    title: 'Hessian spectrum',
    caption: `Eigenvalues at each distinct point, ${scale}; values at rounding level are drawn at the left end.`,
    svg: chart
  }
}

/** Shares of the first minima with their intervals. */
export async function shares(s: Summary): Promise<Chart | undefined> {
  const list = s.minima.slice(0, 20)
  if (list.length === 0) return undefined
  const values = list.map((m, i) => ({
    name: `${i + 1}: ${m.loss.toPrecision(6)}`,
    share: m.share,
    low: m.shareInterval[0],
    high: m.shareInterval[1]
  }))
  const y = { field: 'name', type: 'nominal', title: 'minimum: loss', sort: values.map(v => v.name) }
  const chart = await svg({
    width,
    height: Math.max(60, 22 * list.length),
    data: { values },
    layer: [
      {
        mark: { type: 'rule', color: palette[0] },
        encoding: {
          y,
          x: {
            field: 'low',
            type: 'quantitative',
            title: 'share of the runs that end in a minimum',
            scale: { domainMin: 0 }
          },
          x2: { field: 'high' }
        }
      },
      {
        mark: { type: 'point', filled: true, size: 50, color: palette[0] },
        encoding: { y, x: { field: 'share', type: 'quantitative' } }
      }
    ]
  })
  const more = s.minima.length > list.length ? ` ${s.minima.length - list.length} further minima are not shown.` : ''
  return {
    title: 'Share of each minimum',
    caption: `${origin(s)}; bars are ${100 * s.coverage.confidence} % Wilson intervals.${more}`,
    svg: chart
  }
}

/** Distinct minima against starts. */
export async function discovery(s: Summary): Promise<Chart | undefined> {
  if (s.minima.length < 2) return undefined
  const chart = await svg({
    width,
    height: 180,
    data: { values: s.coverage.discovery },
    mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2, color: palette[0] },
    encoding: {
      x: { field: 'starts', type: 'quantitative', title: 'starts', scale: { type: 'log', nice: false } },
      y: { field: 'minima', type: 'quantitative', title: 'distinct minima met', scale: { domainMin: 0 } }
    }
  })
  return { title: 'Discovery', caption: `${origin(s)}, in the order of the starts.`, svg: chart }
}

/** Spread of accuracy (or R²) over runs, training beside held-out rows. */
export async function scores(summaries: readonly Summary[]): Promise<Chart | undefined> {
  const name = summaries.some(s => s.metrics.train.accuracy) ? 'accuracy' : 'r2'
  const values = summaries.flatMap(s =>
    (['train', 'test'] as const).flatMap(part => {
      const q = s.metrics[part]?.[name]
      return q && Number.isFinite(q.median)
        ? [{ ...q, model: s.name, rows: part === 'train' ? 'training' : 'held out' }]
        : []
    })
  )
  if (values.length === 0) return undefined
  const y = {
    field: 'model',
    type: 'nominal',
    title: null,
    sort: summaries.map(s => s.name),
    axis: { labelLimit: 220 }
  }
  const yOffset = { field: 'rows', type: 'nominal', sort: ['training', 'held out'] }
  const color = {
    field: 'rows',
    type: 'nominal',
    title: null,
    sort: ['training', 'held out'],
    scale: { domain: ['training', 'held out'] }
  }
  const chart = await svg({
    width: 460,
    height: { step: 18 },
    data: { values },
    layer: [
      {
        mark: { type: 'rule' },
        encoding: {
          y,
          yOffset,
          color,
          x: { field: 'min', type: 'quantitative', title: name === 'r2' ? 'R²' : 'accuracy', scale: { zero: false } },
          x2: { field: 'max' }
        }
      },
      {
        mark: { type: 'bar', height: 7, opacity: 0.6 },
        encoding: { y, yOffset, color, x: { field: 'q25', type: 'quantitative' }, x2: { field: 'q75' } }
      },
      {
        mark: { type: 'tick', thickness: 3, bandSize: 12 },
        encoding: { y, yOffset, color, x: { field: 'median', type: 'quantitative' } }
      }
    ]
  })
  return {
    title: 'What it means for predictions',
    caption: 'Line: all runs; bar: the middle half; tick: the median. At the points where the optimiser left the runs.',
    svg: chart
  }
}
