// x ← Qᵀx, or Qx, for the Q of a factor (tridiagonalize.wgsl): from one place to another.
#include matrix.wgsl

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read> f: array<f32>;             // factor
@group(0) @binding(2) var<storage, read_write> work: array<f32>;    // [][P][lanes]
@group(0) @binding(3) var<storage, read_write> operand: array<f32>; // the vector that goes in, or comes out

fn operandAt(p: u32) -> u32 { return {{operandAt}}; }

#if transposed
const first = 0u;    // row of `work` that it becomes
fn place(p: u32) -> u32 { return (first * size + p) * lanes + lane; }
#else
const first = 1u;    // row of `work` that it is made of
#end

@compute @workgroup_size({{width}}, {{split}})
fn main(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  lane = group.x * width + id.x;
  lanes = groups.x * width;
  part = id.y;
  on = state[lane] == running;
#if isSplit
#else
  if (!on) { return; }
#end
  if (on) {
    for (var p = part; p < size; p += split) {
#if transposed
      work[place(p)] = operand[operandAt(p)];
#else
      operand[operandAt(p)] = work[(first * size + p) * lanes + lane];
#end
    }
  }
  for (var n = 0u; n + 1u < size; n++) {
#if transposed
    let k = n;
#else
    let k = size - 2u - n;
#end
    // A thread has the same elements throughout, so that only the sums meet.
    var sum = 0.0;
    let begin = k + 1u + (part + split - (k + 1u) % split) % split;
    for (var j = begin; j < size; j += split) {
#if transposed
      sum = fma(f[at(k, j)], work[place(j)], sum);
#else
      sum = fma(f[at(k, j)], operand[operandAt(j)], sum);
#end
    }
#if isSplit
    sum = gathered(sum, id.x);
#end
    let along = -f[at(size + 2u, k)] * sum;
    if (on) {
      for (var j = begin; j < size; j += split) {
#if transposed
        work[place(j)] = fma(along, f[at(k, j)], work[place(j)]);
#else
        operand[operandAt(j)] = fma(along, f[at(k, j)], operand[operandAt(j)]);
#end
      }
    }
  }
}
