import { expect, it } from 'vitest'

import { Balances, type Change, type Held } from './balances'

const counted = { approximate: false, counted_at: null }
const part = (): Held => ({
  id: 1,
  min_qty: 5,
  stock: [{ box: 'A1', quantity: 10, ...counted }],
  total: 10,
  low: false,
})
const change = (movement: number, box: string, balance: number, id = 1): Change => ({
  movement,
  part: { id },
  box,
  balance,
})

it('follows what is done', () => {
  const shown = part()
  const balances = new Balances()
  expect(balances.apply(change(1, 'A1', 3), [shown])).toBe(true)
  expect(shown).toMatchObject({ stock: [{ box: 'A1', quantity: 3, ...counted }], total: 3, low: true })
  expect(balances.apply(change(2, 'B2', 4), [shown])).toBe(true)
  expect(shown).toMatchObject({ total: 7, low: false })
  expect(balances.apply(change(3, 'A1', 0), [shown])).toBe(true)
  expect(shown.stock).toEqual([{ box: 'B2', quantity: 4, ...counted }])
})

it('ignores what came late, of each lot by itself', () => {
  const shown = part()
  const balances = new Balances()
  balances.apply(change(7, 'A1', 3), [shown])
  expect(balances.apply(change(6, 'A1', 9), [shown])).toBe(false)
  expect(balances.apply(change(7, 'A1', 3), [shown])).toBe(false)
  expect(balances.apply(change(5, 'B2', 1), [shown])).toBe(true)
  expect(shown.total).toBe(4)
})

it('touches no other part', () => {
  const shown = part()
  expect(new Balances().apply(change(1, 'A1', 3, 2), [shown])).toBe(false)
  expect(shown.total).toBe(10)
})
