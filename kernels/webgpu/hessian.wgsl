// Exact Hessian of a network of any depth (formulas: kernels/README.md). A workgroup takes `runs` runs through all rows, a tile of
// `packs` packs of `width` rows at a time, for one block of tiles of H; the threads of a run are its team, one tile of H each.
//
// Every element of H is Σ_rows ρ π, where ρ belongs to a source unit and a target weight, and π is an input of the source or, in the
// first layer, a product of two. A tile is `held` ρ times `span` π: its sums stay in registers, and each number read feeds `held` or
// `span` multiply-adds of `width` rows. What ρ is made of lies in workgroup memory as fields, one number of each row and run:
//
//     ρ_i = Σ_n left_n · right_n[i]   plus, for one i, extra · other
//
// Which fields, which π, and which elements of H: the table of tiles, made by src/engines/webgpu/core/hessianPlan.ts.
#include wide.wgsl
#include loss.wgsl
#include shares.wgsl

const runs = {{runs}}u;
const team = {{team}}u;
const packs = {{packs}}u;
const width = {{width}}u;
const rowsOfTile = packs * width;
const inputs = {{inputs}}u;
const outputs = {{outputs}}u;
const targets = {{targets}}u; // numbers of y of a row: one for each output, or the class
const rowFields = targets + 2u;
const bias = {{bias}}u;
const parameters = {{parameters}}u;
const tiles = {{tiles}}u;
const depth = {{depth}}u; // layers of weights
const last = depth - 1u;
// Of each layer: first parameter, units below, units, parameters of a unit; and first fields (hessianTiles.ts says of what).
const layerAt = array<u32, depth>({{layerAt}});
const layerInputs = array<u32, depth>({{layerInputs}});
const layerUnits = array<u32, depth>({{layerUnits}});
const layerStride = array<u32, depth>({{layerStride}});
const deltasAt = array<u32, depth>({{deltasAt}});
#if hiddenLayers
const valuesAt = array<u32, last>({{valuesAt}});
const slopesAt = array<u32, last>({{slopesAt}});
const bendsAt = array<u32, last>({{bendsAt}});
#end
#if deep
const reachAt = array<u32, last>({{reachAt}});
const turnAt = array<u32, depth>({{turnAt}});
#end

@group(0) @binding(0) var<storage, read> x: array<V>;            // [packs][D]
@group(0) @binding(1) var<storage, read> rowData: array<f32>;    // [packs][rowFields][width]: y, weight / total, offset
@group(0) @binding(2) var<storage, read> theta: array<f32>;      // [P][lanes]
@group(0) @binding(3) var<storage, read_write> H: array<f32>;    // [P][P][lanes]
@group(0) @binding(4) var<storage, read> blocks: array<Block>;   // one for each id.y
@group(0) @binding(5) var<storage, read> table: array<Tile>;
@group(0) @binding(6) var<storage, read> pairs: array<u32>;      // a + 65536 b of products of inputs, then of outputs
#if ridged
@group(0) @binding(7) var<storage, read> penalty: array<f32>;    // [P]
#end

struct Block {
  firstTile: u32,
  tileCount: u32,
  // Products of inputs that the block's tiles take.
  firstProduct: u32,
  productCount: u32,
  // Sources: units of one layer; only where they have fields of their own.
  layer: u32,
  firstSource: u32,
  sourceCount: u32,
  // Pairs of outputs whose curvature the block's tiles take.
  firstCurvature: u32,
  curvatureCount: u32,
}
struct Tile {
  // Fields: ρ_i = Σ_n field(left + n leftStep) · field(right + n rightStep + i), n < terms.
  left: u32,
  leftStep: u32,
  right: u32,
  rightStep: u32,
  terms: u32,
  // For i = special: field(extra) · field(other) more.
  special: u32,
  extra: u32,
  other: u32,
  // π: number in the memory that runs share, or field.
  pi: u32,
  piShared: u32,
  // Elements of H: how many ρ and π count, whether the π are products, and places.
  rhoCount: u32,
  piCount: u32,
  isProduct: u32,
  p: u32,
  q: u32,
  firstPair: u32,
}

