/** What a label says, and what is meant by what was scanned or typed. */

/** Short, so that codes are coarse and cheap cameras read them. */
export const boxAddress = (code: string, origin: string): string => `${origin}/b/${code}`
export const partAddress = (id: number, origin: string): string => `${origin}/p/${id}`

export type Meant =
  | { readonly kind: 'box'; readonly code: string }
  | { readonly kind: 'part'; readonly id: number }
  | { readonly kind: 'words'; readonly words: string }

/** Reads a label, of whatever host it was printed (staging's too); anything else is words to search for. */
export function meant(text: string): Meant | undefined {
  const trimmed = text.trim()
  if (!trimmed) return undefined
  const path = URL.canParse(trimmed) ? new URL(trimmed).pathname : trimmed
  const [, kind, rest = ''] = /^\/(b|p|boxes|parts)\/([^/]+)\/?$/.exec(path) ?? []
  if (kind?.startsWith('b') && CODE.test(rest)) return { kind: 'box', code: rest }
  if (kind?.startsWith('p') && /^\d{1,18}$/.test(rest)) return { kind: 'part', id: Number(rest) }
  return { kind: 'words', words: trimmed }
}

/** As it is written on a box. */
export const CODE = /^[A-Z0-9]+(-[A-Z0-9]+)*$/
