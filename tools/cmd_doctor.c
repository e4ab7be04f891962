// SPDX-License-Identifier: GPL-2.0
/* doctor: what this host can and cannot do. Features are probed by trying,
 * never by version. */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "datapath.h"
#include "doctor.h"

void note(struct report *r, enum state s, const char *what,
	  const char *remedy, const char *fmt, ...)
{
	static const char *const word[] = { "ok", "warn", "fail" };
	struct json_object *o = json_object_new_object();
	char detail[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	json_object_object_add(o, "what", json_object_new_string(what));
	json_object_object_add(o, "state", json_object_new_string(word[s]));
	json_object_object_add(o, "detail", json_object_new_string(detail));
	json_object_object_add(o, "remedy", json_object_new_string(remedy));
	json_object_array_add(r->list, o);
	r->failed |= s == FAIL;
}

const char *line_of(const char *path, char *buf, size_t len)
{
	FILE *f = fopen(path, "r");

	buf[0] = '\0';
	if (f && fgets(buf, len, f))
		buf[strcspn(buf, "\n")] = '\0';
	if (f)
		fclose(f);
	return buf;
}

/* --- the host --- */
static void check_kernel(struct report *r)
{
	char buf[128];
	struct utsname u;

	uname(&u);
	note(r, OK, "kernel", "", "%s %s", u.release, u.machine);
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		note(r, WARN, "BTF", "use a kernel with CONFIG_DEBUG_INFO_BTF",
		     "the kernel shows no type information");
	else
		note(r, OK, "BTF", "", "the kernel's types are there");
	line_of("/proc/sys/net/core/bpf_jit_enable", buf, sizeof(buf));
	if (buf[0] == '0')
		note(r, WARN, "JIT", "sysctl net.core.bpf_jit_enable=1",
		     "BPF programs are interpreted: several times slower");
	else
		note(r, OK, "JIT", "", "BPF programs are compiled");
	line_of("/proc/sys/kernel/bpf_stats_enabled", buf, sizeof(buf));
	if (buf[0] == '1')
		note(r, WARN, "BPF statistics",
		     "sysctl kernel.bpf_stats_enabled=0",
		     "they cost every packet about 80 ns");
	else
		note(r, OK, "BPF statistics", "", "off");
	line_of("/sys/devices/system/clocksource/clocksource0/"
		"current_clocksource", buf, sizeof(buf));
	if (!strcmp(buf, "hpet") || !strcmp(buf, "acpi_pm"))
		note(r, WARN, "clock", "boot with a stable TSC",
		     "%s is slow to read", buf);
	else
		note(r, OK, "clock", "", "%s", buf[0] ? buf : "unknown");
}

static void check_rights(struct report *r)
{
	static const struct { int bit; const char *name; } caps[] = {
		{ 12, "CAP_NET_ADMIN" }, { 21, "CAP_SYS_ADMIN" },
		{ 39, "CAP_BPF" } };
	unsigned long long have = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");
	size_t i;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "CapEff: %llx", &have);
	if (f)
		fclose(f);
	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		if (!(have >> caps[i].bit & 1))
			note(r, FAIL, "rights", "run as root",
			     "%s is missing", caps[i].name);
		else
			note(r, OK, "rights", "", "%s", caps[i].name);
}

static void check_bpffs(struct report *r)
{
	struct statfs fs;

	if (!statfs("/sys/fs/bpf", &fs) && fs.f_type == BPF_FS_MAGIC)
		note(r, OK, "bpffs", "", "mounted at /sys/fs/bpf");
	else
		note(r, OK, "bpffs", "", "none at /sys/fs/bpf: the agent mounts "
		     "its own at /run/sealane/bpf");
}

static void check_load(struct report *r)
{
	struct sl_config *cfg = sl_config_default();
	struct sl_dp_opts o = { .cfg = cfg, .replay = true };
	struct sl_dp *dp = NULL;
	int rc = cfg ? sl_dp_open(&o, &dp) : -ENOMEM;

	if (rc)
		note(r, FAIL, "program", rc == -EPERM ? "run as root" :
		     "use a kernel of 6.1 or later", "%s", sl_dp_error(dp));
	else
		note(r, OK, "program", "", "the kernel's verifier accepts it");
	sl_dp_close(dp);
	sl_config_free(cfg);
}

/* What the agent says of itself, the caller's; NULL: it does not. */
static struct json_object *check_agent(struct cli *cli, struct report *r)
{
	struct json_object *doc;

	if (cli_call(cli, "status", NULL, true, &doc)) {
		note(r, WARN, "agent", "start sealaned", "none answers at %s",
		     cli_where(cli));
		return NULL;
	}
	note(r, OK, "agent", "", "answers at %s", cli_where(cli));
	return doc;
}

