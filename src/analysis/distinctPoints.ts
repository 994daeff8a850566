/** Distinct points in order, without an object for each: there may be a million of them, of which a few thousand are looked at. */
import { orderByLoss } from '../core/ties.js'
import type { Cluster, ClusterTable } from './clusterTable.js'

/** A table of distinct points. */
export interface PointSource {
  readonly table: ClusterTable
  /** [width] units of the coordinates; absent: 1. */
  readonly scale?: Float64Array
}

/** Columns of points that are asked for as a whole. */
type ColumnName = 'loss' | 'count' | 'firstStart'

/** Distinct points of one or several tables, by loss, those of equal loss by first start. */
export class DistinctPoints {
  private constructor(
    private readonly sources: readonly PointSource[],
    /** [n] the table of each point, and its row there. */
    private readonly source: Uint8Array,
    private readonly row: Uint32Array,
    /** [n] ascending. */
    private readonly ids: Uint32Array
  ) {}

  /** All points of some tables; ids are places. */
  static of(sources: readonly PointSource[]): DistinctPoints {
    const size = sources.reduce((sum, { table }) => sum + table.size, 0)
    const source = new Uint8Array(size)
    const row = new Uint32Array(size)
    const losses = new Float64Array(size)
    const starts = new Float64Array(size)
    let n = 0
    sources.forEach(({ table }, s) => {
      losses.set(table.loss.subarray(0, table.size), n)
      starts.set(table.firstStart.subarray(0, table.size), n)
      for (let r = 0; r < table.size; r++, n++) {
        source[n] = s
        row[n] = r
      }
    })
    const order = orderByLoss(losses, starts)
    return new DistinctPoints(
      sources,
      Uint8Array.from(order, i => source[i]),
      Uint32Array.from(order, i => row[i]),
      Uint32Array.from(order, (_, id) => id)
    )
  }

  get length(): number {
    return this.row.length
  }

  /** Those of some of the tables, with the ids that they have among all. */
  from(...wanted: readonly number[]): DistinctPoints {
    const { sources, source, row, ids } = this
    const kept = Uint32Array.from(source.keys()).filter(i => wanted.includes(source[i]))
    return new DistinctPoints(
      sources,
      Uint8Array.from(kept, i => source[i]),
      Uint32Array.from(kept, i => row[i]),
      Uint32Array.from(kept, i => ids[i])
    )
  }

  /** Of each table, the id of each row. */
  idsByRow(): Int32Array[] {
    const { sources, source, row, ids } = this
    const out = sources.map(({ table }) => new Int32Array(table.size))
    for (let i = 0; i < row.length; i++) out[source[i]][row[i]] = ids[i]
    return out
  }

  /** [n] */
  column(name: ColumnName): Float64Array {
    const { sources, source, row } = this
    const columns = sources.map(({ table }) => table[name])
    const out = new Float64Array(row.length)
    for (let i = 0; i < out.length; i++) out[i] = columns[source[i]][row[i]]
    return out
  }

  /** Distinct symmetric images met of all points together. */
  get copies(): number {
    const { sources, source, row } = this
    let sum = 0
    for (let i = 0; i < row.length; i++) sum += sources[source[i]].table.copies(row[i])
    return sum
  }

  at(i: number): Cluster | undefined {
    if (!(i >= 0 && i < this.length)) return undefined
    const { table, scale } = this.sources[this.source[i]]
    return table.cluster(this.row[i], this.ids[i], scale)
  }

  slice(from = 0, to = this.length): Cluster[] {
    const count = Math.max(0, Math.min(to, this.length) - from)
    return Array.from({ length: count }, (_, k) => this.at(from + k)!)
  }
}
