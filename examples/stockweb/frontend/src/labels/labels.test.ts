import decodeQR from 'qr/decode.js'
import { expect, it } from 'vitest'

import { boxAddress, meant, partAddress } from './addresses'
import { drawn } from './qr'

/** Draws the path on a white sheet, four pixels a module, as a screen would. */
function painted({ size, path }: { size: number; path: string }): { width: number; height: number; data: Uint8Array } {
  const side = size * 4
  const data = new Uint8Array(side * side * 4).fill(255)
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g))
    for (let row = Number(y) * 4; row < Number(y) * 4 + 4; row++)
      for (let column = Number(x) * 4; column < (Number(x) + Number(width)) * 4; column++)
        data.fill(0, (row * side + column) * 4, (row * side + column) * 4 + 3)
  return { width: side, height: side, data }
}

const ORIGIN = 'https://stockweb.example'

it.each([boxAddress('RACK-3', ORIGIN), partAddress(123456789, ORIGIN), `${ORIGIN}/${'x'.repeat(200)}`])(
  'draws what a scanner reads: %s',
  (text) => {
    expect(decodeQR(painted(drawn(text)))).toBe(text)
  },
)

it.each([
  [boxAddress('B2', ORIGIN), { kind: 'box', code: 'B2' }],
  [boxAddress('RACK-3', 'http://10.0.0.7:8000'), { kind: 'box', code: 'RACK-3' }],
  [partAddress(17, ORIGIN), { kind: 'part', id: 17 }],
  [`${ORIGIN}/boxes/B2/`, { kind: 'box', code: 'B2' }],
  [' b2 ', { kind: 'words', words: 'b2' }],
  ['/p/3', { kind: 'part', id: 3 }],
  ['BC547B-TR', { kind: 'words', words: 'BC547B-TR' }],
  ['4k7 0805', { kind: 'words', words: '4k7 0805' }],
  ['https://other.example/b/<script>', { kind: 'words', words: 'https://other.example/b/<script>' }],
  ['https://other.example/p/1e9', { kind: 'words', words: 'https://other.example/p/1e9' }],
])('understands %s', (text, understood) => {
  expect(meant(text)).toEqual(understood)
})

it('understands nothing as nothing', () => {
  expect(meant('  ')).toBeUndefined()
})
