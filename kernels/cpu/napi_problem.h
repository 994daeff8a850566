// A problem that was prepared for one instruction set.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "instruction_sets.h"
#include "napi_jobs.h"

namespace node {

using namespace manystart;

inline const Target& find_target(const std::string& id) {
  for (const Target& t : targets())
    if (t.usable && (id.empty() || id == t.id)) return t;
  throw Failure{"this processor does not support that instruction set"};
}

/// A problem in one precision with the kernels for it.
struct Prepared {
  const Target* target = nullptr;
  std::unique_ptr<Problem<double>> p64;
  std::unique_ptr<Problem<float>> p32;

  template <class F>
  auto with(F f) const {
    return p64 ? f(*p64, *target->k64) : f(*p32, *target->k32);
  }
  size_t lanes() const { return p64 ? target->k64->lanes : target->k32->lanes; }
  int P() const { return p64 ? p64->P : p32->P; }
  const Description& d() const { return p64 ? p64->d : p32->d; }
};

inline formula::Stages read_stages(napi_env env, napi_value o) {
  formula::Stages stages;
  const auto code = array<int32_t>(env, o, "code"), ends = array<int32_t>(env, o, "ends");
  if (ends.size != 3) throw Failure{"a formula has three stages"};
  std::copy(ends.data, ends.data + 3, stages.ends);
  for (size_t i = 0; i + 4 < code.size; i += 5) {
    const int32_t* w = code.data + i;
    stages.code.push_back({w[0], w[1], w[2], w[3], w[4]});
  }
  stages.registers = int(number(env, o, "registers"));
  return stages;
}

/// RegisterProgram of src/language/formula/registers.ts, with the number of its columns.
inline std::shared_ptr<const Formula> read_formula(napi_env env, napi_value o) {
  auto f = std::make_shared<Formula>();
  f->parameters = int(number(env, o, "parameters"));
  f->columns = int(number(env, o, "columns"));
  f->prelude = read_stages(env, field(env, o, "prelude"));
  f->body = read_stages(env, field(env, o, "body"));
  const auto constants = array<double>(env, o, "constants");
  f->constants.assign(constants.data, constants.data + constants.size);
  f->z = int(number(env, o, "z"));
  const auto first = array<int32_t>(env, o, "first"), second = array<int32_t>(env, o, "second");
  f->first.assign(first.data, first.data + first.size);
  for (size_t i = 0; i + 2 < second.size; i += 3)
    f->second.push_back({second.data[i], second.data[i + 1], second.data[i + 2]});
  f->has_loss = boolean(env, o, "hasLoss");
  return f;
}

}  // namespace node
