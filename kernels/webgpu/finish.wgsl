// Adds the chunks' sums and the ridge. A thread makes one element of one run: f, or g_p for id.y = 1 + p.

@group(0) @binding(0) var<storage, read> theta: array<f32>;       // [P][lanes]
@group(0) @binding(1) var<storage, read> sums: array<f32>;        // [chunks][1 + P][lanes]
@group(0) @binding(2) var<storage, read_write> f: array<f32>;     // [lanes]
#if ridged
@group(0) @binding(3) var<storage, read> penalty: array<f32>;     // [P]
#end
#if gradient
@group(0) @binding(4) var<storage, read_write> g: array<f32>;     // [P][lanes]
#end

const parameters = {{parameters}}u;
const chunks = {{chunks}}u;
const sumsOfChunk = {{sumsOfChunk}}u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lane = id.x;
  let lanes = groups.x * 64u;
  var sum = sums[id.y * lanes + lane];
  for (var c = 1u; c < chunks; c++) { sum += sums[(c * sumsOfChunk + id.y) * lanes + lane]; }
  if (id.y == 0u) {
#if ridged
    var squares = 0.0;
    for (var p = 0u; p < parameters; p++) {
      let t = theta[p * lanes + lane];
      squares = fma(penalty[p] * t, t, squares);
    }
    sum = fma(0.5, squares, sum);
#else
    // Keeps the binding, which automatic layouts drop when nothing reads it.
    _ = &theta;
#end
    f[lane] = sum;
    return;
  }
#if gradient
  let p = id.y - 1u;
#if ridged
  sum = fma(penalty[p], theta[p * lanes + lane], sum);
#end
  g[p * lanes + lane] = sum;
#end
}