/* --- an interface --- */
int ethtool(const char *name, void *cmd)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;
	struct ifreq ifr = {};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ifr.ifr_data = cmd;
	rc = ioctl(fd, SIOCETHTOOL, &ifr);
	close(fd);
	return rc;
}

static void check_offloads(struct report *r, const char *name)
{
	struct ethtool_value v = { .cmd = ETHTOOL_GFLAGS };

	if (ethtool(name, &v))
		return;
	if (v.data & ETH_FLAG_LRO)
		note(r, WARN, name, "ethtool -K IF lro off",
		     "LRO is on: many drivers refuse XDP with it");
	if (v.data & ETH_FLAG_RXVLAN)
		note(r, WARN, name, "ethtool -K IF rxvlan off where VLANs name "
		     "paths", "the NIC takes VLAN tags off before XDP sees "
		     "them");
}

static void check_driver(struct report *r, const char *name)
{
	struct ethtool_drvinfo d = { .cmd = ETHTOOL_GDRVINFO };

	if (ethtool(name, &d))
		note(r, WARN, name, "expect generic XDP only",
		     "its driver does not name itself");
	else if (!strcmp(d.driver, "tun"))
		note(r, WARN, name, "write single packets, non-blocking",
		     "a TAP runs native XDP only for single-page non-blocking "
		     "writes, generic XDP for all others");
	else if (!strcmp(d.driver, "veth"))
		note(r, OK, name, "", "veth: native XDP; its peer sends single "
		     "packets while a program is attached");
	else
		note(r, OK, name, "", "driver %s", d.driver);
}

/* Attach a program of two instructions for a moment. */
static void try_native(struct report *r, const char *name, int ifindex)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT } };
	LIBBPF_OPTS(bpf_link_create_opts, o, .flags = XDP_FLAGS_DRV_MODE);
	int prog = bpf_prog_load(BPF_PROG_TYPE_XDP, "try", "GPL", pass, 2,
				 NULL), link;

	link = prog < 0 ? prog : bpf_link_create(prog, ifindex, BPF_XDP, &o);
	if (link < 0)
		note(r, FAIL, name, "attach --generic works, slowly",
		     "native XDP: %s", strerror(-link));
	else
		note(r, OK, name, "", "native XDP works (tried)");
	if (link >= 0)
		close(link);
	if (prog >= 0)
		close(prog);
}

static void check_iface(struct report *r, const char *name, bool try)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);
	unsigned int ifindex = if_nametoindex(name);

	if (!ifindex) {
		note(r, FAIL, name, "see ip link", "no such interface");
		return;
	}
	if (ifindex >= SL_MAX_IFINDEX)
		note(r, FAIL, name, "make it anew after a reboot",
		     "its number %u is above the limit", ifindex);
	check_driver(r, name);
	check_offloads(r, name);
	if (bpf_xdp_query(ifindex, 0, &q))
		note(r, WARN, name, "run as root", "XDP state is not readable");
	else if (q.prog_id)
		note(r, OK, name, "sealane status tells whether it is ours",
		     "an XDP program (id %u) is attached, %s", q.prog_id,
		     q.attach_mode == XDP_ATTACHED_DRV ? "native" :
		     q.attach_mode == XDP_ATTACHED_SKB ? "generic" : "several");
	else if (try)
		try_native(r, name, ifindex);
}

static const struct column columns[] = {
	{ "what", "check", COL_TEXT }, { "state", "state", COL_TEXT },
	{ "detail", "found", COL_TEXT }, { "remedy", "remedy", COL_TEXT }, {}
};

int cmd_doctor(struct cli *cli, int argc, char **argv)
{
	bool try = false;
	const struct option_spec spec[] = { { "--try", NULL, &try }, {} };
	struct report r = { .list = json_object_new_array() };
	struct json_object *doc, *status;
	int i, rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	check_kernel(&r);
	check_rights(&r);
	check_bpffs(&r);
	check_load(&r);
	status = check_agent(cli, &r);
	doctor_module(&r, status);
	for (i = 0; i < argc; i++) {
		check_iface(&r, argv[i], try);
		doctor_stamps(&r, status, argv[i]);
	}
	json_object_put(status);
	doc = json_object_new_object();
	json_object_object_add(doc, "checks", r.list);
	json_object_object_add(doc, "ok", json_object_new_boolean(!r.failed));
	if (!cli_json(cli, doc))
		cli_table(columns, r.list);
	json_object_put(doc);
	return r.failed ? REFUSED : DONE;
}
