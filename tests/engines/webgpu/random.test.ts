// Double precision and random numbers in whole numbers of the GPU: the same bits as JavaScript's arithmetic and core/rng.ts.
import { describe, expect, it } from 'vitest'
import { Stream, normalQuantile, philox, uniform, words } from '../../../src/core/rng.js'
import type { Gpu } from '../../../src/engines/webgpu/core/device.js'
import { quantileValues } from '../../../src/engines/webgpu/core/quantile.js'
import { expandText } from '../../../src/engines/webgpu/core/text.js'
import { readSources } from '../../../src/engines/webgpu/host/open.js'
import { onSoftwareGpu } from '../../helpers/localGpu.js'

let gpu: Gpu
onSoftwareGpu(opened => (gpu = opened))

/** Runs `main` of a kernel, `count` threads, with words in (binding 0) and words out (binding 1). */
async function compute(
  text: string,
  input: Uint32Array<ArrayBuffer>,
  count: number,
  out: number
): Promise<Uint32Array> {
  const pipeline = await gpu.pipeline(text, 'test')
  const [from, to] = [gpu.upload(input, 'in'), gpu.buffer(4 * out, 'out')]
  gpu.submit(encoder => {
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, gpu.bind(pipeline, [from, to]))
    pass.dispatchWorkgroups(Math.ceil(count / 64))
    pass.end()
  })
  const result = new Uint32Array(await gpu.read(to, 4 * out))
  from.destroy()
  to.destroy()
  return result
}

const frame = (body: string, count: number): string => `
@group(0) @binding(0) var<storage, read> given: array<u32>;
@group(0) @binding(1) var<storage, read_write> made: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= ${count}u) { return; }
${body}
}`

const random = (count: number, seed: number): Uint32Array => words(seed, Stream.generator, 0, 0, count)
const toWords = (values: Float64Array<ArrayBuffer>): Uint32Array<ArrayBuffer> => new Uint32Array(values.buffer)

describe('double precision', () => {
  const count = 20000
  /** Numbers with all 53 bits random, or few of them, over 60 powers of two and of both signs; zeros now and then. */
  function operands(seed: number): Float64Array<ArrayBuffer> {
    const drawn = random(3 * count, seed)
    return Float64Array.from({ length: count }, (_, i) => {
      const [high, low, kind] = drawn.subarray(3 * i, 3 * i + 3)
      if (kind % 64 === 0) return 0
      const fraction = kind % 3 === 0 ? (high % 8) / 8 : (high + low / 2 ** 32) / 2 ** 32
      return (kind & 1024 ? -1 : 1) * (1 + fraction) * 2 ** (((kind >>> 12) % 60) - 30)
    })
  }
  const [a, b] = [operands(1), operands(2)]
  // Sums that cancel almost or wholly, and halves between two neighbours.
  for (let i = 0; i < count; i += 5) b[i] = -a[i] * (1 + ((i % 3) - 1) * 2 ** -(45 + (i % 8)))

  it.each([
    ['added', (x: number, y: number) => x + y],
    ['subtracted', (x: number, y: number) => x - y],
    ['multiplied', (x: number, y: number) => x * y],
    ['divided', (x: number, y: number) => x / (y || 3)],
    ['rooted', (x: number) => Math.sqrt(Math.abs(x))]
  ] as const)('%s', async (name, exact) => {
    const call = name === 'rooted' ? 'rooted(x)' : `${name}(x, y)`
    const body = `
  var x = double(given[4u * i], given[4u * i + 1u]);
  var y = double(given[4u * i + 2u], given[4u * i + 3u]);
  ${name === 'rooted' ? 'x.negative = false;' : ''}
  let r = ${call};
  let zero = isZero(r);
  made[2u * i] = select(r.low, 0u, zero);
  made[2u * i + 1u] = select(0u, 0x80000000u, r.negative) |
    select((u32(r.exponent + 1023) << 20u) | (r.high & 0xfffffu), 0u, zero);`
    const text = expandText(readSources(), `#include double.wgsl\n${frame(body, count)}`, {})
    const divisor = (v: number): number => (name === 'divided' && v === 0 ? 3 : v)
    const pairs = Float64Array.from({ length: 2 * count }, (_, n) => (n % 2 === 0 ? a[n / 2] : divisor(b[(n - 1) / 2])))
    const made = new Float64Array((await compute(text, toWords(pairs), count, 2 * count)).buffer)
    for (let i = 0; i < count; i++)
      if (!Object.is(made[i], exact(pairs[2 * i], pairs[2 * i + 1])))
        expect.fail(`${name} of ${pairs[2 * i]} and ${pairs[2 * i + 1]}: ${made[i]}`)
  })

  it('rounds to single as Math.fround does, below the normal numbers and above the largest too', async () => {
    const drawn = random(2 * count, 3)
    const values = Float64Array.from({ length: count }, (_, i) => {
      const [high, low] = drawn.subarray(2 * i, 2 * i + 2)
      // Every fourth number lies halfway between two singles, or next to that.
      const halfway = (high | 1) * 2 ** -25 + ((low % 3) - 1) * 2 ** -50
      const mantissa = i % 4 === 0 ? 1 + (halfway % 1) : 1 + (high + low / 2 ** 32) / 2 ** 32
      return (low & 1 ? -1 : 1) * mantissa * 2 ** ((i % 290) - 155)
    })
    values.set([0, -0, 2 ** -149, 2 ** -150, -(2 ** -150) * (1 + 2 ** -40), 2 ** -151, 2 ** 128, 1e300, -1e-300])
    const body = '  made[i] = singleBits(double(given[2u * i], given[2u * i + 1u]));'
    const text = expandText(readSources(), `#include double.wgsl\n${frame(body, count)}`, {})
    const made = new Float32Array((await compute(text, toWords(values), count, count)).buffer)
    for (let i = 0; i < count; i++)
      if (!Object.is(made[i], Math.fround(values[i]))) expect.fail(`${values[i]}: ${made[i]}`)
  })
})

