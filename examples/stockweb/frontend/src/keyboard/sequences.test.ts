import { expect, it } from 'vitest'

import { type Press, Sequences, type Shortcut } from './sequences'

const nothing = (): void => undefined
const shortcut = (keys: string, says = keys): Shortcut => ({ keys, says, does: nothing })
const LIST = [shortcut('/'), shortcut('p'), shortcut('g p'), shortcut('g b'), shortcut('?')]

const press = (key: string, held: Partial<Press> = {}): Press => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...held,
})

/** Presses keys a tenth of a second apart, and returns what they did. */
function typing(keys: string, apart = 100): string[] {
  const sequences = new Sequences()
  return [...keys].flatMap((key, index) => sequences.pressed(press(key), LIST, index * apart)?.keys ?? [])
}

it.each([
  ['/', ['/']],
  ['gp', ['g p']],
  ['p', ['p']],
  ['gxp', ['p']],
  ['ggb', ['g b']],
  ['gpp', ['g p', 'p']],
  ['xyz', []],
])('%s', (keys, done) => {
  expect(typing(keys)).toEqual(done)
})

it('forgets the first key after a while', () => {
  expect(typing('gp', 2000)).toEqual(['p'])
})

it('leaves combinations to the browser', () => {
  for (const held of [{ ctrlKey: true }, { metaKey: true }, { altKey: true }])
    expect(new Sequences().pressed(press('p', held), LIST, 0)).toBeUndefined()
})

it('lets the page have the last word', () => {
  const list = [shortcut('a', 'frame'), shortcut('a', 'page')]
  expect(new Sequences().pressed(press('a'), list, 0)?.says).toBe('page')
})
