// Programs of update rules from JavaScript.
#pragma once

#include "napi_values.h"
#include "program.h"

namespace node {

using namespace manystart;

/// What `nativeProgram` of src/engines/cpu/index.ts makes.
inline Program read_program(napi_env env, napi_value o) {
  Program p;
  p.needs_h = boolean(env, o, "needsH");
  p.vectors = int(number(env, o, "vectors"));
  p.scalars = int(number(env, o, "scalars"));
  p.matrices = int(number(env, o, "matrices"));
  const auto code = array<int32_t>(env, o, "instructions");
  for (size_t i = 0; i + 5 < code.size; i += 6) {
    const int32_t* w = code.data + i;
    p.code.push_back({w[0], w[1], w[2], w[3], w[4], w[5]});
  }
  auto pairs = [&](const char* name) {
    std::vector<std::pair<int, double>> list;
    const auto flat = array<double>(env, o, name);
    for (size_t i = 0; i + 1 < flat.size; i += 2) list.emplace_back(int(flat.data[i]), flat.data[i + 1]);
    return list;
  };
  p.constants = pairs("constants");
  p.initial_vectors = pairs("initialVectors");
  p.initial_scalars = pairs("initialScalars");
  const auto outputs = array<int32_t>(env, o, "outputs");
  if (outputs.size != 4) throw Failure{"a program has four outputs"};
  p.point = outputs.data[0], p.loss = outputs.data[1], p.gradient_norm = outputs.data[2], p.stalled = outputs.data[3];
  const auto report = array<int32_t>(env, o, "report");
  p.report.assign(report.data, report.data + report.size);
  return p;
}

}  // namespace node
