/** Where the application is. One build serves every environment, so this is read when the page starts. */
export interface Config {
  /** Origin of the API, without a slash at its end. */
  readonly api: string
  /** The same for the WebSocket: `ws://` or `wss://`. */
  readonly socket: string
}

/** The site cannot start; the message says what to do about it. */
export class ConfigError extends Error {}

const FILE = '/config.json'

/** Reads `config.json`, which a release writes beside the build. Throws {@link ConfigError}. */
export async function readConfig(get: typeof fetch = fetch): Promise<Config> {
  let answer: Response
  try {
    answer = await get(FILE, { cache: 'no-cache' })
  } catch {
    throw new ConfigError(`${FILE} could not be fetched. Is this machine online?`)
  }
  if (!answer.ok) throw new ConfigError(`${FILE} is missing (the server says ${answer.status}). The release writes it.`)
  let given: unknown
  try {
    given = await answer.json()
  } catch {
    // A site with a fallback page answers with that page where a file is missing.
    throw new ConfigError(`${FILE} is not JSON. Where it is missing, the server may have sent a page instead.`)
  }
  return {
    api: address(given, 'api', ['http:', 'https:']),
    socket: address(given, 'socket', ['ws:', 'wss:']),
  }
}

function address(given: unknown, key: keyof Config, schemes: readonly string[]): string {
  const value: unknown = typeof given === 'object' && given !== null ? Reflect.get(given, key) : undefined
  const wanted = `${FILE}: "${key}" must be an address that begins with ${schemes.map((each) => `${each}//`).join(' or ')}`
  if (typeof value !== 'string') throw new ConfigError(wanted)
  if (!URL.canParse(value) || !schemes.includes(new URL(value).protocol))
    throw new ConfigError(`${wanted}, not "${value}"`)
  return value.replace(/\/+$/, '')
}
