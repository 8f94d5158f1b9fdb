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
      switch (event.kind) {
        case 'entry-uploaded':
          return send(event.entry.deviceId, uploadedNote(event))
        case 'entry-failed': {
          const { reason, detail } = event.failure
          return send(event.entry.deviceId, { ...identify(event.entry), status: 'failed', reason, detail, retry: false })
        }
        case 'image-duplicate':
          return send(event.deviceId, { id: event.imageId, status: 'duplicate', retry: false })
        case 'image-refused': {
          const { deviceId, imageId, reason, detail } = event
          if (deviceId === undefined) return
          return send(deviceId, { ...imageId !== undefined && { id: imageId }, status: 'refused', reason, detail, retry: false })
        }
        case 'image-withheld':
          return tellPaused(event)
        case 'intake-resumed':
          return tellResumed()
        default: // the other events concern no device
      }
    }
  }
}

function uploadedNote ({ entry, upload, seconds }: BridgeEvent & { kind: 'entry-uploaded' }): Omit<Note, 'v' | 'at'> {
  const { key, etag, sha256 } = upload
  return { ...identify(entry), status: 'uploaded', key, etag, sha256, latencySeconds: Math.round(seconds * 1000) / 1000 }
}

function identify ({ imageId, bytes }: Entry): { id: string, bytes: number } {
  return { id: imageId, bytes }
}
