// multipart/form-data (RFC 7578) with the image in `file`, and `device`, `id` and `lane` beside it where the URL does
// not say.

import { Busboy, type BusboyInstance } from '@fastify/busboy'
import type { ProblemCode } from './problem.ts'

/** As they were written. */
export interface FormFields {
  readonly device: string | undefined
  readonly id: string | undefined
  readonly lane: string | undefined
}

export type FormOutcome =
  | { readonly kind: 'form', readonly image: Buffer } & FormFields
  | { readonly kind: 'fault', readonly code: ProblemCode, readonly detail: string }

export interface Form {
  write (piece: Buffer): void
  end (): Promise<FormOutcome>
}

const LIMITS = {
  files: 1, fields: 8, parts: 10, fieldNameSize: 100, fieldSize: 1000, headerPairs: 50, headerSize: 8192
}

/** For a body of at most `bytesMax`; the image is copied out of it once, into memory taken here. */
export function createForm (contentType: string, bytesMax: number): Form | undefined {
  const busboy = openBusboy(contentType)
  if (busboy === undefined) return undefined
  const image = Buffer.allocUnsafeSlow(bytesMax)
  const fields = new Map<string, string>()
  const strange: string[] = []
  let imageBytes: number | undefined
  let fault: string | undefined
  busboy.on('file', (name, stream) => {
    if (name !== 'file') strange.push(name)
    else imageBytes = 0
    stream.on('data', (piece: Buffer) => {
      if (name === 'file') imageBytes = (imageBytes ?? 0) + piece.copy(image, imageBytes)
    })
    // Emitted where the form ends within the file; the form's own error says so, too.
    stream.on('error', (error: Error) => { fault ??= error.message })
  })
  busboy.on('field', (name, value) => { fields.set(name, value) })
  busboy.on('filesLimit', () => { fault ??= 'there is more than one file in it: send one image a request' })
  for (const limit of ['fieldsLimit', 'partsLimit'] as const) {
    busboy.on(limit, () => { fault ??= 'there are more parts in it than an image needs' })
  }
  const finished = new Promise<void>((resolve) => {
    busboy.on('finish', resolve)
    busboy.on('error', (error) => {
      fault ??= (error as Error).message
      resolve()
    })
  })

  function conclude (): FormOutcome {
    if (fault !== undefined) return { kind: 'fault', code: 'bad_form', detail: fault }
    if (imageBytes === undefined) {
      const found = [...strange, ...fields.keys()].map((name) => JSON.stringify(name)).join(', ')
      return { kind: 'fault', code: 'missing_image', detail: `the form has no file under "file", it has ${found || 'nothing'}` }
    }
    const [device, id, lane] = ['device', 'id', 'lane'].map((name) => fields.get(name))
    return { kind: 'form', image: image.subarray(0, imageBytes), device, id, lane }
  }

  return {
    write (piece) { if (fault === undefined) busboy.write(piece) },
    async end () {
      if (fault === undefined) busboy.end()
      if (fault === undefined) await finished
      return conclude()
    }
  }
}

function openBusboy (contentType: string): BusboyInstance | undefined {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: LIMITS,
      isPartAFile: (name, _type, fileName) => name === 'file' || fileName !== undefined
    })
  } catch {
    return undefined // no boundary
  }
}
