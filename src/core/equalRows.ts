/** Rows of numbers that are the same, bit for bit. */

/** For each row of values [count, width] row-major the first that is equal to it; −1 for rows that begin with NaN. */
export function firstEqual(values: Float64Array, width: number): Int32Array {
  const count = width === 0 ? 0 : values.length / width
  const bits = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length)
  const same = (i: number, j: number): boolean => {
    for (let a = 2 * width * i, b = 2 * width * j, end = a + 2 * width; a < end; a++, b++)
      if (bits[a] !== bits[b]) return false
    return true
  }
  const found = new Map<number, number[]>()
  const out = new Int32Array(count).fill(-1)
  let last = -1
  for (let i = 0; i < count; i++) {
    if (Number.isNaN(values[i * width])) continue
    if (last >= 0 && same(i, last)) {
      out[i] = last
      continue
    }
    let hash = 0
    for (let a = 2 * width * i, end = a + 2 * width; a < end; a++)
      hash = Math.imul(hash ^ bits[a], 0x9e3779b1) + (hash >>> 15)
    const equal = found.get(hash)
    last = equal?.find(j => same(i, j)) ?? i
    out[i] = last
    if (last !== i) continue
    if (equal) equal.push(i)
    else found.set(hash, [i])
  }
  return out
}
