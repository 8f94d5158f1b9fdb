// Reads an error of the S3 client as an outcome, with the sentence an operator gets. What each error
// means is data, and stands in s3-meanings.ts.

import type { PutOutcome } from './object-store.ts'
import { MEANINGS, UNKNOWN, type Meaning } from './s3-meanings.ts'

type Unavailable = Extract<PutOutcome, { kind: 'unavailable' }>
type Refused = Extract<PutOutcome, { kind: 'refused' }>

/** The store as a sentence names it. */
export interface Target {
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  /** Such as `key AKIA...`; never a secret. */
  readonly credentials: string
  readonly timeoutMs: number
}

const BY_MARK: ReadonlyMap<string, Meaning> = new Map(
  MEANINGS.flatMap((meaning) => meaning.marks.map((mark) => [mark, meaning] as const)))

// What we find out ourselves, named in the table as an error is.
type Finding = 'NoETag' | 'NoUploadId' | 'NoSuchUpload' | 'OtherBytes' | 'NotItsHash' | 'BadMetadataName' | 'KeyTaken'

export function found (name: Finding): { readonly name: Finding } {
  return { name }
}

/** The same, where it is thrown. */
export function finding (name: Finding): Error {
  return Object.assign(new Error(''), found(name))
}

/** What an error of the client, or a finding of ours, comes to. Everything comes to something. */
export function readOutcome (error: unknown, target: Target): Unavailable | Refused {
  const meaning = meaningOf(error)
  const detail = say(meaning, target, error)
  return 'refused' in meaning
    ? { kind: 'refused', reason: meaning.refused, detail }
    : { kind: 'unavailable', reason: meaning.unavailable, detail }
}

/** Whether a request that failed so says nothing of puts. */
export function leavesPutsOpen (error: unknown): boolean {
  return meaningOf(error).leavesPutsOpen === true
}

/** Whether the store knows an upload, or one of its parts, no longer. */
export function isUploadGone (error: unknown): boolean {
  return ['NoSuchUpload', 'InvalidPart'].includes((error as Marked).name ?? '')
}

/** Whether the store has answered, and would say the same again: it does not do that, or not for us. */
export function isAnswered (error: unknown): boolean {
  const status = (error as Marked).$metadata?.httpStatusCode ?? 0
  return status === 501 || (status >= 400 && status < 500 && ![408, 429].includes(status))
}

function meaningOf (error: unknown): Meaning {
  const mark = marksOf(error).find((mark) => BY_MARK.has(mark)) ?? ''
  return BY_MARK.get(mark) ?? UNKNOWN
}

// The parts of a foreign error that are looked at: node's own, OpenSSL's and the S3 client's.
interface Marked {
  readonly name?: string
  readonly message?: string
  readonly code?: unknown
  readonly reason?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number }
}

// The most telling first. Node's code goes before the name, because the client calls a reset `TimeoutError`.
function marksOf (error: unknown): string[] {
  const { code, name, $metadata } = error as Marked
  const marks = typeof code === 'string' ? [code] : []
  if (marks[0]?.startsWith('ERR_SSL_')) marks.push('ERR_SSL')
  return [...marks, name ?? '', `HTTP ${$metadata?.httpStatusCode}`]
}

function say (meaning: Meaning, { timeoutMs, ...target }: Target, error: unknown): string {
  const answer = answerOf(error as Marked)
  const words: Record<string, string> = {
    ...target, seconds: String(timeoutMs / 1000), answer: answer === '' ? '' : `(${answer})`
  }
  return oneLine(meaning.say.replace(/\{(\w+)\}/g, (_all, name: string) => words[name] ?? name))
}

// The store's own words. An answer that is not S3's, such as a proxy's page, has no words but its status.
function answerOf ({ name, message, code, reason, $metadata }: Marked): string {
  const status = $metadata?.httpStatusCode
  if (status !== undefined) {
    const known = name !== undefined && !['Error', 'Unknown', 'SyntaxError'].includes(name)
    const words = message === 'UnknownError' || !known ? '' : `: ${inShort(message)}`
    return `HTTP ${status}${known ? ` ${name}` : ''}${words}`
  }
  return typeof reason === 'string' ? `${String(code)}, ${inShort(reason)}` : inShort(message)
}

function inShort (text = ''): string {
  return oneLine(text).slice(0, 200)
}

function oneLine (text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
