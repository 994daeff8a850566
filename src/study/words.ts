/** The optimiser and the starts of a study in words. */
import { basename } from 'node:path'
import { shown } from '../core/printable.js'
import type { Expression } from '../models/expression/types.js'
import type { Setup } from './setup.js'

/** Parameters whose starts are listed. */
const shownInits = 6

/** "b1 uniform(1, 500), b2 logUniform(0.00001, 1)" */
function initsText({ parameters }: Expression): string {
  const list = parameters.slice(0, shownInits).map(({ name, init }) => {
    const numbers = init.kind === 'normal' ? `${init.mean}, ${init.deviation}²` : `${init.low}, ${init.high}`
    return `${name} ${init.kind}(${numbers})`
  })
  const more = parameters.length - list.length
  return list.join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/** @param expression where the model is one: its parameters may have starts of their own */
export function initText({ init, design, file }: Setup['config']['starts'], expression?: Expression): string {
  if (file !== undefined) return `the file ${shown(basename(file))}`
  const drawn = expression
    ? initsText(expression)
    : typeof init === 'string'
      ? init
      : 'normal' in init
        ? `normal(0, ${init.normal}²)`
        : `uniform(±${init.uniform})`
  return design === 'sobol' ? `${drawn} by a scrambled Sobol sequence` : drawn
}

export function optimizerText({ name, options, batch }: Setup['optimizer']): string {
  const list = Object.entries(options).map(([key, value]) => `${key} ${value}`)
  if (batch) list.push(`batchSize ${batch.size}`, `order ${batch.order}`)
  return list.length > 0 ? `${name} (${list.join(', ')})` : name
}
