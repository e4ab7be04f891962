// SPDX-License-Identifier: GPL-2.0
/* Any bytes as a capture file: every record that comes out has whole bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sl_capture *c = NULL;
	struct sl_capture_pkt pkt;
	const uint8_t *frame;
	uint32_t len_b, wire_b, i, n = 0;
	uint8_t sum = 0;
	char path[64];
	int fd = memfd_create("capture", 0);

	if (write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!sl_capture_open(path, &c)) {
		while (n++ < 10000 && sl_capture_next(c, &pkt) == 1) {
			if (pkt.wire_b < pkt.cap_b)
				abort();
			if (sl_capture_frame(c, &pkt, &frame, &len_b, &wire_b))
				continue;
			if (len_b > 3520)
				abort();
			for (i = 0; i < len_b; i++)
				sum ^= frame[i];
			asm volatile("" : : "r"(sum));	/* read them all */
		}
		sl_capture_close(c);
	}
	close(fd);
	return 0;
}