// What all runs share, [shared][packs]: 1 where there are biases, the inputs, then products. Then fields, [fields][packs][runs].
const fieldsAt = {{shared}}u * packs;
var<workgroup> memory: array<V, fieldsAt + {{fields}}u * packs * runs>;
// Of every output: the curvature, or the probability; then δ. [2 C][rows][runs]
var<workgroup> results: array<f32, 2u * outputs * rowsOfTile * runs>;

var<private> run: u32;
var<private> lane: u32;
var<private> lanes: u32;

fn weight(p: u32) -> f32 { return theta[p * lanes + lane]; }
fn field(f: u32, k: u32) -> u32 { return fieldsAt + (f * packs + k) * runs + run; }
/// Address of input d of layer m for pack k: of the data for layer 0, else of the activations below.
fn inputAt(m: u32, d: u32, k: u32) -> u32 {
#if hiddenLayers
  if (m > 0u) { return field(valuesAt[m - 1u] + bias + d, k); }
#end
  return (bias + d) * packs + k;
}
/// One of `results` for the rows of pack k.
fn resultOf(c: u32, k: u32) -> V {
  let at = (c * rowsOfTile + k * width) * runs + run;
  return V(
#for r in width
    results[at + {{r}}u * runs],
#end
  );
}
/// Input d of the data, 1 for the bias.
fn extended(pack: u32, d: u32) -> V {
  if (d < bias) { return V(1.0); }
  return x[pack * inputs + d - bias];
}

/// Leaves the curvature, or the probability, and δ of a row; rows without weight are not there.
fn outputsOf(tile: u32, row: u32) {
  let at = (tile * packs + row / width) * rowFields * width + row % width;
#if own
  let c = shareOfRow(tile * rowsOfTile + row, lane, lanes);
#else
  let c = rowData[at + targets * width];
#end
  let absent = c == 0.0;
  let stride = rowsOfTile * runs;
  let own = row * runs + run;
  for (var k = 0u; k < outputs; k++) {
    let p = layerAt[last] + k * layerStride[last];
    var z = 0.0;
    if (bias == 1u) { z = weight(p); }
    for (var e = 0u; e < layerInputs[last]; e++) {
      z = fma(weight(p + bias + e), memory[inputAt(last, e, row / width)]{{pick}}, z);
    }
    results[k * stride + own] = z;
  }
#if scalar
  for (var k = 0u; k < outputs; k++) {
    let t = lossTerms(results[k * stride + own] + rowData[at + (targets + 1u) * width], rowData[at + k * width]);
    results[k * stride + own] = select(c * t.second, 0.0, absent);
    results[(outputs + k) * stride + own] = select(c * t.first, 0.0, absent);
  }
#else
  let y = rowData[at];
  var top = results[own];
  for (var k = 1u; k < outputs; k++) { top = max(top, results[k * stride + own]); }
  var sum = 0.0;
  var rest = 0.0;
  var bad = 0.0;
  for (var k = 0u; k < outputs; k++) {
    let z = results[k * stride + own];
    let e = expNegative(z - top);
    sum += e;
    rest += select(e, 0.0, y == f32(k));
    bad = select(bad, z, isNan(z));
  }
  sum = keepNan(sum, bad);
  for (var k = 0u; k < outputs; k++) {
    let share = expNegative(results[k * stride + own] - top) / sum;
    results[k * stride + own] = select(share, 0.0, absent);
    results[(outputs + k) * stride + own] = select(c * select(share, -rest / sum, y == f32(k)), 0.0, absent);
  }
#end
}

/// weight / total of the rows of a pack.
fn shareOf(tile: u32, k: u32) -> V {
#if own
  let first = (tile * packs + k) * width;
  return V(
#for r in width
    shareOfRow(first + {{r}}u, lane, lanes),
#end
  );
#else
  let at = ((tile * packs + k) * rowFields + targets) * width;
  return V(
#for r in width
    rowData[at + {{r}}u],
#end
  );
#end
}

