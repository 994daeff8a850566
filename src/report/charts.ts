/** The charts of a report. Each is a pure function of summaries; numbers that are not finite are left out. */
import type { Bands, Summary } from '../core/result.js'
import { formatCount } from '../core/units.js'
import { dashes, lineSign, logAxis, markSign, palette, svg } from './svg.js'
import { count, fixed, mainMetric, percent } from './words.js'

export interface Chart {
  readonly title: string
  /** What is shown and how to read it, with n and the settings that matter. */
  readonly caption: string
  /** One picture, or several that belong together. */
  readonly svgs: readonly string[]
  /** Names beside their lines or marks, where several pictures share them. */
  readonly legend?: readonly { readonly sign: string; readonly name: string }[]
}

const height = 250
/** Points with a colour of their own in the waterfall. */
const namedMinima = 5
const namedFlat = 3

/** Values that a log axis cannot show are drawn at this share of the smallest positive one. */
function floorOf(values: readonly number[]): number {
  const low = values.reduce((a, v) => (v > 0 && Number.isFinite(v) ? Math.min(a, v) : a), Infinity)
  return Number.isFinite(low) ? low / 3 : 1e-16
}
const highest = (values: readonly number[]): number =>
  values.reduce((a, v) => (Number.isFinite(v) ? Math.max(a, v) : a), -Infinity)
const lowest = (values: readonly number[]): number => -highest(values.map(v => -v))

const origin = (s: Summary): string =>
  `${count(s.starts, 'run', 'runs')}, seed ${s.problem.seed}, ${s.engine.name} ${s.engine.precision}`

/** Colour and shape of a group of end points. */
type Look = readonly [colour: string, shape: string]
const minimumLooks: readonly Look[] = [
  [palette[0], 'circle'],
  [palette[1], 'square'],
  [palette[2], 'triangle-up'],
  [palette[3], 'diamond'],
  [palette[4], 'triangle-down']
]
const flatLooks: readonly Look[] = [
  [palette[5], 'triangle-right'],
  [palette[7], 'triangle-left'],
  ['#AA4499', 'wedge']
]
const otherLooks: Readonly<Record<string, Look>> = {
  'other minima': [palette[6], 'circle'],
  saddle: ['#EE6677', 'cross'],
  diverging: ['#44AA99', 'triangle-right'],
  unfinished: ['#BBBBBB', 'square']
}

/** Marks and colours are told in words beside a small picture, which has no room for a legend. */
const smallWidth = 250

