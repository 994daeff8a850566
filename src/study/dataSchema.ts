/** The `data` part of a study's configuration: its schema, and what the user gave as plain data. */
import { z } from 'zod'
import { plainColumns, tableOfColumns, tableOfRows } from '../data/memory.js'
import type { DataConfig } from '../data/types.js'

const positive = z.number().int().positive()
const seed = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)
const names = z.array(z.string())
/** A label, or a number that stands for one. */
const label = z.union([z.string(), z.number(), z.boolean()])

/** Arrays and objects of a program are looked at cell by cell where they are read. */
const arrays = z.custom<NonNullable<DataConfig['columns']>>(
  value =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(column => Array.isArray(column) || ArrayBuffer.isView(column)),
  'give an object of arrays, such as {x: [1, 2], y: [0, 1]}'
)
const objects = z.custom<NonNullable<DataConfig['rows']>>(
  value => Array.isArray(value) && value.every(row => typeof row === 'object' && row !== null && !Array.isArray(row)),
  'give a list of objects, such as [{x: 1, y: 0}, {x: 2, y: 1}]'
)

export const dataSchema = z.strictObject({
  csv: z.string().optional(),
  parquet: z.string().optional(),
  builtin: z.string().optional(),
  generate: z
    .strictObject({
      rows: positive,
      inputs: positive,
      overlap: z.number().positive().max(0.5),
      seed: seed.default(1)
    })
    .optional(),
  columns: arrays.optional(),
  rows: objects.optional(),
  hash: z.string().optional(),
  target: z.union([z.string(), names.min(1)]).optional(),
  trials: z.string().optional(),
  features: names.min(1).optional(),
  exclude: names.optional(),
  categorical: names.optional(),
  numeric: names.optional(),
  reference: z.record(z.string(), label).optional(),
  missing: z.enum(['refuse', 'drop']).default('refuse'),
  missingValues: z.array(label).optional(),
  delimiter: z.string().length(1).optional(),
  decimal: z.enum(['.', ',']).optional(),
  weights: z.string().optional(),
  offset: z.string().optional(),
  exposure: z.string().optional(),
  standardize: z.boolean().default(false),
  standardizeTarget: z.boolean().default(false),
  test: z
    .union([
      z.literal('none'),
      z.strictObject({ fraction: z.number().positive().lt(1).default(0.3), seed: seed.default(1) }),
      z.strictObject({ csv: z.string() })
    ])
    .optional()
})

/** The same as plain data, fit for JSON: rows as columns, labels as text. */
export function plainData(data: z.infer<typeof dataSchema>): DataConfig {
  const { columns, rows, reference, missingValues, ...rest } = data
  const table = columns ? tableOfColumns(columns) : rows ? tableOfRows(rows) : undefined
  return {
    ...(JSON.parse(JSON.stringify(rest)) as DataConfig),
    ...(table ? { columns: plainColumns(table) } : {}),
    ...(reference
      ? { reference: Object.fromEntries(Object.entries(reference).map(([name, level]) => [name, String(level)])) }
      : {}),
    ...(missingValues ? { missingValues: missingValues.map(String) } : {})
  }
}
