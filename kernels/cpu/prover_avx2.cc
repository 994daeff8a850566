// The prover for AVX2; the Makefile gives this file its own instruction-set flags.
#define MS_TARGET ms_avx2
#define MS_TABLE avx2
#include "prover_target.h"