/** Certified end-point losses by rank, coloured by the minimum where the run ended. */
export async function waterfall(s: Summary, size: 'full' | 'small' = 'full'): Promise<Chart | undefined> {
  const points = s.waterfall.filter(p => Number.isFinite(p.loss))
  if (points.length === 0) return undefined
  const looks = new Map<string, Look>()
  const names = new Map<string, string>()
  s.minima.slice(0, namedMinima).forEach((m, i) => {
    names.set(`minimum ${m.id}`, `minimum ${i + 1}`)
    looks.set(`minimum ${i + 1}`, minimumLooks[i])
  })
  s.degenerate.slice(0, namedFlat).forEach((m, i) => {
    names.set(`degenerate ${m.id}`, `flat minimum ${i + 1}`)
    looks.set(`flat minimum ${i + 1}`, flatLooks[i])
  })
  for (const [name, look] of Object.entries(otherLooks)) looks.set(name, look)
  const group = (p: (typeof points)[number]): string =>
    p.verdict === 'minimum' || p.verdict === 'degenerate'
      ? (names.get(`${p.verdict} ${p.point}`) ?? 'other minima')
      : p.verdict
  const losses = points.map(p => p.loss)
  const [low, high] = [lowest(losses), highest(losses)]
  const log = low > 0 && high / low > 30
  // Losses that differ by rounding only are drawn as one line, not as a picture of the rounding.
  const pad = Math.max(0, 1e-3 * Math.max(Math.abs(low), Math.abs(high), 1e-12) - (high - low))
  const values = points.map((p, i) => ({
    run: points.length === 1 ? 1 : 1 + (i * (s.starts - 1)) / (points.length - 1),
    loss: p.loss,
    end: group(p)
  }))
  const met = [...looks.keys()].filter(name => values.some(v => v.end === name))
  const range = (part: 0 | 1): string[] => met.map(name => looks.get(name)![part])
  const small = size === 'small'
  const end = { field: 'end', type: 'nominal', title: null, ...(small ? { legend: null } : {}) }
  const picture = await svg(
    {
      ...(small ? { width: smallWidth, height: 150 } : { height }),
      data: { values },
      mark: { type: 'point', filled: true, size: small ? 14 : 26, opacity: 0.9 },
      encoding: {
        x: {
          field: 'run',
          type: 'quantitative',
          title: small ? null : 'runs, sorted by loss',
          scale: { nice: false, zero: false, domain: [Math.min(1, s.starts), Math.max(2, s.starts)] },
          axis: { ...(small ? { values: [1, Math.round(s.starts / 2), s.starts] } : { tickCount: 6 }), format: ',d' }
        },
        y: {
          field: 'loss',
          type: 'quantitative',
          title: small ? null : 'loss at the end point',
          scale: { type: log ? 'log' : 'linear', zero: false, ...(pad > 0 ? { domain: [low - pad, high + pad] } : {}) },
          axis: log ? logAxis(low, high, small ? 4 : 7) : { tickCount: small ? 4 : 6 }
        },
        color: { ...end, scale: { domain: met, range: range(0) } },
        shape: { ...end, scale: { domain: met, range: range(1) } }
      }
    },
    `Loss at the end point of the runs, from ${fixed(low, 6)} to ${fixed(high, 6)}, sorted; groups: ${met.join(', ')}.`
  )
  const part =
    points.length < s.starts ? ` ${formatCount(points.length)} of them are drawn, evenly spaced by rank.` : ''
  return {
    title: 'Where the runs end',
    caption:
      'Each mark is a run, placed by the rank of its loss. A level stretch is many runs with the same loss; colour and shape ' +
      `say which minimum it is. ${origin(s)}, losses certified in f64.${part}`,
    svgs: [picture]
  }
}

/** Colours and dashes of the boundaries of the best three minima, in the colours that the waterfall gives them. */
const boundaryDashes = [
  [1, 0],
  [6, 3],
  [2, 3]
]

/** Training rows of two inputs and the lines on which the best minima change their mind. */
export async function decisions(s: Summary): Promise<string | undefined> {
  if (!s.decisions) return undefined
  const { columns, rows, boundaries } = s.decisions
  const names = boundaries.map((_, i) => `minimum ${i + 1}`)
  const lines = boundaries.flatMap((list, i) =>
    list.flatMap((line, path) =>
      line.map(([x, y], order) => ({ x, y, order, path: `${i} ${path}`, minimum: names[i] }))
    )
  )
  const points = rows.map(([x, y, kind]) => ({ x, y, kind: kind === 1 ? 'one' : 'zero' }))
  const axis = (field: 'x' | 'y', title: string): object => ({
    field,
    type: 'quantitative',
    title,
    scale: { zero: false, nice: false },
    axis: { tickCount: 4 }
  })
  const [x, y] = [axis('x', columns[0]), axis('y', columns[1])]
  const minimum = { field: 'minimum', type: 'nominal', legend: null }
  const looks = names.map((_, i) => minimumLooks[i][0])
  return svg(
    {
      width: smallWidth,
      height: 190,
      layer: [
        {
          data: { values: points },
          mark: { type: 'point', size: 30, filled: false, opacity: 0.75 },
          encoding: {
            x,
            y,
            color: { value: '#888888' },
            shape: {
              field: 'kind',
              type: 'nominal',
              legend: null,
              scale: { domain: ['zero', 'one'], range: ['circle', 'cross'] }
            }
          }
        },
        ...(lines.length > 0
          ? [
              {
                data: { values: lines },
                mark: { type: 'line', strokeWidth: 2 },
                encoding: {
                  x,
                  y,
                  order: { field: 'order', type: 'quantitative' },
                  detail: { field: 'path' },
                  color: { ...minimum, scale: { domain: names, range: looks } },
                  strokeDash: { ...minimum, scale: { domain: names, range: boundaryDashes.slice(0, names.length) } }
                }
              }
            ]
          : [])
      ]
    },
    `Training rows by ${columns.join(' and ')}, and where ${names.join(', ')} of ${s.name} change from one class to the other.`
  )
}

