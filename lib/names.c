// SPDX-License-Identifier: GPL-2.0
#include <sealane/abi.h>
#include "names.h"

#define NAME(id, name) name,

#define NAMED(fn, LIST) \
const char *fn(unsigned int i) \
{ \
	static const char *const name[] = { LIST(NAME) }; \
	return i < sizeof(name) / sizeof(name[0]) ? name[i] : "?"; \
}

NAMED(sl_method_name, SL_METHODS)
NAMED(sl_half_name, SL_HALVES)
NAMED(sl_reason_name, SL_REASONS)
NAMED(sl_miss_name, SL_MISSES)

const char *sl_side_name(unsigned int side)
{
	static const char *const name[SL_SIDE_MAX] = {
		"none", "inside", "outside", "tap" };

	return side < SL_SIDE_MAX ? name[side] : "?";
}
