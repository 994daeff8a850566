/** The report's style sheet: light and dark, wide and narrow, readable on paper. */
export const style = `
:root { color-scheme: light dark; --ink: #1d2126; --soft: #5b6470; --ground: #fff; --panel: #f5f6f8; --line: #d9dde3; --accent: #0072b2 }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --soft: #9aa4b1; --ground: #15181c; --panel: #1e2227; --line: #353b43; --accent: #56b4e9 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
main { max-width: 1130px; margin: 0 auto; padding: 24px 20px 64px }
h1 { font-size: 26px; line-height: 1.2; margin: 8px 0 16px }
h2 { font-size: 19px; margin: 40px 0 10px; padding-top: 14px; border-top: 1px solid var(--line) }
h3 { font-size: 15px; margin: 22px 0 6px }
p { max-width: 85ch }
.answer { background: var(--panel); border-left: 4px solid var(--accent); padding: 8px 16px; margin: 16px 0; border-radius: 4px }
.answer p { margin: 8px 0; max-width: none }
.note { border-left: 4px solid #e69f00; background: var(--panel); padding: 6px 14px; border-radius: 4px; margin: 8px 0; max-width: none }
.small { color: var(--soft); font-size: 13px }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; overflow-wrap: normal }
th, td { padding: 4px 20px 4px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line) }
th { color: var(--soft); font-weight: 600; vertical-align: bottom }
th:last-child, td:last-child { padding-right: 0 }
.n { text-align: right }
td.n { white-space: nowrap }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 2px 16px; margin: 10px 0; font-size: 14px }
dl.small { font-size: 13px }
dt { color: var(--soft) }
dd { margin: 0 }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 8px 32px; align-items: start }
figure { margin: 12px 0; min-width: 0 }
figcaption { color: var(--soft); font-size: 13px; max-width: 85ch }
.models td:first-child { min-width: 9em }
.legend { display: flex; flex-wrap: wrap; gap: 2px 22px; margin: 4px 0; padding: 0; list-style: none; font-size: 13px }
.sign { margin-right: 7px }
.charts { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 12px 24px }
.charts svg { display: block; width: 470px; max-width: 100%; height: auto; overflow: visible }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 235px), 1fr)); gap: 12px 20px; margin: 14px 0 4px }
.panels article { min-width: 0 }
.panels h2 { font-size: 15px; margin: 0; padding: 0; border: 0 }
article > p { margin: 0 }
.panels svg { display: block; width: 100%; max-width: 350px; height: auto; margin-top: 6px; overflow: visible }
.kind { color: var(--soft); font-size: 13px }
.headline { font-size: 16px; font-weight: 600; line-height: 1.3 }
@media (min-width: 900px) { .panels article { display: flex; flex-direction: column } .panels svg { margin-top: auto } }
details { border-top: 1px solid var(--line); margin-top: 14px; padding-top: 10px }
summary { cursor: pointer }
summary h2 { display: inline; font-size: 17px; margin: 0; padding: 0; border: 0 }
.models th:first-child, .models td:first-child { position: sticky; left: 0; background: var(--ground) }
@media (max-width: 480px) { main { padding: 12px 14px 48px } h1 { font-size: 20px; margin: 0 0 10px } th, td { padding-right: 12px } .models td:first-child { min-width: 7em } .panels svg { max-width: 290px } .panels h2, .kind { display: inline; margin-right: 8px } }
@media print { details::details-content { content-visibility: visible; block-size: auto; opacity: 1 } details > * { display: block } main { max-width: none } figure, table, dl { break-inside: avoid } }
`
