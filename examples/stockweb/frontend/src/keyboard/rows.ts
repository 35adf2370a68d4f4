/** Walking through a list by `j` and `k`. */

import { type Ref, nextTick, ref, watch } from 'vue'

import { useShortcuts } from './shortcuts'

export interface Rows<T> {
  /** Where one is; -1 before the first step. */
  readonly current: Ref<number>
  /** The row one is at, or the first: what `t` means before anybody walked. */
  readonly here: () => T | undefined
}

/**
 * Rows are what has `data-row` in `list`; walking moves the focus to a row's first link, so that Enter opens it, Tab goes
 * on from there, and screen readers say it.
 */
export function useRows<T>(list: Readonly<Ref<HTMLElement | null>>, items: () => readonly T[]): Rows<T> {
  const current = ref(-1)

  watch(
    () => items().length,
    (length) => {
      current.value = Math.min(current.value, length - 1)
    },
  )

  function walk(step: number): void {
    const last = items().length - 1
    if (last < 0) return
    current.value = Math.max(0, Math.min(last, current.value + step))
    void nextTick(() => {
      const row = list.value?.querySelectorAll<HTMLElement>('[data-row]')[current.value]
      row?.querySelector<HTMLElement>('a')?.focus({ preventScroll: true })
      row?.scrollIntoView({ block: 'nearest' })
    })
  }

  useShortcuts([
    { keys: 'j', says: 'next row', does: () => walk(1) },
    { keys: 'k', says: 'row before', does: () => walk(-1) },
  ])
  return { current, here: () => items()[Math.max(0, current.value)] }
}
