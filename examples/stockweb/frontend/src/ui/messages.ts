/** What is said in passing: at the lower edge of the page, and aloud by screen readers. */

import { reactive, readonly } from 'vue'

export interface Message {
  readonly id: number
  readonly text: string
  readonly tone: 'done' | 'refused' | 'waiting'
  readonly action?: { readonly label: string; readonly does: () => void }
}

/** Long enough to read it and to reach for its button. */
const LASTING = 8_000
const MOST = 3

const messages = reactive<Message[]>([])
let last = 0

export const said = readonly(messages) as readonly Message[]

/** Says something for a while; what waits is said until it is {@link unsay}-d. Returns its id. */
export function say(text: string, tone: Message['tone'] = 'done', action?: Message['action']): number {
  const id = ++last
  messages.push({ id, text, tone, ...(action && { action }) })
  if (messages.length > MOST) messages.shift()
  if (tone !== 'waiting') setTimeout(() => unsay(id), LASTING)
  return id
}

export function unsay(id: number): void {
  const index = messages.findIndex((each) => each.id === id)
  if (index >= 0) messages.splice(index, 1)
}
