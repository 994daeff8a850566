// The outputs z of a formula, without the offset, of every run on every row. A thread takes a lane through its share of the rows.
#include formula_math.wgsl

@group(0) @binding(0) var<storage, read> x: array<f32>;       // [N][{{columns}}]
@group(0) @binding(1) var<storage, read> theta: array<f32>;   // [P][lanes]
@group(0) @binding(2) var<storage, read_write> z: array<f32>; // [N][lanes]
const columns = {{columns}}u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lane = id.x;
  let lanes = groups.x * 64u;
  _ = &x;
#for p in parameters
  let t{{p}} = theta[{{p}}u * lanes + lane];
#end
{{prelude}}
  for (var row = id.y; row < {{rows}}u; row += groups.y) {
{{body}}
    z[row * lanes + lane] = {{z}};
  }
}
