/** The parts that pages are made of: tables, paragraphs, figures, and the page around them. No script, no network. */
import type { Chart } from './charts/chart.js'
import { style } from './style.js'
import type { Table } from './table.js'
import { escape } from './words.js'

/** A table, every text escaped; `kind` is a class of the style sheet. */
export function htmlTable({ head, rows, words = [0] }: Table, kind = ''): string {
  const cell = (tag: 'th' | 'td', text: string, i: number): string => {
    const side = words.includes(i) ? '' : ' class="n"'
    return `<${tag}${side}${tag === 'th' ? ' scope="col"' : ''}>${escape(text)}</${tag}>`
  }
  const line = (tag: 'th' | 'td', cells: readonly string[]): string =>
    `<tr>${cells.map((text, i) => cell(tag, text, i)).join('')}</tr>`
  return (
    `<div class="scroll"><table${kind === '' ? '' : ` class="${kind}"`}><thead>${line('th', head)}</thead>` +
    `<tbody>${rows.map(cells => line('td', cells)).join('')}</tbody></table></div>`
  )
}

/** A table under its title; nothing where there is none. */
export const titled = (table: Table | undefined): string =>
  table ? `<h3>${escape(table.title)}</h3>${htmlTable(table)}` : ''

export const paragraph = (text: string, kind = ''): string =>
  `<p${kind === '' ? '' : ` class="${kind}"`}>${escape(text)}</p>`

const legend = (items: NonNullable<Chart['legend']>): string =>
  items.length > 0
    ? `<ul class="legend">${items.map(({ sign, name }) => `<li>${sign}${escape(name)}</li>`).join('')}</ul>`
    : ''

/** A chart with its caption; `heading` says whether its title stands above it. */
export const figure = (chart: Chart | undefined, heading = true): string =>
  chart
    ? `<figure>${heading ? `<h3>${escape(chart.title)}</h3>` : ''}<div class="charts">${chart.svgs.join('')}</div>` +
      legend(chart.legend ?? []) +
      `<figcaption>${escape(chart.caption)}</figcaption></figure>`
    : ''

export const facts = (items: readonly (readonly [string, string])[], kind = ''): string =>
  `<dl${kind === '' ? '' : ` class="${kind}"`}>${items.map(([k, v]) => `<dt>${escape(k)}</dt><dd>${escape(v)}</dd>`).join('')}</dl>`

/** What is read after the first screen: closed on a screen, open on paper. */
export const fold = (title: string, content: string): string =>
  content === '' ? '' : `<details><summary><h2>${escape(title)}</h2></summary>\n${content}\n</details>`

/** A self-contained page. */
export const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="manystart">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escape(title)}</h1>
${body}
</main>
</body>
</html>
`
