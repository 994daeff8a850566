// The outputs z, without the offset, of every run on every row. A thread takes a lane through its share of the rows.
#include activation.wgsl

@group(0) @binding(0) var<storage, read> x: array<f32>;            // [N][D]
@group(0) @binding(1) var<storage, read> theta: array<f32>;        // [P][lanes]
@group(0) @binding(2) var<storage, read_write> z: array<f32>;      // [N][C][lanes]

const rows = {{rows}}u;
const inputs = {{inputs}}u;
const outputs = {{outputs}}u;
const depth = {{depth}}u;
const bias = {{bias}}u;
const layerAt = array<u32, depth>({{layerAt}});
const layerInputs = array<u32, depth>({{layerInputs}});
const layerUnits = array<u32, depth>({{layerUnits}});
var<private> below: array<f32, {{widest}}>;
var<private> above: array<f32, {{widest}}>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lane = id.x;
  let lanes = groups.x * 64u;
  for (var row = id.y; row < rows; row += groups.y) {
    for (var d = 0u; d < inputs; d++) { below[d] = x[row * inputs + d]; }
    for (var m = 0u; m < depth; m++) {
      let stride = bias + layerInputs[m];
      for (var k = 0u; k < layerUnits[m]; k++) {
        let at = layerAt[m] + k * stride;
        var u = 0.0;
        if (bias == 1u) { u = theta[at * lanes + lane]; }
        for (var d = 0u; d < layerInputs[m]; d++) { u = fma(theta[(at + bias + d) * lanes + lane], below[d], u); }
        if (m + 1u == depth) {
          z[(row * outputs + k) * lanes + lane] = u;
        } else {
          above[k] = activate(u).value;
        }
      }
      for (var k = 0u; k < layerUnits[m]; k++) { below[k] = above[k]; }
    }
  }
}
