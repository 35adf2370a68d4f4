/** The types of parts, as a list of a tree: asked once, for they seldom change. */

import { api, body } from '@/api/client'
import type { PartType } from '@/api/types'

let asked: Promise<readonly PartType[]> | undefined

/** Returns all types with their attributes, parents before those below them. A failure is not kept. */
export function partTypes(): Promise<readonly PartType[]> {
  asked ??= body(api().GET('/api/v1/types')).then(
    ({ items }) => items,
    (error: unknown) => {
      asked = undefined
      throw error
    },
  )
  return asked
}

/** A type's name, moved in as far as it is down in the tree: for the options of a select. */
export function indented(type: PartType): string {
  return '\u2003'.repeat(type.path.length - 1) + type.name
}
