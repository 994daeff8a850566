// Options of optimisers: defaults, ranges, and one sentence for each mistake.
import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/core/errors.js'
import { optimizerNames, optimizers, optionsOf, resolveOptimizer } from '../../src/optimizers/registry.js'

const sentence = (raw: Parameters<typeof resolveOptimizer>[0]): string => {
  try {
    resolveOptimizer(raw)
  } catch (error) {
    expect(error).toBeInstanceOf(InputError)
    return (error as InputError).message
  }
  return expect.fail(`${JSON.stringify(raw)} was accepted`)
}

describe('resolveOptimizer', () => {
  it.each(optimizerNames)('fills in every option of %s, and each default is allowed', name => {
    const definition = optimizers[name]
    const { options, batch } = resolveOptimizer(name)
    expect(Object.keys(options)).toEqual(Object.keys(definition.options))
    expect(batch).toBeNull()
    expect(resolveOptimizer({ [name]: options }).options).toEqual(options)
    expect(definition.name).toBe(name)
  })

  it('takes a mapping without options, and one that is empty in YAML', () => {
    expect(resolveOptimizer({ newton: {} })).toEqual(resolveOptimizer('newton'))
    expect(resolveOptimizer({ newton: null })).toEqual(resolveOptimizer('newton'))
  })

  it('keeps mini-batches apart from the rule’s own options', () => {
    const resolved = resolveOptimizer({ adam: { learningRate: 0.5, batchSize: 32, order: 'shared' } })
    expect(resolved.options).toEqual({ learningRate: 0.5, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 })
    expect(resolved.batch).toEqual({ size: 32, order: 'shared' })
  })

  it('refuses an unknown optimiser with the nearest name', () => {
    expect(sentence('newtn')).toBe(
      'There is no optimizer "newtn"; did you mean newton? Known: gd, momentum, adam, lbfgs, newton, gaussNewton, stationary.'
    )
    expect(sentence('constructor')).toMatch(/^There is no optimizer "constructor"; did you mean/)
    expect(sentence({ Adam: {} })).toMatch(/did you mean adam\?/)
  })

  it('refuses an unknown option with the nearest name', () => {
    expect(sentence({ adam: { learningrate: 0.1 } })).toMatch(
      /^Optimizer adam has no option "learningrate"; did you mean learningRate\?/
    )
    expect(sentence({ gd: { toString: 1 } })).toMatch(/^Optimizer gd has no option "toString"/)
  })

  it('says why lbfgs and newton take no mini-batches', () => {
    for (const name of ['lbfgs', 'newton'])
      expect(sentence({ [name]: { batchSize: 10 } })).toMatch(/it needs exact values on all rows/)
  })

  it('refuses more or less than one optimiser', () => {
    expect(sentence({})).toMatch(/^optimizer must name one of gd, momentum/)
    expect(sentence({ gd: {}, adam: {} })).toMatch(/^optimizer must name one of gd, momentum/)
    expect(sentence({ gd: 'fast' })).toBe('The options of optimizer gd must be a mapping, e.g. {gd: {}}.')
  })

  it.each([
    [
      { gd: { learningRate: 0 } },
      'Option learningRate of optimizer gd is 0; give a number above 0 and at most 1000000.'
    ],
    [
      { gd: { learningRate: '0.1' } },
      'Option learningRate of optimizer gd is "0.1"; give a number above 0 and at most 1000000.'
    ],
    [
      { momentum: { momentum: 1.5 } },
      'Option momentum of optimizer momentum is 1.5; give a number at least 0 and at most 1.'
    ],
    [{ momentum: { nesterov: 1 } }, 'Option nesterov of optimizer momentum is 1; give true or false.'],
    [
      { lbfgs: { memory: 2.5 } },
      'Option memory of optimizer lbfgs is 2.5; give a whole number at least 1 and at most 50.'
    ],
    [
      { adam: { batchSize: 0 } },
      'Option batchSize of optimizer adam is 0; give a whole number at least 1 and at most 1000000000.'
    ],
    [{ adam: { order: 'random' } }, 'Option order of optimizer adam is "random"; give one of run, shared.']
  ])('%j: one sentence', (raw, message) => {
    expect(sentence(raw)).toBe(message)
  })

  it('refuses NaN and both ends of an open range for every numeric option', () => {
    for (const definition of Object.values(optimizers))
      for (const [key, option] of Object.entries(optionsOf(definition))) {
        if (option.kind !== 'number') continue
        const beyond = [NaN, option.max * 2, option.min - 1, ...(option.exclusiveMin ? [option.min] : [])]
        for (const value of beyond)
          expect(sentence({ [definition.name]: { [key]: value } })).toMatch(new RegExp(`^Option ${key} of optimizer`))
        expect(() => resolveOptimizer({ [definition.name]: { [key]: option.max } })).not.toThrow()
      }
  })
})
