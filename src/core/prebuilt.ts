/** Where compiled files lie: made here from the sources, or delivered with the package for this kind of system. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's or the package's root, whether this file runs from src/ or from dist/. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Whether this is a clone, which can be built, and not an installed package. */
export const isClone = existsSync(join(root, 'src'))

/** Such as linux-x64-glibc, darwin-arm64. */
export function systemName(): string {
  const name = `${process.platform}-${process.arch}`
  if (process.platform !== 'linux') return name
  // The report looks names up in the network unless told not to.
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report
  report.excludeNetwork = true
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } }
  return `${name}-${header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'}`
}

/** The file as made in `folder` of the root, else as delivered; undefined where there is neither. */
export function compiledFile(folder: string, name: string): string | undefined {
  const made = join(root, folder, name)
  if (existsSync(made)) return made
  const delivered = join(root, 'prebuilds')
  if (!existsSync(delivered)) return undefined
  const path = join(delivered, systemName(), name)
  return existsSync(path) ? path : undefined
}
