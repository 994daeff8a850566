// Data that a direction separates have no finite estimate; a ridge that was tried gives one.
import { study } from 'manystart'

const data = { builtin: 'endometrial' }
const before = await study({ data, starts: { count: 50 } })
console.log(
  `separation: ${before.separation.status}, ${Object.keys(before.separation.infinite).join(', ')} to infinity`
)
console.log(`${before.verdicts.diverging} of ${before.starts} runs run away`)

const after = await study({ data, model: before.separation.remedy, starts: { count: 50 } })
console.log(
  `with a ridge of ${before.separation.remedy.ridge}: ${after.verdicts.minimum} of ${after.starts} at one minimum`
)
