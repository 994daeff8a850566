/**
 * Processes that see one GPU of several alone, on Linux: a Vulkan layer of our own (kernels/vulkan) hides the others from Dawn, which
 * could not tell GPUs of one name apart.
 */
import { delimiter, dirname } from 'node:path'
import { compiledFile } from '../../../core/prebuilt.js'

const file = compiledFile('kernels/vulkan/build', 'libmanystart_one_gpu.so')
const layer = 'VK_LAYER_MANYSTART_one_gpu'

/** Whether the layer has been built; it is for Linux only. */
export const layerBuilt = (): boolean => file !== undefined

type Environment = Readonly<Record<string, string | undefined>>

/**
 * What to add to the environment of a process, before it loads the Vulkan loader, so that it sees one GPU alone.
 * @param place of the GPU in the loader's order, from 0
 * @param user the environment that the process has otherwise; the layers that it names stay
 */
export function oneGpu(place: number, user: Environment = process.env): Record<string, string> {
  if (file === undefined) throw new Error('the Vulkan layer has not been built')
  const folder = dirname(file)
  const before = (first: string, rest: string | undefined): string => (rest ? `${first}${delimiter}${rest}` : first)
  // Every loader looks for explicit layers where VK_LAYER_PATH says, and nowhere else then. Loaders before 1.3.207 know no
  // VK_ADD_LAYER_PATH, so that is for those who use layers out of the usual folders.
  const others = user['VK_INSTANCE_LAYERS'] || user['VK_LOADER_LAYERS_ENABLE'] || user['VK_ADD_LAYER_PATH']
  const path = user['VK_LAYER_PATH'] || !others ? 'VK_LAYER_PATH' : 'VK_ADD_LAYER_PATH'
  return {
    [path]: before(folder, user[path]),
    VK_INSTANCE_LAYERS: before(layer, user['VK_INSTANCE_LAYERS']),
    MANYSTART_VULKAN_GPU: String(place)
  }
}
