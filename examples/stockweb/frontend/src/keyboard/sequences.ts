/** Keys and sequences of keys (`g p`) that do something. Knows nothing of the page. */

export interface Shortcut {
  /** One key, or two with a space between: `/`, `g p`. */
  readonly keys: string
  /** What it does, for the list that `?` shows. */
  readonly says: string
  readonly does: () => void
}

/** What a key press of a browser says, as far as it matters. */
export interface Press {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
}

/** Milliseconds after which the first key of a sequence is forgotten. */
const MEMORY = 1200

export class Sequences {
  #begun = ''
  #at = 0

  /** Finds what a press completes. A later shortcut of the list wins: that of the page over that of the frame. */
  pressed(press: Press, shortcuts: readonly Shortcut[], now: number): Shortcut | undefined {
    // Browsers and systems own every combination.
    if (press.ctrlKey || press.metaKey || press.altKey) return undefined
    const before = now - this.#at <= MEMORY ? this.#begun : ''
    this.#begun = ''
    const whole = before ? `${before} ${press.key}` : press.key
    const found = shortcuts.findLast((each) => each.keys === whole)
    if (!found && shortcuts.some((each) => each.keys.startsWith(`${press.key} `))) {
      this.#begun = press.key
      this.#at = now
    }
    return found
  }
}
