/** The shortcuts of what is on the screen. */

import { onScopeDispose, shallowReactive } from 'vue'

import { Sequences, type Shortcut } from './sequences'

/** In the order in which they were added: the frame's first, then those of the page and of what is open on it. */
const active = shallowReactive<Shortcut[][]>([])

/** Adds shortcuts for as long as the component lives. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const own = [...shortcuts]
  active.push(own)
  onScopeDispose(() => active.splice(active.indexOf(own), 1))
}

/** Returns all that work now, for the list of them. */
export function shortcutsNow(): Shortcut[] {
  return active.flat()
}

/** Listens to the keyboard, for ever. Keys that are typed into a field are that field's. */
export function listen(target: Document): void {
  const sequences = new Sequences()
  target.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing || takesKeys(event.target)) return
    // An open dialog has the keyboard to itself.
    if (target.querySelector('dialog[open]')) return
    const found = sequences.pressed(event, shortcutsNow(), event.timeStamp)
    if (!found) return
    event.preventDefault()
    found.does()
  })
}

function takesKeys(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target instanceof HTMLInputElement) return !['button', 'checkbox', 'radio', 'submit'].includes(target.type)
  return target.isContentEditable || ['TEXTAREA', 'SELECT'].includes(target.tagName)
}
