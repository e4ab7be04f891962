// SPDX-License-Identifier: GPL-2.0
/*
 * With and without the module: which of its functions this kernel has, and the
 * programs loaded anew for them, behind the same maps, links and filters.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sealane/kmod.h>
#include "datapath_priv.h"
#include "sealane.skel.h"

#define MODULE_BTF "/sys/kernel/btf/" SLK_MODULE

uint64_t sl_kmod_instance(void)
{
	struct stat st;

	/* a number that is not used again */
	return stat(MODULE_BTF, &st) ? 0 : st.st_ino;
}

/* By its types, since libbpf 1.1 cannot say of a module's function whether it
 * is there. */
uint32_t sl_kmod_functions(void)
{
	libbpf_print_fn_t before = libbpf_set_print(NULL);
	struct btf *base = btf__load_vmlinux_btf();
	struct btf *btf = base ? btf__load_module_btf(SLK_MODULE, base) : NULL;
	uint32_t found = 0;

	libbpf_set_print(before);
	if (btf && btf__find_by_name_kind(btf, SLK_KFUNC_STAMP,
					  BTF_KIND_FUNC) > 0)
		found |= SL_KMOD_STAMP;
	if (btf && btf__find_by_name_kind(btf, SLK_KFUNC_LOOKUP6,
					  BTF_KIND_FUNC) > 0)
		found |= SL_KMOD_LOOKUP6;
	btf__free(btf);
	btf__free(base);
	return found;
}

static int load_again(struct sl_dp *dp, uint16_t kmod,
		      struct sealane_bpf **out)
{
	struct sl_settings set = dp->set;
	struct sealane_bpf *skel;
	int i, rc = sl_dp_open_skel(kmod, out);

	if (rc)
		return sl_dp_fail(dp, rc, "cannot open the BPF object");
	skel = *out;
	set.kmod = kmod;
	memcpy((void *)&skel->rodata->sl_set, &set, sizeof(set));
	for (i = 0; !rc && i < SL_MAP_COUNT; i++)
		rc = bpf_map__reuse_fd(bpf_object__find_map_by_name(skel->obj,
				       dp->map[i].name), dp->map[i].fd);
	return rc ? sl_dp_fail(dp, rc, "cannot use map %s again: %s",
			       dp->map[i - 1].name, strerror(-rc)) :
		    sl_dp_load_skel(dp, skel);
}

/* The same maps by the new object's descriptors; whoever reads or maps one goes
 * on, for they are duplicates. */
static void take_over(struct sl_dp *dp, struct sealane_bpf *skel,
		      uint16_t kmod)
{
	int i;

	for (i = 0; i < SL_MAP_COUNT; i++)
		dp->map[i].fd = bpf_map__fd(bpf_object__find_map_by_name(
					    skel->obj, dp->map[i].name));
	dp->skel = skel;
	dp->set.kmod = kmod;
}

/* Every link and filter, in place. */
static int update_all(struct sl_dp *dp)
{
	struct sl_dp_iface list[SL_MAX_SLOTS];
	int i, rc = 0, one, n = dp->dir[0] ?
		sl_dp_ifaces(dp, list, SL_MAX_SLOTS) : 0;

	for (i = 0; i < n; i++) {
		if (!list[i].mode)
			continue;
		one = sl_dp_attach(dp, list[i].ifindex, list[i].mode);
		if (!one)
			one = sl_dp_set_tc(dp, list[i].ifindex,
					   sl_dp_get_tc(list[i].ifindex));
		rc = rc ? rc : one;
	}
	return rc;
}

int sl_dp_use_module(struct sl_dp *dp, uint32_t functions)
{
	struct sealane_bpf *skel = NULL, *before = dp->skel;
	int rc;

	if (dp->set.kmod == functions)
		return 0;
	rc = load_again(dp, functions, &skel);
	if (rc) {
		if (skel)
			sealane_bpf__destroy(skel);
		return rc;
	}
	take_over(dp, skel, functions);
	rc = update_all(dp);
	sealane_bpf__destroy(before);
	return rc;
}

/* --- the module's copies of the IPv6 tables --- */
void sl_dp_set_image(struct sl_dp *dp, unsigned int bank, uint32_t handle)
{
	__atomic_store_n(&sl_dp_ctl(dp)->image[bank & 1], handle,
			 __ATOMIC_RELEASE);
}

uint32_t sl_dp_image(const struct sl_dp *dp, unsigned int bank)
{
	return __atomic_load_n(&sl_dp_ctl(dp)->image[bank & 1],
			       __ATOMIC_ACQUIRE);
}

void sl_dp_outdate_image(struct sl_dp *dp, unsigned int bank)
{
	/* in this order: who sets a handle looks at the version afterwards, and
	 * sees it changed, or his handle is cleared here */
	__atomic_fetch_add(&dp->version[bank & 1], 1, __ATOMIC_SEQ_CST);
	sl_dp_set_image(dp, bank, 0);
	/* before any word of the table is written */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

uint32_t sl_dp_table_version(const struct sl_dp *dp, unsigned int bank)
{
	return __atomic_load_n(&dp->version[bank & 1], __ATOMIC_SEQ_CST);
}

const struct sl_fib_image *sl_dp_bank(const struct sl_dp *dp,
				      unsigned int bank)
{
	return &dp->bank[bank & 1];
}
