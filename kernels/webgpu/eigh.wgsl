// Eigen-decomposition from a factor (tridiagonalize.wgsl): implicit QL (EISPACK tql2; src/core/linalg.ts). A thread holds `held` rows of the
// eigenvectors; every thread of a lane goes through the same numbers d and e, of which it has a copy of its own, so that
// none waits for another.
#include bits.wgsl
#include lanes.wgsl

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read> f: array<f32>;              // factor
@group(0) @binding(2) var<storage, read_write> z: array<f32>;        // [P][P][lanes], columns in no order
@group(0) @binding(3) var<storage, read_write> copies: array<f32>;   // [slices][2][P][lanes]: d, e

const size = {{parameters}}u;
const held = {{held}}u;
const eps = 1.1920929e-7;

var<private> slice: u32;
fn at(i: u32, j: u32) -> u32 { return (i * size + j) * lanes + lane; }
fn dAt(i: u32) -> u32 { return (slice * 2u * size + i) * lanes + lane; }
fn eAt(i: u32) -> u32 { return ((slice * 2u + 1u) * size + i) * lanes + lane; }

/// √(a² + b²) without overflow.
fn hypotenuse(a: f32, b: f32) -> f32 {
  let large = max(abs(a), abs(b));
  if (!isTrue(large)) { return 0.0; }
  let ratio = min(abs(a), abs(b)) / large;
  return large * sqrt(fma(ratio, ratio, 1.0));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  lane = id.x;
  lanes = groups.x * 64u;
  slice = id.y;
  if (state[lane] != running) { return; }
  let begin = slice * held;
  let end = min(begin + held, size);
  var finite = true;
  for (var i = 0u; i < size; i++) {
    let d = f[at(size, i)];
    let e = f[at(size + 1u, i)];
    finite = finite && isFinite(d) && isFinite(e);
    copies[dAt(i)] = d;
    copies[eAt(i)] = e;
  }
  if (!finite) {
    for (var i = 0u; i < size; i++) { copies[dAt(i)] = notANumber(); }
    for (var r = begin; r < end; r++) {
      for (var i = 0u; i < size; i++) { z[at(r, i)] = notANumber(); }
    }
    return;
  }
  // Row r of Q: the unit row times the reflections, first to last.
  for (var r = begin; r < end; r++) {
    for (var i = 0u; i < size; i++) { z[at(r, i)] = select(0.0, 1.0, i == r); }
    for (var k = 0u; k + 1u < size; k++) {
      var sum = 0.0;
      for (var j = k + 1u; j < size; j++) { sum = fma(f[at(k, j)], z[at(r, j)], sum); }
      let along = -f[at(size + 2u, k)] * sum;
      for (var j = k + 1u; j < size; j++) { z[at(r, j)] = fma(along, f[at(k, j)], z[at(r, j)]); }
    }
  }
  for (var a = 0u; a < size; a++) {
    for (var iteration = 0u; iteration < 60u; iteration++) {
      var m = a;
      for (; m + 1u < size; m++) {
        if (abs(copies[eAt(m)]) <= 0.5 * eps * (abs(copies[dAt(m)]) + abs(copies[dAt(m + 1u)]))) { break; }
      }
      if (m == a) { break; }
      var g = (copies[dAt(a + 1u)] - copies[dAt(a)]) / (2.0 * copies[eAt(a)]);
      var r = hypotenuse(g, 1.0);
      g = copies[dAt(m)] - copies[dAt(a)] + copies[eAt(a)] / (g + select(-r, r, g >= 0.0));
      var sine = 1.0;
      var cosine = 1.0;
      var p = 0.0;
      var cut = false;
      for (var n = 0u; n < m - a; n++) {
        let i = m - 1u - n;
        let x = sine * copies[eAt(i)];
        let b = cosine * copies[eAt(i)];
        r = hypotenuse(x, g);
        copies[eAt(i + 1u)] = r;
        if (!isTrue(r)) {
          copies[dAt(i + 1u)] -= p;
          copies[eAt(m)] = 0.0;
          cut = true;
          break;
        }
        sine = x / r;
        cosine = g / r;
        g = copies[dAt(i + 1u)] - p;
        r = fma(copies[dAt(i)] - g, sine, 2.0 * cosine * b);
        p = sine * r;
        copies[dAt(i + 1u)] = g + p;
        g = fma(cosine, r, -b);
        for (var row = begin; row < end; row++) {
          let up = z[at(row, i + 1u)];
          let down = z[at(row, i)];
          z[at(row, i + 1u)] = fma(sine, down, cosine * up);
          z[at(row, i)] = fma(cosine, down, -(sine * up));
        }
      }
      if (cut) { continue; }
      copies[dAt(a)] -= p;
      copies[eAt(a)] = g;
      copies[eAt(m)] = 0.0;
    }
  }
}
