// After exchange.wgsl: what runs that enter bring of their own takes its places (src/engines/webgpu/core/ownPlan.ts writes the statements), and
// coordinates that are held go back to where they began, since an update moves them by rounding. A thread is one parameter of one lane.
#include lanes.wgsl

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read> own: array<u32>;            // [places][width]
#if usesScalars
@group(0) @binding(2) var<storage, read_write> scalars: array<f32>;  // [][lanes]
#end
#if usesVectors
@group(0) @binding(3) var<storage, read_write> vectors: array<f32>;  // [][P][lanes]
#end
#if held
@group(0) @binding(4) var<storage, read_write> x: array<f32>;        // [P][lanes]
#end
#if kept
@group(0) @binding(5) var<storage, read_write> terms: array<f32>;    // [][P][lanes]
#end

fn brought(at: u32) -> f32 { return bitcast<f32>(own[at]); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  lane = id.x;
  lanes = groups.x * 64u;
  let p = id.y;
  let size = {{parameters}}u * lanes;
  let comes = state[inRow * lanes + lane];
  if (comes != none) {
    let at = comes * {{width}}u;
    _ = brought(at);
{{entering}}
  }
#if held
  let place = p * lanes + lane;
  if (terms[{{freeAt}}u * size + place] == 0.0) { x[place] = terms[{{startAt}}u * size + place]; }
#end
}
