/** Pictures of the convergence page: paths, arrivals, profiles. */
import { dashes, palette, svg } from '../../report/charts/svg.js'
import type { CellResult, ProblemAnswer } from './cell.js'
import type { ConvergenceResults } from './convergence.js'
import { solverName, type Figures } from './figures.js'

export const problemName = (p: { readonly data: string; readonly model: string }): string => `${p.data}: ${p.model}`

export const figuresOfProblem = (r: ConvergenceResults, p: ProblemAnswer): Figures[] =>
  r.figures.filter(f => f.data === p.data && f.model === p.model)

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
export function paths(r: ConvergenceResults, p: ProblemAnswer, kind: 'lossGap' | 'gradientNorm'): Promise<string> {
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

/** Lines that climb in steps from 0 or more to 1 or less, with crosses on them. */
const climbing = (
  r: ConvergenceResults,
  values: readonly object[],
  crosses: readonly object[],
  x: object,
  share: string,
  alt: string
): Promise<string> => {
  const y = { field: 'share', type: 'quantitative', title: share, scale: { domain: [0, 1] } }
  const { color } = channels(r) as { color: object }
  return svg(
    {
      height,
      layer: [
        {
          data: { values },
          mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2 },
          encoding: { x, y, ...channels(r) }
        },
        {
          data: { values: crosses },
          mark: { type: 'point', shape: 'M-1,-1L1,1M-1,1L1,-1', size: 90, strokeWidth: 2, opacity: 1 },
          encoding: { x, y, color }
        }
      ]
    },
    alt
  )
}

/** Runs that have arrived, restarted where they had not; a cross where restarts begin. */
export function ecdfChart(r: ConvergenceResults, p: ProblemAnswer): Promise<string> {
  const own = figuresOfProblem(r, p)
  const end = Math.max(1, ...own.flatMap(f => [...f.ecdf.map(s => s.cost), f.restartsFrom?.cost ?? 0]))
  const values = own.flatMap(f => {
    const solver = solverName(f, r.figures)
    return [
      { solver, cost: 1, share: 0 },
      ...f.ecdf.map(s => ({ solver, cost: s.cost, share: s.share })),
      { solver, cost: end, share: f.ecdf.at(-1)?.share ?? 0 }
    ]
  })
  const crosses = own.flatMap(f => (f.restartsFrom ? [{ solver: solverName(f, r.figures), ...f.restartsFrom }] : []))
  const x = logQuantity('cost', 'evaluations')
  return climbing(r, values, crosses, x, 'share that has arrived', `Share of runs that have arrived, ${problemName(p)}`)
}

export function profileChart(r: ConvergenceResults, cost: 'evaluations' | 'seconds'): Promise<string> {
  const curves = r.profiles.filter(c => c.cost === cost)
  const end = Math.max(2, ...curves.flatMap(c => c.points.map(q => q.factor)))
  const values = curves.flatMap(c => [
    ...(c.points[0]?.factor === 1 ? [] : [{ solver: c.solver, factor: 1, share: 0 }]),
    ...c.points.map(q => ({ solver: c.solver, ...q })),
    { solver: c.solver, factor: end, share: c.points.at(-1)?.share ?? 0 }
  ])
  const x = logQuantity('factor', `${cost}, times those of the best`)
  return climbing(r, values, [], x, 'share of targets reached', `Performance profiles by ${cost}`)
}
