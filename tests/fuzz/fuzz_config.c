// SPDX-License-Identifier: GPL-2.0
/* Any bytes as a configuration: refused with mistakes, or loaded. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sl_config_errors errs = {};
	struct sl_config *cfg = NULL;
	char path[64];
	int fd = memfd_create("config", 0), rc;

	if (write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rc = sl_config_load(path, &cfg, &errs);
	if (rc && !errs.n)
		abort();
	if (!rc)
		sl_config_free(cfg);
	sl_config_errors_free(&errs);
	close(fd);
	return 0;
}
