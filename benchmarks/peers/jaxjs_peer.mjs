// @ts-nocheck: the package is installed for this benchmark alone, so its types are not there for a check.
// jax-js: jit(vmap(grad)) in WebAssembly, f64. It has no minimiser, so BFGS is written here, one evaluation of all lanes a step.
import { readFileSync } from 'node:fs'

// Node before 24 lacks it and jax-js asks for it; nothing here is in half precision.
globalThis.Float16Array ??= class extends Uint16Array {}
const { defaultDevice, grad, hessian, init, jit, nn, numpy: np, valueAndGrad, vmap } = await import('@jax-js/jax')

const shared = JSON.parse(readFileSync(process.argv[2], 'utf8'))
await init('wasm')
defaultDevice('wasm')
const f64 = { dtype: np.float64 }
const array = values => np.array(values, f64)

/** θ → f; arrays are consumed unless taken by `.ref`. */
function objective({ x, y, hidden: [h], D, N, ridge }) {
  const X = array(x)
  const Y = array(y)
  const lossOf = z =>
    nn
      .softplus(z.ref)
      .sub(Y.ref.mul(z))
      .sum()
      .mul(1 / N)
  if (h === undefined) return t => lossOf(np.dot(X.ref, t.ref.slice([1, D + 1])).add(t.slice(0)))
  const mask = array([...Array.from({ length: h }, () => [0, ...Array(D).fill(1)]).flat(), 0, ...Array(h).fill(1)])
  const cut = h * (D + 1)
  return t => {
    const W = t.ref.slice([0, cut]).reshape([h, D + 1])
    const v = t.ref.slice([cut, cut + h + 1])
    const a = np.tanh(np.dot(X.ref, W.ref.slice([], [1, D + 1]).transpose()).add(W.slice([], 0)))
    const z = np.dot(a, v.ref.slice([1, h + 1])).add(v.slice(0))
    return lossOf(z).add(
      mask.ref
        .mul(t.ref)
        .mul(t)
        .sum()
        .mul(ridge / 2)
    )
  }
}

async function samples(work, least = 3, most = 10, budget = 4) {
  await work()
  const seconds = []
  for (let sum = 0; seconds.length < least || (seconds.length < most && sum < budget); sum += seconds.at(-1)) {
    const began = performance.now()
    await work()
    seconds.push((performance.now() - began) / 1000)
  }
  return seconds
}

/** BFGS with backtracking, every lane at its own pace; `evaluate` gives f and g of all lanes. */
async function bfgs(evaluate, starts, gradient, steps) {
  const R = starts.length
  const P = starts[0].length
  const lanes = starts.map(start => ({
    x: Float64Array.from(start),
    f: Infinity,
    g: null,
    p: null,
    t: 1,
    H: null,
    done: false
  }))
  const trial = new Float64Array(R * P)
  lanes.forEach((l, r) => trial.set(l.x, r * P))
  for (let k = 0; k < steps && lanes.some(l => !l.done); k++) {
    const { f, g } = await evaluate(trial)
    lanes.forEach((l, r) => {
      if (l.done) return
      const at = trial.slice(r * P, (r + 1) * P)
      const gn = g.slice(r * P, (r + 1) * P)
      const slope = l.p ? l.p.reduce((s, v, i) => s + v * l.g[i], 0) : 0
      if (l.p && !(f[r] <= l.f + 1e-4 * l.t * slope + 1e-16)) l.t /= 3
      else {
        if (l.p)
          update(
            l,
            at.map((v, i) => v - l.x[i]),
            gn.map((v, i) => v - l.g[i]),
            P
          )
        Object.assign(l, { x: at, f: f[r], g: gn, t: 1 })
        l.done = gn.every(v => Math.abs(v) <= gradient)
        const H = (l.H ??= Float64Array.from({ length: P * P }, (_, i) => (i % (P + 1) === 0 ? 1 : 0)))
        l.p = Float64Array.from({ length: P }, (_, i) => -gn.reduce((s, v, j) => s + H[i * P + j] * v, 0))
      }
      if (l.t < 1e-12) l.done = true
      for (let i = 0; i < P; i++) trial[r * P + i] = l.done ? l.x[i] : l.x[i] + l.t * l.p[i]
    })
  }
  return lanes.map(l => Array.from(l.x))
}

/** Inverse BFGS update. */
function update(l, s, y, P) {
  const sy = s.reduce((a, v, i) => a + v * y[i], 0)
  if (!(sy > 1e-14)) return
  const H = l.H
  const Hy = Float64Array.from({ length: P }, (_, i) => y.reduce((a, v, j) => a + H[i * P + j] * v, 0))
  const c = (1 + y.reduce((a, v, i) => a + v * Hy[i], 0) / sy) / sy
  for (let i = 0; i < P; i++)
    for (let j = 0; j < P; j++) H[i * P + j] += c * s[i] * s[j] - (Hy[i] * s[j] + s[i] * Hy[j]) / sy
}

const say = line => console.log(JSON.stringify(line))
const { version } = JSON.parse(
  readFileSync(new URL('./node_modules/@jax-js/jax/package.json', import.meta.url), 'utf8')
)
say({ peer: 'jax-js', versions: { '@jax-js/jax': version, node: process.version } })

const problem = name => shared.problems.find(p => p.name === name)
for (const [what, name, count, transform] of [
  ['gradient', 'iris2 4-5-1', 500, grad],
  ['hessian', 'iris2 4-5-1', 20, hessian],
  ['gradient', 'N=1000 30-16-1', 20, grad],
  ['hessian', 'N=1000 30-16-1', 1, hessian]
]) {
  try {
    const p = problem(name)
    const run = jit(vmap(transform(objective(p))))
    const points = p.starts.slice(0, count)
    const work = async () => await run(array(points)).data()
    const seconds = await samples(work, 1)
    const size = what === 'gradient' ? points[0].length : points[0].length ** 2
    const sample = Array.from((await work()).slice(0, Math.min(2, count) * size))
    say({
      figure: {
        what,
        problem: name,
        method: `jit(vmap(${what === 'gradient' ? 'grad' : 'hessian'})), wasm`,
        count,
        seconds,
        sample
      }
    })
  } catch (error) {
    say({ note: `jax-js cannot do the ${what} of ${name}: ${String(error).split('\n')[0]}` })
  }
}
for (const [name, count] of [
  ['iris2 logistic', 200],
  ['iris2 4-5-1', 100]
]) {
  const p = problem(name)
  const both = jit(vmap(valueAndGrad(objective(p))))
  const evaluate = async trial => {
    const [f, g] = both(np.array(trial, f64).reshape([count, p.starts[0].length]))
    return { f: await f.data(), g: await g.data() }
  }
  const work = () => bfgs(evaluate, p.starts.slice(0, count), p.gradient, p.steps)
  const seconds = await samples(work, 2, 5)
  say({
    figure: {
      what: 'study',
      problem: name,
      method: `BFGS by hand, batches of ${count}, wasm`,
      count,
      seconds,
      ends: await work()
    }
  })
}
say({ done: true })
