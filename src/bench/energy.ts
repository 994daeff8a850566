/** Energy that a measurement takes: the processor packages' counters (RAPL), and the power that graphics cards tell. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Joules; null where they cannot be read. */
export interface Energy {
  readonly processor: number | null
  readonly cards: number | null
}

const powercap = '/sys/class/powercap'

interface Counter {
  readonly microjoules: number
  readonly range: number
}

/** Energy counters of the processor packages (Linux powercap, RAPL), or why there are none. */
export function raplCounters(folder = powercap): readonly Counter[] | string {
  if (!existsSync(folder)) return `this system has no ${folder}`
  const packages = readdirSync(folder).filter(name => /^intel-rapl:\d+$/.test(name))
  if (packages.length === 0) return `${folder} has no counter of a processor package`
  try {
    return packages.map(name => ({
      microjoules: Number(readFileSync(join(folder, name, 'energy_uj'), 'utf8')),
      range: Number(readFileSync(join(folder, name, 'max_energy_range_uj'), 'utf8'))
    }))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EACCES' || code === 'EPERM'
      ? `energy_uj in ${folder} is readable by root alone`
      : `energy_uj in ${folder} cannot be read (${code ?? String(error)})`
  }
}

/** Joules between two readings; the counters wrap around. */
export const joulesBetween = (before: readonly Counter[], after: readonly Counter[]): number =>
  after.reduce((sum, now, i) => {
    const used = now.microjoules - before[i].microjoules
    return sum + (used < 0 ? used + now.range : used) / 1e6
  }, 0)

/** Watts of all cards together over time, as `nvidia-smi` tells them, for as long as it is open. */
export class CardPower {
  private readonly samples: { readonly at: number; readonly watts: number }[] = []
  private readonly latest = new Map<string, number>()
  private constructor(private readonly stop: () => void) {}

  /** @param count cards that tell their power; with none there is nothing to follow */
  static open(count: number, milliseconds = 100): CardPower | undefined {
    if (count === 0) return undefined
    const child = spawn(
      'nvidia-smi',
      ['--query-gpu=index,power.draw', '--format=csv,noheader,nounits', `-lms`, String(milliseconds)],
      { stdio: ['ignore', 'pipe', 'ignore'] }
    )
    const power = new CardPower(() => child.kill())
    child.on('error', () => undefined)
    child.unref()
    let rest = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) power.add(line, performance.now())
    })
    return power
  }

  /** A line "0, 70.5". */
  private add(line: string, at: number): void {
    const [index, watts] = line.split(',').map(cell => cell.trim())
    if (!(Number(watts) >= 0) || watts === '') return
    this.latest.set(index, Number(watts))
    this.samples.push({ at, watts: [...this.latest.values()].reduce((a, b) => a + b, 0) })
  }

  /** Mean power between two times of performance.now(), times their distance; null without a sample. */
  joules(from: number, to: number): number | null {
    const inside = this.samples.filter(s => s.at >= from && s.at <= to)
    const used = inside.length > 0 ? inside : this.samples.slice(-1)
    if (used.length === 0) return null
    return (used.reduce((sum, s) => sum + s.watts, 0) / used.length) * ((to - from) / 1000)
  }

  close(): void {
    this.stop()
  }
}

/** Starts to count; the returned function gives the energy since then. */
export function meterEnergy(cards?: CardPower): () => Energy {
  const before = raplCounters()
  const began = performance.now()
  return () => {
    const after = raplCounters()
    const counted = typeof before !== 'string' && typeof after !== 'string' && before.length === after.length
    return {
      processor: counted ? joulesBetween(before, after) : null,
      cards: cards?.joules(began, performance.now()) ?? null
    }
  }
}

/** What a computation on a device takes: that of the processor, and with a graphics card that of the cards too; null if a part is not known. */
export const energyOf = ({ processor, cards }: Energy, onCard: boolean): number | null =>
  processor === null || (onCard && cards === null) ? null : processor + (onCard ? cards! : 0)
