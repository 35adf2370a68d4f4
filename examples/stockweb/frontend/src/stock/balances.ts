/** Keeping what is on the screen as the stock is. */

export interface Holding {
  box: string
  quantity: number
  /** A handful: nobody counted. */
  approximate: boolean
  counted_at: string | null
}

/** Any part on the screen: a row of the list, the page of one. */
export interface Held {
  readonly id: number
  readonly min_qty: number
  stock: Holding[]
  total: number
  low: boolean
}

/** A change of one lot. Ids of the movements of one lot ascend in the order in which they were made. */
export interface Change {
  readonly movement: number
  readonly part: { readonly id: number }
  readonly box: string
  readonly balance: number
}

/** Applies changes to parts, each lot's in their order: what came late says less than what is known. */
export class Balances {
  readonly #newest = new Map<string, number>()

  /** Returns whether anything was different. */
  apply(change: Change, parts: Iterable<Held>): boolean {
    const lot = `${change.part.id}/${change.box}`
    if ((this.#newest.get(lot) ?? 0) >= change.movement) return false
    this.#newest.set(lot, change.movement)
    let different = false
    for (const part of parts) if (part.id === change.part.id) different = settle(part, change) || different
    return different
  }
}

function settle(part: Held, { box, balance }: Change): boolean {
  const holding = part.stock.find((each) => each.box === box)
  if ((holding?.quantity ?? 0) === balance) return false
  if (balance === 0) part.stock = part.stock.filter((each) => each !== holding)
  else if (holding) holding.quantity = balance
  else part.stock = [...part.stock, { box, quantity: balance, approximate: false, counted_at: null }]
  part.total = part.stock.reduce((sum, each) => sum + each.quantity, 0)
  part.low = part.total < part.min_qty
  return true
}