/// c ∂²ℓ/∂z_a∂z_b for the rows of pack k.
fn curvature(tile: u32, a: u32, b: u32, k: u32) -> V {
#if scalar
  if (a != b) { return V(0.0); }
  return resultOf(a, k);
#else
  let pa = resultOf(a, k);
  if (a != b) { return -shareOf(tile, k) * pa * resultOf(b, k); }
  // Σ of the others: no difference of sums.
  var rest = V(0.0);
  for (var c = 0u; c < outputs; c++) { if (c != a) { rest += resultOf(c, k); } }
  return shareOf(tile, k) * pa * rest;
#end
}

#if hiddenLayers
/// Fields of the outputs' derivative along a source: from the field t of ∂z_c/∂u, for all c, to those of ∂δ_c/∂u.
fn differentiate(tile: u32, t: u32, tStep: u32, r: u32, rStep: u32, k: u32) {
#if scalar
  for (var a = 0u; a < outputs; a++) {
    memory[field(r + a * rStep, k)] = resultOf(a, k) * memory[field(t + a * tStep, k)];
  }
#else
  let c = shareOf(tile, k);
  for (var a = 0u; a < outputs; a++) {
    let ta = memory[field(t + a * tStep, k)];
    var sum = V(0.0);
    for (var b = 0u; b < outputs; b++) { sum = fma(resultOf(b, k), ta - memory[field(t + b * tStep, k)], sum); }
    memory[field(r + a * rStep, k)] = c * resultOf(a, k) * sum;
  }
#end
}
#end

