// The kernels for baseline; the Makefile gives this file its own instruction-set flags.
#define MS_TARGET ms_base
#define MS_TABLE base
#if defined(__aarch64__)
# define MS_NAME "NEON"
#elif !defined(__AVX512F__) && !defined(__AVX2__)
# define MS_NAME "SSE2"
#else
# define MS_NAME "baseline"
#endif
#include "target.h"
