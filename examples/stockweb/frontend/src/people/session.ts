/** Who is logged in, and what they may. The server decides; this is for not offering what it would refuse. */

import { reactive, readonly } from 'vue'

import { api, ask, body, carryToken } from '@/api/client'
import { Problem, explained } from '@/api/problem'
import type { Me } from '@/api/types'

/** allauth's endpoints for browsers, https://docs.allauth.org/en/latest/headless/. */
const LOGIN = '/_allauth/browser/v1/auth/login'
const SESSION = '/_allauth/browser/v1/auth/session'

const current = reactive<{ person?: Me['user']; role: Me['role']; may?: Me['may'] }>({ role: null })

export const session = readonly(current)

/** Whether whoever looks at this may do that. */
export function may(deed: keyof Me['may']): boolean {
  return current.may?.[deed] ?? false
}

let asking: Promise<void> | undefined

/** Waits until it is known who looks at this: the answer may be on its way when the first key is pressed. */
export async function identified(): Promise<void> {
  await asking
}

/** Asks the server. Without an answer nobody is logged in here, which is what a page without a network can do anyway. */
export function whoAmI(): Promise<void> {
  asking = body(api().GET('/api/v1/me')).then(
    (me) => {
      carryToken(me.csrf_token)
      current.person = me.user
      current.role = me.role
      current.may = me.may
    },
    (error: unknown) => void explained(error),
  )
  return asking
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
