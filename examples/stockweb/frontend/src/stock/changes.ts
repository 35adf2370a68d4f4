/** Taking and adding from anywhere: sent until it is answered, told when it is done, and undone by one key. */

import { reactive } from 'vue'

import { api, body } from '@/api/client'
import { insist } from '@/api/insist'
import { Problem, Unreachable, explained } from '@/api/problem'
import { tell } from '@/live/live'
import { say, unsay } from '@/ui/messages'
import { shown } from '@/ui/numbers'

export type Deed = 'take' | 'add' | 'count'

export interface Wanted {
  readonly deed: Deed
  readonly part: { readonly id: number; readonly name: string }
  readonly box: string
  readonly quantity: number
}

const PATHS = {
  take: '/api/v1/parts/{id}/take',
  add: '/api/v1/parts/{id}/add',
  count: '/api/v1/parts/{id}/count',
} as const

const DONE = {
  take: (quantity: number, box: string) => `Took ${shown(quantity)} from ${box}`,
  add: (quantity: number, box: string) => `Added ${shown(quantity)} to ${box}`,
  count: (_: number, box: string) => `Counted in ${box}`,
} as const

/** What was asked for and is not answered yet. */
const open = reactive(new Set<Wanted>())

/** The box that was used last for a part, which is likely to be the one that is open. */
const lastBox = new Map<number, string>()

let undoable: number | undefined

/** What a count comes to is known when it is done. */
const SIGN = { take: -1, add: 1, count: 0 } as const

/** What is under way for a part, as one signed number; 0 where nothing is. */
export function underWay(part: number): number {
  let sum = 0
  for (const each of open) if (each.part.id === part) sum += SIGN[each.deed] * each.quantity
  return sum
}

/** The box to begin with: the one used last if it will do, else the fullest. */
export function likelyBox(part: number, stock: readonly { box: string; quantity: number }[]): string {
  const last = lastBox.get(part)
  if (last !== undefined && stock.some((each) => each.box === last)) return last
  return stock.reduce((best, each) => (each.quantity > best.quantity ? each : best), stock[0] ?? NOWHERE).box
}

const NOWHERE = { box: '', quantity: 0 }

/** Takes or adds, and says what came of it. Never rejects. */
export async function carryOut(wanted: Wanted): Promise<void> {
  const { part, box, quantity, deed } = wanted
  open.add(wanted)
  lastBox.set(part.id, box)
  try {
    const done = await persistently((key) =>
      body(
        api().POST(PATHS[deed], {
          params: { path: { id: part.id }, header: { 'Idempotency-Key': key } },
          body: { box, quantity },
        }),
      ),
    )
    tell({ movement: done.movement, part, box, balance: done.balance })
    undoable = done.movement
    say(`${DONE[deed](quantity, box)}, ${shown(done.balance)} there now`, 'done', {
      label: 'Undo',
      does: () => void undo(done.movement),
    })
  } catch (error) {
    refused(error, wanted)
  } finally {
    open.delete(wanted)
  }
}

/** Carries parts from one box to another, and says what came of it. Never rejects. */
export async function carryOver(part: Wanted['part'], source: string, target: string, quantity: number): Promise<void> {
  try {
    const halves = await persistently((key) =>
      body(
        api().POST('/api/v1/parts/{id}/move', {
          params: { path: { id: part.id }, header: { 'Idempotency-Key': key } },
          body: { source, target, quantity },
        }),
      ),
    )
    for (const half of halves) tell({ movement: half.movement, part, box: half.box, balance: half.balance })
    lastBox.set(part.id, target)
    const movement = halves[0]?.movement
    undoable = movement
    const back = { label: 'Undo', does: () => movement !== undefined && void undo(movement) }
    say(`Moved ${shown(quantity)} from ${source} to ${target}`, 'done', back)
  } catch (error) {
    say(`${part.name}: ${explained(error)}`, 'refused')
  }
}

/** Takes the last change of this page back, if there is one. */
export function undoLast(): void {
  if (undoable === undefined) say('Nothing to undo on this page', 'refused')
  else void undo(undoable)
}

/** Reverses a movement, and says what came of it. Returns whether it is reversed now. */
export async function undo(movement: number): Promise<boolean> {
  try {
    const halves = await persistently(() =>
      body(api().POST('/api/v1/movements/{id}/undo', { params: { path: { id: movement } } })),
    )
    if (undoable === movement) undoable = undefined
    for (const half of halves)
      tell({ movement: half.id, part: { id: half.part }, box: half.box, balance: half.balance })
    say('Undone')
    return true
  } catch (error) {
    say(`Not undone: ${explained(error)}`, 'refused')
    return false
  }
}

async function persistently<T>(send: (key: string) => Promise<T>): Promise<T> {
  let waiting: number | undefined
  try {
    return await insist(send, {
      waiting: () => {
        waiting ??= say('No connection. It is sent as soon as there is one.', 'waiting')
      },
    })
  } finally {
    if (waiting !== undefined) unsay(waiting)
  }
}

function refused(error: unknown, wanted: Wanted): void {
  const { part, box, deed } = wanted
  if (error instanceof Problem && error.body.balance !== undefined && deed === 'take') {
    const left = error.body.balance
    const all = { label: `Take ${shown(left)}`, does: () => void carryOut({ ...wanted, quantity: left }) }
    say(`Only ${shown(left)} left in ${box}: nothing taken of ${part.name}`, 'refused', left > 0 ? all : undefined)
  } else if (error instanceof Unreachable) {
    const again = { label: 'Try again', does: () => void carryOut(wanted) }
    say(`No answer. Look whether it was done before you try again: ${part.name}`, 'refused', again)
  } else say(`${part.name}: ${explained(error)}`, 'refused')
}
