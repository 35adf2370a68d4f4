/** What the server refuses, in its own words (RFC 9457), and what never reached it. */

/** The body of `application/problem+json`, as far as it is used here. */
export interface ProblemBody {
  readonly title?: string
  /** For programs: `short`, `invalid`. */
  readonly code?: string
  /** For people. */
  readonly detail?: string
  /** What is in the box, when it was less than was to be taken. */
  readonly balance?: number
  /** The reason for each part of the request that is wrong: a JSON pointer into the body, or a parameter's name. */
  readonly errors?: readonly { readonly detail: string; readonly pointer?: string; readonly parameter?: string }[]
}

/** The server answered, and said no. */
export class Problem extends Error {
  override readonly name = 'Problem'
  constructor(
    readonly status: number,
    readonly body: ProblemBody = {},
    /** Seconds after which asking again makes sense. */
    readonly retryAfter?: number,
  ) {
    super(body.detail ?? body.title ?? inWords(status))
  }

  /** Whether the same request may well succeed a little later. */
  get passing(): boolean {
    return [429, 502, 503, 504].includes(this.status)
  }

  /** The reasons for one key of the body (`name`, `attributes/voltage`) or one parameter; empty where it is right. */
  of(key: string): string {
    const reasons = this.body.errors?.filter((each) => each.pointer === `#/${key}` || each.parameter === key)
    return reasons?.map((each) => each.detail).join(' ') ?? ''
  }
}

/** No answer came: nobody knows whether the request was carried out. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
  constructor(cause: unknown) {
    super('The server cannot be reached.', { cause })
  }
}

/** What went wrong, for the person who looks at the page. */
export function explained(error: unknown): string {
  if (error instanceof Problem || error instanceof Unreachable) return error.message
  throw error
}

/** Makes an error of an answer that is none of the good ones. */
export async function problemOf(answer: Response): Promise<Problem> {
  const wait = Number(answer.headers.get('Retry-After') ?? Number.NaN)
  const body = answer.headers.get('Content-Type')?.includes('json') ? await readJson(answer) : {}
  return new Problem(answer.status, body, Number.isFinite(wait) ? wait : undefined)
}

async function readJson(answer: Response): Promise<ProblemBody> {
  try {
    const body: unknown = await answer.json()
    return typeof body === 'object' && body !== null ? body : {}
  } catch {
    return {}
  }
}

function inWords(status: number): string {
  if (status === 401) return 'Log in first.'
  if (status === 403) return 'You may not do this.'
  if (status === 404) return 'There is no such thing.'
  if (status === 429) return 'Too many requests. Wait a moment.'
  return status >= 500 ? `The server failed (${status}). It may work in a moment.` : `The server refused (${status}).`
}