/** Loss gap and gradient norm against steps for every model that has curves. */
export async function convergence(summaries: readonly Summary[]): Promise<Chart | undefined> {
  const traced = summaries.filter(s => s.curves?.lossGap.median.some(Number.isFinite))
  if (traced.length === 0) return undefined
  const mixed = traced.some(s => s.convex.model) && traced.some(s => !s.convex.model)
  const nameOf = (s: Summary): string => (mixed ? `${s.name} (${s.convex.model ? 'convex' : 'not convex'})` : s.name)
  const names = traced.map(nameOf)
  const lastStep = highest(traced.flatMap(s => s.curves!.steps))
  const x = {
    field: 'step',
    type: 'quantitative',
    title: 'step',
    scale: { type: 'log', nice: false, domain: [1, Math.max(2, lastStep)] },
    axis: logAxis(1, Math.max(2, lastStep))
  }
  const model = { field: 'model', type: 'nominal', sort: names, legend: null }
  const scale = { domain: names, range: names.map((_, i) => palette[i % palette.length]) }
  const dash = { domain: names, range: names.map((_, i) => dashes[i % dashes.length]) }
  const panel = async (kind: 'lossGap' | 'gradientNorm', label: string): Promise<string> => {
    const bandsOf = (s: Summary): Bands => s.curves![kind]
    const all = traced.flatMap(s => bandsOf(s).q05.concat(bandsOf(s).median))
    const floor = Math.max(1e-17, floorOf(all))
    const top = Math.max(floor * 10, highest(traced.flatMap(s => bandsOf(s).q95)))
    const values = traced.flatMap(s => {
      const { q05, q25, median, q75, q95 } = bandsOf(s)
      const lists = { low: q05, q25, median, q75, high: q95 }
      return s.curves!.steps.flatMap((step, i) => {
        const at = Object.entries(lists).map(([name, list]) => [name, list[i]] as const)
        if (!at.every(([, v]) => Number.isFinite(v))) return []
        return [{ step, model: nameOf(s), ...Object.fromEntries(at.map(([name, v]) => [name, Math.max(floor, v)])) }]
      })
    })
    const y = {
      type: 'quantitative',
      title: label,
      scale: { type: 'log', nice: false, domain: [floor, top] },
      axis: logAxis(floor, top)
    }
    return svg(
      {
        height,
        data: { values },
        layer: [
          {
            mark: { type: 'area', opacity: 0.12 },
            encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color: { ...model, scale } }
          },
          {
            mark: { type: 'area', opacity: 0.22 },
            encoding: { x, y: { ...y, field: 'q25' }, y2: { field: 'q75' }, color: { ...model, scale } }
          },
          {
            mark: { type: 'line', strokeWidth: 2, clip: false },
            encoding: {
              x,
              y: { ...y, field: 'median' },
              color: { ...model, scale },
              strokeDash: { ...model, scale: dash }
            }
          }
        ]
      },
      `${label} against steps, median and quantile bands, for ${names.join('; ')}.`
    )
  }
  const runs = highest(traced.map(s => s.curves!.runs))
  return {
    title: 'Convergence',
    caption:
      `Line: median of the first ${count(runs, 'run', 'runs')} of each model; dark band: the middle half; light band: 5 to 95 %. ` +
      'A run that has ended stays where it ended. The gap is measured from the lowest certified loss of the same model; ' +
      'what is at or below rounding is drawn at the bottom.',
    svgs: [await panel('lossGap', 'loss above the lowest'), await panel('gradientNorm', 'gradient norm')],
    legend: names.length > 1 ? names.map((name, i) => ({ sign: lineSign(i), name })) : []
  }
}

