/** What regularisation does, in sentences. */
import type { Summary } from '../core/result.js'
import { formatCount } from '../core/units.js'
import { count, isSeparated, listed, short } from './words.js'

/** What the path shows, in sentences. */
export function ridgePathText(s: Summary): string[] {
  const path = s.ridgePath
  if (!path) return []
  const { ridges, crossValidated: cv, arrived, distinct, starts, names, parameters } = path
  const [high, low] = [ridges[0], ridges[ridges.length - 1]]
  const all = ridges.length * starts
  const done = arrived.reduce((a, b) => a + b, 0)
  const several = distinct.filter(n => n > 1).length
  const one =
    several === 0
      ? `the runs of each ridge ended at one loss`
      : `with ${count(several, 'ridge', 'ridges')} the runs ended at several losses, up to ${Math.max(...distinct)}`
  const out = [
    `Ridges from ${short(high)} down to ${short(low)}: ${done === all ? `all ${formatCount(all)}` : `${formatCount(done)} of ${formatCount(all)}`} runs converged, and ${one}.`
  ]
  if (starts < s.startsRequested)
    out.push(
      `Of each ridge the first ${formatCount(starts)} starts were run, as many as the size of the model affords.`
    )
  if (cv) {
    const flat =
      cv.best === ridges.length - 1
        ? ', the weakest that was tried'
        : cv.best === 0
          ? ', the strongest that was tried'
          : ''
    out.push(
      `The least loss of rows held out in ${cv.folds} folds is ${short(cv.losses[cv.best], 5)} ± ${short(cv.errors[cv.best], 2)}, with a ridge of ` +
        `${short(ridges[cv.best])}${flat}; ${short(ridges[cv.withinOneError])} is the strongest within one standard error of it.`
    )
  }
  const growing = Object.keys(s.separation.infinite)
  if (isSeparated(s) && growing.length > 0 && parameters[0].length > 0) {
    const [name] = growing
    const p = names.indexOf(name)
    if (p >= 0)
      out.push(
        `Without a ridge ${listed(growing)} ${growing.length === 1 ? 'has' : 'have'} no finite estimate: ${name} is ${short(parameters[0][p])} with the strongest ` +
          `ridge, ${short(parameters[ridges.length - 1][p])} with the weakest, and goes on growing like the logarithm of 1/ridge.`
      )
  }
  return out
}
