// Suggestions for names that are not known.
import { describe, expect, it } from 'vitest'
import { closeName, firstRepeated, knownNames, nearestName } from '../../src/core/names.js'
import { synonyms } from '../../src/core/synonyms.js'

const optimizers = ['gd', 'momentum', 'adam', 'lbfgs', 'newton']

it.each([
  ['newtn', 'newton'],
  ['ADAM', 'adam'],
  ['L-BFGS', 'lbfgs'],
  ['g', 'gd'],
  ['momentun', 'momentum']
])('%s is nearest to %s', (name, nearest) => {
  expect(nearestName(name, optimizers)).toBe(nearest)
})

it('takes the first of names that are equally near', () => {
  expect(nearestName('bat', ['cat', 'hat'])).toBe('cat')
})

it.each([
  ['binomial', ['squared', 'logistic', 'gamma'], 'logistic'],
  ['Gaussian', ['squared', 'logistic', 'gamma'], 'squared'],
  ['cross-entropy', ['logistic', 'softmax'], 'softmax'],
  ['cross_entropy', ['logistic', 'brier'], 'logistic'],
  ['ReLU6', ['identity', 'tanh', 'relu'], 'relu'],
  ['max_iter', ['starts', 'steps', 'seed'], 'steps'],
  ['sgd', optimizers, 'gd']
])("translates another program's %s among %j to %s", (name, known, here) => {
  expect(closeName(name, known)).toBe(here)
})

it('takes the beginning of a name for the name, before another that is spelt alike', () => {
  expect(closeName('start', ['stars', 'starts'])).toBe('starts')
  expect(closeName('pen', ['penalize-bias', 'bin'])).toBe('penalize-bias')
})

it('calls no name close that shares hardly a letter', () => {
  expect(closeName('kernel', ['data', 'target', 'loss'])).toBeUndefined()
  expect(nearestName('kernel', ['data', 'target', 'loss'])).toBeDefined()
})

describe('the list of synonyms', () => {
  it.each(Object.entries(synonyms))('%s is in plain letters and stands for other words', (word, names) => {
    expect(word).toMatch(/^[a-z0-9]+$/)
    expect(names.length).toBeGreaterThan(0)
  })
})

it('names what is known, and says so where nothing is', () => {
  expect(knownNames('adm', optimizers)).toBe('did you mean adam? Known: gd, momentum, adam, lbfgs, newton')
  expect(nearestName('x', [])).toBeUndefined()
  expect(knownNames('x', [])).toBe('there are none')
})

it('leaves the list of known names as it was', () => {
  const list = ['b', 'a']
  nearestName('a', list)
  expect(list).toEqual(['b', 'a'])
})

it('finds the first name that has stood there before', () => {
  expect(firstRepeated(['a', 'b', 'A', 'b', 'a'])).toBe('b')
  expect(firstRepeated(['a', 'b', '__proto__', 'constructor'])).toBeUndefined()
  expect(firstRepeated([])).toBeUndefined()
})
