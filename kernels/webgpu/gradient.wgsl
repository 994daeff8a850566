// Loss and gradient of every network: a thread takes one run through one chunk of the rows and leaves its sums for finish.wgsl.
#include network.wgsl

@group(0) @binding(3) var<storage, read_write> sums: array<f32>; // [chunks][1 + P][lanes]: f, then g
#if batch
@group(0) @binding(4) var<storage, read> rows: array<u32>;       // [batch][lanes]; N and above: no row
const dataRows = {{dataRows}}u;
#end
const items = {{items}}u;           // rows of the data, or of a batch
const packsOfChunk = {{packsOfChunk}}u;
const packs = {{packs}}u;
const sumsOfChunk = {{sumsOfChunk}}u; // 1 + P, or 1 where no gradient is wanted

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  lane = id.x;
  lanes = groups.x * 64u;
  let chunk = id.y;
  var f = 0.0;
#if gradient
#if held
  var g: array<f32, parameters>;
#else
  for (var p = 0u; p < parameters; p++) { sums[(chunk * sumsOfChunk + 1u + p) * lanes + lane] = 0.0; }
#end
  // δ of the layer above in the backward pass; the hidden layers' own take the place of φ′.
  var delta: array<F, outputs>;
#end
#if batch
  totalWeight = 0.0;
  for (var k = 0u; k < items; k++) {
    let r = rows[k * lanes + lane];
    if (r < dataRows) { totalWeight += rowData[r * 3u + 1u]; }
  }
#end
  let last = min((chunk + 1u) * packsOfChunk, packs);
  for (var n = chunk * packsOfChunk; n < last; n++) {
#if batch
    var present = U(0u);
    for (var i = 0u; i < rowsOfPack; i++) {
      let k = n * rowsOfPack + i;
      var r = dataRows;
      if (k < items) { r = rows[k * lanes + lane]; }
#if WIDE
      row[i] = select(0u, r, r < dataRows);
      present[i] = select(0u, 1u, r < dataRows);
#else
      row = select(0u, r, r < dataRows);
      present = select(0u, 1u, r < dataRows);
#end
    }
    let c = select(F(0.0), gather(1u) / F(totalWeight), (present == U(1u)) & (F(totalWeight) > F(0.0)));
    let data = RowData(gather(0u), c, gather(2u));
#else
    pack = n;
    let data = RowData(rowData[n * 3u], rowData[n * 3u + 1u], rowData[n * 3u + 2u]);
#end
    forward();
    // Rows without weight are not there, whatever their loss.
    let absent = data.c == F(0.0);
#if scalar
    let t = lossTerms(z[0] + data.offset, data.y);
    f += total(select(data.c * t.value, F(0.0), absent));
#if gradient
    delta[0] = select(data.c * t.first, F(0.0), absent);
#end
#else
    let t = softmaxTerms(data.y);
    f += total(select(data.c * t.value, F(0.0), absent));
#if gradient
    for (var k = 0u; k < outputs; k++) {
      let mine = data.y == F(f32(k));
      let share = select(expNegative(z[k] - t.top), -t.rest, mine) / t.total;
      delta[k] = select(data.c * share, F(0.0), absent);
    }
#end
#end
#if gradient
    for (var m = depth; m > 0u; ) {
      m--;
      for (var k = 0u; k < layerUnits[m]; k++) {
        var dk: F;
        if (m + 1u == depth) {
          dk = delta[k];
        } else {
          // s = Σ_q W_qk δ_q over the layer above.
          var s = F(0.0);
          for (var q = 0u; q < layerUnits[m + 1u]; q++) {
            let w = weight(layerAt[m + 1u] + q * layerStride[m + 1u] + bias + k);
            var dq: F;
            if (m + 2u == depth) { dq = delta[q]; } else { dq = d1[unitAt[m + 1u] + q]; }
            s = fma(w, dq, s);
          }
          dk = d1[unitAt[m] + k] * s;
          d1[unitAt[m] + k] = dk;
        }
        let at = layerAt[m] + k * layerStride[m];
#if held
        if (bias == 1u) { g[at] += total(dk); }
        for (var d = 0u; d < layerInputs[m]; d++) { g[at + bias + d] += total(dk * below(m, d)); }
#else
        let out = (chunk * sumsOfChunk + 1u + at) * lanes + lane;
        if (bias == 1u) { sums[out] += total(dk); }
        for (var d = 0u; d < layerInputs[m]; d++) { sums[out + (bias + d) * lanes] += total(dk * below(m, d)); }
#end
      }
    }
#end
  }
  sums[chunk * sumsOfChunk * lanes + lane] = f;
#if gradient
#if held
  for (var p = 0u; p < parameters; p++) { sums[(chunk * sumsOfChunk + 1u + p) * lanes + lane] = g[p]; }
#end
#end
}
