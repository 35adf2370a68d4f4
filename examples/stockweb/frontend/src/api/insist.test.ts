import { expect, it } from 'vitest'

import { insist, newKey } from './insist'
import { Problem, Unreachable } from './problem'

const cut = new Unreachable(new TypeError('failed to fetch'))

function hurried(): { pauses: number[]; pause: (milliseconds: number) => Promise<void>; random: () => number } {
  const pauses: number[] = []
  return { pauses, pause: (milliseconds) => Promise.resolve(void pauses.push(milliseconds)), random: () => 1 }
}

it('sends again under the same key until there is an answer', async () => {
  const keys: string[] = []
  const patience = hurried()
  const answer = await insist((key) => {
    keys.push(key)
    return keys.length < 4 ? Promise.reject(cut) : Promise.resolve('taken')
  }, patience)
  expect(answer).toBe('taken')
  expect(new Set(keys).size).toBe(1)
  expect(patience.pauses).toEqual([400, 800, 1600])
})

it('waits as long as it is told to', async () => {
  const patience = hurried()
  let turn = 0
  await insist(() => (turn++ ? Promise.resolve() : Promise.reject(new Problem(503, {}, 5))), patience)
  expect(patience.pauses).toEqual([5000])
})

it.each([400, 401, 403, 404, 409, 422, 500])('takes %i for an answer', async (status) => {
  let turns = 0
  const sending = insist(() => {
    turns++
    return Promise.reject(new Problem(status))
  }, hurried())
  await expect(sending).rejects.toThrow(Problem)
  expect(turns).toBe(1)
})

it('gives up some day, and says so', async () => {
  const patience = hurried()
  await expect(insist(() => Promise.reject(cut), patience)).rejects.toBe(cut)
  expect(patience.pauses).toHaveLength(7)
})

it('uses a new key for every change, each a UUID of version 4', () => {
  const keys = Array.from({ length: 100 }, newKey)
  expect(new Set(keys).size).toBe(100)
  for (const key of keys) expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})
