/** Following an import: by its WebSocket while there is one, by asking where there is none. */

import { api, body } from '@/api/client'
import type { Import } from '@/api/types'
import { socketOrigin } from '@/live/live'

export type Progress = Pick<Import, 'state' | 'rows' | 'checked' | 'error' | 'verdicts'>

const WORKING: readonly Import['state'][] = ['checking', 'committing']
const INTERVAL = 1000

export const isWorking = (progress: Pick<Import, 'state'>): boolean => WORKING.includes(progress.state)

/** Tells each step until the import stands still, or until it is stopped by what it returns. */
export function followImport(id: string, told: (progress: Progress) => void): () => void {
  let stopped = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const socket = new WebSocket(`${socketOrigin()}/ws/imports/${id}`)
  let still = false

  function heard(progress: Progress): void {
    still = !isWorking(progress)
    if (!stopped) told(progress)
  }

  async function ask(): Promise<void> {
    if (stopped || still) return
    heard(await body(api().GET('/api/v1/imports/{id}', { params: { path: { id } } })))
    if (!still) timer = setTimeout(() => void ask(), INTERVAL)
  }

  socket.onmessage = (message: MessageEvent<string>) => heard(JSON.parse(message.data) as Progress)
  socket.onclose = () => void ask()
  return () => {
    stopped = true
    clearTimeout(timer)
    socket.close()
  }
}
