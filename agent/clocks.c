// SPDX-License-Identifier: GPL-2.0
/*
 * Clocks of NICs, for the stamps that they give to packets they send: read once a
 * second and told to the module, which uses what is fresh. A NIC is asked to stamp
 * only where it stamps nothing; what somebody else (ptp4l) has set is used as it
 * is, and who switches it off has the last word.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>
#include "duration.h"
#include "module.h"
#include "phc.h"

#define GOOD_FOR_NS (5ULL * 1000000000)

struct clock {
	uint32_t ifindex;	/* 0: a free place */
	char name[SL_NAME_B];
	int index, fd;		/* of /dev/ptpN; fd -1: not open */
	bool switched_on;	/* its stamping, by us */
	bool told;		/* the module knows it */
	bool said;		/* by which clock it stamps */
	struct sl_phc phc;
	char why[TEXT_B];	/* its stamps are not used; "" */
};

static struct clock clocks[SL_MAX_SLOTS];

static int ioctl_of(const char *name, unsigned long request, void *arg)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;
	struct ifreq ifr = {};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ifr.ifr_data = arg;
	rc = ioctl(fd, request, &ifr) ? -errno : 0;
	close(fd);
	return rc;
}

static struct clock *clock_of(uint32_t ifindex)
{
	unsigned int i;

	for (i = 0; i < SL_MAX_SLOTS; i++)
		if (clocks[i].ifindex == ifindex)
			return &clocks[i];
	return NULL;
}

static void tell(const struct agent *a, struct clock *c, bool good)
{
	const struct sl_phc_pair *p = &c->phc.pair[c->phc.n ? c->phc.n - 1 : 0];
	struct slk_clock k = { .ifindex = c->ifindex };

	if (good)
		k = (struct slk_clock){ .ifindex = c->ifindex,
					.ppb = sl_phc_ppb(&c->phc),
					.phc_ns = p->phc_ns,
					.mono_ns = p->mono_ns,
					.until_ns = sl_mono_ns() +
						    GOOD_FOR_NS };
	if ((good || c->told) && module_used(a))
		c->told = !ioctl(a->module->fd, SLK_IOC_CLOCK, &k) && good;
	if (good && !c->told)
		snprintf(c->why, sizeof(c->why), "the module does not take "
			 "the clock: %s", strerror(errno));
}

/* --- does the NIC stamp? --- */
static bool probe(struct clock *c)
{
	struct ethtool_ts_info info = { .cmd = ETHTOOL_GET_TS_INFO };
	char path[32];

	if (ioctl_of(c->name, SIOCETHTOOL, &info) || info.phc_index < 0 ||
	    !(info.so_timestamping & SOF_TIMESTAMPING_TX_HARDWARE)) {
		snprintf(c->why, sizeof(c->why), "the NIC or its driver cannot "
			 "stamp");
		return false;
	}
	if (c->fd >= 0 && c->index == info.phc_index)
		return true;
	if (c->fd >= 0)
		close(c->fd);
	c->phc.n = 0;
	c->index = info.phc_index;
	snprintf(path, sizeof(path), "/dev/ptp%d", c->index);
	c->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (c->fd < 0)
		snprintf(c->why, sizeof(c->why), "cannot open %s: %s", path,
			 strerror(errno));
	return c->fd >= 0;
}

/*
 * Stamping is on, switched on by us. A NIC has few places for stamps, often one: who
 * switched it on (ptp4l) would miss his, so it is left to him unless told otherwise.
 */
static bool stamping(struct clock *c, bool shared)
{
	struct hwtstamp_config cfg = {};
	int rc = ioctl_of(c->name, SIOCGHWTSTAMP, &cfg);

	if (!rc && cfg.tx_type == HWTSTAMP_TX_ON && (c->switched_on || shared))
		return true;
	if (!rc && cfg.tx_type == HWTSTAMP_TX_ON) {
		snprintf(c->why, sizeof(c->why), "its stamps are somebody else's "
			 "(hardware: shared takes some)");
		return false;
	}
	if (!rc && cfg.tx_type != HWTSTAMP_TX_OFF) {
		snprintf(c->why, sizeof(c->why), "it stamps packets of PTP "
			 "alone, as somebody set it");
		return false;
	}
	if (!rc && c->switched_on) {
		snprintf(c->why, sizeof(c->why), "somebody switched its stamping "
			 "off");
		return false;
	}
	if (!rc) {
		cfg.tx_type = HWTSTAMP_TX_ON;
		rc = ioctl_of(c->name, SIOCSHWTSTAMP, &cfg);
	}
	if (rc)
		snprintf(c->why, sizeof(c->why), "its stamping cannot be "
			 "switched on: %s", strerror(-rc));
	c->switched_on |= !rc;
	return !rc;
}

