// The prover for AVX-512; the Makefile gives this file its own instruction-set flags.
#define MS_TARGET ms_avx512
#define MS_TABLE avx512
#include "prover_target.h"
