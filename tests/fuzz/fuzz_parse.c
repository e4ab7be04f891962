// SPDX-License-Identifier: GPL-2.0
/* Any bytes as a frame: the straight way and the loop of the packet parser end
 * for the same reason, with the same findings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "native/native.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *frame = malloc(size + 1);	/* exact end, for the sanitizer */
	const char *differs;

	if (size)
		memcpy(frame, data, size);
	differs = native_parse_twice(frame, size, size);
	if (differs) {
		fprintf(stderr, "%s\n", differs);
		abort();
	}
	free(frame);
	return 0;
}
