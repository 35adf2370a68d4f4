import { expect, it } from 'vitest'

import { asQuery, readAsked, understood } from './requirement'

it.each([
  [{}, undefined],
  [{ line: '  ' }, undefined],
  [{ type: 'x', 'attr:voltage': '25V' }, undefined],
  [{ line: ' 10u, 25V ' }, { line: '10u, 25V', wanted: {} }],
  [
    { type: '4', 'attr:voltage': '25V', 'attr:dielectric': ' ', stock: '1', page: '2', other: 'x' },
    { type: 4, stock: '1', page: 2, wanted: { voltage: '25V' } },
  ],
  [
    { type: '4', page: '1', stock: '0', package: '0805' },
    { type: 4, package: '0805', wanted: {} },
  ],
])('reads %o', (query, asked) => {
  expect(readAsked(query)).toEqual(asked)
})

it('writes what it reads', () => {
  for (const query of [
    { line: '10u' },
    { type: '4', 'attr:voltage': '≥ 25 V', stock: '1', package: '0805', page: '3' },
  ]) {
    const asked = readAsked(query)
    expect(asked && asQuery(asked)).toEqual(query)
  }
})

it('goes on from what a line was understood as', () => {
  const found = { type_id: 4, type: 'Capacitor', wanted: { voltage: '25V' }, package: '', in_stock: true }
  expect(understood(found)).toEqual({ type: 4, stock: '1', wanted: { voltage: '25V' } })
})
