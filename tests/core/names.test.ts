// Suggestions for names that are not known.
import { expect, it } from 'vitest'
import { knownNames, nearestName } from '../../src/core/names.js'

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
