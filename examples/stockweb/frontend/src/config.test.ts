import { expect, it } from 'vitest'

import { ConfigError, readConfig } from './config'

const answering =
  (body: string, status = 200): typeof fetch =>
  () =>
    Promise.resolve(new Response(body, { status }))

it('reads where the application is', async () => {
  const body = '{"api": "https://stock.example/", "socket": "wss://stock.example"}'
  expect(await readConfig(answering(body))).toEqual({ api: 'https://stock.example', socket: 'wss://stock.example' })
})

it.each([
  ['missing', answering('gone', 404), /missing .* 404/],
  ['a fallback page', answering('<!doctype html>'), /not JSON/],
  ['no object', answering('7'), /"api" must be/],
  ['no socket', answering('{"api": "https://a.example"}'), /"socket" must be .* ws:\/\/ or wss:\/\//],
  ['another scheme', answering('{"api": "ftp://a.example", "socket": "wss://a.example"}'), /not "ftp:/],
  ['offline', () => Promise.reject(new TypeError('failed')), /could not be fetched/],
])('says what is wrong: %s', async (_, get, message) => {
  const reading = readConfig(get)
  await expect(reading).rejects.toThrow(ConfigError)
  await expect(reading).rejects.toThrow(message)
})
