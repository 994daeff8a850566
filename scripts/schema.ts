// Writes what follows from the schema of a study (src/study/schema.ts): the JSON Schema for editors, the type StudyInput, and the
// table of fields in docs/reference.md. Usage: npm run schema. A test holds the files against what this would write.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import * as z from 'zod'
import { wrap } from '../src/core/text.js'
import { factsOf } from '../src/study/fields.js'
import { fields, schema } from '../src/study/schema.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

interface Json {
  readonly [key: string]: unknown
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Json[]
  readonly properties?: Readonly<Record<string, Json>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Json | boolean
  readonly items?: Json
  readonly prefixItems?: readonly Json[]
}

/** The schema as JSON Schema; `types` keeps, under x-type, the types of what only a program can give. */
function jsonSchema(types: boolean): Json {
  const made = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema: json }) {
      const facts = factsOf(zodSchema)
      if (!facts) return
      json.description = facts.meaning
      if (facts.json) {
        delete json.anyOf
        Object.assign(json, facts.json)
      }
      if (facts.type !== undefined && types) (json as Record<string, unknown>)['x-type'] = facts.type
      // An absent part is one with every default.
      if (json.default !== undefined && JSON.stringify(json.default) === '{}') delete json.default
    }
  })
  return made as unknown as Json
}

const union = (parts: readonly string[]): string => [...new Set(parts)].join(' | ')

/** A TypeScript type for what a JSON Schema takes. */
function typeOf(json: Json): string {
  const own = json['x-type']
  if (typeof own === 'string') return own
  if (json.enum) return union(json.enum.map(value => JSON.stringify(value)))
  if (json.const !== undefined) return JSON.stringify(json.const)
  if (json.anyOf) return union(json.anyOf.map(typeOf))
  if (json.prefixItems) return `readonly [${json.prefixItems.map(typeOf).join(', ')}]`
  if (Array.isArray(json.type)) return union(json.type.map(type => typeOf({ type: String(type) })))
  switch (json.type) {
    case 'object':
      if (json.properties) return `{ ${members(json)} }`
      return `Readonly<Record<string, ${typeof json.additionalProperties === 'object' ? typeOf(json.additionalProperties) : 'unknown'}>>`
    case 'array':
      return `readonly (${typeOf(json.items ?? {})})[]`
    case 'integer':
    case 'number':
      return 'number'
    case 'string':
    case 'boolean':
    case 'null':
      return json.type
    default:
      throw new Error(`no type for ${JSON.stringify(json)}`)
  }
}

function comment({ description, default: value, ...json }: Json): string {
  const bounds = [
    ['at least', json['minimum']],
    ['above', json['exclusiveMinimum']],
    ['at most', json['maximum'] === Number.MAX_SAFE_INTEGER ? undefined : json['maximum']],
    ['below', json['exclusiveMaximum']]
  ].flatMap(([word, bound]) => (bound === undefined ? [] : [`${String(word)} ${String(bound)}`]))
  const facts = [
    ...(json.type === 'integer' ? ['a whole number'] : []),
    ...bounds,
    ...(value === undefined ? [] : [`default ${JSON.stringify(value)}`])
  ]
  const text = [description, facts.join(', ')].filter(part => part !== undefined && part !== '').join('; ')
  if (text === '') return ''
  // A symbol keeps its letter.
  const sentence = `${/^[a-z]{2}/.test(text) ? text[0].toUpperCase() + text.slice(1) : text}.`
  const lines = wrap(sentence, 110)
  return lines.length === 1 ? `/** ${lines[0]} */\n` : `/**\n${lines.map(line => ` * ${line}\n`).join('')} */\n`
}

function members(json: Json): string {
  return Object.entries(json.properties ?? {})
    .map(([name, child]) => {
      const optional = json.required?.includes(name) === true ? '' : '?'
      return `${comment(child)}readonly ${name}${optional}: ${typeOf(child)}`
    })
    .join('\n')
}

/** src/study/input.ts */
function types(): string {
  const whole = jsonSchema(true)
  const parts = { data: 'DataInput', model: 'ModelInput', starts: 'StartsInput', stop: 'StopInput' } as const
  const properties = { ...whole.properties }
  const interfaces = Object.entries(parts).map(([name, type]) => {
    const part = properties[name]
    properties[name] = { description: part.description ?? '', 'x-type': type }
    return `${comment({ description: `\`${name}\` of a study: ${part.description}` })}export interface ${type} {\n${members(part)}\n}\n`
  })
  return [
    '// Written by `npm run schema` from schema.ts.',
    '/** What goes into a study, as in study.yaml; every field has a default, but for the data. */',
    "import type { Cell, Columns } from '../data/types.js'",
    '',
    ...interfaces,
    comment({
      description: 'a study: the fields of study.yaml, with arrays or row objects in the place of a file where wanted'
    }) + `export interface StudyInput {\n${members({ ...whole, properties })}\n}\n`
  ].join('\n')
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** The table of docs/reference.md. */
function table(): string {
  const properties = (path: string): Json => {
    let at = jsonSchema(false)
    for (const key of path.split('.')) at = at.properties?.[key] ?? {}
    return at
  }
  const rows = fields.map(({ path, meaning, facts, flag, isBoolean }) => {
    const { default: value } = properties(path)
    const takes = isBoolean || /^[A-Z]|^$/.test(facts.value ?? '') ? '' : ` ${facts.value}`
    const written = facts.example ?? (flag === undefined ? [] : [`--${flag}${takes}`])
    const byDefault =
      facts.absent ?? (value === undefined ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``)
    const flags = written.map(one => `\`${one}\``).join(', ')
    return `| \`${path}\` | ${cell(flags)} | ${cell(byDefault)} | ${cell(meaning)}${facts.see === undefined ? '' : `; see ${facts.see}`} |`
  })
  return ['| field | flag | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

const opening = '<!-- fields: npm run schema -->'
const closing = '<!-- end of fields -->'

async function formatted(text: string, file: string): Promise<string> {
  return format(text, { ...(await resolveConfig(join(root, file))), filepath: file })
}

/** The files that follow from the schema, by path, as they should be. */
export async function filesOfSchema(): Promise<Readonly<Record<string, string>>> {
  const { $schema, ...json } = jsonSchema(false)
  const id = {
    $schema,
    title: 'Manystart study',
    description: 'a study of the program manystart: study.yaml or study.json'
  }
  const reference = readFileSync(join(root, 'docs/reference.md'), 'utf8')
  const [before] = reference.split(opening)
  const after = reference.slice(reference.indexOf(closing))
  return {
    'schema/study.json': await formatted(JSON.stringify({ ...id, ...json }), 'schema/study.json'),
    'src/study/input.ts': await formatted(types(), 'src/study/input.ts'),
    'docs/reference.md': `${before}${opening}\n\n${table()}\n\n${after}`
  }
}

if (process.argv.includes('--write'))
  for (const [file, text] of Object.entries(await filesOfSchema())) writeFileSync(join(root, file), text)