/* As it was, unless somebody changed it since. */
static void restore(struct clock *c)
{
	struct hwtstamp_config cfg = {};

	if (!c->switched_on || ioctl_of(c->name, SIOCGHWTSTAMP, &cfg) ||
	    cfg.tx_type != HWTSTAMP_TX_ON)
		return;
	cfg.tx_type = HWTSTAMP_TX_OFF;
	ioctl_of(c->name, SIOCSHWTSTAMP, &cfg);
	c->switched_on = false;
}

static bool measure(struct clock *c)
{
	struct sl_phc_pair pair;
	int rc = sl_phc_read(c->fd, &pair);

	if (rc)
		snprintf(c->why, sizeof(c->why), "its clock cannot be read: %s",
			 rc == -EAGAIN ? "the wall clock was set" :
			 strerror(-rc));
	else if (!sl_phc_add(&c->phc, &pair))
		snprintf(c->why, sizeof(c->why), "its clock was set");
	else
		return true;
	return false;
}

static void sync_clock(struct agent *a, struct clock *c)
{
	bool good = a->cfg->residence.hardware;
	char was[TEXT_B];

	memcpy(was, c->why, sizeof(was));
	c->why[0] = '\0';
	if (!good) {
		snprintf(c->why, sizeof(c->why), "residence: {hardware: off} "
			 "in the configuration");
		restore(c);
		c->phc.n = 0;	/* what was known grows old */
	}
	good = good && probe(c) &&
	       stamping(c, a->cfg->residence.shared) && measure(c);
	tell(a, c, good);
	if (!c->said || strcmp(was, c->why))
		event(a, LOG_NOTICE, "module", NULL, "interface %s: stamps of "
		      "sent packets are taken %s%s%s", c->name, good ?
		      "by the NIC" : "in software", good ? "" : ": ",
		      c->why);
	c->said = true;
}

static void leave(struct agent *a, struct clock *c)
{
	tell(a, c, false);
	restore(c);
	if (c->fd >= 0)
		close(c->fd);
	*c = (struct clock){ .fd = -1 };
}

/* Does a packet leave home there? */
static bool wanted(const struct agent *a, uint32_t ifindex)
{
	unsigned int i;

	for (i = 0; i < a->n_ports; i++)
		if (a->ports[i].ifindex == ifindex && a->ports[i].mode &&
		    !a->ports[i].held_off &&
		    a->ports[i].cfg.side == SL_SIDE_OUTSIDE)
			return true;
	return false;
}

void clocks_second(struct agent *a)
{
	unsigned int i;
	struct clock *c;

	for (i = 0; i < SL_MAX_SLOTS; i++)
		if (clocks[i].ifindex && !wanted(a, clocks[i].ifindex))
			leave(a, &clocks[i]);
	for (i = 0; i < a->n_ports && module_stamps(a); i++) {
		uint32_t ifindex = a->ports[i].ifindex;

		if (!ifindex || !wanted(a, ifindex) || clock_of(ifindex))
			continue;
		c = clock_of(0);
		if (!c)
			break;
		*c = (struct clock){ .ifindex = ifindex, .fd = -1 };
		snprintf(c->name, sizeof(c->name), "%s", a->ports[i].cfg.name);
	}
	for (i = 0; i < SL_MAX_SLOTS && module_stamps(a); i++)
		if (clocks[i].ifindex)
			sync_clock(a, &clocks[i]);
}

void clocks_forget(struct agent *a)
{
	unsigned int i;

	for (i = 0; i < SL_MAX_SLOTS; i++)
		if (clocks[i].ifindex)
			leave(a, &clocks[i]);
}

bool clock_is_used(const struct agent *a, uint32_t ifindex)
{
	const struct clock *c = clock_of(ifindex);

	return module_stamps(a) && c && c->ifindex && c->told;
}

struct json_object *clock_doc(const struct agent *a, uint32_t ifindex)
{
	const struct clock *c = clock_of(ifindex);
	struct json_object *o;
	char device[32];

	if (!module_stamps(a) || !ifindex || !c)
		return NULL;
	o = json_object_new_object();
	put_text(o, "stamps", c->told ? "hardware" : "software");
	put_text(o, "why", c->why[0] ? c->why : NULL);
	snprintf(device, sizeof(device), "/dev/ptp%d", c->index);
	put_text(o, "device", c->fd >= 0 ? device : NULL);
	if (!c->phc.n) {
		put_null(o, "offset_ns");
		put_null(o, "error_ns");
		put_null(o, "ppb");
		return o;
	}
	put_int(o, "offset_ns", c->phc.pair[c->phc.n - 1].phc_ns -
		c->phc.pair[c->phc.n - 1].mono_ns);
	put_int(o, "error_ns", c->phc.pair[c->phc.n - 1].error_ns);
	put_int(o, "ppb", sl_phc_ppb(&c->phc));
	return o;
}

int clocks_tai_s(void)
{
	struct timex t = {};

	return adjtimex(&t) < 0 ? 0 : t.tai;
}
