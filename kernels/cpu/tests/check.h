// What tests say: nothing while all holds, and a line for what does not.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>

struct Checks {
  int held = 0, failed = 0;

  void that(bool holds, const std::string& what) {
    if (holds) held++;
    else if (++failed <= 20) std::printf("  does not hold: %s\n", what.c_str());
  }
  /// NaN is near nothing.
  void near(long double got, long double want, long double bound, const std::string& what) {
    const bool holds = std::fabs(got - want) <= bound;
    char numbers[120];
    if (!holds) std::snprintf(numbers, sizeof numbers, ": %.17Lg, not %.17Lg ± %.3Lg", got, want, bound);
    that(holds, holds ? what : what + numbers);
  }
};

/// Numbers that look random and are the same everywhere.
class Draws {
 public:
  explicit Draws(uint64_t seed) : state_(seed) {}
  /// Uniform in [0, 2^32) (Knuth's MMIX generator, its upper half).
  uint32_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return uint32_t(state_ >> 32);
  }
  double uniform(double low, double high) { return low + (high - low) * (next() / 4294967296.0); }
  int whole(int low, int high) { return low + int(next() % uint32_t(high - low + 1)); }

 private:
  uint64_t state_;
};

/// Defined by lanes.h for each instruction set.
#define MS_DECLARE_TESTS(target) \
  namespace target {             \
  void test_lanes(Checks&);      \
  }
MS_DECLARE_TESTS(ms_avx512)
MS_DECLARE_TESTS(ms_avx2)
MS_DECLARE_TESTS(ms_base)
#undef MS_DECLARE_TESTS
