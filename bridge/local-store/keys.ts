// Keys and the names of files. A key's segments (between slashes) become folders and a file of the
// same names, so that a person finds the pictures; what a file system could misread is escaped:
//
//   ''          %            the empty segment: `a//b`, `/a`, and the last one of `a/`
//   '.', '..'   %2E, %2E%2E
//   % \ and control characters (U+0000 to U+001F, U+007F to U+009F)    %XX of each UTF-8 byte
//
// No segment becomes `.`, `..`, an empty name, or a name with a slash: no key leads out of its folder.
// The mapping is one to one. A `%` that is not followed by two hex digits stands in no escaped name
// but the bare `%`, which leaves `x%.json` free for the metadata of `x` (records.ts).
//
// The file system has to tell names apart byte by byte, as Linux does; one that folds case or
// normalises Unicode (macOS by default) would take two such keys for one.

/** Amazon S3 User Guide, "Object key naming guidelines": 1,024 bytes of UTF-8. */
export const keyBytesMax = 1024

/** What the metadata's ending leaves of a file name of 255 bytes. */
const nameBytesMax = 249

// Amazon S3 User Guide, "General purpose bucket naming rules", without the reserved prefixes.
const BUCKET = /^(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

declare const brand: unique symbol

/** A name that is safe as a folder's: it starts with a letter or a digit and has no slash. */
export type BucketName = string & { readonly [brand]: 'BucketName' }

export function parseBucket (text: string): BucketName | undefined {
  return BUCKET.test(text) ? text as BucketName : undefined
}

/** Below the bucket's folder; undefined where a segment is too long for the name of a file. */
export function formatKeyPath (key: string): string | undefined {
  const names = key.split('/').map(formatName)
  return names.some((name) => Buffer.byteLength(name) > nameBytesMax) ? undefined : names.join('/')
}

/** The segment that a file or folder of this name stands for; undefined for a name no key has. */
export function parseName (name: string): string | undefined {
  if (name === '%') return ''
  const segment = decoded(name)
  return segment !== undefined && formatName(segment) === name ? segment : undefined
}

export function formatName (segment: string): string {
  if (segment === '') return '%'
  if (segment === '.' || segment === '..') return segment.replaceAll('.', '%2E')
  return segment.replace(/[%\\\p{Cc}]/gu, encodeURIComponent)
}

/** Percent-decoding that answers undefined for what is no UTF-8. */
export function decoded (text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** The order of their UTF-8 bytes, in which S3 lists keys. */
export function compareKeys (a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = rank(a.charCodeAt(i)) - rank(b.charCodeAt(i))
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

// UTF-16 puts surrogates (characters from U+10000) before U+E000; UTF-8 puts them last.
function rank (unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
