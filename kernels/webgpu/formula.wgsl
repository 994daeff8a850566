// f and g, or entries of H, of a model given as a formula. A thread takes one run through one chunk of the rows. The statements, with names
// for the values of the graph, are those of src/engines/webgpu/core/formulaPlan.ts: `prelude` depends on θ alone, `body` on the row too.
#include formula_math.wgsl
#if objective
struct Terms {
  value: f32,
  first: f32,
  second: f32,
}
#else
#include loss.wgsl
#end
#include shares.wgsl
#if hessian
@group(0) @binding(3) var<storage, read_write> H: array<f32>;  // [P][P][lanes]
#else
#include results.wgsl
#end

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [N][{{columns}}]
@group(0) @binding(1) var<storage, read> rowData: array<f32>;  // [N][3]: y, weight (/ total), offset
@group(0) @binding(2) var<storage, read> theta: array<f32>;    // [P][lanes]
#if batch
@group(0) @binding(3) var<storage, read> rows: array<u32>;     // [items][lanes]; N and above: no row
const dataRows = {{dataRows}}u;
#end
const columns = {{columns}}u;
const parameters = {{parameters}}u;
const items = {{items}}u; // rows of the data, or of a batch
const itemsOfChunk = {{itemsOfChunk}}u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lane = id.x;
  let lanes = groups.x * 64u;
  // Keeps the binding, which automatic layouts drop when nothing reads it.
  _ = &x;
#for p in parameters
  let t{{p}} = theta[{{p}}u * lanes + lane];
#end
  var f = 0.0;
#for n in sums
  var sum{{n}} = 0.0;
#end
#if batch
  var totalWeight = 0.0;
  for (var k = 0u; k < items; k++) {
    let row = rows[k * lanes + lane];
#if own
    totalWeight += shareOfRow(row, lane, lanes);
#else
    if (row < dataRows) { totalWeight += rowData[row * 3u + 1u]; }
#end
  }
#end
{{prelude}}
  let end = min((id.y + 1u) * itemsOfChunk, items);
  for (var k = id.y * itemsOfChunk; k < end; k++) {
#if batch
    let found = rows[k * lanes + lane];
    let here = found < dataRows && totalWeight > 0.0;
    let row = select(0u, found, here);
#if own
    let c = select(0.0, shareOfRow(row, lane, lanes) / totalWeight, here);
#else
    let c = select(0.0, rowData[row * 3u + 1u] / totalWeight, here);
#end
#else
    let row = k;
#if own
    let c = shareOfRow(row, lane, lanes);
#else
    let c = rowData[row * 3u + 1u];
#end
#end
    // Rows without weight are not there, whatever the formula says of them.
    if (c == 0.0) { continue; }
{{body}}
#if objective
    let terms = Terms({{z}}, 1.0, 0.0);
#else
    let terms = lossTerms({{z}} + rowData[row * 3u + 2u], rowData[row * 3u]);
#end
    f = fma(c, terms.value, f);
    let slope = c * terms.first;
    let bend = c * terms.second;
{{accumulate}}
  }
#if hessian
{{store}}
#else
  putLoss(id.y, lanes, lane, f);
#if gradient
#for p in parameters
  putGradient(id.y, {{p}}u, lanes, lane, sum{{p}});
#end
#end
#end
}
