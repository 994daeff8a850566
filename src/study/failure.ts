/** Why runs failed: what keeps the loss from being finite wherever they could go, with the name of the column. */
import { quoted } from '../core/printable.js'
import type { Setup } from './setup.js'
import { expressionOf, hasBias } from '../models/model.js'

const short = (v: number): string => String(Number(v.toPrecision(6)))

/** [smallest, largest] of every k-th value. */
function range(values: ArrayLike<number>, from: number, stride: number): [number, number] {
  let [low, high] = [Infinity, -Infinity]
  for (let i = from; i < values.length; i += stride) {
    low = Math.min(low, values[i])
    high = Math.max(high, values[i])
  }
  return [low, high]
}

/** One sentence, without its first capital and its full stop. */
export async function failureCause({ data, model, certifier, frame }: Setup): Promise<string> {
  const told = ([low, high]: [number, number]): string => `reaches from ${short(low)} to ${short(high)}`
  const { offset: column, exposure } = data.preprocessing
  const name = column ?? exposure
  const { f } = await certifier.objective.evaluate(new Float64Array(certifier.objective.parameters), {})
  const everywhere = !Number.isFinite(f[0])
  if (everywhere && name !== undefined && data.offset) {
    const way = hasBias(model) ? 'take it in another unit' : 'subtract its mean, or give the model a bias'
    return `the offset column ${quoted(name)} ${told(range(data.offset, 0, 1))}, so that the loss overflows wherever the weights are small; ${way}`
  }
  const D = data.inputs
  const spans = data.columns.slice(0, D).map((_, d) => range(data.x, d, D))
  const size = ([low, high]: [number, number]): number => Math.max(Math.abs(low), Math.abs(high))
  const widest = spans.reduce((best, span, d) => (size(span) > size(spans[best]) ? d : best), 0)
  const expression = expressionOf(model)
  if (expression || frame.fromAsked) {
    const where = expression ? 'narrow the inits or bounds of its parameters' : 'use --standardize'
    if (spans.length > 0)
      return `the loss is not finite where they began, and column ${quoted(data.columns[widest])} ${told(spans[widest])}; measure it in another unit, or ${where}`
    return `the objective is not finite where they began; ${where}`
  }
  return 'the loss is not finite where they went; take a smaller learning rate, smaller starts or another optimiser'
}