it('Philox gives the words of core/rng.ts', async () => {
  const count = 64
  const counters = Uint32Array.from(random(6 * count, 4))
  counters.set([0, 0, 0, 0, 0, 0, ...new Array<number>(6).fill(0xffffffff)])
  const body = `
  let four = philox(vec4u(given[6u * i], given[6u * i + 1u], given[6u * i + 2u], given[6u * i + 3u]),
    vec2u(given[6u * i + 4u], given[6u * i + 5u]));
  for (var k = 0u; k < 4u; k++) { made[4u * i + k] = four[k]; }`
  const made = await compute(
    expandText(readSources(), `#include philox.wgsl\n${frame(body, count)}`, {}),
    counters,
    count,
    4 * count
  )
  for (let i = 0; i < count; i++) {
    const [c0, c1, c2, c3, k0, k1] = counters.subarray(6 * i, 6 * i + 6)
    expect([...made.subarray(4 * i, 4 * i + 4)]).toEqual(philox([c0, c1, c2, c3], [k0, k1]))
  }
})

it('normal numbers are those of core/rng.ts to the last bit, for words everywhere and at the ends', async () => {
  const count = 30000
  const drawn = Uint32Array.from(random(count, 5))
  // Ends, the middle, and where the formula changes: |u − ½| = 0.425.
  const places = [0, 2 ** 31, 2 ** 32, 0.075 * 2 ** 32, 0.925 * 2 ** 32]
  places.forEach((place, n) => {
    for (let k = -200; k < 200; k++)
      drawn[400 * n + k + 200] = Math.min(2 ** 32 - 1, Math.max(0, Math.floor(place) + k))
  })
  const scales = [1, 12.3, Math.sqrt(2 / 3), 1e-44, 3e38, 0]
  const body = `
  let r = normalQuantile(given[i]);
  ${scales
    .map((s, n) => {
      const [low, high] = new Uint32Array(Float64Array.of(s).buffer)
      return `made[${n * count}u + i] = singleBits(multiplied(double(${low}u, ${high}u), r));`
    })
    .join('\n  ')}`
  const text = expandText(readSources(), `#include normal.wgsl\n${frame(body, count)}`, {
    ...quantileValues(),
    normal: true
  })
  const made = new Float32Array((await compute(text, drawn, count, scales.length * count)).buffer)
  scales.forEach((scale, n) => {
    for (let i = 0; i < count; i++) {
      const expected = Math.fround(scale * normalQuantile(uniform(drawn[i])))
      if (!Object.is(made[n * count + i], expected))
        expect.fail(`word ${drawn[i]}, scale ${scale}: ${made[n * count + i]}, expected ${expected}`)
    }
  })
})
