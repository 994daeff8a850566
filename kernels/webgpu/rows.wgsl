// What kernels share that take a tile of rows of several runs through a workgroup: the rows, and the outputs row by row.
#include wide.wgsl
#include loss.wgsl
#include results.wgsl
#include shares.wgsl

const runs = {{runs}}u;
const team = {{team}}u;   // threads of a run
const packs = {{packs}}u; // of a tile
const width = {{width}}u; // rows of a pack
const rowsOfTile = packs * width;
const inputs = {{inputs}}u;
const outputs = {{outputs}}u;
const targets = {{targets}}u; // numbers of y of a row: one for each output, or the class
const rowFields = targets + 2u;
const tiles = {{tiles}}u;
const tilesOfChunk = {{tilesOfChunk}}u;

#if batch
@group(0) @binding(0) var<storage, read> x: array<f32>;        // [N][D]
@group(0) @binding(1) var<storage, read> rowData: array<f32>;  // [N][rowFields]: y, weight, offset
@group(0) @binding(3) var<storage, read> rows: array<u32>;     // [items][lanes]; N and above: no row
const dataRows = {{dataRows}}u;
const items = {{items}}u; // rows of a batch
#else
@group(0) @binding(0) var<storage, read> x: array<V>;          // [packs][D]
@group(0) @binding(1) var<storage, read> rowData: array<f32>;  // [packs][rowFields][width]: y, weight / total, offset
#end
@group(0) @binding(2) var<storage, read> theta: array<f32>;    // [P][lanes]

var<workgroup> deltas: array<f32, {{outputSlots}}u * rowsOfTile * runs>; // of the outputs: z, then δ, [slots][rows][runs]
var<workgroup> shares: array<f32, team * runs>;                    // one number of each thread

var<private> run: u32;
var<private> lane: u32;
var<private> lanes: u32;

#if batch
/// Row of the data at place k of a lane's batch; dataRows where there is none.
fn rowAt(k: u32, ofLane: u32) -> u32 {
  if (k >= items) { return dataRows; }
  return min(rows[k * lanes + ofLane], dataRows);
}
fn present(row: u32) -> u32 { return select(0u, row, row < dataRows); }
#end

/// Where y begins, weight / total and offset of row number `row` of a tile; weight 0 where there is no row.
struct RowData {
  y: u32,
  c: f32,
  offset: f32,
}
fn rowOf(tile: u32, row: u32, totalWeight: f32) -> RowData {
#if batch
  let r = rowAt(tile * rowsOfTile + row, lane);
  let here = r < dataRows && totalWeight > 0.0;
  let at = present(r) * rowFields;
#if own
  let weight = shareOfRow(r, lane, lanes);
#else
  let weight = rowData[at + targets];
#end
  return RowData(at, select(0.0, weight / totalWeight, here), rowData[at + targets + 1u]);
#else
  let at = (tile * packs + row / width) * rowFields * width + row % width;
#if own
  return RowData(at, shareOfRow(tile * rowsOfTile + row, lane, lanes), rowData[at + (targets + 1u) * width]);
#else
  return RowData(at, rowData[at + targets * width], rowData[at + (targets + 1u) * width]);
#end
#end
}

/// Number c of a row's y.
fn targetOf(data: RowData, c: u32) -> f32 {
#if batch
  return rowData[data.y + c];
#else
  return rowData[data.y + c * width];
#end
}

/// c ℓ of a row of a tile, from its z in `deltas`, which turn into δ. Rows without weight are not there, whatever their loss.
fn outputsOf(row: u32, data: RowData) -> f32 {
  let absent = data.c == 0.0;
#if scalar
  var value = 0.0;
  for (var c = 0u; c < outputs; c++) {
    let at = (c * rowsOfTile + row) * runs + run;
    let t = lossTerms(deltas[at] + data.offset, targetOf(data, c));
    deltas[at] = select(data.c * t.first, 0.0, absent);
    value += t.value;
  }
  return select(data.c * value, 0.0, absent);
#else
  let y = targetOf(data, 0u);
  let stride = rowsOfTile * runs;
  let at = row * runs + run;
  var top = deltas[at];
  for (var c = 1u; c < outputs; c++) { top = max(top, deltas[c * stride + at]); }
  var sum = 0.0;
  var rest = 0.0; // the sum without the row's own class
  var own = 0.0;
  var bad = 0.0;
  for (var c = 0u; c < outputs; c++) {
    let z = deltas[c * stride + at];
    let e = expNegative(z - top);
    let mine = y == f32(c);
    sum += e;
    rest += select(e, 0.0, mine);
    own = select(own, z, mine);
    bad = select(bad, z, isNan(z));
  }
  sum = keepNan(sum, bad);
  for (var c = 0u; c < outputs; c++) {
    let e = expNegative(deltas[c * stride + at] - top);
    let share = select(e, -rest, y == f32(c)) / sum;
    deltas[c * stride + at] = select(data.c * share, 0.0, absent);
  }
  return select(data.c * keepNan(softmaxLoss(top, own, sum, rest), bad), 0.0, absent);
#end
}

/// δ of output c for the rows of pack k.
fn deltaOf(c: u32, k: u32) -> V {
  let at = (c * rowsOfTile + k * width) * runs + run;
  return V(
#for r in width
    deltas[at + {{r}}u * runs],
#end
  );
}

/// The sum of a number of each thread of the team, in their order. All threads of the workgroup call it.
fn sumOfTeam(t: u32, own: f32) -> f32 {
  workgroupBarrier();
  shares[t * runs + run] = own;
  workgroupBarrier();
  var sum = 0.0;
  for (var k = 0u; k < team; k++) { sum += shares[k * runs + run]; }
  return sum;
}

#if batch
/// Total weight of the run's batch.
fn weightOfBatch(t: u32) -> f32 {
  var sum = 0.0;
  for (var k = t; k < items; k += team) {
    let row = rowAt(k, lane);
#if own
    sum += shareOfRow(row, lane, lanes);
#else
    if (row < dataRows) { sum += rowData[row * rowFields + targets]; }
#end
  }
  return sumOfTeam(t, sum);
}
#end
