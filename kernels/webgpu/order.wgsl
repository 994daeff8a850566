// The mini-batch of every lane at its step: at the beginning of an epoch a new order of the rows, by Fisher-Yates from the identity
// (kernels/README.md, "Random numbers"). A thread is a lane.
#include shuffle.wgsl

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read_write> order: array<u32>; // [N][lanes]
@group(0) @binding(2) var<storage, read_write> rows: array<u32>;  // [size][lanes]; N: no row

const dataRows = {{dataRows}}u;
const size = {{size}}u;
const perEpoch = {{perEpoch}}u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  lane = id.x;
  lanes = groups.x * 64u;
  if (state[statusRow * lanes + lane] != running) { return; }
  let steps = state[stepsRow * lanes + lane];
  let at = steps % perEpoch;
  if (at == 0u) {
#if shared
    // The number that stands for all runs: 2^53 − 1.
    let start = vec2u(0xffffffffu, 0x1fffffu);
#else
    let start = vec2u(state[lowRow * lanes + lane], state[highRow * lanes + lane]);
#end
    shuffle(steps / perEpoch, start);
  }
  for (var k = 0u; k < size; k++) {
    let i = at * size + k;
    var row = dataRows;
    if (i < dataRows) { row = order[i * lanes + lane]; }
    rows[k * lanes + lane] = row;
  }
}
