// Random numbers (kernels/README.md): Philox 4x32-10, start points, and orders of rows; the same as src/core/rng.ts to the bit.
#include double.wgsl

/// Four words from a counter of four and a key of two.
fn philox(counter: vec4u, key: vec2u) -> vec4u {
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    let a = wide(0xd2511f53u, c.x);
    let b = wide(0xcd9e8d57u, c.z);
    c = vec4u(b.y ^ c.y ^ k.x, b.x, a.y ^ c.w ^ k.y, a.x);
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}
