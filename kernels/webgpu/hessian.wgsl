// Exact Hessian of every network: a thread takes, for one run, some rows of H that belong to one unit (the source) and passes
// over all rows of the data. It writes both triangles; H has the ridge, f and g come from gradient.wgsl.
#include network.wgsl

@group(0) @binding(3) var<storage, read_write> H: array<f32>; // [P][P][lanes]
#if ridged
@group(0) @binding(4) var<storage, read> penalized: array<u32>; // [P]
#end

const packs = {{packs}}u;
const held = {{heldRows}}u;   // rows of H that a thread holds
const units = {{unitsOfAll}}u;     // of all layers, outputs included
// First block of layer m's units in the numbering of id.y, and blocks of one unit.
const blockAt = array<u32, depth>({{blockAt}});
const blocksOfUnit = array<u32, depth>({{blocksOfUnit}});

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  lane = id.x;
  lanes = groups.x * 64u;
  // The source: unit j of layer l, rows from input number d0 of its slice on.
  var l = depth - 1u;
  while (id.y < blockAt[l]) { l--; }
  let j = (id.y - blockAt[l]) / blocksOfUnit[l];
  let d0 = (id.y - blockAt[l]) % blocksOfUnit[l] * held;
  let sourceAt = layerAt[l] + j * layerStride[l];
  let first = layerAt[l];

  var sums: array<f32, {{sums}}>;  // [held][P − first]
  var delta: array<F, units>;
  var s: array<F, hidden>;         // then φ″ s
  var t: array<F, units>;          // T of the source: ∂u/∂u_j
  var r: array<F, units>;          // R of the source: ∂δ/∂u_j
  let width = parameters - first;

  for (pack = 0u; pack < packs; pack++) {
    let data = RowData(rowData[pack * 3u], rowData[pack * 3u + 1u], rowData[pack * 3u + 2u]);
    forward();
    let absent = data.c == F(0.0);
    let top = unitAt[depth - 1u];
#if scalar
    let terms = lossTerms(z[0] + data.offset, data.y);
    delta[top] = select(data.c * terms.first, F(0.0), absent);
    let curvature = select(data.c * terms.second, F(0.0), absent);
#else
    let terms = softmaxTerms(data.y);
    // z turns into the probabilities.
    for (var k = 0u; k < outputs; k++) {
      z[k] = select(expNegative(z[k] - terms.top) / terms.total, F(0.0), absent);
      let share = select(z[k], -terms.rest / terms.total, data.y == F(f32(k)));
      delta[top + k] = select(data.c * share, F(0.0), absent);
    }
#end
    // δ and φ″ s, downwards.
    for (var m = depth - 1u; m > 0u; ) {
      m--;
      for (var k = 0u; k < layerUnits[m]; k++) {
        var sum = F(0.0);
        for (var q = 0u; q < layerUnits[m + 1u]; q++) {
          sum = fma(weight(layerAt[m + 1u] + q * layerStride[m + 1u] + bias + k), delta[unitAt[m + 1u] + q], sum);
        }
        let at = unitAt[m] + k;
        s[at] = d2[at] * sum;
        delta[at] = d1[at] * sum;
      }
    }
    // T upwards: the source itself, then layer by layer.
    for (var k = 0u; k < layerUnits[l]; k++) { t[unitAt[l] + k] = select(F(0.0), F(1.0), k == j); }
    for (var m = l + 1u; m < depth; m++) {
      for (var k = 0u; k < layerUnits[m]; k++) {
        let at = layerAt[m] + k * layerStride[m] + bias;
        var sum = F(0.0);
        if (m == l + 1u) {
          sum = weight(at + j) * d1[unitAt[l] + j];
        } else {
          for (var e = 0u; e < layerInputs[m]; e++) {
            let b = unitAt[m - 1u] + e;
            sum = fma(weight(at + e), d1[b] * t[b], sum);
          }
        }
        t[unitAt[m] + k] = sum;
      }
    }
    // R of the outputs, then downwards.
#if scalar
    r[top] = curvature * t[top];
#else
    // c Σ_b p_k (t_k − t_b) p_b: no difference of sums.
    for (var k = 0u; k < outputs; k++) {
      var sum = F(0.0);
      for (var b = 0u; b < outputs; b++) { sum = fma(z[b], t[top + k] - t[top + b], sum); }
      r[top + k] = data.c * z[k] * sum;
    }
#end
    for (var m = depth - 1u; m > l; ) {
      m--;
      for (var k = 0u; k < layerUnits[m]; k++) {
        var sum = F(0.0);
        for (var q = 0u; q < layerUnits[m + 1u]; q++) {
          sum = fma(weight(layerAt[m + 1u] + q * layerStride[m + 1u] + bias + k), r[unitAt[m + 1u] + q], sum);
        }
        let at = unitAt[m] + k;
        r[at] = fma(s[at], t[at], d1[at] * sum);
      }
    }
    for (var m = l; m < depth; m++) {
      var k = 0u;
      if (m == l) { k = j; }
      for (; k < layerUnits[m]; k++) {
        let at = layerAt[m] + k * layerStride[m] - first;
        let rk = r[unitAt[m] + k];
        for (var e = 0u; e < layerStride[m]; e++) {
          var value = rk;
          if (e >= bias) {
            value = rk * below(m, e - bias);
            if (m > l) {
              let b = unitAt[m - 1u] + e - bias;
              value = fma(delta[unitAt[m] + k] * d1[b], t[b], value);
            }
          }
          for (var i = 0u; i < held; i++) {
            let d = d0 + i;
            if (d < layerStride[l]) {
              var left = F(1.0);
              if (d >= bias) { left = below(l, d - bias); }
              sums[i * width + at + e] += total(left * value);
            }
          }
        }
      }
    }
  }
  for (var i = 0u; i < held; i++) {
    let d = d0 + i;
    if (d >= layerStride[l]) { break; }
    let p = sourceAt + d;
    for (var q = p; q < parameters; q++) {
      var value = sums[i * width + q - first];
#if ridged
      if (p == q && penalized[p] != 0u) { value += {{ridge}}; }
#end
      H[(p * parameters + q) * lanes + lane] = value;
      H[(q * parameters + p) * lanes + lane] = value;
    }
  }
}
