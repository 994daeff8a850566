// What each target offers; one table per precision. The targets are the same source, compiled for different instruction
// sets.
#pragma once

#include "parts.h"
#include "program.h"
#include "session.h"

namespace manystart {

template <class T>
struct Kernels {
  const char* name;
  int lanes;
  void (*evaluate)(const Problem<T>&, const double* theta, Parts&, double* f, double* g, double* H);
  /// z [R, N, C], offsets included.
  void (*outputs)(const Problem<T>&, const double* theta, Parts&, double* z);
  /// values [R, M]; counts [N, C'] is increased.
  void (*score)(const Problem<T>&, const double* theta, Parts&, double* values, double* counts);
  int (*score_columns)(Loss);
  int (*class_count)(Loss, int outputs);
  void (*run)(const Problem<T>&, const Program&, const RunOptions&, Sink&, uint64_t share);
  double (*fma_peak)(double seconds);
  double (*copy_rate)(double seconds, size_t bytes);
  /// Times `repeats` evaluations of one lane group on one core: seconds of each.
  void (*time_evaluate)(const Problem<T>&, const double* theta, bool H, int repeats, double* seconds);
  void (*time_step)(const Problem<T>&, const Program&, const double* theta, int repeats, double* evaluate,
                    double* update);
  void (*time_eigh)(const Problem<T>&, const double* theta, int repeats, double* seconds);
};

#define MS_DECLARE(target)                \
  namespace target {                      \
  extern const Kernels<double> kernels64; \
  extern const Kernels<float> kernels32;  \
  }
MS_DECLARE(avx512)
MS_DECLARE(avx2)
MS_DECLARE(base)
#undef MS_DECLARE

}  // namespace manystart
