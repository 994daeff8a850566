/** The optimiser and the starts of a study in words. */
import type { Setup } from './setup.js'

export const initText = (init: Setup['config']['starts']['init']): string =>
  typeof init === 'string' ? init : 'normal' in init ? `normal(0, ${init.normal}²)` : `uniform(±${init.uniform})`

export function optimizerText({ name, options, batch }: Setup['optimizer']): string {
  const list = Object.entries(options).map(([key, value]) => `${key} ${value}`)
  if (batch) list.push(`batchSize ${batch.size}`, `order ${batch.order}`)
  return list.length > 0 ? `${name} (${list.join(', ')})` : name
}
