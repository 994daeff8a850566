// A block of memory read and written, sixteen bytes a thread at a time.
@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = arrayLength(&source);
  for (var i = id.x; i < count; i += groups.x * 256u) { out[i] = source[i]; }
}
