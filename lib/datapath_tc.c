// SPDX-License-Identifier: GPL-2.0
/*
 * The two programs of traffic control (bpf/residence.bpf.h), as filters of a
 * clsact qdisc. A filter is known by our handle and priority and by its program's
 * name; whatever else is there is not touched. The qdisc stays when our filters
 * go: whether anybody else uses it cannot be asked and acted upon at once, it has
 * no pin that says who made it, and without filters it costs next to nothing.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "datapath_priv.h"
#include "sealane.skel.h"

/* Early, since a filter that matches may end the chain, while ours never do that
 * to others: one that comes behind us takes the packet's number away, but then the
 * counters show it. A priority that few would choose for theirs. */
#define HANDLE		0x5ea1a9e
#define PRIORITY	29

static const struct {
	enum bpf_tc_attach_point point;
	unsigned int bit;
	const char *program, *word;
} side_of[] = {
	{ BPF_TC_INGRESS, SL_TC_IN, "sealane_in", "ingress" },
	{ BPF_TC_EGRESS, SL_TC_OUT, "sealane_out", "egress" },
};

#define SIDES (sizeof(side_of) / sizeof(side_of[0]))

static int program_fd(const struct sl_dp *dp, unsigned int side)
{
	return bpf_program__fd(side_of[side].bit == SL_TC_IN ?
			       dp->skel->progs.sealane_in :
			       dp->skel->progs.sealane_out);
}

static int info_of(int fd, struct bpf_prog_info *info)
{
	__u32 len = sizeof(*info);

	memset(info, 0, len);
	return fd < 0 ? fd : bpf_obj_get_info_by_fd(fd, info, &len);
}

/* Program behind our handle and priority: its number; 0: none there; -EEXIST:
 * one of somebody else's. */
static int64_t find(const struct bpf_tc_hook *hook, unsigned int side)
{
	LIBBPF_OPTS(bpf_tc_opts, o, .handle = HANDLE, .priority = PRIORITY);
	struct bpf_prog_info info;
	int fd, rc;

	if (bpf_tc_query(hook, &o))
		return 0;
	fd = bpf_prog_get_fd_by_id(o.prog_id);
	rc = info_of(fd, &info);
	if (fd >= 0)
		close(fd);
	if (rc)
		return rc;
	if (strcmp(info.name, side_of[side].program))
		return -EEXIST;
	return o.prog_id;
}

static int put(struct sl_dp *dp, struct bpf_tc_hook *hook, unsigned int side)
{
	LIBBPF_OPTS(bpf_tc_opts, o, .handle = HANDLE, .priority = PRIORITY,
		    .prog_fd = program_fd(dp, side),
		    .flags = BPF_TC_F_REPLACE);
	int64_t there = find(hook, side);
	struct bpf_prog_info info;
	int rc;

	if (there < 0)
		return sl_dp_fail(dp, there, "handle %#x at TC %s is somebody "
				  "else's", HANDLE, side_of[side].word);
	if (there && !info_of(o.prog_fd, &info) && info.id == there)
		return 0;
	/* there already: somebody's, or ours of another time */
	rc = there ? 0 : bpf_tc_hook_create(hook);
	if (!rc || rc == -EEXIST)
		rc = bpf_tc_attach(hook, &o);
	return rc ? sl_dp_fail(dp, rc, "TC %s: %s", side_of[side].word,
			       strerror(-rc)) : 0;
}

static int take(struct sl_dp *dp, struct bpf_tc_hook *hook, unsigned int side)
{
	LIBBPF_OPTS(bpf_tc_opts, o, .handle = HANDLE, .priority = PRIORITY);
	int rc = find(hook, side) > 0 ? bpf_tc_detach(hook, &o) : 0;

	return rc && dp ? sl_dp_fail(dp, rc, "TC %s: %s", side_of[side].word,
				     strerror(-rc)) : rc;
}

/* Put the wanted ones, take the others off. */
static int set(struct sl_dp *dp, uint32_t ifindex, unsigned int wanted)
{
	/* libbpf would print what the kernel says of a refusal */
	libbpf_print_fn_t before = libbpf_set_print(NULL);
	unsigned int i;
	int rc = 0, one;

	for (i = 0; i < SIDES; i++) {
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
			    .attach_point = side_of[i].point);

		one = wanted & side_of[i].bit ? put(dp, &hook, i) :
						take(dp, &hook, i);
		rc = rc ? rc : one;
	}
	libbpf_set_print(before);
	return rc;
}

int sl_dp_set_tc(struct sl_dp *dp, uint32_t ifindex, unsigned int wanted)
{
	return set(dp, ifindex, wanted);
}

unsigned int sl_dp_get_tc(uint32_t ifindex)
{
	libbpf_print_fn_t before = libbpf_set_print(NULL);
	unsigned int i, there = 0;

	for (i = 0; i < SIDES; i++) {
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
			    .attach_point = side_of[i].point);

		if (find(&hook, i) > 0)
			there |= side_of[i].bit;
	}
	libbpf_set_print(before);
	return there;
}

int sl_dp_clear_tc(uint32_t ifindex)
{
	return set(NULL, ifindex, 0);
}

void sl_dp_set_transits(struct sl_dp *dp, uint32_t every)
{
	if (every > SL_SAMPLE_EVERY_MAX)
		every = SL_SAMPLE_EVERY_MAX;
	__atomic_store_n(&sl_dp_ctl(dp)->transit_every, every,
			 __ATOMIC_RELAXED);
}

uint32_t sl_dp_transits(const struct sl_dp *dp)
{
	return __atomic_load_n(&sl_dp_ctl(dp)->transit_every,
			       __ATOMIC_RELAXED);
}

void sl_dp_read_choosers(const struct sl_dp *dp, struct sl_chooser *out)
{
	uint32_t cpu;

	*out = (struct sl_chooser){};
	for (cpu = 0; cpu < dp->set.n_cpus; cpu++) {
		const struct sl_chooser *c = sl_dp_at(dp, SL_MAP_CHOOSERS, cpu);

		out->seen += __atomic_load_n(&c->seen, __ATOMIC_RELAXED);
		out->chosen += __atomic_load_n(&c->chosen, __ATOMIC_RELAXED);
		out->left += __atomic_load_n(&c->left, __ATOMIC_RELAXED);
		out->elsewhere += __atomic_load_n(&c->elsewhere,
						  __ATOMIC_RELAXED);
	}
}
