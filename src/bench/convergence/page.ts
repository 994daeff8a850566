/** The results of `bench convergence` for people: a table for the terminal, and one self-contained page. */
import { formatRate, formatSeconds } from '../../core/units.js'
import { wrap } from '../../core/text.js'
import { page, paragraph } from '../../report/page.js'
import { textTable, type Table } from '../../report/table.js'
import { escape } from '../../report/words.js'
import type { ProblemAnswer } from './cell.js'
import { ecdfChart, figuresOfProblem, paths, problemName, profileChart } from './charts.js'
import type { ConvergenceResults } from './convergence.js'
import { solverName, type Cost, type Figures } from './figures.js'
import { machineLines } from '../kernels/tables.js'
import { winnerHead, winnerNote, winnerRows, winnerSentences } from './winners.js'

const none = '–'
const figure = (value: number | null | undefined, digits = 3): string =>
  value === null || value === undefined ? none : String(Number(value.toPrecision(digits)))
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
const rateText = (c: number | null): string => (c === null ? none : c.toFixed(4))

const costText = (cost: Cost, unit: (v: number) => string): string =>
  cost.value === null
    ? 'not reached'
    : `${unit(cost.value)} (${unit(cost.low ?? cost.value)} to ${cost.high === null ? 'unbounded' : unit(cost.high)})`

const whole = (v: number): string => (v < 1000 ? figure(v) : String(Math.round(v)))

/** Seconds, with so much precision that small ones differ. */
const seconds = (v: number): string => formatSeconds(v)

const theoryText = ({ theory }: Figures): string =>
  theory.contraction === null ? theory.kind : `${theory.kind} ${rateText(theory.contraction ** 2)}`

const rateWords = ({ rate }: Figures): string =>
  rate.kind === 'unclear'
    ? rate.kind
    : rate.kind === 'quadratic' || rate.kind === 'superlinear'
      ? `${rate.kind}, order ${figure(rate.order, 3)}`
      : `${rate.kind} ${rateText(rate.gapContraction)}`

const header = [
  'optimizer',
  'reached',
  'evaluations to it (95 %)',
  'seconds',
  'minima',
  'minima/s',
  'rate',
  'theory',
  '1 − μ/L'
]

function row(f: Figures, all: readonly Figures[]): string[] {
  const last = f.targets.at(-1)!
  return [
    solverName(f, all),
    percent(last.successRate),
    costText(last.evaluations, whole),
    last.seconds.value === null ? none : seconds(last.seconds.value),
    String(f.distinctMinima),
    formatRate(f.minimaPerSecond),
    rateWords(f),
    theoryText(f),
    rateText(f.theory.bound)
  ]
}

function problemLine(p: ProblemAnswer): string {
  const kind = p.convex ? 'convex' : 'not convex'
  const spectrum =
    p.eigenvalues.length > 0
      ? `; Hessian eigenvalues at the best ${figure(p.eigenvalues[0])} to ${figure(p.eigenvalues.at(-1))}`
      : ''
  return `${kind}, N ${p.rows}, P ${p.parameters}, ${p.minima.length} ${p.minima.length === 1 ? 'minimum' : 'minima'} known, best ${p.floorIs === 'minimum' ? 'loss' : 'loss seen'} ${figure(p.floor, 8)}${spectrum}`
}

const explanation = (r: ConvergenceResults): string[] => {
  const target = Math.min(...r.grid.targets)
  return [
    `reached: share of runs that came within ${target} of the best known loss. evaluations to it: expected number over restarts until one run does, all that failing runs spend included, with a bootstrap interval; one evaluation gives f and g, and H for Newton. seconds: the same, of the whole engine with its lanes full.`,
    'rate: of each run towards its own minimum, the commonest kind; linear rates as the factor of the loss gap per step. theory: the same factor from the Hessian eigenvalues at the best minimum and the step length; 1 − μ/L is what gradient descent with step 1/L is guaranteed.'
  ]
}

/** Of each problem: a row for each optimiser. */
export const convergenceTables = (r: ConvergenceResults): Table[] =>
  r.problems.map(p => ({
    title: problemName(p),
    head: header,
    rows: figuresOfProblem(r, p).map(f => row(f, r.figures)),
    words: [0, 2, 6, 7],
    // On a narrow screen the theory goes first, then what is counted of minima; the page has it all.
    spare: [8, 7, 5, 4, 6]
  }))

/** For a terminal of so many columns. */
export function convergenceText(r: ConvergenceResults, width: number): string {
  const lines = (text: string): string[] => wrap(text, width)
  return [
    ...winnerSentences(r.winners).flatMap(lines),
    ...lines(winnerNote),
    '',
    ...machineLines(r.machine).slice(0, 2).flatMap(lines),
    '',
    ...convergenceTables(r).flatMap((table, i) => [
      table.title,
      ...lines(problemLine(r.problems[i])),
      ...textTable(table, width),
      ''
    ]),
    ...explanation(r).flatMap(lines)
  ].join('\n')
}

