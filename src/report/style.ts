/** The report's style sheet: light and dark, readable on paper. */
export const style = `
:root { color-scheme: light dark; --ink: #1d2126; --soft: #5b6470; --ground: #fff; --panel: #f5f6f8; --line: #d9dde3; --accent: #0072b2 }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --soft: #9aa4b1; --ground: #15181c; --panel: #1e2227; --line: #353b43; --accent: #56b4e9 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 64px }
h1 { font-size: 26px; line-height: 1.2; margin: 8px 0 16px }
h2 { font-size: 19px; margin: 40px 0 10px; padding-top: 14px; border-top: 1px solid var(--line) }
h3 { font-size: 15px; margin: 22px 0 6px }
.answer { background: var(--panel); border-left: 4px solid var(--accent); padding: 8px 16px; border-radius: 4px }
.answer p { margin: 8px 0 }
.note { border-left: 4px solid #e69f00; background: var(--panel); padding: 6px 14px; border-radius: 4px; margin: 8px 0 }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums }
th, td { padding: 4px 14px 4px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line) }
th { color: var(--soft); font-weight: 600 }
.n { text-align: right; white-space: nowrap }
td:last-child:not(.n) { padding-left: 8px }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 10px 0; font-size: 14px }
dt { color: var(--soft) }
dd { margin: 0 }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 8px 32px }
.figures.wide { grid-template-columns: minmax(0, 1fr) }
figure { margin: 12px 0; min-width: 0 }
figcaption { color: var(--soft); font-size: 13px }
.chart svg { display: block; width: 100%; min-width: 420px; max-width: 980px; height: auto }
@media print { main { max-width: none } figure, table { break-inside: avoid } }
`
