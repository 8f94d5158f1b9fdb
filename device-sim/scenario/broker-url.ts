/** What a URL says of a broker; the rest is for others to say. */
export interface BrokerUrl {
  readonly host: string
  readonly port: number | undefined
  readonly isTls: boolean
  readonly username: string | undefined
  readonly password: string | undefined
}

/** `mqtt://user:password@host:1883` or `mqtts://host`, with %-escapes in user and password (RFC 3986, 2.1). */
export function parseBrokerUrl (text: string): BrokerUrl | undefined {
  if (!/^mqtts?:\/\/[^/?#]+\/?$/.test(text) || !URL.canParse(text)) return undefined
  const { protocol, hostname, port, username, password } = new URL(text)
  const [user, secret] = [unescape(username), unescape(password)]
  if (hostname === '' || user === undefined || secret === undefined) return undefined
  return {
    host: hostname,
    port: port === '' ? undefined : Number(port),
    isTls: protocol === 'mqtts:',
    username: user || undefined,
    password: secret || undefined
  }
}

/** A URL, right or wrong, with something else where its password stands. */
export function hidePassword (text: string, instead: string): string {
  return text.replace(/^(\w+:\/\/[^:/]*):.*@/, (_, before: string) => `${before}${instead}@`)
}

function unescape (text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch { // a % that escapes nothing
    return undefined
  }
}
