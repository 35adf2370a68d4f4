/** Passwords, by allauth's endpoints for browsers. */

import { ask } from '@/api/client'
import { Problem } from '@/api/problem'

const AUTH = '/_allauth/browser/v1/auth/password'
const ACCOUNT = '/_allauth/browser/v1/account/password'

/** Asks for a mail with a link. Nobody learns from the answer whether the address is known. */
export const requestReset = (email: string): Promise<void> => posted(`${AUTH}/request`, { email })

/** Sets the password of whoever was sent the key. */
export const resetPassword = (key: string, password: string): Promise<void> =>
  posted(`${AUTH}/reset`, { key, password })

export const changePassword = (current_password: string, new_password: string): Promise<void> =>
  posted(`${ACCOUNT}/change`, { current_password, new_password })

/** allauth has its own shape of errors, and says 401 where all is well but nobody is logged in. */
async function posted(path: string, content: object): Promise<void> {
  try {
    await ask('POST', path, content)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    if (error.status === 401) return
    const reasons = (error.body.errors ?? []) as readonly { readonly message?: string }[]
    const detail = reasons.flatMap((each) => each.message ?? []).join(' ')
    throw detail ? new Problem(error.status, { detail }) : error
  }
}
