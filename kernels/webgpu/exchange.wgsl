// After turn.wgsl: copies the points of runs that leave to the results, and the starts of runs that enter from the queue; vectors of
// those take their initial values. A thread is one parameter of one lane.
#include bits.wgsl
#include lanes.wgsl

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;        // [P][lanes]
#if usesVectors
@group(0) @binding(2) var<storage, read_write> vectors: array<f32>;  // [][P][lanes]
#end
@group(0) @binding(3) var<storage, read_write> results: array<f32>;  // [capacity][width]
@group(0) @binding(4) var<storage, read> queue: array<f32>;          // [P][places]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  lane = id.x;
  lanes = groups.x * 64u;
  let p = id.y;
  let at = p * lanes + lane;
  let size = {{parameters}}u * lanes;
  let leaves = state[outRow * lanes + lane];
  if (leaves != none) { results[leaves * {{width}}u + {{header}}u + p] = {{point}}; }
  let comes = state[inRow * lanes + lane];
  if (comes != none) {
    x[at] = queue[p * (arrayLength(&queue) / {{parameters}}u) + comes];
{{initial}}
  }
}