/** Hessian eigenvalues of the first minima. */
export async function spectrum(s: Summary): Promise<Chart | undefined> {
  const sets = [
    ...s.minima.slice(0, 8).map((m, i) => ({ name: `minimum ${i + 1}`, point: m })),
    ...s.degenerate.slice(0, 3).map((m, i) => ({ name: `flat minimum ${i + 1}`, point: m })),
    ...s.saddles.slice(0, 3).map((m, i) => ({ name: `saddle ${i + 1}`, point: m }))
  ].filter(p => p.point.eigenvalues.some(Number.isFinite))
  const size = sets.flatMap(p => p.point.eigenvalues.filter(Number.isFinite).map(Math.abs))
  const top = highest(size)
  if (!(top > 0)) return undefined
  const floor = Math.max(floorOf(size.filter(v => v > top * 1e-16)), top * 1e-17)
  const values = sets.flatMap(({ name, point }) =>
    point.eigenvalues.filter(Number.isFinite).map(v => ({
      name,
      size: Math.max(floor, Math.abs(v)),
      sign: Math.abs(v) <= floor ? 'zero' : v < 0 ? 'negative' : 'positive'
    }))
  )
  const looks = {
    positive: [palette[0], 'M0,-1.6L0,1.6'],
    negative: [palette[5], 'cross'],
    zero: [palette[6], 'circle']
  }
  const met = (['positive', 'negative', 'zero'] as const).filter(sign => values.some(v => v.sign === sign))
  const sign = { field: 'sign', type: 'nominal', title: null, ...(met.length > 1 ? {} : { legend: null }) }
  const picture = await svg(
    {
      height: Math.max(40, 26 * sets.length),
      data: { values },
      mark: { type: 'point', filled: false, size: 90, strokeWidth: 2, opacity: 0.9 },
      encoding: {
        x: {
          field: 'size',
          type: 'quantitative',
          title: 'size of the eigenvalue',
          scale: { type: 'log', nice: false, domain: [floor / 1.3, Math.max(top * 1.3, floor * 10)] },
          axis: logAxis(floor, Math.max(top, floor * 10))
        },
        y: { field: 'name', type: 'nominal', title: null, sort: sets.map(p => p.name), axis: { grid: true } },
        color: { ...sign, scale: { domain: met, range: met.map(k => looks[k][0]) } },
        shape: { ...sign, scale: { domain: met, range: met.map(k => looks[k][1]) } }
      }
    },
    `Eigenvalues of the Hessian at ${sets.map(p => p.name).join(', ')}, up to ${fixed(top, 3)} in size.`
  )
  const scale = s.problem.scale === 'standardized' ? 'for the standardised columns' : 'for the columns as given'
  return {
    title: 'Hessian spectrum',
    caption:
      `Each mark is an eigenvalue of the Hessian (curvature along one direction), ${scale}. Far left: almost flat. ` +
      `Far apart: badly conditioned.${met.includes('negative') ? ' Negative ones, drawn as crosses, lead down from a saddle.' : ''}` +
      `${met.includes('zero') ? ' Those that are zero to rounding are circles at the left end.' : ''}`,
    svgs: [picture]
  }
}

/** Shares of the first minima with their intervals. One minimum has nothing to share with. */
export async function shares(s: Summary): Promise<Chart | undefined> {
  if (s.minima.length < 2) return undefined
  const list = s.minima.slice(0, 20)
  const values = list.map((m, i) => ({
    name: `${i + 1}: ${fixed(m.loss, 6)}`,
    share: 100 * m.share,
    low: 100 * m.shareInterval[0],
    high: 100 * m.shareInterval[1]
  }))
  const y = { field: 'name', type: 'nominal', title: null, sort: values.map(v => v.name), axis: { grid: true } }
  const x = {
    type: 'quantitative',
    title: 'share of all runs, %',
    scale: { domainMin: 0 },
    axis: { tickCount: 6 }
  }
  const picture = await svg(
    {
      height: Math.max(40, 24 * list.length),
      data: { values },
      layer: [
        {
          mark: { type: 'rule', color: palette[0], strokeWidth: 3, opacity: 0.5 },
          encoding: { y, x: { ...x, field: 'low' }, x2: { field: 'high' } }
        },
        {
          mark: { type: 'point', filled: true, size: 60, opacity: 1, color: palette[0] },
          encoding: { y, x: { ...x, field: 'share' } }
        }
      ]
    },
    `Shares of the minima: ${list.map((m, i) => `${i + 1} with ${percent(m.share)}`).join(', ')}.`
  )
  const more = s.minima.length > list.length ? ` ${formatCount(s.minima.length - list.length)} more are not drawn.` : ''
  return {
    title: 'Share of each minimum',
    caption: `Dot: share of all runs; bar: its ${100 * s.coverage.confidence} % Wilson interval. Labels: number and loss. ${origin(s)}.${more}`,
    svgs: [picture]
  }
}

/** 0, 1, 2 … n or whole multiples. */
function wholeTicks(n: number): number[] {
  const step = Math.max(1, Math.ceil(n / 6))
  return Array.from({ length: Math.floor(n / step) + 1 }, (_, i) => i * step)
}

