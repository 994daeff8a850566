/**
 * Other programs on the same study: same data, starts, stopping test, precision and cores, one after the other in one run.
 * Flags: --small for a try of each that is not stored; names of peers to ask these alone, which is not stored either.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeMachine } from '../../src/bench/machine.js'
import { machineLines, textTable } from '../../src/bench/kernels/tables.js'
import { formatSeconds } from '../../src/core/units.js'
import { writePage } from '../page.js'
import { store } from '../store.js'
import { ask, peers } from './ask.js'
import { evaluationBars, judge, peerBars, versionsOf, wholeBars, withRatios, type Judged } from './judge.js'
import { knownPoints, ownFigures, tensorflowAnswer } from './own.js'
import { names, prepareAll, writeProblems } from './problems.js'
import { barLines, peerTables } from './table.js'
import type { Missing, PeerAnswer, PeerFigure, PeerResults, PeerRow } from './types.js'

const small = process.argv.includes('--small')
const asked = process.argv.slice(2).filter(a => !a.startsWith('-'))
const unknown = asked.find(a => !peers.some(p => p.name === a))
if (unknown !== undefined) {
  console.error(`There is no peer "${unknown}"; there are: ${peers.map(p => p.name).join(', ')}.`)
  process.exit(2)
}
/** Of each peer, so that all end within ten minutes. */
const peerSeconds = small ? 60 : 150
const began = performance.now()
const threads = availableParallelism()
const folder = mkdtempSync(join(tmpdir(), 'manystart-peers-'))
try {
  const file = join(folder, 'problems.json')
  const prepared = await prepareAll(small ? 500 : 10_000, threads)
  writeProblems(file, prepared, threads)
  const judged = new Map<string, Judged>()
  for (const p of prepared) judged.set(p.shared.name, { ...p, points: p.setup ? await knownPoints(p.setup) : [] })
  const judgeAll = async (peer: string, figures: readonly PeerFigure[]): Promise<PeerRow[]> => {
    const rows: PeerRow[] = []
    for (const figure of figures) {
      const problem = judged.get(figure.problem)
      if (!problem) throw new Error(`${peer} measured ${figure.problem}, which nobody asked for`)
      rows.push(await judge(problem, peer, figure))
    }
    return rows
  }

  const before = await ownFigures(prepared, threads)
  const answers: PeerAnswer[] = []
  const missing: Missing[] = []
  for (const peer of peers.filter(p => asked.length === 0 || asked.includes(p.name))) {
    const start = performance.now()
    const { answer, missing: lacks } = await ask(peer, file, peerSeconds)
    answers.push(answer)
    if (lacks) missing.push(lacks)
    const took = formatSeconds((performance.now() - start) / 1000)
    process.stderr.write(
      `${peer.name}: ${answer.figures.length} figures in ${took}${lacks ? `. ${lacks.reason}` : ''}\n`
    )
  }
  if (asked.length === 0) {
    const tensorflow = await tensorflowAnswer(prepared, threads)
    if ('reason' in tensorflow) missing.push(tensorflow)
    else answers.push(tensorflow)
  }
  // The machine may have changed its pace meanwhile.
  const after = await ownFigures(prepared, threads)
  const ours = before.map((figure, k) => ({ ...figure, seconds: [...figure.seconds, ...after[k].seconds] }))
  const rows: PeerRow[] = await judgeAll('Manystart', ours)
  for (const { peer, figures } of answers) rows.push(...(await judgeAll(peer, figures)))
  const compared = withRatios(rows)
  const machine = describeMachine()
  const results: PeerResults = {
    versions: { Manystart: machine.versions, ...versionsOf(answers.filter(a => a.figures.length > 0)) },
    rows: compared,
    points: Object.fromEntries([...judged].map(([name, { points }]) => [name, points])),
    missing,
    notes: answers.flatMap(a => a.notes),
    threads,
    bars: [
      ...peerBars(compared, names.net),
      ...[names.logistic, names.netAll].flatMap(name => wholeBars(compared, name)),
      ...[names.net, names.large].flatMap(name => evaluationBars(compared, name))
    ],
    date: machine.date
  }
  console.log([...machineLines(machine), '', ...peerTables(results, textTable), ...barLines(results)].join('\n'))
  console.log(`Measured in ${formatSeconds((performance.now() - began) / 1000)}.`)
  if (!small && asked.length === 0) {
    console.log(`Written to ${store({ peers: results })}`)
    await writePage()
  }
  for (const p of prepared) (p.setup ?? p.objective).dispose()
  if (compared.some(r => r.peer === 'Manystart' && r.error !== undefined)) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
