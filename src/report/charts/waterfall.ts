/** Where the runs end: their losses, sorted. */
import type { Summary } from '../../core/result.js'
import { formatCount } from '../../core/units.js'
import { fixed } from '../words.js'
import { chartHeight, highest, lowest, minimumLooks, origin, smallWidth, type Chart, type Look } from './chart.js'
import { chartWidth, logAxis, palette, svg } from './svg.js'

/** Points with a colour of their own in the waterfall. */
const namedMinima = 5
const namedFlat = 3

const flatLooks: readonly Look[] = [
  [palette[5], 'triangle-right'],
  [palette[7], 'triangle-left'],
  ['#AA4499', 'square']
]
const otherLooks: Readonly<Record<string, Look>> = {
  'other minima': [palette[6], 'circle'],
  saddle: ['#EE6677', 'cross'],
  diverging: ['#44AA99', 'triangle-right'],
  unfinished: ['#BBBBBB', 'square']
}

/** Marks nearer to each other than this, in px along the runs and across, are drawn as one: they would cover each other. */
const covered = { along: 1.5, across: 0.5 }

/** Losses below this are written with a power of ten. */
const tiny = 1e-3

interface Mark {
  readonly run: number
  readonly loss: number
  readonly end: string
}

/** Of marks in the order of their runs, those that are seen, in a picture of so many px. */
function seen(marks: readonly Mark[], log: boolean, size: { readonly width: number; readonly height: number }): Mark[] {
  const level = ({ loss }: Mark): number => (log ? Math.log(loss) : loss)
  const range = highest(marks.map(level)) - lowest(marks.map(level))
  const runs = marks[marks.length - 1].run - marks[0].run
  const last = new Map<string, Mark>()
  return marks.filter(mark => {
    const before = last.get(mark.end)
    if (
      before &&
      (mark.run - before.run) * size.width < covered.along * runs &&
      Math.abs(level(mark) - level(before)) * size.height <= covered.across * range
    )
      return false
    last.set(mark.end, mark)
    return true
  })
}

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
  const small = size === 'small'
  const height = small ? 150 : chartHeight
  const marks = points.map((p, i) => ({
    run: points.length === 1 ? 1 : 1 + (i * (s.starts - 1)) / (points.length - 1),
    loss: p.loss,
    end: group(p)
  }))
  const values = seen(marks, log, { width: small ? smallWidth : chartWidth, height })
  const met = [...looks.keys()].filter(name => values.some(v => v.end === name))
  const range = (part: 0 | 1): string[] => met.map(name => looks.get(name)![part])
  const end = { field: 'end', type: 'nominal', title: null, ...(small ? { legend: null } : {}) }
  const picture = await svg(
    {
      ...(small ? { width: smallWidth } : {}),
      height,
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
          axis: log
            ? logAxis(low, high, small ? 4 : 7)
            : { tickCount: small ? 4 : 6, ...(high < tiny ? { format: '~e' } : {}) }
        },
        color: { ...end, scale: { domain: met, range: range(0) } },
        shape: { ...end, scale: { domain: met, range: range(1) } }
      }
    },
    `Loss at the end point of the runs, from ${fixed(low, 6)} to ${fixed(high, 6)}, sorted; groups: ${met.join(', ')}.`
  )
  const part =
    points.length < s.starts ? ` ${formatCount(points.length)} of them are taken, evenly spaced by rank.` : ''
  return {
    title: 'Where the runs end',
    caption:
      'Each mark is a run, placed by the rank of its loss. A level stretch is many runs with the same loss; colour and shape ' +
      `say which minimum it is; marks that would cover each other are drawn once. ${origin(s)}, losses certified in f64.${part}`,
    svgs: [picture]
  }
}
