// SPDX-License-Identifier: GPL-2.0
/* doctor: the kernel module, and by which clock packets are seen to leave. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <sealane/kmod.h>
#include "datapath.h"
#include "doctor.h"

#define MODULE_DIR	"/sys/module/" SLK_MODULE
#define GOOD_FOR	"time in the egress queue and the NIC in half self, " \
			"far_net_ns, faster IPv6 lookup"

/* Nobody uses it: does it speak our language? */
static void check_device(struct report *r, const char *version)
{
	int fd = open(SLK_DEVICE, O_RDWR | O_CLOEXEC);
	struct slk_info i = {};

	if (fd < 0) {
		note(r, errno == EBUSY ? OK : WARN, "module",
		     errno == EBUSY ? "" : "run as root", "version %s, "
		     "%s", version, errno == EBUSY ? "in use" :
		     strerror(errno));
		return;
	}
	if (ioctl(fd, SLK_IOC_INFO, &i) || i.abi != SLK_ABI_VERSION)
		note(r, WARN, "module", "build both from one source: "
		     "docs/kmod.md", "version %s has interface %u, ours "
		     "is %d", version, i.abi, SLK_ABI_VERSION);
	else
		note(r, OK, "module", "", "version %s%s, for %s",
		     version, i.debug ? " (a debug build)" : "",
		     GOOD_FOR);
	close(fd);
}

void doctor_module(struct report *r, struct json_object *status)
{
	struct json_object *m = NULL;
	char version[64], source[64];

	if (access(MODULE_DIR, F_OK)) {
		note(r, WARN, "module", "modprobe " SLK_MODULE "; "
		     "docs/kmod.md tells how to build it", "not loaded: "
		     "without it there is no %s", GOOD_FOR);
		return;
	}
	line_of(MODULE_DIR "/version", version, sizeof(version));
	line_of(MODULE_DIR "/srcversion", source, sizeof(source));
	if (source[0] && strlen(version) + strlen(source) + 3 <
			 sizeof(version)) {
		strcat(version, " (");
		strcat(version, source);
		strcat(version, ")");
	}
	if (!sl_kmod_functions()) {
		note(r, WARN, "module", "build it anew: docs/kmod.md",
		     "version %s shows no types: its functions cannot "
		     "be called", version);
		return;
	}
	if (status)
		json_object_object_get_ex(status, "module", &m);
	if (m && !cli_int(m, "used"))
		note(r, WARN, "module", "sealane module on", "version "
		     "%s, the agent does not use it: %s", version,
		     cli_text(m, "why"));
	else if (m)
		note(r, OK, "module", "", "version %s, in use by the "
		     "agent", version);
	else
		check_device(r, version);
}

/* What the agent knows of an interface's clock; NULL: nothing. */
static struct json_object *clock_of(struct json_object *status,
				    const char *name)
{
	struct json_object *o, *list, *one, *clock;
	size_t i;

	if (!status || !json_object_object_get_ex(status, "residence", &o) ||
	    !json_object_object_get_ex(o, "interfaces", &list))
		return NULL;
	for (i = 0; i < json_object_array_length(list); i++) {
		one = json_object_array_get_idx(list, i);
		if (!strcmp(cli_text(one, "name"), name) &&
		    json_object_object_get_ex(one, "clock", &clock))
			return clock;
	}
	return NULL;
}

void doctor_stamps(struct report *r, struct json_object *status,
		   const char *name)
{
	struct ethtool_ts_info info = { .cmd = ETHTOOL_GET_TS_INFO };
	struct json_object *c = clock_of(status, name);

	if (!if_nametoindex(name))
		return;		/* said already */
	if (c && cli_text(c, "error_ns")[0])
		note(r, OK, name, "", "stamps of sent packets in %s%s%s; "
		     "%s is %s ns ahead of CLOCK_MONOTONIC, +-%s ns, "
		     "%s ppb fast", cli_text(c, "stamps"),
		     cli_text(c, "why")[0] ? ": " : "",
		     cli_text(c, "why"), cli_text(c, "device"),
		     cli_text(c, "offset_ns"), cli_text(c, "error_ns"),
		     cli_text(c, "ppb"));
	else if (c)
		note(r, OK, name, "", "stamps of sent packets in "
		     "software: %s", cli_text(c, "why"));
	else if (ethtool(name, &info) || info.phc_index < 0 ||
		 !(info.so_timestamping & SOF_TIMESTAMPING_TX_HARDWARE))
		note(r, OK, name, "", "it cannot stamp the packets it "
		     "sends: half self would end at its driver");
	else
		note(r, OK, name, "", "it can stamp the packets it "
		     "sends, by /dev/ptp%d", info.phc_index);
}
