/** The typed client of the API. Its types are generated from `schema/openapi.yaml` by `npm run client`. */

import createClient, { type Client } from 'openapi-fetch'
import { ref } from 'vue'

import type { Config } from '@/config'

import { type Problem, Unreachable, problemOf } from './problem'
import type { paths } from './schema'

const CSRF_HEADER = 'X-CSRFToken'

let server = ''
let token = ''
let made: Client<paths> | undefined

/** Says where the application is; to be called once, before anything is asked. */
export function connect(config: Config): void {
  server = config.api
  made = createClient<paths>({ baseUrl: server, fetch: sent })
}

/** Where the application is, for addresses that the browser itself follows. */
export const origin = (): string => server

/** What must come along with every change that a browser asks for. The server tells it to whoever is logged in. */
export function carryToken(text: string): void {
  token = text
}

/** The client. Every call rejects with a `Problem` or `Unreachable` instead of answering with an error. */
export function api(): Client<paths> {
  if (!made) throw new Error('connect() comes first')
  return made
}

/** How many answers are waited for: while there are any, the page is not yet what it will be. */
export const awaited = ref(0)

/** Waits for an answer and returns its body. */
export async function body<T>(call: Promise<{ data?: T }>): Promise<T> {
  awaited.value++
  try {
    // An answer that is no problem has what the schema says, also where that is nothing.
    return (await call).data as T
  } finally {
    awaited.value--
  }
}

/** Asks an address that the schema does not know, such as those of the login. */
export async function ask(method: string, path: string, content?: unknown): Promise<Response> {
  const request = new Request(server + path, {
    method,
    ...(content !== undefined && { body: JSON.stringify(content), headers: { 'Content-Type': 'application/json' } }),
  })
  return sent(request)
}

/** Sends a request with the session's cookie. A token that another tab's login made stale is asked for anew, once. */
async function sent(request: Request): Promise<Response> {
  if (changes(request) && !token) await askForToken()
  const again = request.clone()
  const answer = await fetched(request)
  if (answer.ok) return answer
  const problem = await problemOf(answer)
  if (!(changes(again) && isStaleToken(problem))) throw problem
  await askForToken()
  const second = await fetched(again)
  if (!second.ok) throw await problemOf(second)
  return second
}

async function fetched(request: Request): Promise<Response> {
  const headers = new Headers(request.headers)
  if (changes(request)) headers.set(CSRF_HEADER, token)
  try {
    return await fetch(new Request(request, { headers, credentials: 'include' }))
  } catch (error) {
    throw new Unreachable(error)
  }
}

async function askForToken(): Promise<void> {
  carryToken((await body(api().GET('/api/v1/me'))).csrf_token)
}

const changes = (request: Request): boolean => !['GET', 'HEAD'].includes(request.method)

/** Django refuses a stale token by a page of its own, the API by a problem that says so. */
function isStaleToken({ status, body: { code, detail } }: Problem): boolean {
  return status === 403 && (code === undefined || (detail ?? '').startsWith('CSRF'))
}
