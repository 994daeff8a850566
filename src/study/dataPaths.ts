/** Paths of data in a study.json, which are relative to it, so that both can be moved together. */
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { standardInput } from '../data/bytes.js'
import type { DataConfig } from '../data/types.js'

function mapped(data: DataConfig, map: (path: string) => string): DataConfig {
  const { csv, parquet, test } = data
  return {
    ...data,
    ...(csv === undefined || csv === standardInput ? {} : { csv: map(csv) }),
    ...(parquet === undefined ? {} : { parquet: map(parquet) }),
    ...(typeof test === 'object' && 'csv' in test ? { test: { csv: map(test.csv) } } : {})
  }
}

/** A path as written into the study.json of a directory. */
export const storedPath = (path: string, directory: string): string =>
  relative(resolve(directory), resolve(path)).split(sep).join('/')

/** As read from there. */
export const openedPath = (path: string, directory: string): string => (isAbsolute(path) ? path : join(directory, path))

export const storedPaths = (data: DataConfig, directory: string): DataConfig =>
  mapped(data, path => storedPath(path, directory))

export const openedPaths = (data: DataConfig, directory: string): DataConfig =>
  mapped(data, path => openedPath(path, directory))
