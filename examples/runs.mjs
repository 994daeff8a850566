// Every run as it ends, from a table in memory: what does a single training give, as against the best of many?
import { runs } from 'manystart'

const rows = Array.from({ length: 40 }, (_, i) => ({ dose: i / 4, cured: Math.sin(i) + i / 10 > 2 ? 'yes' : 'no' }))
const losses = []
const all = runs({
  data: { rows, target: 'cured', standardize: true },
  model: { hidden: [2], ridge: 0.001, penalizeBias: true },
  starts: { count: 200, init: { normal: 3 } }
})
for await (const { start, verdict, loss } of all) {
  losses.push(loss)
  if (start < 3) console.log(`start ${start}: ${verdict}, loss ${loss.toFixed(5)}`)
}
losses.sort((a, b) => a - b)
console.log(`best of ${losses.length}: ${losses[0].toFixed(5)}, median ${losses[losses.length / 2].toFixed(5)}`)
