/** What is looked for, as it stands in the address of the page and in the API's: a line, or a form. */

import type { Found, Suiting } from '@/api/types'
import type { Listed } from '@/parts/words'

export interface Asked {
  line?: string
  type?: number
  package?: string
  stock?: '1'
  page?: number
  /** By the key of an attribute, as it was typed. */
  wanted: Readonly<Record<string, string>>
}

const ATTRIBUTE = 'attr:'

/** Reads the query of an address; undefined where nothing is asked for. */
export function readAsked(query: Readonly<Record<string, unknown>>): Asked | undefined {
  const text = (name: string): string => {
    const value = query[name]
    return typeof value === 'string' ? value.trim() : ''
  }
  const keys = Object.keys(query).filter((key) => key.startsWith(ATTRIBUTE) && text(key))
  const wanted = Object.fromEntries(keys.map((key) => [key.slice(ATTRIBUTE.length), text(key)]))
  const [line, type, page] = [text('line'), Number(text('type')), Number(text('page'))]
  if (!line && !(Number.isInteger(type) && type > 0)) return undefined
  return {
    ...(line ? { line } : { type }),
    ...(text('package') && { package: text('package') }),
    ...(text('stock') === '1' && { stock: '1' as const }),
    ...(Number.isInteger(page) && page > 1 && { page }),
    wanted: line ? {} : wanted,
  }
}

/** Writes what is asked for as a query: of the page's address, or of the API's. */
export function asQuery({ wanted, ...rest }: Asked): Record<string, string> {
  const plain = Object.entries(rest).map(([key, value]) => [key, `${value}`])
  const attributes = Object.entries(wanted).map(([key, value]) => [ATTRIBUTE + key, value])
  return Object.fromEntries([...plain, ...attributes].filter(([, value]) => value !== ''))
}

/** The form that a line was understood as, to go on from. */
export function understood(found: Found['requirement']): Asked {
  return {
    type: found.type_id,
    ...(found.package && { package: found.package }),
    ...(found.in_stock && { stock: '1' as const }),
    wanted: found.wanted,
  }
}

/** What was found is listed like any part; how low it is nobody asked. */
export function listed(part: Suiting): Listed {
  return { ...part, min_qty: 0, low: false }
}
