/**
 * A chart as data: what is drawn, and by which columns of its rows. A subset of Vega-Lite's grammar under the same names, with functions
 * in the place of its format strings.
 */

/** A row of a chart's data: plain values by name. */
export type Row = object

export interface Scale {
  /** `linear` or `log` for numbers; default linear. */
  readonly type?: string
  readonly domain?: readonly unknown[]
  /** The lower end alone; the upper one follows from the data. */
  readonly domainMin?: number
  readonly range?: readonly unknown[]
  /** Whether 0 is shown; default: where numbers are linear and no domain is given. */
  readonly zero?: boolean
  /** Whether the ends are widened to round numbers; default: where no domain is given. */
  readonly nice?: boolean
  /** px at each end of numbers; parts of a step at each end of names. */
  readonly padding?: number
}

export interface Axis {
  readonly values?: readonly number[]
  /** About so many ticks; of a log axis, at most so many. */
  readonly tickCount?: number
  readonly format?: (value: number) => string
  readonly grid?: boolean
  readonly orient?: string
  /** Whether ticks and the line along the axis are drawn; default yes. */
  readonly ticks?: boolean
  readonly domain?: boolean
  /** px; longer labels end in an ellipsis. */
  readonly labelLimit?: number
}

export interface Legend {
  /** Entries in a line; default 2. */
  readonly columns?: number
  /** px; longer labels end in an ellipsis. */
  readonly labelLimit?: number
}

/** A property of marks by a column of the data, or the same for all. */
export interface Channel {
  readonly field?: string
  /** `quantitative`, else names. */
  readonly type?: string
  readonly title?: string | null
  /** The order of names; default that of the data. */
  readonly sort?: readonly string[] | null
  readonly scale?: Scale
  readonly axis?: Axis
  /** null: none. */
  readonly legend?: Legend | null
  readonly datum?: unknown
  readonly value?: unknown
}

export type ChannelName =
  | 'x'
  | 'y'
  | 'x2'
  | 'y2'
  | 'yOffset'
  | 'color'
  | 'fill'
  | 'shape'
  | 'strokeDash'
  | 'opacity'
  | 'detail'
  | 'order'
  | 'text'
export type Encoding = Readonly<Partial<Record<ChannelName, Channel>>>

export interface Mark {
  /** `point`, `line`, `area`, `rule`, `bar`, `rect` or `text`. */
  readonly type: string
  readonly color?: string
  readonly opacity?: number
  readonly strokeWidth?: number
  readonly strokeDash?: readonly number[]
  /** `step-after` or `step`; default straight. */
  readonly interpolate?: string
  /** Of points: area in px², the name or path of the shape, and whether it is filled. */
  readonly size?: number
  readonly shape?: string
  readonly filled?: boolean
  /** Marks on the corners of a line. */
  readonly point?: { readonly size: number }
  /** Thickness of a bar in px. */
  readonly height?: number
  readonly dx?: number
  readonly dy?: number
  readonly fontSize?: number
}

export interface Layer {
  readonly data?: { readonly values: readonly Row[] }
  readonly mark: Mark
  readonly encoding: Encoding
}

export interface Spec extends Partial<Layer> {
  /** px, axes included; default that of every chart. */
  readonly width?: number
  /** px of the area between the axes, or of each name. */
  readonly height: number | { readonly step: number }
  readonly title?: string
  readonly layer?: readonly Layer[]
}
