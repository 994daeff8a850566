/** The `data` part of a study's configuration: its schema, and what the user gave as plain data. */
import * as z from 'zod'
import { plainColumns, tableOfColumns, tableOfRows } from '../data/memory.js'
import { builtins } from '../data/builtin.js'
import type { DataConfig } from '../data/types.js'
import { field } from './fields.js'

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
  csv: field(z.string().optional(), 'path of a text table, or - for standard input', { flag: 'data', value: 'FILE' }),
  parquet: field(z.string().optional(), 'path of a Parquet file', { flag: 'data', value: 'FILE' }),
  builtin: field(z.string().optional(), `built-in data set: ${Object.keys(builtins).join(', ')}`, {
    flag: 'data',
    value: 'NAME'
  }),
  generate: field(
    z
      .strictObject({
        rows: positive,
        inputs: positive,
        overlap: z.number().positive().max(0.5),
        seed: seed.default(1)
      })
      .optional(),
    'two normal classes; overlap is the error rate of the best rule',
    { value: 'rows:200,inputs:3,overlap:0.1,seed:1' }
  ),
  columns: field(arrays.optional(), 'arrays of one length by the name of their column, from a program', {
    flag: null,
    type: 'Columns'
  }),
  rows: field(objects.optional(), 'a list of objects, from a program', {
    flag: null,
    type: 'readonly Readonly<Record<string, Cell>>[]'
  }),
  hash: field(z.string().optional(), 'SHA-256 that the data had; a note says when they have changed', { flag: null }),
  target: field(z.union([z.string(), names.min(1)]).optional(), 'column to predict, or several: an output for each', {
    value: 'COLUMN',
    absent: 'of built-in data their own'
  }),
  trials: field(z.string().optional(), 'column of the number of trials, of which the target counts the successes', {
    value: 'COLUMN'
  }),
  features: field(
    names.optional(),
    'input columns, none for an intercept alone; a name with a comma stands in quotation marks',
    {
      value: 'A,B',
      absent: 'all other columns'
    }
  ),
  exclude: field(names.optional(), 'columns to leave out', { value: 'A,B' }),
  categorical: field(names.optional(), 'columns that hold labels, even if they look like numbers', {
    value: 'A,B',
    absent: 'as they look'
  }),
  numeric: field(names.optional(), 'columns that must hold numbers', { value: 'A,B', absent: 'as they look' }),
  reference: field(z.record(z.string(), label).optional(), 'level that the others of a column are compared with', {
    value: 'A=LEVEL',
    absent: 'the first level'
  }),
  dropAliased: field(
    z.boolean().optional(),
    'leave out columns that depend on those before them, as R does; for models without hidden layer',
    { absent: '`false`' }
  ),
  missing: field(
    z.enum(['refuse', 'drop']).default('refuse'),
    'drop: leave out rows with a missing or unreadable value in a column that is used',
    { flag: 'drop-missing' }
  ),
  missingValues: field(z.array(label).optional(), 'what stands for a missing value, beside the empty cell', {
    flag: 'missing',
    value: 'NA,.,-999',
    absent: '`NA`, `NaN` and the like'
  }),
  delimiter: field(z.string().length(1).optional(), 'what stands between columns, such as ; or tab', {
    value: 'SIGN',
    absent: 'as seen in the file'
  }),
  decimal: field(z.enum(['.', ',']).optional(), 'decimal sign of the numbers', {
    value: '.|,',
    absent: 'as seen in the file'
  }),
  weights: field(z.string().optional(), 'column of row weights', { value: 'COLUMN' }),
  offset: field(z.string().optional(), 'column added to z', { value: 'COLUMN' }),
  exposure: field(z.string().optional(), 'column whose logarithm is added to z', { value: 'COLUMN' }),
  standardize: field(
    z.boolean().default(false),
    'draw starts, and let a ridge fall, on columns of mean 0 and population standard deviation 1; parameters are given for the columns as given, the standardised ones stand beside them'
  ),
  standardizeTarget: field(z.boolean().default(false), 'the same for a numeric target'),
  test: field(
    z
      .union([
        z.literal('none'),
        z.strictObject({ fraction: z.number().positive().lt(1).default(0.3), seed: seed.default(1) }),
        z.strictObject({ csv: z.string().describe('path of a text table with the same columns') })
      ])
      .optional(),
    'rows held out: none, a share, or those of a file',
    {
      value: 'none|0.3|FILE',
      example: ['--test 0.3', '--test-fraction', '--test-seed', '--test-csv'],
      absent: '`none`'
    }
  )
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
