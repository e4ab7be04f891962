// SPDX-License-Identifier: GPL-2.0
/* Any bytes as RIR statistics, geofeed or MaxMind DB (by the first byte):
 * refused before anything is told, or every prefix told is whole. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <stdio.h>
#include <unistd.h>
#include "input.h"

static int told(void *arg, const struct sl_prefix *p, uint16_t country,
		uint32_t asn)
{
	struct sl_prefix again;
	char text[SL_PREFIX_STR_B];

	(void)country;
	(void)asn;
	++*(size_t *)arg;
	if (sl_prefix_parse(sl_prefix_str(p, text), &again, NULL) ||
	    sl_prefix_cmp(p, &again))
		abort();
	return 0;
}

static int as_mmdb(const uint8_t *data, size_t size, size_t *n,
		   struct sl_mistakes *all)
{
	char path[64];
	int fd = memfd_create("mmdb", 0), rc;

	if (write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rc = sl_mmdb_walk(path, told, n, all);
	close(fd);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sl_mistakes all = {};
	size_t n = 0;
	char *text;
	int rc;

	if (!size)
		return 0;
	text = calloc(1, size);
	memcpy(text, data + 1, size - 1);
	switch (data[0] % 3) {
	case 0:
		rc = sl_rir_parse(text, size - 1, told, &n, &all);
		break;
	case 1:
		rc = sl_geofeed_parse(text, size - 1, told, &n, &all);
		break;
	default:
		rc = as_mmdb(data + 1, size - 1, &n, &all);
	}
	if (rc && (n || !all.total))
		abort();
	sl_mistakes_free(&all);
	free(text);
	return 0;
}
