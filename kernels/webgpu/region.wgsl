// The trust-region step in the basis of T: Moré-Sorensen iteration with the hard case (src/core/linalg.ts). A thread is a lane; rows
// of `work`: c = Qᵀg (read), the step (written), then what the iteration needs.
#include bits.wgsl
#include lanes.wgsl

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read> f: array<f32>;             // factor
@group(0) @binding(2) var<storage, read_write> work: array<f32>;    // [6][P][lanes]
@group(0) @binding(3) var<storage, read_write> scalars: array<f32>; // radius in, predicted decrease out

const size = {{parameters}}u;
const cRow = 0u;
const bestRow = 1u;
const sRow = 2u;
const wRow = 3u;
const zRow = 4u;
const inverseRow = 5u; // of the pivots
const eps = 1.1920929e-7;
const tolerance = {{radiusTolerance}};
const iterations = 60u;

fn at(row: u32, i: u32) -> u32 { return (row * size + i) * lanes + lane; }
fn d(i: u32) -> f32 { return f[at(size, i)]; }
fn e(i: u32) -> f32 { return f[at(size + 1u, i)]; }

/// y ← (T + μI)⁻¹ y for the row y; returns yᵀ(T + μI)⁻¹y of the old y.
fn solve(y: u32) -> f32 {
  var value = work[at(y, 0u)];
  var inverse = work[at(inverseRow, 0u)];
  var form = value * value * inverse;
  for (var i = 1u; i < size; i++) {
    value = fma(-e(i - 1u) * inverse, value, work[at(y, i)]);
    work[at(y, i)] = value;
    inverse = work[at(inverseRow, i)];
    form = fma(value * value, inverse, form);
  }
  value *= inverse;
  work[at(y, size - 1u)] = value;
  for (var n = 1u; n < size; n++) {
    let i = size - 1u - n;
    value = fma(-e(i), value, work[at(y, i)]) * work[at(inverseRow, i)];
    work[at(y, i)] = value;
  }
  return form;
}
fn dot(a: u32, b: u32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < size; i++) { sum = fma(work[at(a, i)], work[at(b, i)], sum); }
  return sum;
}
/// xᵀ(T + μI)x
fn form(mu: f32, x: u32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < size; i++) {
    let value = work[at(x, i)];
    var next = 0.0;
    if (i + 1u < size) { next = 2.0 * e(i) * work[at(x, i + 1u)]; }
    sum = fma(value, fma(d(i) + mu, value, next), sum);
  }
  return sum;
}

/// Hard case: completes the step s, of squared length `square` and with sᵀHs = `shs`, along an approximate eigenvector of the
/// smallest eigenvalue. 0 where that is not good enough.
fn completion(mu: f32, radius: f32, square: f32, shs: f32) -> f32 {
  for (var i = 0u; i < size; i++) { work[at(zRow, i)] = 1.0 + 0.37 * f32((i * 7u) % 11u); }
  for (var k = 0u; k < 2u; k++) {
    _ = solve(zRow);
    let scale = 1.0 / sqrt(dot(zRow, zRow));
    for (var i = 0u; i < size; i++) { work[at(zRow, i)] *= scale; }
  }
  let curvature = form(mu, zRow);
  let sz = dot(sRow, zRow);
  let gap = radius * radius - square;
  let root = sqrt(fma(sz, sz, gap));
  let tau = gap / select(sz - root, sz + root, sz > 0.0);
  let limit = tolerance * (shs + mu * radius * radius);
  return select(0.0, tau, isAtMost(tau * tau * curvature, limit));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  lane = id.x;
  lanes = groups.x * 64u;
  if (state[lane] != running) { return; }
  let radius = scalars[{{radius}}u * lanes + lane];
  var norm = 0.0;
  var lowest = infinite();
  var smallest = infinite();
  var before = 0.0;
  for (var i = 0u; i < size; i++) {
    let after = abs(e(i)); // the last is 0
    let off = before + after;
    norm = max(norm, abs(d(i)) + off);
    lowest = min(lowest, d(i) - off);
    smallest = min(smallest, d(i));
    before = after;
    work[at(bestRow, i)] = 0.0;
  }
  let floor = 4.0 * eps * f32(size) * norm;
  var low = max(floor, -smallest);
  // The margin matters where the bound is met exactly: a diagonal matrix and no gradient.
  var high = max(low, sqrt(dot(cRow, cRow)) / radius - lowest) + floor;
  var mu = floor;
  for (var iteration = 0u; iteration < iterations; iteration++) {
    var positive = true;
    var inverse = 0.0;
    var previous = 0.0;
    for (var i = 0u; i < size; i++) {
      let pivot = fma(-previous * inverse, previous, d(i) + mu);
      positive = positive && isLess(0.0, pivot);
      inverse = 1.0 / pivot;
      work[at(inverseRow, i)] = inverse;
      previous = e(i);
    }
    var next = 0.0;
    var usable = false;
    if (positive) {
      for (var i = 0u; i < size; i++) { work[at(sRow, i)] = -work[at(cRow, i)]; }
      let shs = solve(sRow);
      let square = dot(sRow, sRow);
      let length = sqrt(square);
      for (var i = 0u; i < size; i++) { work[at(bestRow, i)] = work[at(sRow, i)]; }
      if ((mu <= floor && length <= radius) || abs(length - radius) <= tolerance * radius) { break; }
      if (length < radius) {
        high = min(high, mu);
        let tau = completion(mu, radius, square, shs);
        if (isTrue(tau)) {
          for (var i = 0u; i < size; i++) { work[at(bestRow, i)] = fma(tau, work[at(zRow, i)], work[at(sRow, i)]); }
          break;
        }
      } else {
        low = max(low, mu);
      }
      // Newton's step for the secular equation 1/‖s‖ = 1/Δ.
      for (var i = 0u; i < size; i++) { work[at(wRow, i)] = work[at(sRow, i)]; }
      next = mu + square / solve(wRow) * ((length - radius) / radius);
      usable = isLess(low, next) && isLess(next, high);
    } else {
      low = max(low, mu);
    }
    mu = select(max(sqrt(low * high), fma(0.01, high - low, low)), next, usable);
  }
  // Where the iteration ran out, the last step is cut back to the region.
  let length = sqrt(dot(bestRow, bestRow));
  var factor = 1.0;
  if (length > (1.0 + tolerance) * radius) { factor = radius / length; }
  for (var i = 0u; i < size; i++) { work[at(bestRow, i)] *= factor; }
  let decrease = -fma(0.5, form(0.0, bestRow), dot(bestRow, cRow));
  // Not below 0, and NaN stays.
  scalars[{{predicted}}u * lanes + lane] = select(decrease, 0.0, isLess(decrease, 0.0));
}
