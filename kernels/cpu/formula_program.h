// A formula with its derivatives as a register program (twin: src/language/formula/registers.ts): plain data, no SIMD.
#pragma once

#include <vector>

namespace manystart {

namespace formula {
/// Numbers of src/language/formula/graph.ts.
enum Op {
  add = 3,
  sub,
  mul,
  div,
  neg,
  exp,
  log,
  sqrt,
  sin,
  cos,
  tanh,
  sech2,
  atan,
  erf,
  abs,
  sign,
  min,
  max,
  pow,
  pow_log,
  pow_log2,
  less,
  less_equal,
  equal,
  where,
  /// a b + c, which registers.ts makes.
  fma
};
/// Where an operand is: number · 4 + kind.
enum Kind { lane, parameter, row, constant };

struct Instruction {
  int op, dst, a, b, c;
};
struct Stages {
  std::vector<Instruction> code;
  /// Instructions up to which z, g and H are ready.
  int ends[3] = {};
  int registers = 0;
};
struct Second {
  int p, q, operand;
};
}  // namespace formula

struct Formula {
  int parameters = 0;
  /// Columns of rows, computed beforehand.
  int columns = 0;
  formula::Stages prelude, body;
  std::vector<double> constants;
  int z = 0;
  std::vector<int> first;
  std::vector<formula::Second> second;
  /// Whether there is a loss on top; z itself is the objective where there is none.
  bool has_loss = true;
};

}  // namespace manystart
