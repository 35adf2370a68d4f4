/** What a page shows comes from the server: being fetched, there, or refused. */

import { type Ref, ref } from 'vue'

import { explained } from '@/api/problem'

export interface Loaded<T> {
  readonly data: Ref<T | undefined>
  /** Why there is nothing, in words; empty where all is well. */
  readonly problem: Ref<string>
  readonly loading: Ref<boolean>
  /** Fetches anew; what is there stays on the screen until then. */
  readonly reload: () => Promise<void>
}

/** Begins to fetch. Of answers that overtake each other the one that was asked for last stays. */
export function useLoaded<T>(fetch: () => Promise<T>): Loaded<T> {
  const data = ref<T>() as Ref<T | undefined>
  const problem = ref('')
  const loading = ref(false)
  let turn = 0

  async function reload(): Promise<void> {
    const own = ++turn
    loading.value = true
    try {
      const found = await fetch()
      if (own !== turn) return
      data.value = found
      problem.value = ''
    } catch (error) {
      if (own === turn) problem.value = explained(error)
    } finally {
      if (own === turn) loading.value = false
    }
  }

  void reload()
  return { data, problem, loading, reload }
}

/** A page of a list, as the API gives it. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | null
  readonly count?: number | null
}

export interface Listed<T> {
  readonly items: Ref<T[]>
  /** How many there are, where it is told. */
  readonly count: Ref<number | undefined>
  readonly problem: Ref<string>
  readonly loading: Ref<boolean>
  /** Whether there are more. */
  readonly further: Ref<boolean>
  readonly more: () => Promise<void>
  /** Begins anew at the first page. */
  readonly reload: () => Promise<void>
}

/** Begins to fetch a list, page by page. */
export function useListed<T>(fetch: (cursor: string | undefined) => Promise<Page<T>>): Listed<T> {
  const items = ref<T[]>([]) as Ref<T[]>
  const count = ref<number>()
  const further = ref(false)
  const problem = ref('')
  const loading = ref(false)
  let cursor: string | undefined
  let turn = 0

  async function load(from: string | undefined): Promise<void> {
    const own = ++turn
    loading.value = true
    try {
      const page = await fetch(from)
      if (own !== turn) return
      items.value = from === undefined ? [...page.items] : [...items.value, ...page.items]
      if (from === undefined) count.value = page.count ?? undefined
      cursor = page.next ?? undefined
      further.value = page.next !== null
      problem.value = ''
    } catch (error) {
      if (own === turn) problem.value = explained(error)
    } finally {
      if (own === turn) loading.value = false
    }
  }

  const reload = (): Promise<void> => load(undefined)
  void reload()
  return { items, count, problem, loading, further, reload, more: () => (cursor ? load(cursor) : Promise.resolve()) }
}
