    // Fields of each source of the block (unit j of layer `block.layer`): φ′ T of the hidden layers above it, T of the outputs, R of
    // all layers from its own on; R's places hold T until R is there. Source number s has its fields at {{sourcesAt}} + {{sourceFields}} s.
    for (var m = 1u; m < depth; m++) {
      if (m > block.layer) {
        for (var i = t; i < block.sourceCount * layerUnits[m] * packs; i += team) {
          let k = i % packs;
          let unit = i / packs % layerUnits[m];
          let s = i / packs / layerUnits[m];
          let source = {{sourcesAt}}u + s * {{sourceFields}}u;
          let p = layerAt[m] + unit * layerStride[m] + bias;
          var along = V(0.0);
          if (m == block.layer + 1u) {
            let j = block.firstSource + s;
            along = weight(p + j) * memory[field(slopesAt[m - 1u] + j, k)];
          } else {
            for (var e = 0u; e < layerInputs[m]; e++) {
              along = fma(V(weight(p + e)), memory[field(source + reachAt[m - 1u] + bias + e, k)], along);
            }
          }
          memory[field(source + turnAt[m] + unit, k)] = along;
          if (m < last) {
            memory[field(source + reachAt[m] + bias + unit, k)] = memory[field(slopesAt[m] + unit, k)] * along;
          }
        }
      }
      workgroupBarrier();
    }
    // R of the outputs.
    for (var i = t; i < block.sourceCount * packs; i += team) {
      let k = i % packs;
      let source = {{sourcesAt}}u + i / packs * {{sourceFields}}u;
      let turn = source + turnAt[last];
      if (block.layer == last) {
        let j = block.firstSource + i / packs;
        for (var c = 0u; c < outputs; c++) { memory[field(turn + c, k)] = curvature(tile, j, c, k); }
      } else {
        differentiate(tile, turn, 1u, source + {{outAt}}u, 1u, k);
        for (var c = 0u; c < outputs; c++) { memory[field(turn + c, k)] = memory[field(source + {{outAt}}u + c, k)]; }
      }
    }
    workgroupBarrier();
    for (var m = last; m > 0u; ) {
      m--;
      if (m >= block.layer) {
        for (var i = t; i < block.sourceCount * layerUnits[m] * packs; i += team) {
          let k = i % packs;
          let unit = i / packs % layerUnits[m];
          let s = i / packs / layerUnits[m];
          let source = {{sourcesAt}}u + s * {{sourceFields}}u;
          var sum = V(0.0);
          for (var q = 0u; q < layerUnits[m + 1u]; q++) {
            let w = weight(layerAt[m + 1u] + q * layerStride[m + 1u] + bias + unit);
            sum = fma(V(w), memory[field(source + turnAt[m + 1u] + q, k)], sum);
          }
          sum *= memory[field(slopesAt[m] + unit, k)];
          let bend = memory[field(bendsAt[m] + unit, k)];
          let turn = field(source + turnAt[m] + unit, k);
          if (m > block.layer) {
            memory[turn] = fma(bend, memory[turn], sum);
          } else {
            memory[turn] = select(sum, sum + bend, unit == block.firstSource + s);
          }
        }
      }
      workgroupBarrier();
    }
