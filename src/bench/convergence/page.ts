/** The results of `bench convergence` for people: a table for the terminal, and one self-contained page. */
import { formatRate, formatSeconds } from '../../core/units.js'
import { style } from '../../report/style.js'
import { dashes, palette, svg } from '../../report/charts/svg.js'
import { escape } from '../../report/words.js'
import type { CellResult, ProblemAnswer } from './cell.js'
import type { ConvergenceResults } from './convergence.js'
import { solverName, type Cost, type Figures } from './figures.js'
import { machineLines, textTable } from '../kernels/tables.js'

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

const problemName = (p: { readonly data: string; readonly model: string }): string => `${p.data}: ${p.model}`

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

const figuresOfProblem = (r: ConvergenceResults, p: ProblemAnswer): Figures[] =>
  r.figures.filter(f => f.data === p.data && f.model === p.model)

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

export function convergenceText(r: ConvergenceResults): string {
  return [
    ...machineLines(r.machine).slice(0, 2),
    '',
    ...r.problems.flatMap(p => {
      const own = figuresOfProblem(r, p)
      return [
        problemName(p),
        problemLine(p),
        textTable(
          header,
          own.map(f => row(f, r.figures))
        ),
        ''
      ]
    }),
    ...explanation(r)
  ].join('\n')
}

/** The smallest value that a log axis shows. */
const drawnFloor = 1e-17

const solvers = (r: ConvergenceResults): string[] => [...new Set(r.figures.map(f => solverName(f, r.figures)))]

const height = 260

/** Colour and dash by solver, the same on every chart of the page. */
function channels(r: ConvergenceResults): object {
  const legend = { symbolType: 'stroke', symbolOpacity: 1, symbolStrokeWidth: 2 }
  const field = { field: 'solver', type: 'nominal', title: null }
  const domain = solvers(r)
  return {
    color: { ...field, scale: { domain, range: palette }, legend },
    strokeDash: { ...field, scale: { domain, range: dashes }, legend }
  }
}

const logQuantity = (field: string, title: string): object => ({
  field,
  type: 'quantitative',
  title,
  scale: { type: 'log', nice: false }
})

/** Median paths with the middle half, for the first seed of the grid. */
function paths(r: ConvergenceResults, p: ProblemAnswer, kind: 'lossGap' | 'gradientNorm'): Promise<string> {
  const nameOf = (c: CellResult): string =>
    solverName(
      r.figures.find(f => f.optimizer === c.optimizer && f.engine === `${c.engine} ${c.precision}`)!,
      r.figures
    )
  const cells = r.cells.filter(c => c.problem === p.key && c.seed === r.grid.seeds[0])
  const values = cells.flatMap(c =>
    c.curves.steps.map((step, i) => {
      const at = (list: readonly (number | null)[]): number => Math.max(drawnFloor, list[i] ?? drawnFloor)
      const band = c.curves[kind]
      return { solver: nameOf(c), step, low: at(band.q25), middle: at(band.median), high: at(band.q75) }
    })
  )
  const title = kind === 'lossGap' ? 'loss above the best' : 'largest |g|'
  const x = logQuantity('step', 'evaluations')
  const y = { type: 'quantitative', title, scale: { type: 'log' }, axis: { format: '.0e', tickCount: 6 } }
  const { color } = channels(r) as { color: object }
  return svg(
    {
      height,
      data: { values },
      layer: [
        {
          mark: { type: 'area', opacity: 0.15 },
          encoding: { x, y: { field: 'low', ...y }, y2: { field: 'high' }, color }
        },
        {
          mark: { type: 'line', strokeWidth: 2 },
          encoding: { x, y: { field: 'middle', ...y }, ...channels(r) }
        }
      ]
    },
    `${title} against evaluations, ${problemName(p)}`
  )
}

