// The tests of lanes.h for avx2; the Makefile gives this file its own instruction-set flags.
#define MS_TARGET ms_avx2
#include "lanes.h"
