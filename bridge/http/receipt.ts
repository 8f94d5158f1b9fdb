import { createHash } from 'node:crypto'
import type { Held } from '../entry.ts'
import type { PauseReason } from '../events.ts'
import type { IntakeOutcome } from '../intake/intake.ts'
import type { HttpDeps } from './deps.ts'
import { imagePath, imageState } from './image-json.ts'
import { problem } from './problem.ts'
import { json, type Reply } from './reply.ts'

const RETRY_SECONDS: { readonly [reason in PauseReason]: number } = {
  spool_full: 30, disk_low: 30, storage_error: 10, shutdown: 10
}

/** What a device is told became of its image. `image`: its bytes, where they came bare. */
export async function formatReceipt (
  deps: Pick<HttpDeps, 'spool' | 'uplink'>, outcome: IntakeOutcome, image: Buffer | undefined
): Promise<Reply> {
  switch (outcome.kind) {
    case 'taken': {
      const { entry } = outcome
      const held = await deps.spool.find(entry.deviceId, entry.imageId) ?? { state: 'waiting', entry }
      const message = 'The image is safe on disk here and may be forgotten there. It goes to the store next.'
      const reply = json(201, { ...await describe(deps, held, image), message }, { location: imagePath(entry) })
      return { ...reply, acknowledged: entry }
    }
    case 'duplicate': {
      const message = 'The image was taken before and may be forgotten there.'
      const reply = json(200, { ...await describe(deps, outcome.held, image), message, duplicate: true })
      return { ...reply, acknowledged: outcome.held.entry }
    }
    case 'refused':
      return problem(outcome.reason, outcome.detail, { hint: 'Do not send the same again: it would never be taken.' })
    case 'withheld':
      return withhold(outcome)
  }
}

/** The device keeps its image, and is told when to send it again. */
export function withhold ({ reason, detail }: { readonly reason: PauseReason, readonly detail: string }): Reply {
  const seconds = RETRY_SECONDS[reason]
  return problem(reason, detail, {
    hint: `Keep the image and send it again in ${seconds} s.`,
    headers: { 'retry-after': String(seconds) }
  })
}

async function describe (
  { spool, uplink }: Pick<HttpDeps, 'spool' | 'uplink'>, held: Held, image: Buffer | undefined
): Promise<object> {
  const { entry } = held
  const known = held.state === 'uploaded' ? held.upload.sha256 : entry.sha256
  // Intake hashes only what it must; here somebody asks. An envelope's image is read back, if it has not left yet.
  const bytes = known === undefined ? image ?? await spool.payload(entry).catch(() => undefined) : undefined
  const sha256 = bytes === undefined ? known : createHash('sha256').update(bytes).digest('hex')
  return {
    id: entry.imageId, device: entry.deviceId, sha256, bytes: entry.bytes, state: imageState(held, uplink.levels)
  }
}
