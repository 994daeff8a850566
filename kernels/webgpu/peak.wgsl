// Multiply-adds in registers alone: 32 chains of them a thread, none of which waits for another.
@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<uniform> rounds: vec4u;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u) {
  // Different numbers in every chain, lest a compiler merge them.
  let seed = f32(id.x & 63u) * 0.0078125;
#for i in chains
  var a{{i}} = vec4f(seed, seed + 0.25, seed + 0.5, seed + 0.75) + {{i}}.0;
#end
  let x = vec4f(0.99999, 0.99998, 0.99997, 0.99996);
  let y = vec4f(1e-5 + seed * 1e-7);
  for (var round = 0u; round < rounds.x; round++) {
#for k in unrolled
#for i in chains
    a{{i}} = fma(a{{i}}, x, y);
#end
#end
  }
  var sum = vec4f();
#for i in chains
  sum += a{{i}};
#end
  out[id.x] = (sum.x + sum.y) + (sum.z + sum.w);
}
