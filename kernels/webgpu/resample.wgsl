// Rows of a run's own, when it enters: how often its resample has each row (src/core/resampling.ts, the same to the bit), times the row's
// weight, as a share of the total. A thread is a lane.
#if shuffles
#include shuffle.wgsl
#else
#include philox.wgsl
#include lanes.wgsl
#end

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read> own: array<u32>;          // [places][width]: what runs bring
@group(0) @binding(2) var<storage, read> weights: array<f32>;      // [N]
@group(0) @binding(3) var<storage, read_write> shares: array<f32>; // [N][lanes]
#if shuffles
@group(0) @binding(4) var<storage, read_write> order: array<u32>;  // [N][lanes]
#end
const dataRows = {{dataRows}}u;
#if poisson
// ⌊2³² P(X ≤ k)⌋
const poissonWords = array<u32, {{poissonTerms}}>({{poissonWords}});
#end

fn put(row: u32, value: f32) { shares[row * lanes + lane] = value; }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  lane = id.x;
  lanes = groups.x * 64u;
  let comes = state[inRow * lanes + lane];
  if (comes == none) { return; }
  let at = comes * {{width}}u + {{rowsAt}}u;
  let number = vec2u(own[at], own[at + 1u]);
  // No number: the rows as they are.
  let whole = number.y == none;
#if shuffles
  shuffle(0u, number);
  for (var i = 0u; i < dataRows; i++) {
#if folds
    let out = i % {{size}}u == own[at + 2u];
#else
    let out = i < {{size}}u;
#end
    put(order[i * lanes + lane], select(1.0, 0.0, out && !whole));
  }
#else
  for (var i = 0u; i < dataRows; i++) { put(i, select(0.0, 1.0, whole)); }
  var four = vec4u();
  for (var i = 0u; i < dataRows && !whole; i++) {
    if (i % 4u == 0u) { four = philox(vec4u(i >> 2u, number.x, number.y, {{stream}}u), vec2u({{seedLow}}u, {{seedHigh}}u)); }
    let word = four[i & 3u];
#if poisson
    var count = 0u;
    while (count < {{poissonTerms}}u) {
      if (word < poissonWords[count]) { break; }
      count++;
    }
    put(i, f32(count));
#else
    let row = wide(word, dataRows).y;
    put(row, shares[row * lanes + lane] + 1.0);
#end
  }
#end
  var total = 0.0;
  for (var i = 0u; i < dataRows; i++) {
    let weight = shares[i * lanes + lane] * weights[i];
    put(i, weight);
    total += weight;
  }
  for (var i = 0u; i < dataRows; i++) { put(i, select(0.0, shares[i * lanes + lane] / total, total > 0.0)); }
}
