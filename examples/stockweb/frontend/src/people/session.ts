/** Who is logged in, and what they may. The server decides; this is for not offering what it would refuse. */

import { reactive, readonly } from 'vue'

import { api, ask, body, carryToken } from '@/api/client'
import { Problem } from '@/api/problem'
import type { Me } from '@/api/types'

/** allauth's endpoints for browsers, https://docs.allauth.org/en/latest/headless/. */
const LOGIN = '/_allauth/browser/v1/auth/login'
const SESSION = '/_allauth/browser/v1/auth/session'

const current = reactive<{ person?: Me['user']; role: Me['role']; may?: Me['may']; known: boolean }>({
  role: null,
  known: false,
})

export const session = readonly(current)

/** Whether whoever looks at this may do that. */
export function may(deed: keyof Me['may']): boolean {
  return current.may?.[deed] ?? false
}

/** Asks the server. Without an answer nobody is logged in here, which is what a page without a network can do anyway. */
export async function whoAmI(): Promise<void> {
  try {
    const me = await body(api().GET('/api/v1/me'))
    carryToken(me.csrf_token)
    current.person = me.user
    current.role = me.role
    current.may = me.may
  } finally {
    current.known = true
  }
}

/** Logs in. Throws a `Problem` that says why not. */
export async function logIn(username: string, password: string): Promise<void> {
  try {
    await ask('POST', LOGIN, { username, password })
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    // Somebody is logged in already, perhaps in another tab.
    if (error.status !== 409)
      throw error.status === 400 ? new Problem(400, { detail: 'Name or password is wrong.' }) : error
  }
  await whoAmI()
}

export async function logOut(): Promise<void> {
  try {
    await ask('DELETE', SESSION)
  } catch (error) {
    // "Not logged in" is allauth's word for success.
    if (!(error instanceof Problem && error.status === 401)) throw error
  }
  await whoAmI()
}
