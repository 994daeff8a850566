/** The optimiser and the starts of a study in words. */
import { basename } from 'node:path'
import { shown } from '../core/printable.js'
import type { Setup } from './setup.js'

export function initText({ init, design, file }: Setup['config']['starts']): string {
  if (file !== undefined) return `the file ${shown(basename(file))}`
  const drawn =
    typeof init === 'string' ? init : 'normal' in init ? `normal(0, ${init.normal}²)` : `uniform(±${init.uniform})`
  return design === 'sobol' ? `${drawn} by a scrambled Sobol sequence` : drawn
}

export function optimizerText({ name, options, batch }: Setup['optimizer']): string {
  const list = Object.entries(options).map(([key, value]) => `${key} ${value}`)
  if (batch) list.push(`batchSize ${batch.size}`, `order ${batch.order}`)
  return list.length > 0 ? `${name} (${list.join(', ')})` : name
}
