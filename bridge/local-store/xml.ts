import { XMLBuilder, XMLParser, XMLValidator } from 'fast-xml-parser'
import { refusal } from './errors.ts'

export type Node = string | number | boolean | undefined | readonly Node[] | { readonly [name: string]: Node }

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'

// The builder leaves control characters as they are, and a carriage return would be read as a line feed.
const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  processEntities: false,
  tagValueProcessor: (_name, value) => escapeText(String(value))
})

const parser = new XMLParser({
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true,
  isArray: (name) => name === 'Object' || name === 'Part'
})

export function formatXml (root: string, content: Node): string {
  const body = typeof content === 'object' ? content : { '#text': content }
  return builder.build({
    '?xml': { '@version': '1.0', '@encoding': 'UTF-8' },
    [root]: { '@xmlns': NAMESPACE, ...body }
  })
}

/** An error document has no namespace (Amazon S3 API Reference, "REST error responses"). */
export function formatErrorXml (content: Node): string {
  return builder.build({ '?xml': { '@version': '1.0', '@encoding': 'UTF-8' }, Error: content })
}

/**
 * The content of a request's root element; `Object` and `Part` are always lists.
 *
 * The parser drops references to characters that XML 1.0 does not have, so that `a&#1;b` would name
 * another key, `ab`. Such a document is refused, and so is one that declares entities.
 */
export function readXml (text: string, root: string): { readonly [name: string]: unknown } {
  const malformed = () => refusal('MalformedXML', `the body is not a well-formed ${root} document`)
  if (/<!DOCTYPE/i.test(text) || hasForeignCharacter(text) || XMLValidator.validate(text) !== true) throw malformed()
  const document: unknown = parser.parse(text)
  const content = isElement(document) ? document[root] : undefined
  if (!isElement(content)) throw malformed()
  return content
}

export function isElement (value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function escapeText (text: string): string {
  return text.replace(/[&<>\p{Cc}]/gu, (character) => {
    switch (character) {
      case '&': return '&amp;'
      case '<': return '&lt;'
      case '>': return '&gt;'
      default: return `&#x${character.charCodeAt(0).toString(16)};`
    }
  })
}

// XML 1.0, production 2 (Char), as it concerns what a key may hold.
function hasForeignCharacter (text: string): boolean {
  const isForeign = (code: number) => code < 0x20 && code !== 0x9 && code !== 0xa && code !== 0xd
  const references = [...text.matchAll(/&#(?:x([0-9a-f]+)|([0-9]+));/gi)]
  return references.some(([, hex, decimal]) => isForeign(hex === undefined ? Number(decimal) : parseInt(hex, 16))) ||
    (text.match(/\p{Cc}/gu) ?? []).some((character) => isForeign(character.charCodeAt(0)))
}
