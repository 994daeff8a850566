// An update program as the kernels see it: the mirror of src/language/program.ts.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace manystart {

namespace op {
enum : int {
  copy, add, sub, mul, div, min, max, fma, select, abs, neg, sqrt, less, less_equal, finite,
  scalar_base = 32,
  dot = 64, sum, max_abs, minimum,
  tridiagonalize = 80, trust_region, eigh, multiply, multiply_transposed
};
}
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