/** Lines that climb in steps from 0 or more to 1 or less. */
const climbing = (
  r: ConvergenceResults,
  values: readonly object[],
  x: object,
  share: string,
  alt: string
): Promise<string> =>
  svg(
    {
      height,
      data: { values },
      mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2 },
      encoding: {
        x,
        y: { field: 'share', type: 'quantitative', title: share, scale: { domain: [0, 1] } },
        ...channels(r)
      }
    },
    alt
  )

function ecdfChart(r: ConvergenceResults, p: ProblemAnswer): Promise<string> {
  const own = figuresOfProblem(r, p)
  const end = Math.max(1, ...own.flatMap(x => x.ecdf.map(s => s.cost)))
  const values = own.flatMap(f => {
    const solver = solverName(f, r.figures)
    return [
      { solver, cost: 1, share: 0 },
      ...f.ecdf.map(s => ({ solver, cost: s.cost, share: s.share })),
      { solver, cost: end, share: f.ecdf.at(-1)?.share ?? 0 }
    ]
  })
  const x = logQuantity('cost', 'evaluations')
  return climbing(r, values, x, 'share of runs there', `Share of runs that have arrived, ${problemName(p)}`)
}

function profileChart(r: ConvergenceResults, cost: 'evaluations' | 'seconds'): Promise<string> {
  const curves = r.profiles.filter(c => c.cost === cost)
  const end = Math.max(2, ...curves.flatMap(c => c.points.map(q => q.factor)))
  const values = curves.flatMap(c => [
    ...(c.points[0]?.factor === 1 ? [] : [{ solver: c.solver, factor: 1, share: 0 }]),
    ...c.points.map(q => ({ solver: c.solver, ...q })),
    { solver: c.solver, factor: end, share: c.points.at(-1)?.share ?? 0 }
  ])
  const x = logQuantity('factor', `${cost}, times those of the best`)
  return climbing(r, values, x, 'share of targets reached', `Performance profiles by ${cost}`)
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

async function section(r: ConvergenceResults, p: ProblemAnswer): Promise<string> {
  const own = figuresOfProblem(r, p)
  const target = Math.min(...r.grid.targets)
  return [
    `<section><h2>${escape(problemName(p))}</h2><p>${escape(problemLine(p))}.</p>`,
    htmlTable(
      header,
      own.map(f => row(f, r.figures))
    ),
    `<div class="figures">${chart(
      'Loss',
      `Median and middle half of ${r.grid.starts} runs of seed ${r.grid.seeds[0]}; a run that has ended stays where it ended. Values at or below rounding are drawn at the bottom.`,
      await paths(r, p, 'lossGap')
    )}${chart('Gradient', 'The same runs.', await paths(r, p, 'gradientNorm'))}${chart(
      'Runs that have arrived',
      `Empirical distribution of the evaluations to come within ${target} of the best, over ${own[0].runs} restarts; runs that end elsewhere keep a curve below 1.`,
      await ecdfChart(r, p)
    )}</div>`,
    '<h3>Expected evaluations to each target, and share of runs that reach it</h3>',
    targetTable(r, own),
    '<h3>What was spent</h3>',
    runsTable(r, own),
    '</section>'
  ].join('\n')
}

/** One page with all charts inline: nothing is loaded from elsewhere. */
export async function convergencePage(r: ConvergenceResults): Promise<string> {
  const sections: string[] = []
  for (const p of r.problems) sections.push(await section(r, p))
  const title = 'How the optimisers converge'
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${machineLines(r.machine)
  .slice(0, 2)
  .map(line => `<p>${escape(line)}</p>`)
  .join('\n')}
${explanation(r)
  .map(line => `<p>${escape(line)}</p>`)
  .join('\n')}
<div class="figures">${chart(
    'Performance profiles: evaluations',
    `Share of the ${r.problems.length * r.grid.targets.length} pairs of problem and target that an optimiser reaches at no more than so many times the expected cost of the best (Dolan and Moré 2002).`,
    await profileChart(r, 'evaluations')
  )}${chart('Performance profiles: seconds', 'The same with seconds of the whole engine, its lanes full.', await profileChart(r, 'seconds'))}</div>
${sections.join('\n')}
</main>
</body>
</html>
`
}
