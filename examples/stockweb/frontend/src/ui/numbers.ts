/** Numbers and times as people write them here. */

/** The largest quantity of one change, as the ledger has it. */
export const MOST = 1_000_000_000

/** `12345` as `12 345`, with a narrow space that does not break. */
export function shown(quantity: number): string {
  const digits = Math.abs(quantity).toFixed(0)
  const grouped = digits.length > 4 ? digits.replace(/\B(?=(\d{3})+$)/g, '\u202f') : digits
  return quantity < 0 ? `−${grouped}` : grouped
}

/** `+3` and `−3`, with a minus sign that is as wide as the plus. */
export function signed(change: number): string {
  return change > 0 ? `+${shown(change)}` : shown(change)
}

/** Reads what was typed as a quantity: `3`, `12 000`, `2k` for a reel. Undefined where it is none. */
export function readQuantity(text: string): number | undefined {
  const parts = /^(\d+(?:\.\d+)?)(k?)$/i.exec(text.replace(/[\s\u202f]/g, ''))
  if (!parts) return undefined
  const quantity = Number((Number(parts[1]) * (parts[2] ? 1000 : 1)).toFixed(6))
  return Number.isInteger(quantity) && quantity >= 1 && quantity <= MOST ? quantity : undefined
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** When something was, as briefly as it can be said: `now`, `12 min ago`, `14:05`, `3 Nov`, `3 Nov 2024`. */
export function ago(at: string, now: Date = new Date()): string {
  const then = new Date(at)
  const passed = now.getTime() - then.getTime()
  if (passed < MINUTE) return 'now'
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min ago`
  if (then.toDateString() === now.toDateString()) return then.toTimeString().slice(0, 5)
  const day = `${then.getDate()} ${then.toLocaleString('en', { month: 'short' })}`
  return then.getFullYear() === now.getFullYear() ? day : `${day} ${then.getFullYear()}`
}

/** `1 part`, `2 parts`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${shown(count)} ${count === 1 ? one : many}`
}
