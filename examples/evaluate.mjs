// f, g and the exact Hessian of a model for many parameter vectors at once: the kernels that the runs use.
import { evaluator } from 'manystart'

const model = await evaluator({
  data: { builtin: 'iris2', standardize: true },
  model: { hidden: [3], ridge: 0.001 }
})
const P = model.names.length
const points = Float64Array.from({ length: 1000 * P }, (_, i) => Math.sin(i))
const { f, g, H } = await model.evaluate(points, { g: true, H: true })
console.log(`${model.engine.name} (${model.engine.precision}), ${model.rows} rows, ${P} parameters`)
console.log(
  `f [${f.length}], g [${f.length}, ${g.length / f.length}], H [${f.length}, ${P}, ${H.length / f.length / P}]`
)
console.log(`f from ${Math.min(...f).toFixed(3)} to ${Math.max(...f).toFixed(3)}`)
model.dispose()
