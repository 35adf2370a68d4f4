import { expect, it } from 'vitest'

import { ago, counted, readQuantity, shown, signed } from './numbers'

it.each([
  [0, '0'],
  [1234, '1234'],
  [12345, '12\u202f345'],
  [1234567890, '1\u202f234\u202f567\u202f890'],
  [-3, '−3'],
  [-12000, '−12\u202f000'],
])('%i is shown as %s', (quantity, text) => {
  expect(shown(quantity)).toBe(text)
})

it('has a sign for what changed', () => {
  expect([signed(3), signed(-3), signed(0)]).toEqual(['+3', '−3', '0'])
})

it.each([
  ['3', 3],
  [' 12 000 ', 12000],
  ['2k', 2000],
  ['2.5K', 2500],
  ['4.7k', 4700],
  ['1000000000', 1_000_000_000],
])('reads %s', (text, quantity) => {
  expect(readQuantity(text)).toBe(quantity)
})

it.each(['', '0', '-3', '1.5', '1000000001', '3x', '1e3', 'k', '1,000', '0.0001k'])('refuses “%s”', (text) => {
  expect(readQuantity(text)).toBeUndefined()
})

it('reads back every quantity that it shows', () => {
  for (let quantity = 1; quantity < 1e9; quantity = quantity * 7 + 3)
    expect(readQuantity(shown(quantity))).toBe(quantity)
})

it.each([
  ['2026-11-21T12:00:00', 'now'],
  ['2026-11-21T12:00:40', 'now'], // the server's clock is ahead
  ['2026-11-21T11:30:00', '30 min ago'],
  ['2026-11-21T08:05:00', '08:05'],
  ['2026-11-20T23:00:00', '20 Nov'],
  ['2024-02-03T23:00:00', '3 Feb 2024'],
])('%s was %s', (at, text) => {
  expect(ago(at, new Date('2026-11-21T12:00:30'))).toBe(text)
})

it('counts', () => {
  expect([counted(1, 'box', 'boxes'), counted(2, 'box', 'boxes'), counted(0, 'part')]).toEqual([
    '1 box',
    '2 boxes',
    '0 parts',
  ])
})
