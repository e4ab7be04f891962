// SPDX-License-Identifier: GPL-2.0
/*
 * What this kernel's verifier says of the program: verifier_stats live|replay
 * [INTERFACE]. It is loaded as an agent (live) or a replay loads it, with the
 * default sizes (larger tables change nothing for the verifier), and attached to
 * the interface natively until we end. A line of JSON for each program.
 */
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <bpf/libbpf.h>
#include "datapath.h"

#define PROGRAMS_MAX	8
#define LOG_B		65536
#define LOG_STATS	4	/* the kernel's BPF_LOG_STATS */

struct program {
	const char *name;
	char log[LOG_B];
};

struct programs {
	unsigned int n;
	struct program p[PROGRAMS_MAX];
};

struct figures {
	unsigned int instructions, limit, states_per_insn, states_total;
	unsigned int states_peak, marks, verification_us;
	char stack_b[128];	/* of each function: 40+152+0 */
};

static int ask(struct bpf_object *obj, void *arg)
{
	struct programs *all = arg;
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj) {
		struct program *p = &all->p[all->n];

		if (!bpf_program__autoload(prog))
			continue;
		if (all->n == PROGRAMS_MAX)
			return -E2BIG;
		all->n++;
		p->name = bpf_program__name(prog);
		bpf_program__set_log_level(prog, LOG_STATS);
		bpf_program__set_log_buf(prog, p->log, sizeof(p->log));
	}
	return 0;
}

/* False: the log does not look as we know it. */
static bool read_log(const char *log, struct figures *f)
{
	const char *time = strstr(log, "verification time ");
	const char *stack = strstr(log, "stack depth ");
	const char *sum = strstr(log, "processed ");

	return time && stack && sum &&
	       sscanf(time, "verification time %u usec",
		      &f->verification_us) == 1 &&
	       sscanf(stack, "stack depth %127[0-9+]", f->stack_b) == 1 &&
	       sscanf(sum, "processed %u insns (limit %u) max_states_per_insn "
		      "%u total_states %u peak_states %u mark_read %u",
		      &f->instructions, &f->limit, &f->states_per_insn,
		      &f->states_total, &f->states_peak, &f->marks) == 6;
}

static bool print(const struct program *p, const char *settings,
		  const char *attached)
{
	struct figures f = {};
	struct utsname u;
	char *c;

	if (!read_log(p->log, &f)) {
		fprintf(stderr, "%s: no figures in the log: %s\n", p->name,
			p->log);
		return false;
	}
	uname(&u);
	for (c = f.stack_b; *c; c++)
		if (*c == '+')
			*c = ',';
	printf("{\"kernel\":\"%s\",\"settings\":\"%s\",\"program\":\"%s\","
	       "\"instructions\":%u,\"limit\":%u,\"states_peak\":%u,"
	       "\"states_total\":%u,\"states_per_insn_max\":%u,"
	       "\"stack_b\":[%s],\"verification_us\":%u,\"native_on\":\"%s\"}\n",
	       u.release, settings, p->name, f.instructions, f.limit,
	       f.states_peak, f.states_total, f.states_per_insn, f.stack_b,
	       f.verification_us, attached);
	return true;
}

static int attach(struct sl_dp *dp, const char *name)
{
	uint32_t ifindex = if_nametoindex(name);
	int rc;

	if (!ifindex) {
		fprintf(stderr, "no interface %s\n", name);
		return -1;
	}
	rc = sl_dp_attach(dp, ifindex, SL_XDP_NATIVE);
	if (rc)
		fprintf(stderr, "%s: %s\n", name, sl_dp_error(dp));
	return rc;
}

/* The end of what the verifier wrote: there it says why. */
static void complain(const struct sl_dp *dp, const struct programs *all)
{
	unsigned int i;

	fprintf(stderr, "%s\n", sl_dp_error(dp));
	for (i = 0; i < all->n; i++) {
		size_t n = strlen(all->p[i].log), from = n > 2000 ? n - 2000 : 0;

		fprintf(stderr, "%s: %s\n", all->p[i].name,
			all->p[i].log + from);
	}
}

int main(int argc, char **argv)
{
	static struct programs all;
	struct sl_config *cfg = sl_config_default();
	struct sl_dp_opts o = { .cfg = cfg, .before_load = ask,
				.before_load_arg = &all };
	struct sl_dp *dp;
	unsigned int i;
	int rc = 1;

	if (argc < 2 || argc > 3 ||
	    (strcmp(argv[1], "live") && strcmp(argv[1], "replay"))) {
		fprintf(stderr, "usage: verifier_stats live|replay [INTERFACE]\n");
		sl_config_free(cfg);
		return 1;
	}
	o.replay = !strcmp(argv[1], "replay");
	if (sl_dp_open(&o, &dp))
		complain(dp, &all);
	else
		rc = argc == 3 && attach(dp, argv[2]);
	for (i = 0; !rc && i < all.n; i++)
		rc = !print(&all.p[i], argv[1], argc == 3 ? argv[2] : "");
	sl_dp_close(dp);
	sl_config_free(cfg);
	return rc;
}
