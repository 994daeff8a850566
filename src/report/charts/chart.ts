/** What every chart is, and what several of them need. A chart is a pure function of summaries; numbers that are not finite are left out. */
import type { Summary } from '../../core/result.js'
import { count } from '../words.js'
import { palette } from './svg.js'

export interface Chart {
  readonly title: string
  /** What is shown and how to read it, with n and the settings that matter. */
  readonly caption: string
  /** One picture, or several that belong together. */
  readonly svgs: readonly string[]
  /** Names beside their lines or marks, where several pictures share them. */
  readonly legend?: readonly { readonly sign: string; readonly name: string }[]
}

/** Height of a chart in px. */
export const chartHeight = 250
/** Marks and colours are told in words beside a small picture, which has no room for a legend. */
export const smallWidth = 250

/** Values that a log axis cannot show are drawn at this share of the smallest positive one. */
export function floorOf(values: readonly number[]): number {
  const low = values.reduce((a, v) => (v > 0 && Number.isFinite(v) ? Math.min(a, v) : a), Infinity)
  return Number.isFinite(low) ? low / 3 : 1e-16
}
export const highest = (values: readonly number[]): number =>
  values.reduce((a, v) => (Number.isFinite(v) ? Math.max(a, v) : a), -Infinity)
export const lowest = (values: readonly number[]): number => -highest(values.map(v => -v))

/** What a study was run with, for captions. */
export const origin = (s: Summary): string =>
  `${count(s.starts, 'run', 'runs')}, seed ${s.problem.seed}, ${s.engine.name} ${s.engine.precision}`

/** Colour and shape of a group of end points. */
export type Look = readonly [colour: string, shape: string]
/** Looks of the best minima, the same in all charts. */
export const minimumLooks: readonly Look[] = [
  [palette[0], 'circle'],
  [palette[1], 'square'],
  [palette[2], 'triangle-up'],
  [palette[3], 'diamond'],
  [palette[4], 'triangle-down']
]
