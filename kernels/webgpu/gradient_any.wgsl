// Loss and gradient of any network, for those whose weights fit the registers of no team, or whose layers are too many to write out:
// weights are read from memory, and the sums for the gradient grow there, once for each tile of rows. The activations of a tile
// stay in workgroup memory. Rows, teams and tiles are those of gradient_group.wgsl.
#include rows.wgsl

const depth = {{depth}}u; // layers of weights
const last = depth - 1u;
const bias = {{bias}}u;
// Of each layer: first parameter, units below, units, parameters of a unit, first hidden unit.
const layerAt = array<u32, depth>({{layerAt}});
const layerInputs = array<u32, depth>({{layerInputs}});
const layerUnits = array<u32, depth>({{layerUnits}});
const layerStride = array<u32, depth>({{layerStride}});
const unitAt = array<u32, depth>({{unitAt}});

#if hiddenLayers
var<workgroup> values: array<V, {{hidden}}u * packs * runs>; // activations of the hidden layers, [units][packs][runs]
var<workgroup> slopes: array<V, {{hidden}}u * packs * runs>; // their φ′, then δ
#end

fn weight(p: u32) -> f32 { return theta[p * lanes + lane]; }
fn slot(unit: u32, k: u32) -> u32 { return (unit * packs + k) * runs + run; }

/// Input d of layer m for pack k of a tile: of the data for layer 0, else of the activations below.
fn inputOf(m: u32, tile: u32, d: u32, k: u32) -> V {
#if hiddenLayers
  if (m > 0u) { return values[slot(unitAt[m - 1u] + d, k)]; }
#end
#if batch
  return V(
#for r in width
    x[present(rowAt((tile * packs + k) * width + {{r}}u, lane)) * inputs + d],
#end
  );
#else
  return x[(tile * packs + k) * inputs + d];
#end
}

/// δ of unit k of layer m.
fn sensitivity(m: u32, unit: u32, k: u32) -> V {
#if hiddenLayers
  if (m < last) { return slopes[slot(unitAt[m] + unit, k)]; }
#end
  return deltaOf(unit, k);
}

@compute @workgroup_size({{threads}})
fn main(
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u
) {
  run = local % runs;
  let t = local / runs;
  lanes = groups.x * 64u;
  lane = id.x * 64u + id.z * runs + run;
  var f = 0.0;
#if batch
  let totalWeight = weightOfBatch(t);
#else
  let totalWeight = 1.0;
#end
  let first = id.y * tilesOfChunk;
  let end = min(first + tilesOfChunk, tiles);
  for (var tile = first; tile < end; tile++) {
    // Forward; a weight that is read serves all packs of the tile.
    for (var m = 0u; m < depth; m++) {
      for (var j = t; j < layerUnits[m]; j += team) {
        let p = layerAt[m] + j * layerStride[m];
        var b = 0.0;
        if (bias == 1u) { b = weight(p); }
#for k in packs
        var u{{k}} = V(b);
#end
        for (var d = 0u; d < layerInputs[m]; d++) {
          let w = V(weight(p + bias + d));
#for k in packs
          u{{k}} = fma(w, inputOf(m, tile, d, {{k}}u), u{{k}});
#end
        }
#if hiddenLayers
        if (m < last) {
#for k in packs
          let v{{k}} = activateAll(u{{k}});
          values[slot(unitAt[m] + j, {{k}}u)] = v{{k}}.value;
          slopes[slot(unitAt[m] + j, {{k}}u)] = v{{k}}.first;
#end
          continue;
        }
#end
#for k in packs
#for r in width
        deltas[(j * rowsOfTile + {{k}}u * width + {{r}}u) * runs + run] = u{{k}}{{part[r]}};
#end
#end
      }
      workgroupBarrier();
    }
    for (var row = t; row < rowsOfTile; row += team) { f += outputsOf(row, rowOf(tile, row, totalWeight)); }
    workgroupBarrier();
#if gradient
    // Backward.
    for (var m = depth; m > 0u; ) {
      m--;
      for (var i = t; i < layerUnits[m] * layerStride[m]; i += team) {
        let unit = i / layerStride[m];
        let d = i % layerStride[m];
        let p = layerAt[m] + i;
        var sum = 0.0;
        if (tile > first) { sum = gradientSoFar(id.y, p, lanes, lane); }
#for k in packs
        if (d < bias) {
          sum += sumOf(sensitivity(m, unit, {{k}}u));
        } else {
          sum = addDot(sum, sensitivity(m, unit, {{k}}u), inputOf(m, tile, d - bias, {{k}}u));
        }
#end
#if ridgeOnWeights
        if (tile + 1u == end && (d >= bias || {{ridgeOnBias}} == 1)) { sum = fma({{ridge}}, weight(p), sum); }
#end
        putGradient(id.y, p, lanes, lane, sum);
      }
#if hiddenLayers
      if (m > 0u) {
        for (var i = t; i < layerInputs[m] * packs; i += team) {
          let k = i % packs;
          var s = V(0.0);
          for (var q = 0u; q < layerUnits[m]; q++) {
            s = fma(V(weight(layerAt[m] + q * layerStride[m] + bias + i / packs)), sensitivity(m, q, k), s);
          }
          slopes[slot(unitAt[m - 1u] + i / packs, k)] *= s;
        }
      }
#end
      workgroupBarrier();
    }
#end
  }
#if ridgeOnWeights
  for (var m = 0u; m < depth; m++) {
    for (var i = t; i < layerUnits[m] * layerStride[m]; i += team) {
      let w = weight(layerAt[m] + i);
      if (i % layerStride[m] >= bias || {{ridgeOnBias}} == 1) { f = fma(0.5 * {{ridge}} * w, w, f); }
    }
  }
#end
  let loss = sumOfTeam(t, f);
  if (t == 0u) { putLoss(id.y, lanes, lane, loss); }
}
