/**
 * Sending a change until the server has answered it.
 *
 * A request that got no answer may or may not have been carried out. It is sent again under the same key, and the
 * server does what a key asks for once. So a phone that loses its network in the cellar takes three, not six.
 */

import { Problem, Unreachable } from './problem'

export interface Patience {
  /** Called before each pause, with the number of attempts that failed. */
  waiting?: (attempts: number) => void
  pause: (milliseconds: number) => Promise<void>
  random: () => number
}

/** Together about a minute; then the person is told, and may try again. */
const ATTEMPTS = 8
const FIRST_PAUSE = 400
const LONGEST_PAUSE = 15_000

const BROWSER: Patience = { pause: resting, random: Math.random }

/** Calls `send` with one key until there is an answer. Throws the last {@link Unreachable}, or the {@link Problem}. */
export async function insist<T>(send: (key: string) => Promise<T>, given: Partial<Patience> = {}): Promise<T> {
  const patience = { ...BROWSER, ...given }
  const key = newKey()
  for (let attempt = 1; ; attempt++) {
    try {
      return await send(key)
    } catch (error) {
      if (attempt === ATTEMPTS || !worthRetrying(error)) throw error
      patience.waiting?.(attempt)
      const asked = error instanceof Problem ? (error.retryAfter ?? 0) * 1000 : 0
      const grown = Math.min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE) * (0.5 + patience.random() / 2)
      await patience.pause(Math.max(asked, grown))
    }
  }
}

/** A UUID. `crypto.randomUUID` is missing where a page came by plain HTTP from another machine. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const hex = Array.from(bytes, (byte, index) => {
    const value = index === 6 ? (byte & 0x0f) | 0x40 : index === 8 ? (byte & 0x3f) | 0x80 : byte
    return value.toString(16).padStart(2, '0')
  }).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function worthRetrying(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Problem && error.passing)
}

/** Waits, but no longer than until the network is back. */
function resting(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      removeEventListener('online', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    addEventListener('online', done)
  })
}
