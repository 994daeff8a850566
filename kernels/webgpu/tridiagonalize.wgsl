// diag(s) A diag(s) = Q T Qᵀ by Householder's reflections. The factor: reflector k in row k, columns k + 1 …, then the rows d, e, tau.
#include matrix.wgsl

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read> source: array<f32>;         // A [P][P][lanes]
@group(0) @binding(2) var<storage, read_write> f: array<f32>;        // factor [P + 3][P][lanes]
@group(0) @binding(3) var<storage, read_write> work: array<f32>;     // [P][lanes], and more that is not used here
@group(0) @binding(4) var<storage, read> operand: array<f32>;        // the scale: [P], or a vector [P][lanes]
#if masked
@group(0) @binding(5) var<storage, read> scalars: array<f32>;
#end

fn scaleOf(p: u32) -> f32 { return operand[{{operandAt}}]; }

@compute @workgroup_size({{width}}, {{split}})
fn main(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  lane = group.x * width + id.x;
  lanes = groups.x * width;
  part = id.y;
  on = state[lane] == running;
#if masked
  on = on && isTrue(scalars[{{mask}}u * lanes + lane]);
#end
#if isSplit
  // All threads pass all barriers; lanes that are off write nothing.
  for (var i = part; i < size; i += split) {
    for (var j = 0u; j < size; j++) {
      let value = source[at(i, j)] * (scaleOf(i) * scaleOf(j));
      if (on) { f[at(i, j)] = value; }
    }
  }
  storageBarrier();
  for (var k = 0u; k + 1u < size; k++) {
    var top = 0.0;
    var tail = 0.0;
    for (var j = k + 1u + part; j < size; j += split) {
      let a = abs(f[at(k, j)]);
      top = max(top, a);
      tail += select(0.0, a, j > k + 1u);
    }
    top = largest(top, id.x);
    tail = gathered(tail, id.x);
    let unit = select(0.0, 1.0 / top, top > 0.0);
    var square = 0.0;
    for (var j = k + 1u + part; j < size; j += split) {
      let a = f[at(k, j)] * unit;
      square = fma(a, a, square);
    }
    let norm = sqrt(gathered(square, id.x));
    let first = f[at(k, k + 1u)];
    let head = first * unit;
    let alpha = select(norm, -norm, head > 0.0);
    let flat = !isTrue(tail);
    let tau = select(1.0 / (norm * (norm + abs(head))), 0.0, flat);
    let diagonal = f[at(k, k)];
    storageBarrier();
    if (on) {
      for (var j = k + 1u + part; j < size; j += split) {
        let v = select(f[at(k, j)] * unit, head - alpha, j == k + 1u);
        f[at(k, j)] = select(v, 0.0, flat);
      }
      if (part == 0u) {
        f[at(size, k)] = diagonal;
        f[at(size + 1u, k)] = select(alpha * top, first, flat);
        f[at(size + 2u, k)] = tau;
      }
    }
    storageBarrier();
    // p = τ A v over the trailing block; a thread has whole rows of it.
    var vp = 0.0;
    for (var i = k + 1u + part; i < size; i += split) {
      var sum = 0.0;
      for (var j = k + 1u; j < size; j++) { sum = fma(f[at(i, j)], f[at(k, j)], sum); }
      sum *= tau;
      vp = fma(sum, f[at(k, i)], vp);
      if (on) { work[i * lanes + lane] = sum; }
    }
    let half = 0.5 * tau * gathered(vp, id.x);
    if (on) {
      for (var i = k + 1u + part; i < size; i += split) {
        work[i * lanes + lane] = fma(-half, f[at(k, i)], work[i * lanes + lane]);
      }
    }
    storageBarrier();
    if (on) {
      for (var i = k + 1u + part; i < size; i += split) {
        let vi = f[at(k, i)];
        let pi = work[i * lanes + lane];
        for (var j = k + 1u; j < size; j++) {
          f[at(i, j)] = fma(-vi, work[j * lanes + lane], fma(-pi, f[at(k, j)], f[at(i, j)]));
        }
      }
    }
    storageBarrier();
  }
  if (on && part == 0u) {
    f[at(size, size - 1u)] = f[at(size - 1u, size - 1u)];
    f[at(size + 1u, size - 1u)] = 0.0;
    f[at(size + 2u, size - 1u)] = 0.0;
  }
#else
  if (!on) { return; }
  // The upper triangle only.
  for (var i = 0u; i < size; i++) {
    for (var j = i; j < size; j++) { f[at(i, j)] = source[at(i, j)] * (scaleOf(i) * scaleOf(j)); }
  }
  for (var k = 0u; k < size; k++) {
    f[at(size, k)] = f[at(k, k)];
    if (k + 1u == size) {
      f[at(size + 1u, k)] = 0.0;
      f[at(size + 2u, k)] = 0.0;
      break;
    }
    var top = 0.0;
    var tail = 0.0;
    for (var j = k + 1u; j < size; j++) {
      let a = abs(f[at(k, j)]);
      top = max(top, a);
      tail += select(0.0, a, j > k + 1u);
    }
    let first = f[at(k, k + 1u)];
    // Nothing beside the sub-diagonal: no reflection.
    if (!isTrue(tail)) {
      f[at(size + 1u, k)] = first;
      f[at(size + 2u, k)] = 0.0;
      for (var j = k + 1u; j < size; j++) { f[at(k, j)] = 0.0; }
      continue;
    }
    let unit = 1.0 / top;
    var square = 0.0;
    for (var j = k + 1u; j < size; j++) {
      let a = f[at(k, j)] * unit;
      f[at(k, j)] = a;
      square = fma(a, a, square);
    }
    let norm = sqrt(square);
    let head = first * unit;
    let alpha = select(norm, -norm, head > 0.0);
    let tau = 1.0 / (norm * (norm + abs(head)));
    f[at(size + 1u, k)] = alpha * top;
    f[at(size + 2u, k)] = tau;
    f[at(k, k + 1u)] = head - alpha;
    // p = τ A v over the trailing block.
    for (var j = k + 1u; j < size; j++) { work[j * lanes + lane] = 0.0; }
    var vp = 0.0;
    for (var i = k + 1u; i < size; i++) {
      let vi = f[at(k, i)];
      var sum = fma(f[at(i, i)], vi, work[i * lanes + lane]);
      for (var j = i + 1u; j < size; j++) {
        let a = f[at(i, j)];
        sum = fma(a, f[at(k, j)], sum);
        work[j * lanes + lane] = fma(a, vi, work[j * lanes + lane]);
      }
      work[i * lanes + lane] = sum;
      vp = fma(sum, vi, vp);
    }
    let half = 0.5 * tau * tau * vp;
    for (var j = k + 1u; j < size; j++) {
      work[j * lanes + lane] = fma(-half, f[at(k, j)], tau * work[j * lanes + lane]);
    }
    for (var i = k + 1u; i < size; i++) {
      let vi = f[at(k, i)];
      let pi = work[i * lanes + lane];
      for (var j = i; j < size; j++) {
        f[at(i, j)] = fma(-vi, work[j * lanes + lane], fma(-pi, f[at(k, j)], f[at(i, j)]));
      }
    }
  }
#end
}
