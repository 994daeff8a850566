/** Facts of a field of a study beside what it takes, kept with its schema: what all that describes fields is made of. */
import * as z from 'zod'

export interface FieldFacts {
  /** Name of the flag, where it is not the field's own in other letters; null where there is none. */
  readonly flag?: string | null
  /** What the flag takes, such as COLUMN. */
  readonly value?: string
  /** How the flags are written in the table of fields, where its name alone would mislead. */
  readonly example?: readonly string[]
  /** What holds where the field is absent and has no default. */
  readonly absent?: string
  /** Where the reference says more: a link. */
  readonly see?: string
  /** JSON Schema in the place of what zod tells, for what is checked elsewhere. */
  readonly json?: Readonly<Record<string, unknown>>
  /** The type of what only a program can give. */
  readonly type?: string
}

const facts = z.registry<{ readonly meaning: string } & FieldFacts>()

/** The schema with what it means and its facts. */
export function field<T extends z.ZodType>(schema: T, meaning: string, more: FieldFacts = {}): T {
  facts.add(schema, { meaning, ...more })
  return schema
}

/** What was said of a field; undefined for a schema that is none. */
export const factsOf = (schema: z.core.$ZodType): ({ readonly meaning: string } & FieldFacts) | undefined =>
  facts.get(schema as z.ZodType)
