/** What is found comes by halves, each fetched on its own: what could suit mostly takes longer. */

import { type Ref, ref, watch } from 'vue'

import { api, body } from '@/api/client'
import type { Found } from '@/api/types'

import { type Asked, asQuery } from './requirement'

export interface Half {
  readonly found: Ref<Found | undefined>
  /** What it was refused with; undefined where all is well. */
  readonly problem: Ref<unknown>
  readonly busy: Ref<boolean>
  /** Fetches anew; what is there stays on the screen until then. */
  readonly reload: () => Promise<void>
}

/** Fetches a half, and again whenever something else is asked for. */
export function useHalf(bucket: 'suits' | 'could', asked: Ref<Asked | undefined>): Half {
  const found = ref<Found>()
  const problem = ref<unknown>()
  const busy = ref(false)
  let turn = 0

  async function reload(): Promise<void> {
    const own = ++turn
    const wanted = asked.value
    if (!wanted) {
      found.value = problem.value = undefined
      busy.value = false
      return
    }
    busy.value = true
    try {
      const answer = await body(
        api().GET('/api/v1/find', {
          // The keys of attributes are parameters of their own.
          querySerializer: () => new URLSearchParams({ ...asQuery(wanted), bucket }).toString(),
        }),
      )
      if (own !== turn) return
      found.value = answer
      problem.value = undefined
    } catch (error) {
      if (own === turn) problem.value = error
    } finally {
      if (own === turn) busy.value = false
    }
  }

  watch(asked, reload, { immediate: true })
  return { found, problem, busy, reload }
}
