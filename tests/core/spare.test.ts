// Arrays that are lent again: never two holders of one, and nothing taken that was not lent.
import { expect, it } from 'vitest'
import { Spare } from '../../src/core/spare.js'

it('lends what was given back, to one at a time', () => {
  const spare = new Spare()
  const first = spare.f64(10)
  expect(first).toEqual(new Float64Array(10))
  expect(spare.f64(10).buffer).not.toBe(first.buffer)
  spare.give({ first, name: 'x', none: undefined })
  // Given twice by mistake, it is lent once.
  spare.give({ first })
  expect(spare.u32(20).buffer).toBe(first.buffer)
  expect(spare.f64(10).buffer).not.toBe(first.buffer)
  expect(spare.u8(80).buffer).not.toBe(first.buffer)
})

it('leaves alone what comes from elsewhere', () => {
  const spare = new Spare()
  const own = new Float64Array(4)
  spare.give({ own })
  const another = new Spare()
  spare.give({ lent: another.f64(4) })
  for (let k = 0; k < 3; k++) expect(spare.f64(4).buffer).not.toBe(own.buffer)
})
