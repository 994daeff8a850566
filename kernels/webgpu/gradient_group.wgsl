// Loss and gradient of a network of any depth where a run's weights need the registers of several threads, its team. A workgroup
// takes `runs` runs through one chunk of the rows, a tile of `packs` packs of `width` rows at a time.
//
// Of each layer a thread owns a block of `block[m]` units times `span[m]` inputs: its weights and the sums for its gradient stay in
// registers. A number that is read from workgroup memory (an input for all runs at once, an activation, a δ) so feeds block · width or
// span · width multiply-adds. `slices[m]` threads share a unit's inputs and leave partial sums, which the team adds in a fixed
// order; `bands[m]` blocks make up a layer. Blocks that reach beyond a layer have weights 0 there.
// How blocks are chosen and what they cost: src/engines/webgpu/core/gradientPlan.ts and kernels/README.md.
#include rows.wgsl

#if staged
// Inputs of two tiles: one in use, one on its way. [2][packs][inputSlots], [runs] behind it where runs have rows of their own.
const inputSlots = {{inputSlots}}u;
#if batch
const inputLanes = runs;
#else
const inputLanes = 1u;
#end
const tileSize = packs * inputSlots * inputLanes;
var<workgroup> staged: array<V, 2u * tileSize>;
#end
#if hiddenLayers
var<workgroup> values: array<V, {{hiddenSlots}}u * packs * runs>; // activations of the hidden layers, [slots][packs][runs]
var<workgroup> slopes: array<V, {{hiddenSlots}}u * packs * runs>; // their φ′, then δ
#end
var<workgroup> parts: array<V, {{parts}}>;                        // partial sums, [slices or bands][slots][packs][runs]

fn slot(unit: u32, k: u32) -> u32 { return (unit * packs + k) * runs + run; }

/// Parameter p of the run, 0 for a place beyond the layer.
fn fetch(p: u32, valid: bool) -> f32 { return select(0.0, theta[select(0u, p, valid) * lanes + lane], valid); }

// Where the inputs of pack k lie, from input `first` on; a thread reads them one after the other, in both directions.
#if staged
fn inputBase(tile: u32, half: u32, k: u32, first: u32) -> u32 {
#if batch
  return half * tileSize + (k * inputSlots + first) * runs + run;
#else
  return half * tileSize + k * inputSlots + first;
#end
}
fn inputOf(base: u32, d: u32) -> V { return staged[base + d * inputLanes]; }

/// Brings the inputs of a tile into half `half` of the workgroup's memory.
fn stage(tile: u32, half: u32, local: u32, firstLane: u32) {
#if batch
  for (var i = local; i < packs * inputs * runs; i += runs * team) {
    let d = i % inputs;
    let r = i / inputs % runs;
    let k = i / inputs / runs;
    staged[half * tileSize + (k * inputSlots + d) * runs + r] = V(
#for r in width
      x[present(rowAt((tile * packs + k) * width + {{r}}u, firstLane + r)) * inputs + d],
#end
    );
  }
#else
  for (var i = local; i < packs * inputs; i += runs * team) {
    staged[half * tileSize + i / inputs * inputSlots + i % inputs] = x[tile * packs * inputs + i];
  }
#end
}
#else
// Blocks may reach beyond the last input: the buffer of x is that much longer, and the weights there are 0.
#if batch
alias Places = array<u32, width>;
fn inputBase(tile: u32, half: u32, k: u32, first: u32) -> Places {
  return Places(
#for r in width
    present(rowAt((tile * packs + k) * width + {{r}}u, lane)) * inputs + first,
#end
  );
}
fn inputOf(base: Places, d: u32) -> V {
  return V(
#for r in width
    x[base[{{r}}] + d],
#end
  );
}
#else
fn inputBase(tile: u32, half: u32, k: u32, first: u32) -> u32 { return (tile * packs + k) * inputs + first; }
fn inputOf(base: u32, d: u32) -> V { return x[base + d]; }
#end
#end
#if hiddenLayers
fn valueOf(base: u32, d: u32) -> V { return values[base + d * packs * runs]; }
#end

