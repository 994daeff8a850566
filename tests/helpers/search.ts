// A search around a point that looks at values alone: what it finds lower refutes a minimum.

/**
 * The least value of f found within `radius` of θ (largest difference of a coordinate), by steps along random sparse and dense directions,
 * both ways, of lengths that adapt.
 */
export function searchAround(
  f: (theta: Float64Array) => number,
  theta: Float64Array,
  radius: number,
  next: () => number,
  trials = 300
): number {
  const gauss = (): number => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next())
  let [best, at, step] = [f(theta), theta.slice(), radius / 3]
  for (let n = 0; n < trials; n++) {
    const sparse = n % 2 === 0
    const d = theta.map(() => (sparse && next() < 0.6 ? 0 : gauss()))
    const length = Math.hypot(...d)
    if (!(length > 0)) continue
    let found = false
    for (const sign of [1, -1]) {
      const to = at.map((v, p) => v + (sign * step * d[p]) / length)
      if (found || !to.every((v, p) => Math.abs(v - theta[p]) <= radius)) continue
      const value = f(to)
      if (!(value < best)) continue
      ;[best, at, found] = [value, to, true]
    }
    step = found ? Math.min(radius, 1.5 * step) : Math.max(1e-3 * radius, 0.97 * step)
  }
  return best
}
