// The end of a round: counts the step, tests whether the run stops (kernels/README.md, "Update program"), delivers what ended and
// takes the next start. A thread is a lane. A run that finds no room among the results waits, and is tried again.
#include bits.wgsl
#include lanes.wgsl

struct Control {
  head: atomic<u32>,    // of the queue: runs that have entered, counted on
  tail: u32,            // starts that have been put into the queue
  results: atomic<u32>, // runs delivered since the submit began
  capacity: u32,        // of the results
  mask: u32,            // places of the queue − 1
}
struct Flags {
  advances: u32, // 0 before the first round of a submit: nothing has been computed
  enters: u32,   // whether runs may enter
}
@group(0) @binding(0) var<storage, read_write> state: array<u32>;    // [][lanes]
@group(0) @binding(1) var<storage, read_write> scalars: array<f32>;  // [][lanes]
@group(0) @binding(2) var<storage, read_write> control: Control;
@group(0) @binding(3) var<uniform> flags: Flags;
@group(0) @binding(4) var<storage, read_write> results: array<u32>;  // [capacity][width]
@group(0) @binding(5) var<storage, read> queueNumbers: array<vec2u>;
#if batch
@group(0) @binding(6) var<storage, read> allRows: array<f32>;        // [1 + P][lanes]: f and g over all rows at the point
#end
#if trace
@group(0) @binding(7) var<storage, read_write> path: array<u32>;     // [rounds][3][lanes]: entry, loss, gradient norm
#end

const budget = {{budget}}u;
var<private> toleranceBits: u32 = {{toleranceBits}}u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  lane = id.x;
  lanes = groups.x * 64u;
  var status = state[statusRow * lanes + lane];
  let entry = state[entryRow * lanes + lane];
  if (flags.advances == 1u && status == running) { state[stepsRow * lanes + lane] += 1u; }
  let steps = state[stepsRow * lanes + lane];
  var loss = {{loss}};
  var norm = {{gradientNorm}};
  let was = status;
  if (flags.advances == 1u && status == running) {
    var tested = true;
#if batch
    tested = steps % {{perEpoch}}u == 0u || steps >= budget;
    if (tested) {
      loss = allRows[lane];
      var size = 0u;
      for (var p = 0u; p < {{parameters}}u; p++) { size = largerBits(size, allRows[(1u + p) * lanes + lane]); }
      norm = bitcast<f32>(size);
      // A run that waits to be delivered is looked at again.
      {{loss}} = loss;
      {{gradientNorm}} = norm;
    }
#end
    if (!(isFinite(loss) && isFinite(norm))) { status = ended + {{failed}}u; }
    else if (tested && isAtMost(norm, bitcast<f32>(toleranceBits))) { status = ended + {{converged}}u; }
    else if (isTrue({{stalled}})) { status = ended + {{stalledStatus}}u; }
    else if (steps >= budget) { status = ended + {{budgetStatus}}u; }
  }
#if trace
  if (flags.advances == 1u) {
    let round = state[traceRow * lanes + lane];
    let at = round * 3u * lanes + lane;
    path[at] = select(none, entry, was == running);
    path[at + lanes] = bitcast<u32>(loss);
    path[at + 2u * lanes] = bitcast<u32>(norm);
    state[traceRow * lanes + lane] = round + 1u;
  } else {
    state[traceRow * lanes + lane] = 0u;
  }
#end
  var leaves = none;
  if (status >= ended) {
    let place = atomicAdd(&control.results, 1u);
    if (place < control.capacity) {
      leaves = place;
      let at = place * {{width}}u;
      results[at] = entry;
      results[at + 1u] = status - ended;
      results[at + 2u] = steps;
      results[at + 3u] = bitcast<u32>(loss);
      results[at + 4u] = bitcast<u32>(norm);
{{report}}
      status = empty;
    } else {
      atomicSub(&control.results, 1u);
    }
  }
  var comes = none;
  if (status == empty && flags.enters == 1u) {
    let next = atomicAdd(&control.head, 1u);
    // Counters go round; their difference does not.
    if (i32(control.tail - next) > 0) {
      comes = next & control.mask;
      status = running;
      state[stepsRow * lanes + lane] = 0u;
      state[entryRow * lanes + lane] = next;
      let number = queueNumbers[comes];
      state[lowRow * lanes + lane] = number.x;
      state[highRow * lanes + lane] = number.y;
{{initial}}
    } else {
      atomicSub(&control.head, 1u);
    }
  }
  state[statusRow * lanes + lane] = status;
  state[outRow * lanes + lane] = leaves;
  state[inRow * lanes + lane] = comes;
}
