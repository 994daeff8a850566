/** The GPUs that Dawn sees. For the child process: asking loads Dawn and the system's drivers. */
import { describe, findAdapter } from './open.js'
import type { ListedAdapter } from './protocol.js'

/** A name that no GPU has: Dawn answers it with the list of those that there are. */
const noName = 'a name that no GPU has'

/** Interfaces of which the engine is meant for the first that is there; others show the same GPUs once more. */
const backends = ['vulkan', 'metal', 'd3d12']

/** Name and backend of each GPU, from the words of Dawn's error. */
export function parseList(message: string): { backend: string; name: string }[] {
  return Array.from(message.matchAll(/backend: '([^']*)', name: '(.*)'/g), ([, backend, name]) => ({ backend, name }))
}

async function adapterNames(): Promise<string[]> {
  const { create } = await import('webgpu')
  try {
    await create([`adapter=${noName}`]).requestAdapter()
    return []
  } catch (error) {
    const listed = parseList(String(error))
    return listed.filter(({ backend, name }) => backends.includes(backend) && name !== '').map(({ name }) => name)
  }
}

/**
 * Every GPU, hardware first.
 * @throws WorkError, in one sentence, where there is none
 */
export async function listAdapters(): Promise<ListedAdapter[]> {
  // Says what is missing where nothing can be opened.
  await findAdapter()
  const names = await adapterNames()
  const list: ListedAdapter[] = []
  for (const name of new Set(names)) {
    const { name: own, driver, software } = await findAdapter(name)
    list.push({ name, detail: describe(own, driver), software, count: names.filter(n => n === name).length })
  }
  return list.sort((a, b) => Number(a.software) - Number(b.software))
}
