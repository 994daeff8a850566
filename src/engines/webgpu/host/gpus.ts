/** The GPUs of this machine, by distinct names, and the choice among them. Dawn and the drivers are asked in child processes. */
import { InputError, WorkError } from '../../../core/errors.js'
import { knownNames } from '../../../core/names.js'
import { Child, compiledWorker } from '../../process/child.js'
import type { Support } from '../../types.js'
import { GpuLostError, GpuMemoryError } from '../core/device.js'
import { layerBuilt, oneGpu } from './layer.js'
import type { ListedAdapter, WebgpuQuestions } from './protocol.js'

/** A submit takes some 20 ms, compiling a kernel seldom more than a second: who is silent for so long will not speak again. */
const patience = 60_000
/** Places after as many as Dawn lists at which a GPU is looked for: drivers that Dawn refuses have places too. */
const placesBeyond = 8

/** How to open a GPU. */
export interface GpuAddress {
  /** Dawn's name of it. */
  readonly adapter: string
  /** Its place in the order of the Vulkan loader, where the name alone would not do: its process sees this one alone. */
  readonly place?: number
  /** Among those of its name, from 1. */
  readonly number?: number
}

export interface ListedGpu extends GpuAddress {
  /** By which the user names it; no other GPU has it. */
  readonly name: string
  readonly support: Support & { readonly ok: true }
}

/** @param place of the GPU that the process is to see alone */
export const startChild = (place?: number, patienceMilliseconds = patience): Child<WebgpuQuestions> =>
  new Child<WebgpuQuestions>({
    program: compiledWorker('webgpu/host'),
    holds: 'the GPU',
    patienceMilliseconds,
    errors: { GpuLostError, GpuMemoryError },
    ...(place === undefined ? {} : { env: oneGpu(place) })
  })

async function listIn(child: Child<WebgpuQuestions>): Promise<readonly ListedAdapter[]> {
  try {
    return await child.ask('list', {}).answer
  } finally {
    child.dispose()
  }
}

type Placed = ListedAdapter & { readonly place: number }

/** The GPU at each place from `first`; nothing for a place without one. */
async function atPlaces(first: number, count: number): Promise<Placed[]> {
  const lists = Array.from({ length: count }, async (_, i): Promise<Placed[]> => {
    const list = await listIn(startChild(first + i)).catch(() => [])
    return list.map(adapter => ({ ...adapter, place: first + i }))
  })
  return (await Promise.all(lists)).flat()
}

const supportOf = ({ detail, software }: ListedAdapter, remark = ''): ListedGpu['support'] => ({
  ok: true,
  detail: `${detail}${remark}`,
  ...(software ? { software } : {})
})

/** GPUs as Dawn alone tells them apart: of one name there is the first. */
const byName = (list: readonly ListedAdapter[], why: string): ListedGpu[] =>
  list.map(adapter => {
    const { name, count } = adapter
    const remark = count > 1 ? `, the first of ${count} of that name: ${why}` : ''
    return { name, adapter: name, support: supportOf(adapter, remark) }
  })

/** Every GPU by a name of its own; those that Dawn would take for another by their place too. */
async function tellApart(list: readonly ListedAdapter[]): Promise<ListedGpu[]> {
  // Dawn takes the first GPU that has what it is given in its name.
  const confused = ({ name, count }: ListedAdapter): boolean =>
    count > 1 || list.some(other => other.name !== name && other.name.includes(name))
  if (!list.some(confused)) return byName(list, '')
  if (process.platform !== 'linux') return byName(list, 'Dawn cannot tell them apart')
  if (!layerBuilt()) return byName(list, 'reaching the others takes g++ and make, and then `npm run build`')
  const total = list.reduce((sum, { count }) => sum + count, 0)
  const placed = await atPlaces(0, total)
  for (let place = total; placed.length < total && place < total + placesBeyond; place++)
    placed.push(...(await atPlaces(place, 1)))
  const named = (name: string): Placed[] => placed.filter(adapter => adapter.name === name)
  // Where the layer hides nothing, every process sees all.
  if (list.some(({ name, count }) => named(name).length !== count) || placed.some(({ count }) => count > 1))
    return byName(list, 'the Vulkan loader does not take the layer in kernels/vulkan that shows the others')
  return list.flatMap(adapter => {
    if (!confused(adapter)) return byName([adapter], '')
    return named(adapter.name).map((one, i) => ({
      adapter: one.name,
      place: one.place,
      ...(adapter.count > 1 ? { name: `${one.name} #${i + 1}`, number: i + 1 } : { name: one.name }),
      support: supportOf(one)
    }))
  })
}

/** What there is here is asked once per process: every answer costs a child. */
let listed: Promise<{ list: readonly ListedGpu[] } | { reason: string }> | undefined

/** Every GPU, hardware first, or why there is none. */
export const look = (): Promise<{ list: readonly ListedGpu[] } | { reason: string }> =>
  (listed ??= (async () => {
    try {
      return { list: await tellApart(await listIn(startChild())) }
    } catch (error) {
      return { reason: error instanceof Error ? error.message : String(error) }
    }
  })())

/**
 * The GPUs that --device means: one by a part of its name, `all`, or the best.
 * @throws InputError where none has the name; WorkError where there is no GPU
 */
export async function chosen(device: string | undefined): Promise<readonly GpuAddress[]> {
  const found = await look()
  if ('reason' in found) throw new WorkError(found.reason)
  const { list } = found
  const hardware = list.filter(gpu => gpu.support.software !== true)
  if (device === undefined) return list.slice(0, 1)
  if (device === 'all') return hardware.length > 0 ? hardware : list
  const words = device.toLowerCase()
  const named = list.find(gpu => gpu.name === device) ?? list.find(gpu => gpu.name.toLowerCase().includes(words))
  if (named) return [named]
  const names = [...list.map(gpu => gpu.name), 'all']
  throw new InputError(`The webgpu engine has no device "${device}" (${knownNames(device, names)}).`)
}
