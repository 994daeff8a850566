// What the kernels on matrices share: a lane's matrix [P][P] or factor [P + 3][P] lies interleaved with the others', and `split`
// threads share a lane, each with the rows, or elements, i ≡ part (mod split). Twins with the sources: src/core/linalg.ts and
// kernels/cpu/linalg.h. A lane that has no run, or that a mask leaves out, keeps what it had.
#include bits.wgsl
#include lanes.wgsl

const size = {{parameters}}u;     // P
const width = {{width}}u;         // lanes of a workgroup
const split = {{split}}u;
var<private> part: u32;
var<private> on: bool;

fn at(i: u32, j: u32) -> u32 { return (i * size + j) * lanes + lane; }

#if isSplit
var<workgroup> sums: array<f32, {{width*split}}>;
/// Σ over a lane's threads, in their order; the same number in each of them.
fn gathered(mine: f32, local: u32) -> f32 {
  sums[part * width + local] = mine;
  workgroupBarrier();
  var sum = sums[local];
  for (var s = 1u; s < split; s++) { sum += sums[s * width + local]; }
  workgroupBarrier();
  return sum;
}
fn largest(mine: f32, local: u32) -> f32 {
  sums[part * width + local] = mine;
  workgroupBarrier();
  var top = sums[local];
  for (var s = 1u; s < split; s++) { top = max(top, sums[s * width + local]); }
  workgroupBarrier();
  return top;
}
#end
