/**
 * Following the movements of the stock: each once, in order, however often the connection is cut.
 *
 * A connection begins after the last position that was seen. One that ends is made again after a pause that grows and
 * differs between browsers, at once when the server said that it restarts (1012), and never after 1008: then the
 * position is of another database, and whoever follows has to begin anew.
 */

/** A movement, as `/ws/movements` tells it. */
export interface Movement {
  readonly position: number
  readonly movement: number
  readonly part: { readonly id: number; readonly name: string }
  readonly box: string
  /** What was done, to be followed by the box: `taken from`. */
  readonly deed: string
  /** `+3` or `−3`. */
  readonly change: string
  /** What is in the box now. */
  readonly balance: number
  readonly at: string
}

export type State = 'connecting' | 'live' | 'waiting' | 'refused'

export interface Listener {
  told: (movement: Movement) => void
  state?: (state: State) => void
  /** The server has no such position: everything shown may be of another time. */
  lost?: () => void
}

/** What of the browser is needed; tests bring their own. */
export interface Surroundings {
  open: (address: string) => WebSocket
  later: (deed: () => void, milliseconds: number) => unknown
  cancel: (timer: unknown) => void
  random: () => number
}

const FIRST_PAUSE = 500
const LONGEST_PAUSE = 30_000
const SERVICE_RESTART = 1012
const POLICY_VIOLATION = 1008

const BROWSER: Surroundings = {
  open: (address) => new WebSocket(address),
  later: (deed, milliseconds) => setTimeout(deed, milliseconds),
  cancel: (timer) => clearTimeout(timer as number),
  random: Math.random,
}

export class Feed {
  #position: number | undefined
  #pause = FIRST_PAUSE
  #socket: WebSocket | undefined
  #timer: unknown
  #stopped = false

  constructor(
    private readonly address: string,
    private readonly listener: Listener,
    private readonly surroundings: Surroundings = BROWSER,
  ) {
    this.#connect()
  }

  /** Comes back now, not when the pause is over: the network is there again, or the page is looked at again. */
  hurry(): void {
    if (this.#timer === undefined || this.#stopped) return
    this.surroundings.cancel(this.#timer)
    this.#connect()
  }

  stop(): void {
    this.#stopped = true
    this.surroundings.cancel(this.#timer)
    this.#socket?.close()
  }

  #connect(): void {
    this.#timer = undefined
    this.listener.state?.('connecting')
    const after = this.#position === undefined ? '' : `?after=${this.#position}`
    const socket = this.surroundings.open(this.address + after)
    this.#socket = socket
    socket.onmessage = (message: MessageEvent<string>) => this.#heard(message.data)
    socket.onclose = (end) => this.#ended(end.code)
  }

  #heard(text: string): void {
    const told = JSON.parse(text) as Movement | { position: number }
    this.#pause = FIRST_PAUSE
    if (!('movement' in told)) {
      // The greeting says where this connection begins.
      this.#position ??= told.position
      this.listener.state?.('live')
    } else if (told.position > (this.#position ?? -1)) {
      this.#position = told.position
      this.listener.told(told)
    }
  }

  #ended(code: number): void {
    if (this.#stopped) return
    if (code === POLICY_VIOLATION) {
      this.listener.state?.('refused')
      this.listener.lost?.()
      return
    }
    this.listener.state?.('waiting')
    // All browsers are told of a restart at one moment; even "at once" is a little apart.
    const pause = code === SERVICE_RESTART && this.#pause === FIRST_PAUSE ? FIRST_PAUSE / 5 : this.#pause
    this.#timer = this.surroundings.later(() => this.#connect(), pause * (0.5 + this.surroundings.random() / 2))
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE)
  }
}
