// Convex and non-convex models on the same data: does the result depend on the start?
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { conclusion, contrast, contrastText, renderReport } from 'manystart'

const { models, separated } = await contrast({ data: { builtin: 'iris2' }, starts: { count: 200 } })
console.log(contrastText(models, 80))
for (const sentence of conclusion(models)) console.log(`\n${sentence}`)

const page = join(tmpdir(), `manystart-example-${process.pid}.html`)
writeFileSync(page, await renderReport(models, { title: 'Four models of two irises', separated }))
console.log(`\nThe page: ${page}`)