const chart = (title: string, caption: string, picture: string): string =>
  `<figure><h3>${escape(title)}</h3><div class="scroll chart">${picture}</div><figcaption>${escape(caption)}</figcaption></figure>`

function htmlTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, values: readonly string[]): string =>
    `<tr>${values.map(v => `<${tag}>${escape(v)}</${tag}>`).join('')}</tr>`
  return `<div class="scroll"><table><thead>${cells('th', head)}</thead><tbody>${rows.map(x => cells('td', x)).join('')}</tbody></table></div>`
}

function targetTable(r: ConvergenceResults, own: readonly Figures[]): string {
  const head = ['optimizer', ...own[0].targets.map(t => `within ${t.target}`)]
  return htmlTable(
    head,
    own.map(f => [
      solverName(f, r.figures),
      ...f.targets.map(t => `${costText(t.evaluations, whole)}; ${percent(t.successRate)}`)
    ])
  )
}

const runsTable = (r: ConvergenceResults, own: readonly Figures[]): string =>
  htmlTable(
    ['optimizer', 'runs', 'verdicts', 'f', 'g', 'H', 'rows touched', 'seconds'],
    own.map(f => [
      solverName(f, r.figures),
      String(f.runs),
      Object.entries(f.verdicts)
        .filter(([, n]) => n > 0)
        .map(([v, n]) => `${v} ${n}`)
        .join(', '),
      ...[f.evaluations.f, f.evaluations.g, f.evaluations.H, f.evaluations.rows].map(n => figure(n, 4)),
      seconds(f.seconds)
    ])
  )

/** Pictures by the name of their file. */
export type Pictures = ReadonlyMap<string, string>

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')

const pictureName = (p: ProblemAnswer, what: string): string => `${slug(problemName(p))}-${what}.svg`

/** Draws every picture once; on their own they are black on what is behind them. */
export async function drawPictures(r: ConvergenceResults): Promise<Pictures> {
  const pictures = new Map<string, string>()
  for (const cost of ['evaluations', 'seconds'] as const)
    pictures.set(`profile-${cost}.svg`, await profileChart(r, cost))
  for (const p of r.problems) {
    pictures.set(pictureName(p, 'loss'), await paths(r, p, 'lossGap'))
    pictures.set(pictureName(p, 'gradient'), await paths(r, p, 'gradientNorm'))
    pictures.set(pictureName(p, 'arrivals'), await ecdfChart(r, p))
  }
  return pictures
}

function section(r: ConvergenceResults, p: ProblemAnswer, pictures: Pictures): string {
  const own = figuresOfProblem(r, p)
  const target = Math.min(...r.grid.targets)
  const picture = (what: string): string => pictures.get(pictureName(p, what))!
  return [
    `<section><h2>${escape(problemName(p))}</h2><p>${escape(problemLine(p))}.</p>`,
    htmlTable(
      header,
      own.map(f => row(f, r.figures))
    ),
    `<div class="figures">${chart(
      'Loss',
      `Median and middle half of ${r.grid.starts} runs of seed ${r.grid.seeds[0]}; a run that has ended stays where it ended. Values at or below rounding are drawn at the bottom.`,
      picture('loss')
    )}${chart('Gradient', 'The same runs.', picture('gradient'))}${chart(
      'Runs that have arrived',
      `Distribution of the evaluations to come within ${target} of the best, over ${own[0].runs} runs, each restarted from another start where it ended without (simulated from the same runs; Auger and Hansen 2005). × : half of the runs that end without have ended by then; what follows is of restarts. A curve at 0: no run arrives.`,
      picture('arrivals')
    )}</div>`,
    '<h3>Expected evaluations to each target, and share of runs that reach it</h3>',
    targetTable(r, own),
    '<h3>What was spent</h3>',
    runsTable(r, own),
    '</section>'
  ].join('\n')
}

/** One page with all charts inline: nothing is loaded from elsewhere. Who won stands first. */
export function convergencePage(r: ConvergenceResults, pictures: Pictures): string {
  return page(
    'How the optimisers converge',
    [
      `<div class="answer">${winnerSentences(r.winners)
        .map(text => paragraph(text))
        .join('')}</div>`,
      htmlTable(winnerHead, winnerRows(r.winners)),
      paragraph(winnerNote, 'small'),
      `<div class="figures">${chart(
        'Performance profiles: evaluations',
        `Share of the ${r.problems.length * r.grid.targets.length} pairs of problem and target that an optimiser reaches at no more than so many times the expected cost of the best (Dolan and Moré 2002).`,
        pictures.get('profile-evaluations.svg')!
      )}${chart('Performance profiles: seconds', 'The same with seconds of the whole engine, its lanes full.', pictures.get('profile-seconds.svg')!)}</div>`,
      ...[...machineLines(r.machine).slice(0, 2), ...explanation(r)].map(line => paragraph(line, 'small')),
      ...r.problems.map(p => section(r, p, pictures))
    ].join('\n')
  )
}
