/** Runs of a crossed design as tables on the disk: where each stands in the design, its status, what was measured of it, and its θ. */
import { createHash } from 'node:crypto'
import { encodeTable, type Field } from './parquet.js'

export const varianceRecordFormat = 'manystart/variance-study'

export interface CrossedRuns {
  /** [n] places in the design. */
  readonly place: Float64Array
  /** [n] as in core/status.ts. */
  readonly status: Uint8Array
  /** [n] each: the loss and scores, by name. */
  readonly measured: ReadonlyMap<string, Float64Array>
  /** [n, P] row-major, in the coordinates of the computation. */
  readonly theta: Float64Array
}

const metadataKey = 'manystart'
const parameterField = (name: string): string => `conditioned:${name}`

/** What the metadata of a table say: whose the runs are, and a checksum of all that is in them. */
function sealOf(identity: string, { place, status, measured, theta }: CrossedRuns): string {
  const hash = createHash('sha256')
  // Readers may give the bits of NaN in another way than they were written.
  const add = (values: Float64Array): void => void hash.update(values.map(v => (Number.isNaN(v) ? NaN : v)))
  add(place)
  hash.update(status)
  for (const [name, values] of measured) {
    hash.update(`\n${name}\n`)
    add(values)
  }
  add(theta)
  return `${identity} ${hash.digest('hex')}`
}

/** @param names of the P parameters */
export function encodeCrossed(identity: string, names: readonly string[], runs: CrossedRuns): Uint8Array {
  const fields: Field[] = [
    { name: 'run', type: 'INT64', data: runs.place },
    { name: 'status', type: 'INT32', data: Uint32Array.from(runs.status) },
    ...[...runs.measured].map(([name, data]): Field => ({ name, type: 'DOUBLE', data })),
    ...names.map((name, column): Field => ({
      name: parameterField(name),
      type: 'DOUBLE',
      data: runs.theta,
      width: names.length,
      column
    }))
  ]
  return encodeTable([fields], [metadataKey, sealOf(identity, runs)])
}

/** @returns undefined for bytes that are no such table, are not as they were written, or belong to other runs */
export async function decodeCrossed(
  bytes: Uint8Array,
  identity: string,
  names: readonly string[]
): Promise<CrossedRuns | undefined> {
  const columns = new Map<string, number[]>()
  // Loaded by who reads runs: what only names the files here needs none of it.
  const { parquetMetadata, parquetRead } = await import('hyparquet')
  let count: number
  let seal: string | undefined
  try {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
    const metadata = parquetMetadata(file)
    seal = metadata.key_value_metadata?.find(e => e.key === metadataKey)?.value
    if (!seal?.startsWith(`${identity} `)) return undefined
    count = Number(metadata.num_rows)
    await parquetRead({
      file,
      metadata,
      onChunk: ({ columnName, columnData }) =>
        void columns.set(columnName, [...(columns.get(columnName) ?? []), ...Array.from(columnData, Number)])
    })
  } catch {
    return undefined
  }
  const take = (name: string): Float64Array | undefined => {
    const values = columns.get(name)
    columns.delete(name)
    return values?.length === count ? Float64Array.from(values) : undefined
  }
  const [place, status] = [take('run'), take('status')]
  const theta = new Float64Array(count * names.length)
  for (const [p, name] of names.entries()) {
    const values = take(parameterField(name))
    if (!values) return undefined
    values.forEach((v, i) => (theta[i * names.length + p] = v))
  }
  const measured = new Map([...columns.keys()].map(name => [name, take(name)] as const))
  if (!place || !status || [...measured.values()].includes(undefined)) return undefined
  const runs = {
    place,
    status: Uint8Array.from(status),
    measured: measured as ReadonlyMap<string, Float64Array>,
    theta
  }
  return sealOf(identity, runs) === seal ? runs : undefined
}
