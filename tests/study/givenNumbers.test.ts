// Numbers of a study that are none: sentences show them as they were given, and a file that is cut off is none.
import { describe, expect, it } from 'vitest'
import { shownValue } from '../../src/core/printable.js'
import { InputError } from '../../src/core/errors.js'
import { readConfigFile, resolveConfig } from '../../src/study/config.js'
import { fields } from '../../src/study/schema.js'
import { file } from '../helpers/files.js'
import { randomNumbers } from '../helpers/tables.js'

const said = (work: () => unknown): string | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(InputError)
    return (error as Error).message
  }
}

/** A study with one more field. */
function withField(path: string, value: unknown): Record<string, unknown> {
  const study: Record<string, unknown> = { data: { builtin: 'iris2' } }
  const names = path.split('.')
  let at = study
  for (const name of names.slice(0, -1)) at = (at[name] ??= {}) as Record<string, unknown>
  at[names.at(-1)!] = value
  return study
}

describe.each([Infinity, -Infinity, NaN])('%d in a field', value => {
  it.each(fields.map(f => f.path))('%s is called by its name', path => {
    const message = said(() => resolveConfig(withField(path, value), 'x.yaml'))
    expect(message).toContain(String(value))
    expect(message).not.toContain('null')
  })

  it('of an optimiser or a loss, too', () => {
    for (const raw of [
      { optimizer: { adam: { learningRate: value } } },
      { optimizer: { adam: { batchSize: value } } },
      { model: { loss: { huber: { delta: value } } } },
      { data: { builtin: 'iris2', test: { fraction: value } } },
      { stop: { steps: [value, { a: value }] } }
    ]) {
      const message = said(() => resolveConfig({ data: { builtin: 'iris2' }, ...raw }, 'x.yaml'))
      expect(message).toContain(` ${String(value)}`.replace(' -', '-').trim())
      expect(message).not.toContain('null')
    }
  })
})

it('a value in a sentence is its JSON where it has one, and ends', () => {
  for (const value of [null, true, 0.1, 'a "b"', [1, [2, 'x']], { a: { b: [] }, c: null }])
    expect(shownValue(value)).toBe(JSON.stringify(value))
  const round: unknown[] = []
  round.push(round)
  expect(shownValue(round)).toBe('[…]')
  expect(shownValue(new Float64Array(1e6).fill(NaN)).length).toBeLessThan(100)
})

describe('a study file', () => {
  it('with a number beyond the largest is refused with its digits', () => {
    const random = randomNumbers(3)
    for (let n = 0; n < 40; n++) {
      const digits = `${random() < 0.5 ? '-' : ''}${(1 + 8 * random()).toFixed(3)}e${309 + Math.floor(random() * 9999)}`
      const name = ['count', 'seed'][n % 2]
      const text =
        n % 3 === 0
          ? `{"data": {"builtin": "iris2"}, "starts": {"${name}": ${digits}}}`
          : `data: {builtin: iris2}\nstarts:\n  ${name}: ${digits}\n`
      const path = file(`beyond-${n}.yaml`, text)
      expect(said(() => readConfigFile(path))).toContain(`starts.${name} in ${path} is ${digits}, beyond`)
    }
    expect(
      said(() =>
        resolveConfig(readConfigFile(file('inf.yaml', 'data: {builtin: iris2}\nstarts: {count: .inf}\n')), 'f')
      )
    ).toMatch(/starts.count in f is Infinity; give a finite number/)
  })

  it('that is cut off anywhere, or names a field twice, is refused', () => {
    const whole = JSON.stringify({
      data: { csv: 'a.csv', target: 'y' },
      model: { hidden: [5, 3] },
      starts: { count: 100 }
    })
    for (let cut = 1; cut < whole.length; cut++)
      expect(
        said(() => readConfigFile(file('cut.json', whole.slice(0, cut)))),
        whole.slice(0, cut)
      ).toMatch(/neither YAML nor JSON/)
    const twice = 'data: {builtin: iris2}\nstarts: {count: 5}\nstarts: {count: 7}\n'
    expect(said(() => readConfigFile(file('twice.yaml', twice)))).toMatch(/neither YAML nor JSON: .*unique/)
    expect(readConfigFile(file('whole.json', whole))).toEqual(JSON.parse(whole))
  })
})
