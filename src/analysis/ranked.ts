/** Ids in order of a key, with binary search: a list of short sorted chunks, so that an insertion moves few entries. */

const chunkLimit = 512

interface Chunk {
  readonly keys: number[]
  readonly ids: number[]
}

/** First index whose key is at least `key`. */
function lowerBound(length: number, at: (i: number) => number, key: number): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >> 1
    if (at(middle) < key) low = middle + 1
    else high = middle
  }
  return low
}

export class RankedIds {
  private readonly chunks: Chunk[] = [{ keys: [], ids: [] }]
  private readonly keyOf = new Map<number, number>()

  insert(id: number, key: number): void {
    // The last chunk that starts at or below the key takes it.
    const at = Math.max(0, lowerBound(this.chunks.length, i => this.chunks[i].keys[0] ?? -Infinity, key) - 1)
    const { keys, ids } = this.chunks[at]
    const slot = lowerBound(keys.length, i => keys[i], key)
    keys.splice(slot, 0, key)
    ids.splice(slot, 0, id)
    this.keyOf.set(id, key)
    if (keys.length > chunkLimit) {
      const middle = chunkLimit >> 1
      this.chunks.splice(at + 1, 0, { keys: keys.splice(middle), ids: ids.splice(middle) })
    }
  }

  remove(id: number): void {
    const key = this.keyOf.get(id)
    if (key === undefined) return
    this.keyOf.delete(id)
    this.scan(key, key, (chunk, i) => {
      if (this.chunks[chunk].ids[i] !== id) return false
      this.chunks[chunk].keys.splice(i, 1)
      this.chunks[chunk].ids.splice(i, 1)
      if (this.chunks[chunk].ids.length === 0 && this.chunks.length > 1) this.chunks.splice(chunk, 1)
      return true
    })
  }

  /** The first id with a key in [low, high] that `accept` takes, in ascending order of keys; −1 when there is none. */
  within(low: number, high: number, accept: (id: number) => boolean): number {
    let found = -1
    this.scan(low, high, (chunk, i) => {
      const id = this.chunks[chunk].ids[i]
      if (accept(id)) found = id
      return found >= 0
    })
    return found
  }

  private scan(low: number, high: number, stop: (chunk: number, i: number) => boolean): void {
    const from = Math.max(0, lowerBound(this.chunks.length, i => this.chunks[i].keys[0] ?? -Infinity, low) - 1)
    for (let chunk = from; chunk < this.chunks.length; chunk++) {
      const { keys } = this.chunks[chunk]
      for (let i = lowerBound(keys.length, j => keys[j], low); i < keys.length; i++) {
        if (!(keys[i] <= high)) return
        if (stop(chunk, i)) return
      }
    }
  }
}
