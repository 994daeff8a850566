// The tests of lanes.h for avx512; the Makefile gives this file its own instruction-set flags.
#define MS_TARGET ms_avx512
#include "lanes.h"
