/** Attaching a file to a part: announced to the application, posted to the bucket itself, looked at. */

import { api, body } from '@/api/client'
import { Problem, Unreachable } from '@/api/problem'
import type { Attachment } from '@/api/types'

/** What the application takes; the server looks at the bytes and decides. */
export const TYPES = ['application/pdf', 'image/jpeg', 'image/png', 'image/webp'] as const
const LARGEST = 20 * 2 ** 20

export async function attach(part: number, file: File): Promise<Attachment> {
  const type = TYPES.find((each) => each === file.type)
  if (!type) throw new Problem(400, { detail: 'Only PDF, JPEG, PNG and WebP files are kept.' })
  if (file.size > LARGEST) throw new Problem(400, { detail: 'A file has at most 20 MB.' })
  const { attachment, upload } = await body(
    api().POST('/api/v1/parts/{id}/attachments', {
      params: { path: { id: part } },
      body: { name: file.name, type, size: file.size },
    }),
  )
  await post(upload.url, upload.fields, file)
  return body(api().POST('/api/v1/attachments/{id}/complete', { params: { path: { id: attachment.id } } }))
}

/** S3 wants the file last, and answers 204. */
async function post(url: string, fields: Readonly<Record<string, string>>, file: File): Promise<void> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  form.append('file', file)
  let answer: Response
  try {
    answer = await fetch(url, { method: 'POST', body: form })
  } catch (error) {
    throw new Unreachable(error)
  }
  if (!answer.ok) throw new Problem(answer.status, { detail: `The place for files refused it (${answer.status}).` })
}
