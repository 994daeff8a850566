// An update program as the kernels see it: the mirror of src/language/program.ts.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace manystart {

// Instructions by number and by their name in TypeScript, which a test compares.
// clang-format off
#define MS_INSTRUCTIONS(X) \
  X(copy, 0, copy) X(add, 1, add) X(sub, 2, sub) X(mul, 3, mul) X(div, 4, div) X(min, 5, min) X(max, 6, max) \
  X(fma, 7, fma) X(select, 8, select) X(abs, 9, abs) X(neg, 10, neg) X(sqrt, 11, sqrt) X(less, 12, less) \
  X(less_equal, 13, lessEqual) X(finite, 14, finite) X(dot, 64, dot) X(sum, 65, sum) X(max_abs, 66, maxAbs) \
  X(minimum, 67, minimum) X(tridiagonalize, 80, tridiagonalize) X(trust_region, 81, trustRegion) X(eigh, 82, eigh) \
  X(multiply, 83, multiply) X(multiply_transposed, 84, multiplyTransposed)
// clang-format on

namespace op {
#define MS_ENUM(name, number, spoken) name = number,
enum : int { MS_INSTRUCTIONS(MS_ENUM) scalar_base = 32 };
#undef MS_ENUM
}  // namespace op
namespace slot {
enum : int { x = 0, g = 1, scale = 2, f = 0, step = 1, H = 0 };
}

struct Instruction {
  int op, dst, a, b, c, d;
};

struct Program {
  bool needs_h = false;
  int vectors = 0, scalars = 0, matrices = 0;
  std::vector<Instruction> code;
  std::vector<std::pair<int, double>> constants, initial_vectors, initial_scalars;
  int point = 0, loss = 0, gradient_norm = 0, stalled = 0;
  std::vector<int> report;
};

}  // namespace manystart
