// Errors as RFC 9457 has them: one `type` and `title` for each code, `detail` for this occurrence, and
// `hint`, which says what to do.

import type { PauseReason, RefusalReason } from '../events.ts'
import { json, type Reply } from './reply.ts'

type RequestFault =
  | 'not_found' | 'method_not_allowed' | 'bad_query' | 'ambiguous_id' | 'wrong_state' | 'deleted' | 'damaged'
  | 'store_unreachable' | 'store_lost' | 'not_authorized' | 'forbidden' | 'length_required' | 'too_slow'
  | 'crowded' | 'unsupported_type' | 'not_confirmed' | 'bad_form' | 'bad_limit' | 'busy' | 'fault'

export type ProblemCode = RequestFault | RefusalReason | PauseReason

const PROBLEMS: { readonly [code in ProblemCode]: readonly [status: number, title: string] } = {
  not_found: [404, 'There is nothing here'],
  method_not_allowed: [405, 'This cannot be done here'],
  bad_query: [400, 'The query cannot be understood'],
  ambiguous_id: [409, 'Several devices have an image of this name'],
  wrong_state: [409, 'The state of the image does not allow this'],
  not_confirmed: [409, 'Nothing was deleted'],
  deleted: [410, 'The image was deleted'],
  damaged: [500, 'The image cannot be read back'],
  store_unreachable: [502, 'The store cannot be reached'],
  store_lost: [404, 'The store does not have the image any more'],
  not_authorized: [401, 'It has to be known who asks'],
  forbidden: [403, 'This is not allowed from there'],
  crowded: [429, 'Too many attempts'],
  length_required: [411, 'The length has to be declared'],
  too_slow: [408, 'The request came too slowly'],
  unsupported_type: [415, 'The content type is not taken'],
  bad_form: [400, 'The form cannot be read'],
  bad_limit: [422, 'This limit cannot be set'],
  busy: [503, 'Too much at once'],
  fault: [500, 'Something went wrong in here'],

  too_large: [413, 'The image is too large'],
  empty: [400, 'There is no image'],
  bad_json: [400, 'The JSON cannot be read'],
  bad_topic: [400, 'The image was sent to no place of ours'],
  bad_id: [400, 'A name is not valid'],
  not_an_image: [415, 'It is not an image'],
  missing_image: [422, 'There is no image in it'],
  bad_base64: [422, 'The base64 cannot be read'],
  checksum_mismatch: [422, 'The image is not what its checksum says'],
  id_mismatch: [422, 'Two names contradict each other'],
  id_conflict: [422, 'Another image has this name'],
  bad_meta: [422, 'What was said about the image cannot be kept'],

  spool_full: [503, 'The spool is full'],
  disk_low: [503, 'The disk is nearly full'],
  storage_error: [503, 'The spool cannot be written'],
  shutdown: [503, 'Shutting down']
}

/** Beyond the members of RFC 9457, which allows any. */
export interface ProblemMore {
  readonly hint?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly members?: Readonly<Record<string, unknown>>
}

export function problem (code: ProblemCode, detail: string, more: ProblemMore = {}): Reply {
  const [status, title] = PROBLEMS[code]
  const body = { type: `urn:sluice:problem:${code}`, title, status, detail, hint: more.hint, ...more.members }
  return { ...json(status, body, { 'content-type': 'application/problem+json', ...more.headers }), detail }
}
