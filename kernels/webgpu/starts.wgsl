// Fills the queue of starts: θ0 of `count` starts, by random numbers or from what the host sent. A thread makes one parameter of one
// start.
#include philox.wgsl
#include normal.wgsl

struct Fresh {
  at: u32,     // place of the first in the queue, which is a ring
  count: u32,
  mask: u32,   // places of the queue − 1, of which there are a power of two
}
@group(0) @binding(0) var<storage, read> fresh: Fresh;
@group(0) @binding(1) var<storage, read> numbers: array<vec2u>;           // [count] start numbers: low and high word
@group(0) @binding(2) var<storage, read_write> queueNumbers: array<vec2u>; // [places]
@group(0) @binding(3) var<storage, read_write> queue: array<u32>;         // [P][places], bits of f32
#if given
@group(0) @binding(4) var<storage, read> points: array<u32>;              // [count][P]
#else
@group(0) @binding(4) var<storage, read> scales: array<vec2u>;            // [P] the words of the f64 scale
const key = vec2u({{seedLow}}u, {{seedHigh}}u);
#end
const parameters = {{parameters}}u;


@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  let p = id.y;
  if (i >= fresh.count) { return; }
  let place = (fresh.at + i) & fresh.mask;
  let number = numbers[i];
  if (p == 0u) { queueNumbers[place] = number; }
#if given
  let bits = points[i * parameters + p];
#else
  let four = philox(vec4u(p >> 2u, number.x, number.y, 0u), key);
  let word = four[p & 3u];
  let scale = double(scales[p].x, scales[p].y);
#if normal
  let bits = singleBits(multiplied(scale, normalQuantile(word)));
#else
  // 2u − 1 = (2 word + 1 − 2³²) / 2³²
  let upper = word >= 0x80000000u;
  let n = select(oddBelow(~word), oddBelow(word - 0x80000000u), upper);
  let bits = singleBits(multiplied(scale, scaled(n, -32, !upper)));
#end
#end
  queue[p * (fresh.mask + 1u) + place] = bits;
}