@compute @workgroup_size({{threads}})
fn main(
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u
) {
  run = local % runs;
  let t = local / runs;
  lanes = groups.x * 64u;
  let firstLane = id.x * 64u + id.z * runs;
  lane = firstLane + run;
#for m in depth
  // Layer {{m}}: first unit and first input of the thread's block, and whether it has one.
  let unit{{m}} = t % {{bands[m]}}u * {{block[m]}}u;
  let slice{{m}} = t / {{bands[m]}}u;
  let input{{m}} = slice{{m}} * {{span[m]}}u;
  let works{{m}} = slice{{m}} < {{slices[m]}}u;
#for i in block[m]
  let has{{m}}_{{i}} = works{{m}} && unit{{m}} + {{i}}u < {{units[m]}}u;
  let at{{m}}_{{i}} = {{at[m]}}u + (unit{{m}} + {{i}}u) * {{stride[m]}}u + {{bias}}u + input{{m}};
#if bias
  let b{{m}}_{{i}} = fetch(at{{m}}_{{i}} - 1u, has{{m}}_{{i}} && slice{{m}} == 0u);
#if gradient
  var gb{{m}}_{{i}} = 0.0;
#end
#end
#for d in span[m]
  let w{{m}}_{{i}}_{{d}} = fetch(at{{m}}_{{i}} + {{d}}u, has{{m}}_{{i}} && input{{m}} + {{d}}u < {{below[m]}}u);
#if gradient
  var g{{m}}_{{i}}_{{d}} = 0.0;
#end
#end
#end
#end
  var f = 0.0;
#if batch
  let totalWeight = weightOfBatch(t);
#else
  let totalWeight = 1.0;
#end
  let first = id.y * tilesOfChunk;
  let end = min(first + tilesOfChunk, tiles);
#if staged
  stage(first, 0u, local, firstLane);
  workgroupBarrier();
#end
  for (var tile = first; tile < end; tile++) {
    let half = (tile - first) % 2u;
    // Forward.
#for m in depth
    if (works{{m}}) {
      for (var k = 0u; k < packs; k++) {
#if m
        let base = slot({{slotUnder[m]}}u + input{{m}}, k);
#else
        let base = inputBase(tile, half, k, input0);
#end
#for i in block[m]
#if bias
        var u{{i}} = V(b{{m}}_{{i}});
#else
        var u{{i}} = V(0.0);
#end
#end
#for d in span[m]
        {
          let a = {{source[m]}}(base, {{d}}u);
#for i in block[m]
          u{{i}} = fma(V(w{{m}}_{{i}}_{{d}}), a, u{{i}});
#end
        }
#end
#for i in block[m]
#if direct[m]
        {
          let v = activateAll(u{{i}});
          values[slot({{slotAt[m]}}u + unit{{m}} + {{i}}u, k)] = v.value;
#if gradient
          slopes[slot({{slotAt[m]}}u + unit{{m}} + {{i}}u, k)] = v.first;
#end
        }
#else
        parts[slot(slice{{m}} * {{bands[m]*block[m]}}u + unit{{m}} + {{i}}u, k)] = u{{i}};
#end
#end
      }
    }
    workgroupBarrier();
#if gathers[m]
    for (var i = t; i < {{units[m]}}u * packs; i += team) {
      let unit = i / packs;
      let k = i % packs;
      var u = parts[slot(unit, k)];
      for (var s = 1u; s < {{slices[m]}}u; s++) { u += parts[slot(s * {{bands[m]*block[m]}}u + unit, k)]; }
      let v = activateAll(u);
      values[slot({{slotAt[m]}}u + unit, k)] = v.value;
#if gradient
      slopes[slot({{slotAt[m]}}u + unit, k)] = v.first;
#end
    }
    workgroupBarrier();
#end
#end
    // The outputs, row by row.
    for (var row = t; row < rowsOfTile; row += team) {
      let data = rowOf(tile, row, totalWeight);
      for (var c = 0u; c < outputs; c++) {
        var z = parts[slot(c, row / width)]{{pick}};
        for (var s = 1u; s < {{slices[last]}}u; s++) {
          z += parts[slot(s * {{bands[last]*block[last]}}u + c, row / width)]{{pick}};
        }
        deltas[(c * rowsOfTile + row) * runs + run] = z;
      }
      f += outputsOf(row, data);
    }
#if staged
    if (tile + 1u < end) { stage(tile + 1u, 1u - half, local, firstLane); }
#end
    workgroupBarrier();
#if gradient
    // Backward.
#for m in back
    if (works{{m}}) {
      for (var k = 0u; k < packs; k++) {
#if m
        let base = slot({{slotUnder[m]}}u + input{{m}}, k);
#else
        let base = inputBase(tile, half, k, input0);
#end
#for i in block[m]
#if isHidden[m]
        let e{{i}} = slopes[slot({{slotAt[m]}}u + unit{{m}} + {{i}}u, k)];
#else
        let e{{i}} = deltaOf(unit{{m}} + {{i}}u, k);
#end
#if bias
        gb{{m}}_{{i}} += sumOf(e{{i}});
#end
#end
#for d in span[m]
        {
          let a = {{source[m]}}(base, {{d}}u);
#for i in block[m]
          g{{m}}_{{i}}_{{d}} = addDot(g{{m}}_{{i}}_{{d}}, e{{i}}, a);
#end
#if m
#for i in block[m]
#if i
          s = fma(V(w{{m}}_{{i}}_{{d}}), e{{i}}, s);
#else
          var s = V(w{{m}}_0_{{d}}) * e0;
#end
#end
#if single[m]
          slopes[base + {{d}}u * packs * runs] *= s;
#else
          parts[slot(unit{{m}} / {{block[m]}}u * {{slices[m]*span[m]}}u + input{{m}} + {{d}}u, k)] = s;
#end
#end
        }
#end
      }
    }
#if m
    workgroupBarrier();
#if single[m]
#else
    for (var i = t; i < {{below[m]}}u * packs; i += team) {
      let unit = i / packs;
      let k = i % packs;
      var s = parts[slot(unit, k)];
      for (var b = 1u; b < {{bands[m]}}u; b++) { s += parts[slot(b * {{slices[m]*span[m]}}u + unit, k)]; }
      slopes[slot({{slotUnder[m]}}u + unit, k)] *= s;
    }
    workgroupBarrier();
#end
#end
#end
#end
  }

  // Weights and biases with a ridge; each is in one thread alone.
#for m in depth
#for i in block[m]
#if ridgeOnBias
  f = fma(0.5 * {{ridge}} * b{{m}}_{{i}}, b{{m}}_{{i}}, f);
#end
#if ridgeOnWeights
#for d in span[m]
  f = fma(0.5 * {{ridge}} * w{{m}}_{{i}}_{{d}}, w{{m}}_{{i}}_{{d}}, f);
#end
#end
#end
#end
  let loss = sumOfTeam(t, f);
  if (t == 0u) { putLoss(id.y, lanes, lane, loss); }
#if gradient
#for m in depth
#for i in block[m]
  if (has{{m}}_{{i}}) {
#if bias
#if ridgeOnBias
    gb{{m}}_{{i}} = fma({{ridge}}, b{{m}}_{{i}}, gb{{m}}_{{i}});
#end
    if (slice{{m}} == 0u) { putGradient(id.y, at{{m}}_{{i}} - 1u, lanes, lane, gb{{m}}_{{i}}); }
#end
#for d in span[m]
#if ridgeOnWeights
    g{{m}}_{{i}}_{{d}} = fma({{ridge}}, w{{m}}_{{i}}_{{d}}, g{{m}}_{{i}}_{{d}});
#end
    if (input{{m}} + {{d}}u < {{below[m]}}u) {
      putGradient(id.y, at{{m}}_{{i}} + {{d}}u, lanes, lane, g{{m}}_{{i}}_{{d}});
    }
#end
  }
#end
#end
#end
}