fn put(p: u32, q: u32, value: f32) {
  var sum = value;
#if ridged
  if (p == q) { sum += penalty[p]; }
#end
  H[(p * parameters + q) * lanes + lane] = sum;
  H[(q * parameters + p) * lanes + lane] = sum;
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
  let block = blocks[id.y];
  let works = t < block.tileCount;
  let own = table[block.firstTile + select(0u, t, works)];
#for i in held
#for m in span
  var sum{{i}}_{{m}} = 0.0;
#end
#end
  // What never changes.
  for (var k = t; k < packs; k += team) {
    memory[field({{one}}u, k)] = V(1.0);
#if bias
    memory[k] = V(1.0);
#for f in ones
    memory[field({{f}}u, k)] = V(1.0);
#end
#end
  }
  for (var tile = 0u; tile < tiles; tile++) {
    for (var i = local; i < packs * inputs; i += runs * team) {
      memory[(bias + i % inputs) * packs + i / inputs] = x[tile * packs * inputs + i];
    }
#if products
    for (var i = local; i < packs * block.productCount; i += runs * team) {
      let pair = pairs[block.firstProduct + i / packs];
      let pack = tile * packs + i % packs;
      memory[{{productsAt}}u * packs + i] = extended(pack, pair % 65536u) * extended(pack, pair / 65536u);
    }
#end
    workgroupBarrier();
#if hiddenLayers
    // Forward: φ, φ′ and φ″.
    for (var m = 0u; m < last; m++) {
      for (var i = t; i < layerUnits[m] * packs; i += team) {
        let k = i % packs;
        let j = i / packs;
        let p = layerAt[m] + j * layerStride[m];
        var u = V(0.0);
        if (bias == 1u) { u = V(weight(p)); }
        for (var d = 0u; d < layerInputs[m]; d++) { u = fma(V(weight(p + bias + d)), memory[inputAt(m, d, k)], u); }
        let v = activateAll(u);
        memory[field(valuesAt[m] + bias + j, k)] = v.value;
        memory[field(slopesAt[m] + j, k)] = v.first;
        memory[field(bendsAt[m] + j, k)] = v.second;
      }
      workgroupBarrier();
    }
#end
    for (var row = t; row < rowsOfTile; row += team) { outputsOf(tile, row); }
    workgroupBarrier();
    // The outputs' fields: δ, and the curvature of pairs.
    for (var i = t; i < outputs * packs; i += team) {
      memory[field(deltasAt[last] + i / packs, i % packs)] = resultOf(outputs + i / packs, i % packs);
    }
    for (var i = t; i < block.curvatureCount * packs; i += team) {
      let pair = pairs[block.firstCurvature + i / packs];
      memory[field({{curvaturesAt}}u + i / packs, i % packs)] = curvature(tile, pair % 65536u, pair / 65536u, i % packs);
    }
#if hiddenLayers
    // Backward: s, of which φ′ s = δ and φ″ s are kept.
    for (var m = last; m > 0u; ) {
      m--;
      for (var i = t; i < layerUnits[m] * packs; i += team) {
        let k = i % packs;
        let j = i / packs;
        var s = V(0.0);
        for (var q = 0u; q < layerUnits[m + 1u]; q++) {
          let w = weight(layerAt[m + 1u] + q * layerStride[m + 1u] + bias + j);
          var delta: V;
          if (m + 1u == last) { delta = resultOf(outputs + q, k); } else { delta = memory[field(deltasAt[m + 1u] + q, k)]; }
          s = fma(V(w), delta, s);
        }
        memory[field(bendsAt[m] + j, k)] *= s;
        let slope = memory[field(slopesAt[m] + j, k)];
#if deep
        memory[field(deltasAt[m] + j, k)] = slope * s;
#else
        // ∂z/∂u of the unit, twice in a row so that cyclic windows need no wrapping, and ∂δ/∂u of the outputs.
        for (var c = 0u; c < outputs; c++) {
          let along = weight(layerAt[last] + c * layerStride[last] + bias + j) * slope;
          memory[field({{alongAt}}u + c * {{2*units[0]}}u + j, k)] = along;
          memory[field({{alongAt}}u + c * {{2*units[0]}}u + {{units[0]}}u + j, k)] = along;
        }
        differentiate(tile, {{alongAt}}u + j, {{2*units[0]}}u, {{turnsAt}}u + j, {{units[0]}}u, k);
#end
      }
      workgroupBarrier();
    }
#else
    workgroupBarrier();
#end
#if deep
#include hessian_sources.wgsl
#end
    if (works) {
      let left = field(own.left, 0u);
      let leftStep = own.leftStep * packs * runs;
#if hiddenLayers
      let right = field(own.right, 0u);
      const rightNext = packs * runs;
      const rightPack = runs;
#else
      let right = own.right * packs;
      const rightNext = packs;
      const rightPack = 1u;
#end
      let rightStep = own.rightStep * packs * runs;
      let piStart = select(field(own.pi, 0u), own.pi * packs, own.piShared == 1u);
      let piNext = select(packs * runs, packs, own.piShared == 1u);
      let piPack = select(runs, 1u, own.piShared == 1u);
      for (var k = 0u; k < packs; k++) {
#for i in held
        var rho{{i}} = V(0.0);
#end
        for (var n = 0u; n < own.terms; n++) {
          let factor = memory[left + n * leftStep + k * runs];
          let at = right + n * rightStep + k * rightPack;
#for i in held
          rho{{i}} = fma(factor, memory[at + {{i}}u * rightNext], rho{{i}});
#end
        }
        if (own.special < {{held}}u) {
          let more = memory[field(own.extra, k)] * memory[field(own.other, k)];
#for i in held
          rho{{i}} += select(V(0.0), more, own.special == {{i}}u);
#end
        }
        let at = piStart + k * piPack;
#for m in span
        {
          let pi = memory[at + {{m}}u * piNext];
#for i in held
          sum{{i}}_{{m}} = addDot(sum{{i}}_{{m}}, rho{{i}}, pi);
#end
        }
#end
      }
    }
    workgroupBarrier();
  }
  if (!works) { return; }
  var sums = array<f32, {{held*span}}>(
#for i in held
#for m in span
    sum{{i}}_{{m}},
#end
#end
  );
  for (var i = 0u; i < own.rhoCount; i++) {
    for (var m = 0u; m < own.piCount; m++) {
      let value = sums[i * {{span}}u + m];
#if products
      if (own.isProduct == 1u) {
        // Unit q + i of the first layer, cyclically.
        let pair = pairs[own.firstPair + m];
        let d = pair % 65536u;
        let e = pair / 65536u;
        let q = layerAt[0] + (own.q + i) % layerUnits[0] * layerStride[0];
        put(own.p + d, q + e, value);
        if (d != e && q != own.p) { put(own.p + e, q + d, value); }
        continue;
      }
#end
      // The other half of a symmetric block.
      if (own.p + m <= own.q + i) { put(own.p + m, own.q + i, value); }
    }
  }
}
