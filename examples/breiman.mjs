// Breiman's experiment ("Statistical Modeling: The Two Cultures", 2001, section 8): a hundred networks, random starts, one set of
// data with three columns. He found 32 distinct minima, of about equal error on test rows, each of which "gave a different picture".
import { evaluate, study } from 'manystart'

// Three columns that go along with each other, and a class that depends on all of them, with noise. The numbers are the same each time.
let state = 2001
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return (state + 0.5) / 2 ** 32
}
const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())
const columns = { x1: [], x2: [], x3: [], y: [] }
for (let i = 0; i < 600; i++) {
  const common = normal()
  const [x1, x2, x3] = [normal(), normal(), normal()].map(own => 0.8 * common + 0.6 * own)
  columns.x1.push(x1)
  columns.x2.push(x2)
  columns.x3.push(x3)
  columns.y.push(Math.sin(2 * x1) + x2 * x3 + 0.5 * x3 + 0.8 * normal() > 0.5 ? 'yes' : 'no')
}

const model = { hidden: [6], ridge: 0.001, penalizeBias: true }
const summary = await study({
  data: { columns, target: 'y', test: { fraction: 0.75, seed: 1 } },
  model,
  starts: { count: 100, init: { normal: 2 } },
  engine: 'cpu'
})
const { minima } = summary
const errors = minima.map(m => 100 * (1 - m.metrics.test.accuracy))
const error = errors[0] / 100
const sampling = 100 * Math.sqrt((error * (1 - error)) / summary.problem.testRows)
const range = list => `${Math.min(...list).toFixed(1)} to ${Math.max(...list).toFixed(1)}`
console.log(`${summary.starts} networks, ${minima.length} distinct minima, errors on test rows ${range(errors)} %`)
console.log(`(the standard error of one, for ${summary.problem.testRows} rows, is ${sampling.toFixed(1)} %)`)

// The picture: how much the loss of a minimum rises when the numbers of one column are moved on by a few rows.
const points = minima.map(m => m.parameters)
const lossOf = async moved =>
  (await evaluate({ data: { columns: { ...columns, ...moved }, target: 'y' }, model }, points)).f
const whole = await lossOf({})
const moved = column => columns[column].map((_, i, { length }) => columns[column][(i + 97) % length])
const rises = []
for (const column of ['x1', 'x2', 'x3']) {
  const f = await lossOf({ [column]: moved(column) })
  rises.push(Array.from(f, (v, i) => v - whole[i]))
}
console.log('share of the runs, test error, and how the three columns matter, of the ten best minima:')
minima.slice(0, 10).forEach((m, i) => {
  const total = rises.reduce((sum, rise) => sum + rise[i], 0)
  const shares = rises.map((rise, c) => `x${c + 1} ${Math.round((100 * rise[i]) / total)} %`)
  console.log(`${String(m.count).padStart(3)} %  ${errors[i].toFixed(1).padStart(4)} %  ${shares.join('  ')}`)
})
const orders = new Set(
  minima.map((_, i) =>
    rises
      .map((rise, c) => [rise[i], c])
      .sort((a, b) => b[0] - a[0])
      .map(([, c]) => `x${c + 1}`)
      .join(' > ')
  )
)
console.log(`orders of the columns by how much they matter: ${[...orders].join(', ')}`)
const { needed } = summary.restarts
console.log(`${needed.starts} starts have a 95 % chance of the lowest loss that is known`)
