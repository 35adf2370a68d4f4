/** The boxes that something can be put into: asked once, for they seldom change. */

import { api, body } from '@/api/client'

let asked: Promise<readonly string[]> | undefined

/** Returns the codes of all boxes, in the order of the tree. A failure is not kept. */
export function boxCodes(): Promise<readonly string[]> {
  asked ??= body(api().GET('/api/v1/boxes')).then(
    ({ items }) => items.map((box) => box.code),
    (error: unknown) => {
      asked = undefined
      throw error
    },
  )
  return asked
}

/** Asks anew the next time: a box was made, renamed or deleted. */
export function forgetBoxCodes(): void {
  asked = undefined
}
