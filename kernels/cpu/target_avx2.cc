// The kernels for AVX2; the Makefile gives this file its own instruction-set flags.
#define MS_TARGET ms_avx2
#define MS_TABLE avx2
#if defined(__aarch64__)
# define MS_NAME "NEON"
#elif !defined(__AVX512F__) && !defined(__AVX2__)
# define MS_NAME "SSE2"
#else
# define MS_NAME "AVX2"
#endif
#include "target.h"
