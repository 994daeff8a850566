// The kernels for AVX-512; the Makefile gives this file its own instruction-set flags.
#define MS_TARGET ms_avx512
#define MS_TABLE avx512
#if defined(__aarch64__)
# define MS_NAME "NEON"
#elif !defined(__AVX512F__) && !defined(__AVX2__)
# define MS_NAME "SSE2"
#else
# define MS_NAME "AVX-512"
#endif
#include "target.h"
