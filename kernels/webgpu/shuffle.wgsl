// Orders of the rows by Fisher-Yates from the identity (kernels/README.md, "Random numbers"). The kernel has `order`, u32 [N][lanes], and
// `dataRows`.
#include philox.wgsl
#include lanes.wgsl

fn shuffle(epoch: u32, start: vec2u) {
  for (var i = 0u; i < dataRows; i++) { order[i * lanes + lane] = i; }
  let base = wide(epoch, dataRows); // number of the epoch's first word
  var four = vec4u();
  var held = none;
  for (var i = dataRows - 1u; i > 0u; i--) {
    let low = base.x + i;
    let high = base.y + select(0u, 1u, low < i);
    let block = (low >> 2u) | (high << 30u);
    if (block != held || i == dataRows - 1u) {
      four = philox(vec4u(block, start.x, start.y, {{stream}}u), vec2u({{seedLow}}u, {{seedHigh}}u));
      held = block;
    }
    let j = wide(four[low & 3u], i + 1u).y;
    let t = order[i * lanes + lane];
    order[i * lanes + lane] = order[j * lanes + lane];
    order[j * lanes + lane] = t;
  }
}
