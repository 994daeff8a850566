/** Whether a hardware GPU can be there at all, from the file system alone: asking Dawn takes a process and the drivers' start. */
import { existsSync } from 'node:fs'

/** What Linux drivers of GPUs show: Mesa's and AMD's, NVIDIA's, AMD's compute, Windows' in WSL. */
const deviceFiles = ['/dev/dri', '/dev/nvidiactl', '/dev/kfd', '/dev/dxg', '/dev/mali0']
/** Drivers that the user names are asked whatever the system shows. */
const driverVariables = ['VK_DRIVER_FILES', 'VK_ADD_DRIVER_FILES', 'VK_ICD_FILENAMES']

/** A reason why none can be there, or undefined where only Dawn knows. */
export function noHardware(
  platform: NodeJS.Platform = process.platform,
  environment: NodeJS.ProcessEnv = process.env,
  exists: (path: string) => boolean = existsSync
): string | undefined {
  if (platform !== 'linux' || driverVariables.some(name => environment[name]) || deviceFiles.some(exists))
    return undefined
  return `No GPU is attached: none of ${deviceFiles.join(', ')} is there.`
}
