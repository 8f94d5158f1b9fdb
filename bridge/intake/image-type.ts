import { fileTypeFromBuffer } from 'file-type'

/** Enough for every signature asked for here; ISO media brands stand in the first 100 bytes. */
const HEAD_BYTES = 4100

/** The media type by magic bytes, whatever the sender calls it; undefined where nothing is recognised. */
export async function detectType (payload: Buffer): Promise<string | undefined> {
  try {
    return (await fileTypeFromBuffer(payload.subarray(0, HEAD_BYTES)))?.mime
  } catch {
    return undefined // a header that contradicts itself
  }
}
