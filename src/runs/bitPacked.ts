/** Codes of a dictionary, and bits, as Parquet has them: a hybrid of runs of one value and of values packed into as few bits as they take. */
import type { ByteWriter } from 'hyparquet-writer/src/bytewriter.js'
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js'

export type Codes = Uint8Array | Uint16Array

/** Values in a row of which a run is shorter than its bits. */
const fewChanges = 16

function changesOften(codes: Codes): boolean {
  const most = codes.length / fewChanges
  let changes = 0
  for (let i = 1; i < codes.length; i++) if (codes[i] !== codes[i - 1] && ++changes > most) return true
  return false
}

/** Packed bits, little-endian, in whole groups of eight values. @param width bits of a value, 1 to 16 */
function packed(codes: Codes, width: number): Uint8Array {
  const groups = Math.ceil(codes.length / 8)
  const out = new Uint8Array(groups * width)
  let held = 0
  let bits = 0
  let at = 0
  for (let i = 0; i < codes.length; i++) {
    held |= codes[i] << bits
    bits += width
    if (bits >= 16) {
      out[at] = held
      out[at + 1] = held >>> 8
      at += 2
      held >>>= 16
      bits -= 16
    }
  }
  for (; bits > 0; bits -= 8, held >>>= 8) out[at++] = held
  return out
}

/** Codes of `width` bits, of which those of columns that change at every other row are packed here: the library takes them byte by byte. */
export function appendCodes(writer: ByteWriter, codes: Codes, width: number): void {
  if (!changesOften(codes)) {
    // The library takes numbers of any kind of array.
    writeRleBitPackedHybrid(writer, codes as Uint8Array, width)
    return
  }
  writer.appendVarInt((Math.ceil(codes.length / 8) << 1) | 1)
  writer.appendBytes(packed(codes, width))
}
