/** What a machine was doing while it was measured: load, clocks, and whether heat slowed it down. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { cpus, loadavg, platform } from 'node:os'
import { join } from 'node:path'

export interface Conditions {
  /** ISO 8601. */
  readonly date: string
  /** Processes that ran or waited to, on the mean of the last minute; null on Windows. */
  readonly load: number | null
  /** Current clocks of the cores; null where the system does not tell. */
  readonly clocksMegahertz: { readonly least: number; readonly median: number; readonly largest: number } | null
  /** What chooses the clocks, as Linux names it: performance, powersave …; null where it is not told. */
  readonly governor: string | null
  /** How often heat has slowed cores or packages since the system was started; null where it is not told. */
  readonly throttled: number | null
}

const systemFolder = '/sys/devices/system/cpu'

/** The contents of a file of every core's folder that has it. */
function ofCores(folder: string, file: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter(name => /^cpu\d+$/.test(name) && existsSync(join(folder, name, file)))
    .flatMap(name => {
      try {
        return [readFileSync(join(folder, name, file), 'utf8').trim()]
      } catch {
        return []
      }
    })
}

/** @param folder where Linux tells of its processors */
export function readConditions(folder = systemFolder): Conditions {
  const frequencies = ofCores(folder, 'cpufreq/scaling_cur_freq').map(kilohertz => Number(kilohertz) / 1000)
  const told = (frequencies.length > 0 ? frequencies : cpus().map(c => c.speed)).filter(v => v > 0)
  const clocks = told.sort((a, b) => a - b)
  const governors = [...new Set(ofCores(folder, 'cpufreq/scaling_governor'))]
  const counts = ['core', 'package'].flatMap(what => ofCores(folder, `thermal_throttle/${what}_throttle_count`))
  return {
    date: new Date().toISOString(),
    load: platform() === 'win32' ? null : loadavg()[0],
    clocksMegahertz:
      clocks.length === 0
        ? null
        : { least: clocks[0], median: clocks[Math.floor(clocks.length / 2)], largest: clocks[clocks.length - 1] },
    governor: governors.length > 0 ? governors.join(', ') : null,
    throttled: counts.length > 0 ? counts.reduce((sum, n) => sum + Number(n), 0) : null
  }
}

const span = (values: readonly number[], digits: number): string => {
  const [low, high] = [Math.min(...values).toFixed(digits), Math.max(...values).toFixed(digits)]
  return low === high ? low : `${low} to ${high}`
}

/** Load, clocks and throttling over several readings, in one line. */
export function conditionsText(readings: readonly Conditions[]): string {
  const loads = readings.flatMap(r => (r.load === null ? [] : [r.load]))
  const clocks = readings.flatMap(r => (r.clocksMegahertz === null ? [] : [r.clocksMegahertz.median / 1000]))
  const governors = [...new Set(readings.flatMap(r => (r.governor === null ? [] : [r.governor])))]
  const heat = readings.flatMap(r => (r.throttled === null ? [] : [r.throttled]))
  const events = Math.max(...heat) - Math.min(...heat)
  return [
    loads.length > 0 ? `load ${span(loads, 1)}` : 'load not readable',
    clocks.length > 0
      ? `clock ${span(clocks, 2)} GHz${governors.length > 0 ? ` (${governors.join(', ')})` : ''}`
      : 'clock not readable',
    heat.length === 0
      ? 'throttling not readable'
      : events === 0
        ? 'not throttled'
        : `throttled by heat ${events} ${events === 1 ? 'time' : 'times'}`
  ].join(', ')
}

/** A machine whose cores others keep so busy, at the start, gives figures that are not its own. */
const busyShare = 0.25

/** What to warn of, in sentences. @param readings at the start and later ones */
export function warningsOf(readings: readonly Conditions[], cores: number): string[] {
  const [first] = readings
  const heat = readings.flatMap(r => (r.throttled === null ? [] : [r.throttled]))
  return [
    ...(first?.load !== null && first !== undefined && first.load > busyShare * cores
      ? [
          `Other work was running at the start (a load of ${first.load.toFixed(1)} on ${cores} ${cores === 1 ? 'core' : 'cores'}): the figures are too low to quote.`
        ]
      : []),
    ...(heat.length > 0 && Math.max(...heat) > Math.min(...heat)
      ? ['Heat slowed the processor meanwhile: the figures are too low to quote.']
      : [])
  ]
}
