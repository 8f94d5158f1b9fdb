import type { DeviceId, Note } from '../broker/topics.ts'
import type { Entry } from './entry.ts'
import type { BridgeEvent, Observe, PauseReason } from './events.ts'

export interface Notes {
  readonly observe: Observe
  /** Sent since the start. */
  readonly sent: Readonly<Record<Note['status'], number>>
}

/** Devices that were told to wait; beyond it a device learns by its next PUBACK. */
const PAUSED_MAX = 10_000

/** Tells devices what becomes of their images: a reader of events that writes to their acks topics. */
export function createNotes (notify: (deviceId: DeviceId, note: Note) => void, now: () => number = Date.now): Notes {
  const sent: Record<Note['status'], number> = {
    uploaded: 0, failed: 0, refused: 0, duplicate: 0, paused: 0, resumed: 0
  }
  const paused = new Map<DeviceId, PauseReason>()

  function send (deviceId: DeviceId, note: Omit<Note, 'v' | 'at'>): void {
    sent[note.status]++
    notify(deviceId, { v: 1, ...note, at: new Date(now()).toISOString() })
  }

  function tellRefused ({ deviceId, imageId, reason, detail }: BridgeEvent & { kind: 'image-refused' }): void {
    if (deviceId === undefined) return
    send(deviceId, { ...imageId !== undefined && { id: imageId }, status: 'refused', reason, detail, retry: false })
  }

  function tellPaused ({ deviceId, imageId, reason, detail }: BridgeEvent & { kind: 'image-withheld' }): void {
    if (paused.has(deviceId) || paused.size >= PAUSED_MAX) return
    paused.set(deviceId, reason)
    send(deviceId, { ...imageId !== undefined && { id: imageId }, status: 'paused', reason, detail, retry: true })
  }

  function tellResumed (): void {
    for (const [deviceId, reason] of paused) send(deviceId, { status: 'resumed', reason })
    paused.clear()
  }

  return {
    sent,
    observe (event) {
      // The other events concern no device.
      if (event.kind === 'entry-uploaded') send(event.entry.deviceId, uploadedNote(event))
      else if (event.kind === 'entry-failed') send(event.entry.deviceId, failedNote(event))
      else if (event.kind === 'image-duplicate') send(event.deviceId, duplicateNote(event))
      else if (event.kind === 'image-refused') tellRefused(event)
      else if (event.kind === 'image-withheld') tellPaused(event)
      else if (event.kind === 'intake-resumed') tellResumed()
    }
  }
}

function uploadedNote ({ entry, upload, seconds }: BridgeEvent & { kind: 'entry-uploaded' }): Omit<Note, 'v' | 'at'> {
  const { key, etag, sha256 } = upload
  return { ...identify(entry), status: 'uploaded', key, etag, sha256, latencySeconds: Math.round(seconds * 1000) / 1000 }
}

function failedNote ({ entry, failure }: BridgeEvent & { kind: 'entry-failed' }): Omit<Note, 'v' | 'at'> {
  const { reason, detail } = failure
  return { ...identify(entry), status: 'failed', reason, detail, retry: false }
}

function duplicateNote ({ imageId }: BridgeEvent & { kind: 'image-duplicate' }): Omit<Note, 'v' | 'at'> {
  return { id: imageId, status: 'duplicate', retry: false }
}

function identify ({ imageId, bytes }: Entry): { id: string, bytes: number } {
  return { id: imageId, bytes }
}
