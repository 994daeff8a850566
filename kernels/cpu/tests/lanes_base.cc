// The tests of lanes.h for the baseline; the Makefile gives this file its own instruction-set flags.
#define MS_TARGET ms_base
#include "lanes.h"
