// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <sealane/kmod.h>
#include "kmod_image.h"
#include "replay_module.h"

static int load(struct cli *cli, struct sl_dp *dp, struct replay_module *m)
{
	struct slk_load l = {};
	size_t len_b = 0;
	void *bytes;
	int rc = sl_kmod_image(sl_dp_live(dp), &bytes, &len_b);

	if (!rc) {
		l.data = (uintptr_t)bytes;
		l.len_b = len_b;
		rc = ioctl(m->fd, SLK_IOC_LOAD, &l) ? -errno : 0;
		free(bytes);
	}
	if (rc)
		return cli_error(cli, REFUSED, "see sealane doctor",
				 "the module does not take the tables: %s",
				 l.why[0] ? l.why : strerror(-rc));
	m->handle = l.handle;
	return DONE;
}

int replay_module_use(struct cli *cli, struct sl_dp *dp,
		      struct replay_module *m)
{
	uint32_t functions = sl_kmod_functions() & SL_KMOD_LOOKUP6;
	int rc;

	m->fd = functions ? open(SLK_DEVICE, O_RDWR | O_CLOEXEC) : -1;
	if (m->fd < 0)
		return cli_error(cli, REFUSED, errno == EBUSY ?
				 "sealane module off" : "modprobe sealane; see "
				 "docs/kmod.md", "the module cannot be used: %s",
				 functions ? strerror(errno) :
				 "it is not loaded, or lacks the lookup");
	rc = load(cli, dp, m);
	if (!rc && sl_dp_use_module(dp, functions))
		rc = cli_error(cli, REFUSED, "see sealane doctor",
			       "cannot load the program for the module: %s",
			       sl_dp_error(dp));
	if (!rc)
		sl_dp_set_image(dp, sl_dp_epoch(dp) & 1, m->handle);
	return rc;
}

void replay_module_leave(struct replay_module *m)
{
	if (m->fd < 0)
		return;
	if (m->handle)
		ioctl(m->fd, SLK_IOC_UNLOAD, &m->handle);
	close(m->fd);
}
