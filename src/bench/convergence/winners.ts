/** Who won on which kind of model: counted over pairs of a problem and a target. */
import { solverName, type Figures } from './figures.js'

export const kinds = ['convex', 'not convex, with ridge', 'not convex, without ridge'] as const
export type Kind = (typeof kinds)[number]

export const kindOf = ({ convex, ridge }: Pick<Figures, 'convex' | 'ridge'>): Kind =>
  convex ? 'convex' : ridge ? 'not convex, with ridge' : 'not convex, without ridge'

/** One optimiser on the models of one kind. */
export interface Standing {
  readonly solver: string
  /** Pairs in which its expected cost is the lowest; those of equal cost count for each. */
  readonly wins: number
  /** Of them, those in which its interval ends before that of every other begins. */
  readonly clear: number
  /** Share of all runs that come within the closest target. */
  readonly reached: number
}

export interface Winners {
  readonly kind: Kind
  readonly cost: 'evaluations' | 'seconds'
  readonly problems: number
  /** Pairs of problem and target that some optimiser reaches, and all. */
  readonly decided: number
  readonly pairs: number
  /** The most wins first, then the most runs that arrive. */
  readonly standings: readonly Standing[]
}

/** Standings of every kind of model that there is, in evaluations and in seconds. */
export function winnersOf(figures: readonly Figures[]): Winners[] {
  return kinds.flatMap(kind => {
    const own = figures.filter(f => kindOf(f) === kind)
    if (own.length === 0) return []
    const problems = new Map<string, Figures[]>()
    for (const f of own) {
      const key = JSON.stringify([f.data, f.model])
      problems.set(key, [...(problems.get(key) ?? []), f])
    }
    return (['evaluations', 'seconds'] as const).map(cost => {
      const counts = new Map<string, { wins: number; clear: number; hits: number; runs: number }>()
      let decided = 0
      let pairs = 0
      for (const group of problems.values()) {
        for (const f of group) {
          const name = solverName(f, figures)
          const c = counts.get(name) ?? { wins: 0, clear: 0, hits: 0, runs: 0 }
          counts.set(name, { ...c, hits: c.hits + f.targets.at(-1)!.successRate * f.runs, runs: c.runs + f.runs })
        }
        for (const t of group[0].targets.keys()) {
          pairs++
          const costs = group.map(f => ({ name: solverName(f, figures), ...f.targets[t][cost] }))
          const best = Math.min(...costs.map(c => c.value ?? Infinity))
          if (!Number.isFinite(best)) continue
          decided++
          for (const c of costs.filter(x => x.value === best)) {
            const count = counts.get(c.name)!
            count.wins++
            const others = costs.filter(x => x.name !== c.name)
            if (others.every(x => (c.high ?? Infinity) < (x.low ?? Infinity))) count.clear++
          }
        }
      }
      const standings = [...counts]
        .map(([solver, { wins, clear, hits, runs }]) => ({ solver, wins, clear, reached: hits / runs }))
        .sort((a, b) => b.wins - a.wins || b.reached - a.reached)
      return { kind, cost, problems: problems.size, decided, pairs, standings }
    })
  })
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`

/** "newton 13 of 15 (11 clearly)" */
const standingText = ({ solver, wins, clear }: Standing, decided: number): string =>
  `${solver} ${wins} of ${decided}${clear === wins ? '' : ` (${clear} clearly)`}`

/** Rows of [kind, fewest evaluations, fewest seconds, arrives most often]. */
export function winnerRows(winners: readonly Winners[]): string[][] {
  return kinds.flatMap(kind => {
    const [evaluations, seconds] = (['evaluations', 'seconds'] as const).map(cost =>
      winners.find(w => w.kind === kind && w.cost === cost)
    )
    if (!evaluations || !seconds) return []
    const told = ({ standings, decided }: Winners): string =>
      standings
        .filter(s => s.wins > 0)
        .map(s => standingText(s, decided))
        .join(', ') || 'nobody'
    const most = Math.max(...evaluations.standings.map(s => s.reached))
    const arrive = evaluations.standings.filter(s => s.reached === most)
    const all = arrive.length === evaluations.standings.length
    return [
      [
        `${kind} (${evaluations.problems})`,
        told(evaluations),
        told(seconds),
        `${all ? 'all alike' : arrive.map(s => s.solver).join(', ')}, ${percent(most)}`
      ]
    ]
  })
}

export const winnerHead = ['kind of model', 'fewest evaluations', 'fewest seconds', 'arrives most often']

/** One sentence for each kind. */
export const winnerSentences = (winners: readonly Winners[]): string[] =>
  winnerRows(winners).map(
    ([kind, evaluations, seconds, most]) =>
      `${kind[0].toUpperCase()}${kind.slice(1)}: in evaluations ${evaluations}; in seconds ${seconds}; runs that arrive: ${most}.`
  )

export const winnerNote =
  'Counted over pairs of a model and a target: whose expected cost over restarts is lowest; clearly: its interval ends before any other begins. ' +
  'An evaluation of Newton gives a Hessian as well, so that seconds and evaluations need not agree.'
