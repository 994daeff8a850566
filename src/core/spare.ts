/** Typed arrays that are used again. */

type Lent = Float64Array | Uint32Array | Uint16Array | Uint8Array

/** Buffers of one size that wait to be used again at most. */
const mostWaiting = 64

/**
 * Lends typed arrays, whose contents are those of whoever had them before. Fresh ones would cost a collection of garbage for every few
 * dozen MiB, which takes longer than to fill them.
 */
export class Spare {
  private readonly waiting = new Map<number, ArrayBuffer[]>()
  private readonly lent = new WeakSet<ArrayBufferLike>()

  /** @param length of the array, in numbers */
  f64(length: number): Float64Array {
    return new Float64Array(this.buffer(8 * length))
  }

  u32(length: number): Uint32Array {
    return new Uint32Array(this.buffer(4 * length))
  }

  u16(length: number): Uint16Array {
    return new Uint16Array(this.buffer(2 * length))
  }

  u8(length: number): Uint8Array {
    return new Uint8Array(this.buffer(length))
  }

  /** Takes back those fields of `holders` that were lent here; nobody may read them any more. */
  give(...holders: readonly object[]): void {
    for (const holder of holders)
      for (const value of Object.values(holder) as unknown[])
        if (ArrayBuffer.isView(value)) this.take((value as Lent).buffer)
  }

  private take(buffer: ArrayBufferLike): void {
    if (!this.lent.delete(buffer)) return
    const waiting = this.waiting.get(buffer.byteLength)
    if (!waiting) this.waiting.set(buffer.byteLength, [buffer as ArrayBuffer])
    else if (waiting.length < mostWaiting) waiting.push(buffer as ArrayBuffer)
  }

  private buffer(bytes: number): ArrayBuffer {
    const buffer = this.waiting.get(bytes)?.pop() ?? new ArrayBuffer(bytes)
    this.lent.add(buffer)
    return buffer
  }
}
