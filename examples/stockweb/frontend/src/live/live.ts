/** The one feed of this page, and who listens to it. */

import { onScopeDispose, readonly, ref } from 'vue'

import type { Config } from '@/config'

import { Feed, type Movement, type State } from './feed'

const PATH = '/ws/movements'

/** What is known of a movement when its own page is answered; the feed tells the rest a moment later. */
export type Told = Pick<Movement, 'movement' | 'box' | 'balance'> & { readonly part: { readonly id: number } }

const listeners = new Set<(movement: Told) => void>()
const reloaders = new Set<() => void>()
const current = ref<State>('connecting')
let origin = ''

/** Where WebSockets are. */
export const socketOrigin = (): string => origin

/** Whether what is shown changes by itself just now. */
export const liveState = readonly(current)

/** Begins to follow, for as long as the page is open. */
export function follow(config: Config): void {
  origin = config.socket
  const begin = (): Feed =>
    new Feed(origin + PATH, {
      told: tell,
      state: (state) => {
        current.value = state
      },
      // The database is another than before: everything is read anew, from a position of its own.
      lost: () => {
        feed = begin()
        reloaders.forEach((reload) => reload())
      },
    })
  let feed = begin()
  addEventListener('online', () => feed.hurry())
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') feed.hurry()
  })
}

/** Tells what this page did itself, so that nobody here waits for the way over the server. */
export function tell(movement: Told): void {
  listeners.forEach((told) => told(movement))
}

/** Calls `told` with each movement (it may be told twice, and late) while the component lives, and `reload` when what was shown cannot be trusted. */
export function useMovements(told: (movement: Told) => void, reload?: () => void): void {
  listeners.add(told)
  if (reload) reloaders.add(reload)
  onScopeDispose(() => {
    listeners.delete(told)
    if (reload) reloaders.delete(reload)
  })
}
