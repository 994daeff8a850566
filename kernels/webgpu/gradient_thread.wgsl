// Loss and gradient where all weights of a run and the sums for its gradient fit the registers of one thread: no workgroup
// memory, no barriers, everything unrolled. A thread takes one run through one chunk of the rows, `width` rows at a time.
// How many registers that takes and when it is chosen: src/engines/webgpu/core/gradientPlan.ts.
#include wide.wgsl
#include outputs.wgsl
#include results.wgsl
#include shares.wgsl

#if batch
@group(0) @binding(0) var<storage, read> x: array<f32>;        // [N][D]
@group(0) @binding(1) var<storage, read> rowData: array<f32>;  // [N][{{rowFields}}]: y, weight, offset
@group(0) @binding(3) var<storage, read> rows: array<u32>;     // [items][lanes]; N and above: no row
const dataRows = {{dataRows}}u;
#else
@group(0) @binding(0) var<storage, read> x: array<V>;          // [packs][D]
@group(0) @binding(1) var<storage, read> rowData: array<V>;    // [packs][{{rowFields}}]: y, weight / total, offset
#end
@group(0) @binding(2) var<storage, read> theta: array<f32>;    // [P][lanes]

const items = {{items}}u; // rows of the data, or of a batch
const packs = {{packs}}u;
const packsOfChunk = {{packsOfChunk}}u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lane = id.x;
  let lanes = groups.x * 64u;
#for p in parameters
  let w{{p}} = theta[{{p}}u * lanes + lane];
#if gradient
  var g{{p}} = 0.0;
#end
#end
  var f = 0.0;
#if batch
  var totalWeight = 0.0;
  for (var k = 0u; k < items; k++) {
    let row = rows[k * lanes + lane];
#if own
    totalWeight += shareOfRow(row, lane, lanes);
#else
    if (row < dataRows) { totalWeight += rowData[row * {{rowFields}}u + {{targets}}u]; }
#end
  }
#end
  let end = min((id.y + 1u) * packsOfChunk, packs);
  for (var n = id.y * packsOfChunk; n < end; n++) {
#if batch
#for r in width
    let k{{r}} = n * {{width}}u + {{r}}u;
    var row{{r}} = dataRows;
    if (k{{r}} < items) { row{{r}} = rows[k{{r}} * lanes + lane]; }
    let here{{r}} = row{{r}} < dataRows && totalWeight > 0.0;
    row{{r}} = select(0u, row{{r}}, here{{r}});
    let y{{r}} = Targets(
#for c in targets
      rowData[row{{r}} * {{rowFields}}u + {{c}}u],
#end
    );
#if own
    let c{{r}} = select(0.0, shareOfRow(row{{r}}, lane, lanes) / totalWeight, here{{r}});
#else
    let c{{r}} = select(0.0, rowData[row{{r}} * {{rowFields}}u + {{targets}}u] / totalWeight, here{{r}});
#end
    let o{{r}} = rowData[row{{r}} * {{rowFields}}u + {{targets+1}}u];
#end
#else
    let data = array<V, {{rowFields}}>(
#for i in rowFields
      rowData[n * {{rowFields}}u + {{i}}u],
#end
    );
#for r in width
    let y{{r}} = Targets(
#for c in targets
      data[{{c}}]{{part[r]}},
#end
    );
#if own
    let c{{r}} = shareOfRow(n * {{width}}u + {{r}}u, lane, lanes);
#else
    let c{{r}} = data[{{targets}}]{{part[r]}};
#end
    let o{{r}} = data[{{targets+1}}]{{part[r]}};
#end
#end
#if keepInputs
#for d in inputs
#if batch
    let a0_{{d}} = V(
#for r in width
      x[row{{r}} * {{inputs}}u + {{d}}u],
#end
    );
#else
    let a0_{{d}} = x[n * {{inputs}}u + {{d}}u];
#end
#end
#end
    // Forward.
#for m in depth
#for k in units[m]
#if bias
    var u{{m}}_{{k}} = V(w{{at[m]+k*stride[m]}});
#else
    var u{{m}}_{{k}} = V(0.0);
#end
#end
#for d in below[m]
    {
#if rereads[m]
#if batch
      let a = V(
#for r in width
        x[row{{r}} * {{inputs}}u + {{d}}u],
#end
      );
#else
      let a = x[n * {{inputs}}u + {{d}}u];
#end
#else
      let a = a{{m}}_{{d}};
#end
#for k in units[m]
      u{{m}}_{{k}} = fma(V(w{{at[m]+k*stride[m]+bias+d}}), a, u{{m}}_{{k}});
#end
    }
#end
#if isHidden[m]
#for k in units[m]
    let v{{m}}_{{k}} = activateAll(u{{m}}_{{k}});
    let a{{m+1}}_{{k}} = v{{m}}_{{k}}.value;
#end
#end
#end
    // ℓ and δ of the outputs; rows without weight are not there, whatever their loss.
#for r in width
    let t{{r}} = outputTerms(Outputs(
#for c in outputs
      u{{last}}_{{c}}{{part[r]}},
#end
    ), y{{r}}, o{{r}});
    f += select(c{{r}} * t{{r}}.value, 0.0, c{{r}} == 0.0);
#end
#if gradient
#for c in outputs
    let e{{last}}_{{c}} = V(
#for r in width
      select(c{{r}} * t{{r}}.first[{{c}}], 0.0, c{{r}} == 0.0),
#end
    );
#end
    // Backward: e is δ.
#for m in back
#for k in units[m]
#if bias
    g{{at[m]+k*stride[m]}} += sumOf(e{{m}}_{{k}});
#end
#end
#for d in below[m]
    {
#if rereads[m]
#if batch
      let a = V(
#for r in width
        x[row{{r}} * {{inputs}}u + {{d}}u],
#end
      );
#else
      let a = x[n * {{inputs}}u + {{d}}u];
#end
#else
      let a = a{{m}}_{{d}};
#end
#for k in units[m]
      g{{at[m]+k*stride[m]+bias+d}} = addDot(g{{at[m]+k*stride[m]+bias+d}}, e{{m}}_{{k}}, a);
#end
    }
#if m
    var s{{m}}_{{d}} = V(0.0);
#for k in units[m]
    s{{m}}_{{d}} = fma(V(w{{at[m]+k*stride[m]+bias+d}}), e{{m}}_{{k}}, s{{m}}_{{d}});
#end
    let e{{under[m]}}_{{d}} = v{{under[m]}}_{{d}}.first * s{{m}}_{{d}};
#end
#end
#end
#end
  }
#if whole
#for p in parameters
#if ridgeOf[p]
  f = fma(0.5 * {{ridges[p]}} * w{{p}}, w{{p}}, f);
#if gradient
  g{{p}} = fma({{ridges[p]}}, w{{p}}, g{{p}});
#end
#end
#end
#end
  putLoss(id.y, lanes, lane, f);
#if gradient
#for p in parameters
  putGradient(id.y, {{p}}u, lanes, lane, g{{p}});
#end
#end
}
