/** The first screen of a page: where the runs of each model end, the rows that matter, the answer; then what the models decide. */
import type { Summary } from '../core/result.js'
import { decisions } from './charts/decisions.js'
import { waterfall } from './charts/waterfall.js'
import { conclusion } from './conclusion.js'
import { headline, keyNotes, keyTable } from './contrast.js'
import { figure, htmlTable, paragraph } from './page.js'
import { separableText } from './separable.js'
import { verdictTable } from './tables.js'
import { capital, escape } from './words.js'

/** What kind of model it is, and the answer in a line. */
const inALine = (s: Summary): string =>
  `<p class="kind">${s.convex.model ? 'convex' : 'not convex'}</p><p class="headline">${escape(headline(s))}</p>`

/** A study at one glance: its name, its answer in a line, and where its runs end. */
async function panel(s: Summary): Promise<string> {
  const chart = await waterfall(s, 'small')
  return `<article><h2>${escape(s.name)}</h2>${inALine(s)}${chart?.svgs.join('') ?? ''}</article>`
}

const howToRead =
  'Each picture: the loss at the end of every run, sorted. A level line is one result from every start, a staircase several minima; ' +
  'colour and shape say which. Axes differ.'

async function panels(summaries: readonly Summary[]): Promise<string> {
  const list: string[] = []
  for (const s of summaries) list.push(await panel(s))
  return `<div class="panels">${list.join('')}</div>`
}

/**
 * Where the runs end, the rows that matter, the answer.
 * @param separated the first model on rows that it separates, without and with a ridge; or nothing
 */
export async function overview(summaries: readonly Summary[], separated: readonly Summary[]): Promise<string> {
  const answer = `<div class="answer">${[...conclusion(summaries), ...separableText(summaries, separated)]
    .map(text => paragraph(text))
    .join('')}</div>`
  const apart =
    separated.length === 0
      ? ''
      : `<h2>${escape(capital(summaries[0].name))} on rows that can be separated</h2>${await panels(separated)}`
  if (summaries.length === 1) {
    const [s] = summaries
    return `<article>${inALine(s)}${figure(await waterfall(s), false)}</article>${htmlTable(verdictTable(s))}${answer}${apart}`
  }
  const table = htmlTable(keyTable(summaries), 'models') + paragraph(keyNotes(summaries), 'small')
  return `${await panels(summaries)}${paragraph(howToRead, 'small')}${table}${answer}${apart}`
}

/** What the best minima of each model decide, where that can be drawn. */
export async function decided(summaries: readonly Summary[]): Promise<string> {
  const pictures: string[] = []
  for (const s of summaries) {
    const picture = await decisions(s)
    if (picture) pictures.push(`<article><h2>${escape(s.name)}</h2>${picture}</article>`)
  }
  if (pictures.length === 0) return ''
  const { coding } = summaries[0].problem
  const classes = coding === '' ? '' : ` (${coding})`
  const most = summaries.reduce((n, s) => Math.max(n, s.decisions?.boundaries.length ?? 0), 0)
  const lines = most > 1 ? 'Lines: the best minimum, solid, and the next two, dashed and dotted.' : 'Line: the minimum.'
  return (
    `<h2>What they decide</h2><div class="panels">${pictures.join('')}</div>` +
    paragraph(
      `Marks: training rows, circles of class 0 and triangles of class 1${classes}. ${lines} On each line both classes are equally likely.`,
      'small'
    )
  )
}
