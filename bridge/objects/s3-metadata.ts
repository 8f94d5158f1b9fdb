// User metadata travels as HTTP headers, which carry ASCII. Other text goes as RFC 2047 encoded words,
// the form that S3 itself reads and writes (S3 User Guide, "User-defined object metadata"). A server
// that is sent raw UTF-8 closes the connection, stores it damaged or counts the signature as wrong.

/** Text that arrives as it is: printable ASCII, no blank at either end, nothing that looks encoded. */
const PLAIN = /^(?! )(?!.*=\?)[\x20-\x7e]*(?<! )$/

// [RFC 2047 section 2] An encoded word has at most 75 characters, 12 of them `=?UTF-8?B?` and `?=`.
// 45 bytes are 60 characters of base64.
const WORD_BYTES_MAX = 45

/** An ASCII header value for any text; encoded words are separated by a blank that does not count. */
export function formatMetadataValue (text: string): string {
  if (PLAIN.test(text)) return text
  return words(text).map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join(' ')
}

type Metadata = Readonly<Record<string, string>>

/** Undefined where a name cannot be the end of a header's name. */
export function formatMetadata (metadata: Metadata): Record<string, string> | undefined {
  const entries = Object.entries(metadata)
  if (!entries.every(([name]) => /^[A-Za-z0-9._-]+$/.test(name))) return undefined
  return Object.fromEntries(entries.map(([name, text]) => [name.toLowerCase(), formatMetadataValue(text)]))
}

// [RFC 2047 section 5] A character is never split between two words.
function words (text: string): string[] {
  const words: string[] = []
  let word = ''
  for (const character of text) {
    if (Buffer.byteLength(word + character) > WORD_BYTES_MAX) {
      words.push(word)
      word = ''
    }
    word += character
  }
  return [...words, word]
}
