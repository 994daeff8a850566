// The instruction sets that the kernels were compiled for, best first, and which of them this processor has.
#pragma once

#include <vector>

#include "kernels.h"
#include "prover.h"

#if defined(__x86_64__)
# include <cpuid.h>
#endif

namespace manystart {

struct Target {
  const char* id;
  const Kernels<double>* k64;
  const Kernels<float>* k32;
  const ProverKernels* prover;
  bool usable;
};

#if defined(__x86_64__)
struct Processor {
  bool fma = false, avx2 = false, avx512 = false;
};
/// Asked of the processor and of what the system saves of it: the compilers' own question (__builtin_cpu_supports)
/// wants a library that not all of them bring.
inline Processor processor() {
  Processor has;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return has;
  unsigned saved = 0, rest = 0;
  __asm__("xgetbv" : "=a"(saved), "=d"(rest) : "c"(0));
  const bool wide = (saved & 0x06) == 0x06, widest = (saved & 0xe6) == 0xe6;
  has.fma = wide && (c & bit_FMA);
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return has;
  constexpr unsigned needed = bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
  has.avx2 = wide && (b & bit_AVX2);
  has.avx512 = widest && (b & needed) == needed;
  return has;
}
#endif

inline const std::vector<Target>& targets() {
  static const std::vector<Target> list = [] {
    std::vector<Target> out;
#if defined(__x86_64__)
    const Processor has = processor();
    out.push_back({"avx512", &avx512::kernels64, &avx512::kernels32, &avx512::prover, has.fma && has.avx512});
    out.push_back({"avx2", &avx2::kernels64, &avx2::kernels32, &avx2::prover, has.fma && has.avx2});
#endif
    out.push_back({"base", &base::kernels64, &base::kernels32, &base::prover, true});
    return out;
  }();
  return list;
}

}  // namespace manystart
