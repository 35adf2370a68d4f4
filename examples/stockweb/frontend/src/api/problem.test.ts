import { expect, it } from 'vitest'

import { Problem, Unreachable, explained, problemOf } from './problem'

const problem = (status: number, body: unknown, headers: Record<string, string> = {}): Promise<Problem> =>
  problemOf(
    new Response(typeof body === 'string' ? body : JSON.stringify(body), {
      status,
      headers: { 'Content-Type': 'application/problem+json', ...headers },
    }),
  )

it('says what the server says', async () => {
  const short = await problem(409, { title: 'Not enough', detail: 'only 2 left in B2', balance: 2 })
  expect(explained(short)).toBe('only 2 left in B2')
  expect(short.body.balance).toBe(2)
})

it('has the reasons for each part of the request', async () => {
  const errors = [
    { detail: 'is empty.', pointer: '#/name' },
    { detail: 'is no voltage.', pointer: '#/attributes/voltage' },
    { detail: 'take it from `next`', parameter: 'cursor' },
  ]
  const wrong = await problem(400, { title: 'Bad Request', code: 'invalid', errors })
  expect(wrong.of('name')).toBe('is empty.')
  expect(wrong.of('attributes/voltage')).toBe('is no voltage.')
  expect(wrong.of('cursor')).toBe('take it from `next`')
  expect(wrong.of('tags')).toBe('')
})

it.each([
  [
    502,
    '<html>Bad gateway</html>',
    { 'Content-Type': 'text/html' },
    'The server failed (502). It may work in a moment.',
  ],
  [429, '', { 'Content-Type': 'text/plain' }, 'Too many requests. Wait a moment.'],
  [418, '{"half', {}, 'The server refused (418).'],
  [404, '7', {}, 'There is no such thing.'],
])('has words for an answer that says nothing of use: %i', async (status, body, headers, words) => {
  expect((await problem(status, body, headers)).message).toBe(words)
})

it('knows when to come back, where it is told in seconds', async () => {
  expect((await problem(429, {}, { 'Retry-After': '7' })).retryAfter).toBe(7)
  expect((await problem(429, {}, { 'Retry-After': 'Sat, 21 Nov 2026 22:00:00 GMT' })).retryAfter).toBeUndefined()
  expect((await problem(503, {})).retryAfter).toBeUndefined()
})

it('tells no defect of our own as if the server had said it', () => {
  expect(explained(new Unreachable(new TypeError()))).toBe('The server cannot be reached.')
  expect(() => explained(new TypeError('x is undefined'))).toThrow('x is undefined')
})
