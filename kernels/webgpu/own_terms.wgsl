// After an evaluation: the penalty ½ Σ λ_p θ_p² of a run's own in f, g and H; and of coordinates that are held g is 0, and their rows and
// columns of H are those of the unit matrix. A thread is one parameter of one lane, or f for id.y = P.
@group(0) @binding(0) var<storage, read> terms: array<f32>;    // [][P][lanes]
@group(0) @binding(1) var<storage, read> theta: array<f32>;    // [P][lanes]
@group(0) @binding(2) var<storage, read_write> f: array<f32>;  // [lanes]
@group(0) @binding(3) var<storage, read_write> g: array<f32>;  // [P][lanes]
#if hessian
@group(0) @binding(4) var<storage, read_write> H: array<f32>;  // [P][P][lanes]
#end
const parameters = {{parameters}}u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lane = id.x;
  let lanes = groups.x * 64u;
  let p = id.y;
  _ = &theta;
  _ = &f;
  if (p == parameters) {
#if ridged
    var squares = 0.0;
    for (var q = 0u; q < parameters; q++) {
      let t = theta[q * lanes + lane];
      squares = fma(terms[({{ridgeAt}}u * parameters + q) * lanes + lane] * t, t, squares);
    }
    f[lane] = fma(0.5, squares, f[lane]);
#end
    return;
  }
  let at = p * lanes + lane;
  var slope = g[at];
#if ridged
  let ridge = terms[({{ridgeAt}}u * parameters + p) * lanes + lane];
  slope = fma(ridge, theta[at], slope);
#if hessian
  H[(p * parameters + p) * lanes + lane] += ridge;
#end
#end
#if held
  if (terms[({{freeAt}}u * parameters + p) * lanes + lane] == 0.0) {
    slope = 0.0;
#if hessian
    for (var q = 0u; q < parameters; q++) {
      let unit = select(0.0, 1.0, p == q);
      H[(p * parameters + q) * lanes + lane] = unit;
      // The diagonal of another is its own thread's.
      if (p != q) { H[(q * parameters + p) * lanes + lane] = unit; }
    }
#end
  }
#end
  g[at] = slope;
}