/** Distinct minima against starts. */
export async function discovery(s: Summary): Promise<Chart | undefined> {
  const values = s.coverage.discovery
  if (s.minima.length < 2 || values.length < 2) return undefined
  const most = Math.max(2, s.starts)
  const picture = await svg(
    {
      height: 170,
      data: { values },
      mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2, color: palette[0] },
      encoding: {
        x: {
          field: 'starts',
          type: 'quantitative',
          title: 'starts',
          scale: { type: 'log', nice: false, domain: [1, most] },
          axis: logAxis(1, most)
        },
        y: {
          field: 'minima',
          type: 'quantitative',
          title: 'distinct minima met',
          scale: { domainMin: 0 },
          axis: { values: wholeTicks(s.minima.length), format: ',d' }
        }
      }
    },
    `Distinct minima met against starts: ${s.minima.length} after ${s.starts}.`
  )
  return {
    title: 'Discovery',
    caption: `A curve that is still rising says that more minima are to be found. ${origin(s)}, in the order of the starts.`,
    svgs: [picture]
  }
}

/** Spread of the main metric over runs, training beside held-out rows. */
export async function scores(summaries: readonly Summary[]): Promise<Chart | undefined> {
  const metric = summaries.map(mainMetric).find(m => m !== undefined)
  if (!metric) return undefined
  const values = summaries.flatMap(s =>
    (['train', 'test'] as const).flatMap(part => {
      const q = s.metrics[part]?.[metric.name]
      return q && Object.values(q).every(Number.isFinite)
        ? [{ ...q, model: s.name, rows: part === 'train' ? 'training' : 'held out' }]
        : []
    })
  )
  // One model whose runs all score the same is a line of text, not a picture.
  if (values.length === 0 || (summaries.length === 1 && values.every(v => v.min === v.max))) return undefined
  const [low, high] = [lowest(values.map(v => v.min)), highest(values.map(v => v.max))]
  const pad = Math.max(0.04 * (high - low), 0.002)
  const kinds = ['training', 'held out'].filter(kind => values.some(v => v.rows === kind))
  const y = {
    field: 'model',
    type: 'nominal',
    title: null,
    sort: summaries.map(s => s.name),
    axis: { labelLimit: 300 }
  }
  const yOffset = { field: 'rows', type: 'nominal', sort: kinds, scale: { paddingOuter: 0.2 } }
  const looks: Readonly<Record<string, readonly [string, 'circle' | 'diamond']>> = {
    training: [palette[0], 'circle'],
    'held out': [palette[1], 'diamond']
  }
  const rows = { field: 'rows', type: 'nominal', sort: kinds, legend: null }
  const color = { ...rows, scale: { domain: kinds, range: kinds.map(k => looks[k][0]) } }
  const shape = { ...rows, scale: { domain: kinds, range: kinds.map(k => looks[k][1]) } }
  const x = { type: 'quantitative', title: metric.label, scale: { nice: false, domain: [low - pad, high + pad] } }
  const axis = { tickCount: 6 }
  const picture = await svg(
    {
      height: { step: 18 },
      data: { values },
      layer: [
        {
          mark: { type: 'rule', strokeWidth: 1.5 },
          encoding: {
            y,
            yOffset,
            color,
            x: { ...x, axis, field: 'min' },
            x2: { field: 'max' }
          }
        },
        {
          mark: { type: 'bar', height: 8, opacity: 0.45 },
          encoding: {
            y,
            yOffset,
            color,
            x: { ...x, axis, field: 'q25' },
            x2: { field: 'q75' }
          }
        },
        {
          mark: { type: 'point', filled: true, size: 70, opacity: 1 },
          encoding: { y, yOffset, color, shape, x: { ...x, axis, field: 'median' } }
        }
      ]
    },
    `Spread of the ${metric.label} over the runs: ${values.map(v => `${v.model}, ${v.rows}: ${fixed(v.min, 3)} to ${fixed(v.max, 3)}`).join('; ')}.`
  )
  return {
    title: 'What it means for predictions',
    caption: 'Line: all runs; bar: the middle half; mark: the median. At the points where the optimiser left the runs.',
    svgs: [picture],
    legend: kinds.map(name => ({ sign: markSign(...looks[name]), name }))
  }
}
