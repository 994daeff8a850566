// The part of an update program between two matrix operations: src/engines/webgpu/core/update.ts writes the statements. `split` threads share
// a lane, each with the parameters from `first` to `last`; scalars are the same numbers in all of them.
#include bits.wgsl
#include lanes.wgsl

@group(0) @binding(0) var<storage, read> state: array<u32>;
#if usesScalars
@group(0) @binding(1) var<storage, read_write> scalars: array<f32>; // [][lanes]
#end
#if usesVectors
@group(0) @binding(2) var<storage, read_write> vectors: array<f32>; // [][P][lanes]
#end
#if usesX
@group(0) @binding(3) var<storage, read_write> x: array<f32>;       // [P][lanes]
#end
#if usesScale
@group(0) @binding(4) var<storage, read> scale: array<f32>;         // [P]
#end

const parameters = {{parameters}}u;
const width = {{width}}u;
const split = {{split}}u;
var<private> part: u32;

fn rootOf(a: f32) -> f32 { return select(sqrt(a), notANumber(), isLess(a, 0.0)); }
fn asMask(holds: bool) -> f32 { return select(0.0, 1.0, holds); }

#if isSplit
var<workgroup> sums: array<f32, {{mostSums*width*split}}>;
fn keep(n: u32, local: u32, mine: f32) { sums[(n * split + part) * width + local] = mine; }
fn kept(n: u32, local: u32, other: u32) -> f32 { return sums[(n * split + other) * width + local]; }
fn total(n: u32, local: u32) -> f32 {
  var sum = kept(n, local, 0u);
  for (var s = 1u; s < split; s++) { sum += kept(n, local, s); }
  return sum;
}
fn largest(n: u32, local: u32) -> f32 {
  var size = 0u;
  for (var s = 0u; s < split; s++) { size = largerBits(size, kept(n, local, s)); }
  return bitcast<f32>(size);
}
fn least(n: u32, local: u32) -> f32 {
  var low = infinite();
  for (var s = 0u; s < split; s++) { low = select(low, kept(n, local, s), isLess(kept(n, local, s), low)); }
  return low;
}
#end

// Not constants: what the compiler could work out it would refuse where the result is infinite.
{{constants}}

@compute @workgroup_size({{width}}, {{split}})
fn main(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  lane = group.x * width + id.x;
  lanes = groups.x * width;
  part = id.y;
  let on = state[lane] == running;
  let size = parameters * lanes;
#if isSplit
  let first = part * {{partSize}}u;
  let last = min(first + {{partSize}}u, parameters);
#else
  if (!on) { return; }
  let first = 0u;
  let last = parameters;
#end
{{statements}}
}
