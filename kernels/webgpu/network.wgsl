// A network of any depth for one run (a lane) and one pack of rows at a time, all loops rolled: shapes are constants, layers
// are looked up. Notation and formulas: kernels/README.md. A pack is four rows (or one, where a run has very many hidden
// units); activations live in private memory and are overwritten by the next pack.
#include activation.wgsl
#if scalar
#include loss.wgsl
#end

const rowsOfPack = {{rowsOfPack}}u;
var<private> lanes: u32; // of the batch: workgroups times their size, so that any batch takes the same pipeline
const inputs = {{inputs}}u;       // D
const outputs = {{outputs}}u;     // C
const depth = {{depth}}u;         // M layers of weights
const bias = {{bias}}u;           // 1 or 0
const hidden = {{hidden}}u;       // hidden units of all layers, at least 1
const parameters = {{parameters}}u;
// Of layer m: first parameter, units below, units, parameters of a unit, first hidden unit.
const layerAt = array<u32, depth>({{layerAt}});
const layerInputs = array<u32, depth>({{layerInputs}});
const layerUnits = array<u32, depth>({{layerUnits}});
const layerStride = array<u32, depth>({{layerStride}});
const unitAt = array<u32, depth>({{unitAt}});

#if batch
@group(0) @binding(0) var<storage, read> x: array<f32>;        // [N][D]
@group(0) @binding(1) var<storage, read> rowData: array<f32>;  // [N][3]: y, weight, offset
#else
@group(0) @binding(0) var<storage, read> x: array<F>;          // [packs][D]
@group(0) @binding(1) var<storage, read> rowData: array<F>;    // [packs][3]: y, weight / total, offset
#end
@group(0) @binding(2) var<storage, read> theta: array<f32>;    // [P][lanes]

var<private> lane: u32;
var<private> a: array<F, hidden>;
var<private> d1: array<F, hidden>;
#if hessian
var<private> d2: array<F, hidden>;
#end
var<private> z: array<F, outputs>;

struct RowData {
  y: F,
  c: F,
  offset: F,
}
#if batch
var<private> row: U;           // numbers of the pack's rows
var<private> totalWeight: f32; // of the lane's batch
fn gather(column: u32) -> F {
#if WIDE
  return F(rowData[row.x * 3u + column], rowData[row.y * 3u + column], rowData[row.z * 3u + column], rowData[row.w * 3u + column]);
#else
  return rowData[row * 3u + column];
#end
}
#else
var<private> pack: u32;
#end

fn weight(p: u32) -> F { return F(theta[p * lanes + lane]); }

fn inputOf(d: u32) -> F {
#if batch
#if WIDE
  return F(x[row.x * inputs + d], x[row.y * inputs + d], x[row.z * inputs + d], x[row.w * inputs + d]);
#else
  return x[row * inputs + d];
#end
#else
  return x[pack * inputs + d];
#end
}

/// Input d of a unit of layer m: the data, or the unit below.
fn below(m: u32, d: u32) -> F {
  if (m == 0u) { return inputOf(d); }
  return a[unitAt[m - 1u] + d];
}

/// Fills a, d1 (φ′), d2 (φ″) and z, without the offset.
fn forward() {
  for (var m = 0u; m < depth; m++) {
    for (var k = 0u; k < layerUnits[m]; k++) {
      let at = layerAt[m] + k * layerStride[m];
      var u = F(0.0);
      if (bias == 1u) { u = weight(at); }
      if (m == 0u) {
        for (var d = 0u; d < inputs; d++) { u = fma(weight(at + bias + d), inputOf(d), u); }
      } else {
        for (var d = 0u; d < layerInputs[m]; d++) { u = fma(weight(at + bias + d), a[unitAt[m - 1u] + d], u); }
      }
      if (m + 1u == depth) {
        z[k] = u;
      } else {
        let v = activate(u);
        a[unitAt[m] + k] = v.value;
        d1[unitAt[m] + k] = v.first;
#if hessian
        d2[unitAt[m] + k] = v.second;
#end
      }
    }
  }
}

#if scalar
#else
struct Softmax {
  value: F,
  total: F, // Σ_b e^(z_b − top)
  rest: F,  // the same without the row's own class
  top: F,
}
/// ℓ = log Σ_b e^(z_b − z_y).
fn softmaxTerms(y: F) -> Softmax {
  var top = z[0];
  for (var c = 1u; c < outputs; c++) { top = max(top, z[c]); }
  var sum = F(0.0);
  var rest = F(0.0);
  var own = F(0.0);
  var bad = F(0.0);
  for (var c = 0u; c < outputs; c++) {
    let e = expNegative(z[c] - top);
    let mine = y == F(f32(c));
    sum += e;
    rest += select(e, F(0.0), mine);
    own = select(own, z[c], mine);
    bad = select(bad, z[c], isNan(z[c]));
  }
  // By log1p of the others where the own class leads.
  let leads = (own == top) & (rest <= F(1.0));
  let value = select((top - own) + logPositive(sum), log1pUnit(min(rest, F(1.0))), leads);
  return Softmax(keepNan(value, bad), keepNan(sum, bad), rest, top);
}
#end
