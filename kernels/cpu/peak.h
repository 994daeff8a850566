// The machine's peak, measured: a register-only FMA loop and a copy. Benchmarks set their figures beside these.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstring>

#include "lanes.h"
#include "problem.h"

namespace MS_TARGET {

inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Floating-point operations per second of fused multiply-adds on one core, nothing but registers. The accumulators
/// differ, or the compiler would merge them and report more than there is.
template <class T>
double fma_peak(double seconds) {
#if defined(__AVX512F__) || defined(__aarch64__)
  constexpr int A = 24;
#else
  constexpr int A = 12;
#endif
  Vec<T> acc[A];
  for (int i = 0; i < A; i++) acc[i] = broadcast(T(1 + i * 0.01));
  Vec<T> a = broadcast(T(0.999)), b = broadcast(T(0.001));
  asm volatile("" : "+m"(a), "+m"(b));
  double best = 0;
  const double end = seconds_now() + seconds;
  do {
    constexpr int rounds = 200000;
    const double t = seconds_now();
    for (int r = 0; r < rounds; r++) {
#pragma GCC unroll 24
      for (int i = 0; i < A; i++) acc[i] = fma(acc[i], a, b);
    }
    const double rate = 2.0 * A * W<T> * rounds / (seconds_now() - t);
    if (rate > best) best = rate;
    for (int i = 0; i < A; i++) asm volatile("" : "+m"(acc[i]));
  } while (seconds_now() < end);
  return best;
}

/// Bytes per second read and written by a copy that reads half of so many bytes and writes the other half, again and
/// again: where they lie in a cache, its rate.
inline double copy_rate(double seconds, size_t bytes) {
  const size_t n = std::max<size_t>(bytes / 2 / sizeof(double), 64);
  const size_t copies = std::max<size_t>(1, (size_t(1) << 22) / (2 * n * sizeof(double)));
  manystart::Aligned<double> from(n), to(n);
  for (size_t i = 0; i < n; i++) from[i] = double(i), to[i] = 0;
  double best = 0;
  const double end = seconds_now() + seconds;
  do {
    const double t = seconds_now();
    for (size_t k = 0; k < copies; k++) {
      std::memcpy(to.get(), from.get(), n * sizeof(double));
      asm volatile("" : : "r"(from.get()), "r"(to.get()) : "memory");
    }
    const double rate = 2.0 * n * sizeof(double) * copies / (seconds_now() - t);
    if (rate > best) best = rate;
  } while (seconds_now() < end);
  return best;
}

}  // namespace MS_TARGET
