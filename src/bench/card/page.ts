/** The card as a self-contained page: the score, rooflines, every figure, and what they were taken on. */
import { formatRate, formatSeconds } from '../../core/units.js'
import { facts, fold, htmlTable, page, paragraph, titled } from '../../report/page.js'
import type { Table } from '../../report/table.js'
import { escape } from '../../report/words.js'
import { conditionsText } from '../conditions.js'
import { engineText, networkText, percent } from '../kernels/records.js'
import { roofline, roofsOf } from '../kernels/roofline.js'
import { missingLine } from '../kernels/tables.js'
import type { CardResults } from './card.js'
import { cardTable, cautions, energyLine, groupsOf, machineText, scoreText, whereText } from './text.js'

const figure = (n: number): string => n.toPrecision(3)

/** Every record with its spread. */
function spreadTable(results: CardResults): Table {
  return {
    title: 'Every measurement',
    head: ['engine', 'what', 'network', 'rows', 'runs at a time', 'median/s', 'middle half', 'samples', 'of the roof'],
    words: [0, 1, 2, 6],
    rows: results.records.map(r => [
      engineText(r),
      r.kernel === 'study' ? r.name : r.kernel,
      networkText(r),
      String(r.sizes.N),
      String(r.sizes.R),
      formatRate(r.perSecond),
      `${formatRate(r.spread.q25)} to ${formatRate(r.spread.q75)}`,
      String(r.seconds.length),
      percent(r.rooflineShare)
    ])
  }
}

const machineFacts = (results: CardResults): (readonly [string, string])[] => {
  const [machine, system, ...engines] = machineText(results)
  return [
    ['machine', machine],
    ['system', system],
    ...engines.map(line => {
      const [name, ...rest] = line.split(': ')
      return [name, rest.join(': ')] as const
    }),
    ['while measured', conditionsText(results.conditions ?? [])],
    ['energy', energyLine(results)],
    ['time', formatSeconds(results.wallSeconds)]
  ]
}

const caption =
  'The roof: multiply-adds in registers (level) and copies (sloped), measured between the samples: of a block that no cache holds, and of as many bytes as a ' +
  'kernel moves. Points: median rates. Bytes are those that must move at least, points, results and data once; what fits a cache may lie above the slope of memory.'

export async function cardPage(results: CardResults): Promise<string> {
  const { card } = results
  const groups = groupsOf(results)
  const figures: string[] = []
  for (const { name, records } of groups) {
    const picture = await roofline(records)
    const [roof] = roofsOf(records)
    if (picture)
      figures.push(
        `<figure><h3>${escape(`${name}: ${figure(roof.peak)} GFLOP/s, ${figure(roof.memory)} GB/s`)}</h3><div class="charts">${picture}</div></figure>`
      )
  }
  const [best, ...others] = card.scores
  const score = best
    ? `<p class="headline">${escape(scoreText(best))}</p>${paragraph(`on ${whereText(best)}`)}`
    : paragraph('No study ended.')
  return page(
    'Manystart bench',
    [
      `<div class="answer">${score}${others.map(s => paragraph(`${scoreText(s)} on ${whereText(s)}`)).join('')}</div>`,
      ...cautions(results).map(text => paragraph(text, 'note')),
      facts(machineFacts(results)),
      '<h2>Rates</h2>',
      ...groups.map(g => titled(cardTable(g.name, g.records))),
      ...(figures.length > 0
        ? ['<h2>Rooflines</h2>', `<div class="figures">${figures.join('')}</div>`, paragraph(caption, 'small')]
        : []),
      '<h2>What the score is</h2>',
      paragraph(card.definition),
      paragraph(
        'Gradients and Hessians are timed on all threads at once. GFLOP/s count the matrix products of a gradient, and one multiply-add for each row and each ' +
          'sum of a Hessian that differs from the others. A result is compared with the reference before it is timed; a wrong one scores 0.'
      ),
      fold('Every measurement', htmlTable(spreadTable(results))),
      fold('Not measured', results.missing.map(m => paragraph(missingLine(m))).join(''))
    ].join('\n')
  )
}
