// What the prover offers, for every target: enclosures of elementary operations, and proofs about stationary points.
#pragma once

#include <cstddef>

#include "parts.h"
#include "problem.h"

namespace manystart {

/// Why nothing was proved; src/analysis/proof.ts has the words in this order.
enum class ProofStatus { proved, kink, singular, not_finite, no_box, inertia };

/// Numbers that are told of each point, in this order; src/engines/cpu/proofs.ts reads them.
enum ProofNumber {
  proof_status,
  proof_index,
  proof_radius,
  proof_error,
  proof_contraction,
  proof_rounded,
  proof_loss,
  proof_gradient,
  proof_condition,
  proof_numbers
};

/// Operations by number, as src/engines/cpu/proofs.ts lists them.
enum class Operation {
  add,
  subtract,
  multiply,
  divide,
  exp,
  expm1,
  log1p,
  log,
  tanh,
  tanh_first,
  tanh_second,
  logistic,
  logistic_first,
  logistic_second,
  softplus,
  hazard,
  excess,
  log_normal,
  sine,
  cosine,
  gelu,
  gelu_first,
  gelu_second,
  square_root,
  arc_tangent,
  error_function,
  power,
  power_log,
  power_log2
};

/// Arrays of a call: R points, P parameters.
struct Proofs {
  /// [R, P] as hi + lo: the stationary point, to about 100 bits less the condition's.
  double *hi, *lo;
  /// [R, P] half widths of the box around it.
  double* radii;
  /// [R, P] the stationary point's coordinates rounded to doubles.
  double* rounded;
  /// [R, proof_numbers]
  double* numbers;
};

struct ProverKernels {
  void (*prove)(const Problem<double>&, const double* theta, Parts&, const Proofs&);
  /// Newton's method from each point to a strict minimum: as `prove`, without a box. Status `singular` where it comes
  /// to none.
  void (*settle)(const Problem<double>&, const double* theta, Parts&, const Proofs&);
  /// Krawczyk's test in the box of half widths `radii` around `center` [P]; says nothing of inertia.
  bool (*holds)(const Problem<double>&, const double* center, const double* radii);
  /// Over the box lo … hi [P]: lower ends, then upper ends, of g [P] and of H [P, P] by intervals (4 runs of numbers),
  /// then f and g [1 + P] at lo by balls, three numbers each.
  void (*derivatives)(const Problem<double>&, const double* lo, const double* hi, double* out);
  /// Intervals through operation number `op` of `Operation`: n of them, `b` for those that take two.
  void (*enclose)(int op, size_t n, const double* alo, const double* ahi, const double* blo, const double* bhi,
                  double* lo, double* hi);
  /// Balls hi + lo ± rad through operation number `op`.
  void (*enclose_balls)(int op, size_t n, const double* a, const double* b, double* out);
};

#define MS_DECLARE_PROVER(target)    \
  namespace target {                 \
  extern const ProverKernels prover; \
  }
MS_DECLARE_PROVER(avx512)
MS_DECLARE_PROVER(avx2)
MS_DECLARE_PROVER(base)
#undef MS_DECLARE_PROVER

}  // namespace manystart
