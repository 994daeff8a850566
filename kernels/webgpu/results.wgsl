// Where a kernel leaves f and g: in the results themselves if it sees all rows, else as one chunk's sums for finish.wgsl.
#if whole
@group(0) @binding(4) var<storage, read_write> lossOut: array<f32>;     // [lanes]
#if gradient
@group(0) @binding(5) var<storage, read_write> gradientOut: array<f32>; // [P][lanes]
#end
fn putLoss(chunk: u32, lanes: u32, lane: u32, value: f32) { lossOut[lane] = value; }
#if gradient
fn putGradient(chunk: u32, p: u32, lanes: u32, lane: u32, value: f32) { gradientOut[p * lanes + lane] = value; }
fn gradientSoFar(chunk: u32, p: u32, lanes: u32, lane: u32) -> f32 { return gradientOut[p * lanes + lane]; }
#end
#else
@group(0) @binding(4) var<storage, read_write> sums: array<f32>; // [chunks][1 + P][lanes]: f, then g
const sumsOfChunk = {{sumsOfChunk}}u;                            // 1 + P, or 1 where no gradient is wanted
fn putLoss(chunk: u32, lanes: u32, lane: u32, value: f32) { sums[chunk * sumsOfChunk * lanes + lane] = value; }
fn putGradient(chunk: u32, p: u32, lanes: u32, lane: u32, value: f32) {
  sums[(chunk * sumsOfChunk + 1u + p) * lanes + lane] = value;
}
fn gradientSoFar(chunk: u32, p: u32, lanes: u32, lane: u32) -> f32 {
  return sums[(chunk * sumsOfChunk + 1u + p) * lanes + lane];
}
#end
