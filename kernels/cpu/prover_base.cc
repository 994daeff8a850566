// The prover for baseline; the Makefile gives this file its own instruction-set flags.
#define MS_TARGET ms_base
#define MS_TABLE base
#include "prover_target.h"
