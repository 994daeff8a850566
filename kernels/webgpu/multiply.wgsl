// A v, or Aᵀ v. A thread is one element of one lane's product.
#include bits.wgsl
#include lanes.wgsl

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read> source: array<f32>;         // A [P][P][lanes]
@group(0) @binding(2) var<storage, read_write> vectors: array<f32>;  // v, where it is one of them, and the product
#if apart
@group(0) @binding(3) var<storage, read> operand: array<f32>;        // v
#end

const size = {{parameters}}u;
fn operandAt(p: u32) -> u32 { return {{operandAt}}; }
fn productAt(p: u32) -> u32 { return {{productAt}}; }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  lane = id.x;
  lanes = groups.x * 64u;
  let i = id.y;
  if (state[lane] != running) { return; }
  var sum = 0.0;
  for (var j = 0u; j < size; j++) {
#if transposed
    let a = source[(j * size + i) * lanes + lane];
#else
    let a = source[(i * size + j) * lanes + lane];
#end
#if apart
    sum = fma(a, operand[operandAt(j)], sum);
#else
    sum = fma(a, vectors[operandAt(j)], sum);
#end
  }
  vectors[productAt(i)] = sum;
}
