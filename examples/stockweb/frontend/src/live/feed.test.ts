import { beforeEach, expect, it } from 'vitest'

import { Feed, type Movement, type State, type Surroundings } from './feed'

/** A WebSocket of which the test is the server. */
class Wire {
  onmessage: ((message: { data: string }) => void) | null = null
  onclose: ((end: { code: number }) => void) | null = null
  closed = false
  constructor(readonly address: string) {}
  close(): void {
    this.closed = true
    this.onclose?.({ code: 1005 })
  }
  says(body: object): void {
    this.onmessage?.({ data: JSON.stringify(body) })
  }
  ends(code: number): void {
    this.onclose?.({ code })
  }
}

let wires: Wire[]
let pauses: number[]
let waiting: (() => void) | undefined
let told: number[]
let states: State[]
let lost: number

const surroundings: Surroundings = {
  open: (address) => {
    const wire = new Wire(address)
    wires.push(wire)
    return wire as unknown as WebSocket
  },
  later: (deed, milliseconds) => {
    pauses.push(milliseconds)
    waiting = deed
    return pauses.length
  },
  cancel: () => {
    waiting = undefined
  },
  random: () => 1,
}

const following = (): Feed =>
  new Feed(
    'ws://s/ws/movements',
    {
      told: (movement: Movement) => void told.push(movement.position),
      state: (state) => void states.push(state),
      lost: () => void lost++,
    },
    surroundings,
  )
const last = (): Wire => wires.at(-1) as Wire
const movement = (position: number): object => ({ position, movement: position, part: { id: 1, name: 'R' } })

beforeEach(() => {
  wires = []
  pauses = []
  told = []
  states = []
  lost = 0
  waiting = undefined
})

it('catches up after a cut, and tells nothing twice', () => {
  following()
  expect(last().address).toBe('ws://s/ws/movements')
  last().says({ position: 7 })
  last().says(movement(8))
  last().ends(1006)
  waiting?.()
  expect(last().address).toBe('ws://s/ws/movements?after=8')
  last().says({ position: 8 })
  last().says(movement(8))
  last().says(movement(9))
  expect(told).toEqual([8, 9])
  expect(states).toEqual(['connecting', 'live', 'waiting', 'connecting', 'live'])
})

it('asks for what came after the greeting when nothing was told before the cut', () => {
  following()
  last().says({ position: 7 })
  last().ends(1006)
  waiting?.()
  expect(last().address).toBe('ws://s/ws/movements?after=7')
})

it('waits longer and longer, and begins anew once it was heard', () => {
  following()
  for (let turn = 0; turn < 9; turn++) {
    last().ends(1006)
    waiting?.()
  }
  expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000])
  last().says({ position: 1 })
  last().ends(1006)
  expect(pauses.at(-1)).toBe(500)
})

it('comes back at once from a restart, but does not hammer a server that goes on saying so', () => {
  following()
  last().says({ position: 1 })
  last().ends(1012)
  waiting?.()
  last().ends(1012)
  expect(pauses).toEqual([100, 1000])
})

it('gives up a position that the server does not know', () => {
  following()
  last().says({ position: 7 })
  last().ends(1008)
  expect(waiting).toBeUndefined()
  expect(lost).toBe(1)
  expect(states.at(-1)).toBe('refused')
})

it('hurries when the network is back, and only then', () => {
  const feed = following()
  last().says({ position: 1 })
  feed.hurry()
  expect(wires).toHaveLength(1)
  last().ends(1006)
  feed.hurry()
  expect(wires).toHaveLength(2)
  expect(waiting).toBeUndefined()
})

it('stays away when stopped', () => {
  following().stop()
  expect(last().closed).toBe(true)
  expect(pauses).toEqual([])
})
