// Eigenvalues in ascending order and the eigenvectors with them, after eigh.wgsl. A thread is one eigenvalue of one lane.
#include bits.wgsl
#include lanes.wgsl

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read> z: array<f32>;                // [P][P][lanes]
@group(0) @binding(2) var<storage, read> copies: array<f32>;           // [][P][lanes]: d first
@group(0) @binding(3) var<storage, read_write> operand: array<f32>;    // the vector of eigenvalues
@group(0) @binding(4) var<storage, read_write> eigenvectors: array<f32>; // [P][P][lanes], as columns

const size = {{parameters}}u;
fn operandAt(p: u32) -> u32 { return {{operandAt}}; }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  lane = id.x;
  lanes = groups.x * 64u;
  let place = id.y;
  if (state[lane] != running) { return; }
  let value = copies[place * lanes + lane];
  var to = 0u;
  for (var i = 0u; i < size; i++) {
    let other = copies[i * lanes + lane];
    // NaN: all or none are, and stay in their order.
    if (isLess(other, value) || (!isLess(value, other) && i < place)) { to++; }
  }
  operand[operandAt(to)] = value;
  for (var k = 0u; k < size; k++) {
    eigenvectors[(k * size + to) * lanes + lane] = z[(k * size + place) * lanes + lane];
  }
}
