import { isUtf8 } from 'node:buffer'

// What a string of MQTT may be (MQTT 3.1.1, section 1.5.3) and what a topic may be (section 4.7). The parser of
// Aedes turns ill-formed UTF-8 into U+FFFD, so that two topics become one, and takes U+0000 as it is.

const PLUS = 0x2b
const HASH = 0x23

/** Control characters, and what is no character: the standard lets a server close on them. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const UNWANTED = /[\u0001-\u001f\u007f-\u009f]|\p{Noncharacter_Code_Point}/u

/** Says what is wrong with the bytes of a string, as the end of a sentence. */
export function wrongText (bytes: Buffer): string | undefined {
  if (isPlain(bytes)) return undefined
  if (!isUtf8(bytes)) return 'that is no UTF-8 [MQTT-1.5.3-1]'
  if (bytes.includes(0)) return 'with U+0000 in it [MQTT-1.5.3-2]'
  return UNWANTED.test(bytes.toString()) ? 'with a control character in it [MQTT-1.5.3]' : undefined
}

/** The same of a name that a message is published under. */
export function wrongTopic (bytes: Buffer): string | undefined {
  if (bytes.length === 0) return 'without a character in it [MQTT-4.7.3-1]'
  if (bytes.includes(PLUS) || bytes.includes(HASH)) return 'with a wildcard in it [MQTT-3.3.2-2]'
  return wrongText(bytes)
}

/** The same of a filter that is subscribed to. */
export function wrongFilter (bytes: Buffer): string | undefined {
  if (bytes.length === 0) return 'without a character in it [MQTT-4.7.3-1]'
  const wrong = wrongText(bytes)
  if (wrong !== undefined) return wrong
  const levels = bytes.toString().split('/')
  if (levels.slice(0, -1).includes('#')) return 'with # before its end [MQTT-4.7.1-2]'
  if (levels.some((level) => level.length > 1 && level.includes('#'))) return 'with # beside something else [MQTT-4.7.1-2]'
  if (levels.some((level) => level.length > 1 && level.includes('+'))) return 'with + beside something else [MQTT-4.7.1-3]'
  return undefined
}

// Every topic of a device is. A call into the runtime for each would cost more than looking.
function isPlain (bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte < 0x20 || byte > 0x7e) return false
  }
  return true
}
