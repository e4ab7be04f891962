// SPDX-License-Identifier: GPL-2.0
/* Attach, update and detach: XDP links and their pins, with and without an
 * agent; the bpffs they live in. */
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "datapath_priv.h"

#define SYS_BPFFS	"/sys/fs/bpf"
#define OWN_BPFFS	"/run/sealane/bpf"

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && (uint64_t)fs.f_type == BPF_FS_MAGIC;
}

static int make_dir(const char *path)
{
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static int mount_own(void)
{
	if (is_bpffs(OWN_BPFFS))
		return 0;
	if (make_dir("/run/sealane") || make_dir(OWN_BPFFS))
		return -errno;
	return mount("bpf", OWN_BPFFS, "bpf", 0, "mode=0700") ? -errno : 0;
}

/* Does a directory or its parent lie on a bpffs? */
static bool on_bpffs(const char *dir)
{
	char parent[256];
	char *slash;

	if (is_bpffs(dir))
		return true;
	snprintf(parent, sizeof(parent), "%s", dir);
	slash = strrchr(parent, '/');
	if (!slash || slash == parent)
		return false;
	*slash = '\0';
	return is_bpffs(parent);
}

int sl_dp_pin_dir(const char *wanted, bool create, char *buf, size_t len)
{
	const char *dir = wanted && wanted[0] ? wanted : SYS_BPFFS "/sealane";
	const char *name = strrchr(dir, '/');
	int rc;

	if (on_bpffs(dir)) {
		snprintf(buf, len, "%s", dir);
	} else {
		rc = create ? mount_own() : 0;
		if (rc)
			return rc;
		snprintf(buf, len, OWN_BPFFS "/%s", name ? name + 1 : dir);
	}
	return create ? make_dir(buf) : 0;
}

static void link_path(char *buf, size_t len, const char *dir, uint32_t ifindex)
{
	snprintf(buf, len, "%s/link-%u", dir, ifindex);
}

/* ifindex of a pinned link's interface now; 0 when it is gone. */
static uint32_t link_ifindex(int fd)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) || info.type != BPF_LINK_TYPE_XDP)
		return 0;
	return info.xdp.ifindex;
}

/* Put our program behind an existing link. -ENOENT: there is none, or its
 * interface is gone (the dead pin is removed). */
static int update_link(struct sl_dp *dp, uint32_t ifindex, const char *path)
{
	int fd = bpf_obj_get(path), rc;

	if (fd < 0)
		return fd;
	if (link_ifindex(fd) != ifindex) {
		close(fd);
		unlink(path);
		return -ENOENT;
	}
	rc = bpf_link_update(fd, sl_dp_prog_fd(dp), NULL);
	close(fd);
	if (rc)
		return sl_dp_fail(dp, rc, "cannot update the link of "
				  "interface %u: %s", ifindex, strerror(-rc));
	return 0;
}

static int create_link(struct sl_dp *dp, uint32_t ifindex, int mode,
		       const char *path)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		.flags = mode == SL_XDP_GENERIC ? XDP_FLAGS_SKB_MODE :
						  XDP_FLAGS_DRV_MODE);
	int fd = bpf_link_create(sl_dp_prog_fd(dp), ifindex, BPF_XDP, &opts);
	int rc = 0;

	if (fd == -EBUSY || fd == -EEXIST)
		return sl_dp_fail(dp, -EBUSY, "interface %u already runs "
				  "another XDP program", ifindex);
	if (fd == -EOPNOTSUPP)
		return sl_dp_fail(dp, fd, "interface %u has no native XDP",
				  ifindex);
	if (fd < 0)
		return sl_dp_fail(dp, fd, "cannot attach to interface %u: %s",
				  ifindex, strerror(-fd));
	if (path)
		rc = bpf_obj_pin(fd, path);
	if (path)
		close(fd);	/* the pin holds the link */
	if (rc)
		return sl_dp_fail(dp, rc, "cannot pin %s: %s", path,
				  strerror(-rc));
	return 0;
}

int sl_dp_attach(struct sl_dp *dp, uint32_t ifindex, int mode)
{
	char path[320];
	int rc;

	if (!dp->dir[0])
		return create_link(dp, ifindex, mode, NULL);
	link_path(path, sizeof(path), dp->dir, ifindex);
	rc = update_link(dp, ifindex, path);
	return rc == -ENOENT ? create_link(dp, ifindex, mode, path) : rc;
}

/* Take the link off first, then its pin: a crash between leaves a dead pin,
 * which update_link() removes, and never a live program without one. */
static int detach_pin(const char *path)
{
	int fd = bpf_obj_get(path), rc = 0;

	if (fd < 0)
		return fd;
	if (link_ifindex(fd))
		rc = bpf_link_detach(fd);
	close(fd);
	if (unlink(path) && !rc)
		rc = -errno;
	return rc;
}

int sl_dp_detach(struct sl_dp *dp, uint32_t ifindex)
{
	char path[320];
	int rc;

	link_path(path, sizeof(path), dp->dir, ifindex);
	rc = detach_pin(path);
	if (rc == -ENOENT)
		return sl_dp_fail(dp, rc, "interface %u is not attached",
				  ifindex);
	sl_dp_clear_tc(ifindex);	/* without the link nobody knows it */
	if (rc)
		return sl_dp_fail(dp, rc, "cannot detach interface %u: %s",
				  ifindex, strerror(-rc));
	return 0;
}

static int attach_mode(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);

	if (bpf_xdp_query(ifindex, 0, &opts))
		return 0;
	if (opts.attach_mode == XDP_ATTACHED_DRV)
		return SL_XDP_NATIVE;
	return opts.attach_mode == XDP_ATTACHED_SKB ? SL_XDP_GENERIC : 0;
}

static void fill_iface(struct sl_dp_iface *i, uint32_t ifindex, int fd)
{
	*i = (struct sl_dp_iface){ .ifindex = ifindex };
	if (fd < 0 || link_ifindex(fd) != ifindex)
		return;
	if (!if_indextoname(ifindex, i->name))
		i->name[0] = '\0';
	i->mode = attach_mode(ifindex);
}

int sl_dp_ifaces(struct sl_dp *dp, struct sl_dp_iface *out, unsigned int max)
{
	unsigned int n = 0, ifindex;
	struct dirent *e;
	char path[600];
	DIR *dir;
	int fd;

	dir = opendir(dp->dir);
	if (!dir)
		return -errno;
	while (n < max && (e = readdir(dir))) {
		if (sscanf(e->d_name, "link-%u", &ifindex) != 1)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dp->dir, e->d_name);
		fd = bpf_obj_get(path);
		fill_iface(&out[n++], ifindex, fd);
		if (fd >= 0)
			close(fd);
	}
	closedir(dir);
	return n;
}

int sl_dp_set_port(struct sl_dp *dp, uint32_t ifindex, uint16_t vlan,
		   const struct sl_port *port)
{
	static const struct sl_port none;
	struct sl_vlan_key key = { .ifindex = ifindex, .vlan = vlan };
	int rc;

	if (ifindex >= SL_MAX_IFINDEX)
		return sl_dp_fail(dp, -E2BIG, "interface number %u is above "
				  "the limit of %d", ifindex,
				  SL_MAX_IFINDEX - 1);
	if (!vlan)
		rc = bpf_map_update_elem(dp->map[SL_MAP_PORTS].fd, &ifindex,
					 port ? port : &none, BPF_ANY);
	else if (port)
		rc = bpf_map_update_elem(dp->map[SL_MAP_VLANS].fd, &key, port,
					 BPF_ANY);
	else
		rc = bpf_map_delete_elem(dp->map[SL_MAP_VLANS].fd, &key);
	if (rc && !(rc == -ENOENT && !port))
		return sl_dp_fail(dp, rc, "cannot set interface %u: %s",
				  ifindex, strerror(-rc));
	return 0;
}

bool sl_dp_get_port(struct sl_dp *dp, uint32_t ifindex, struct sl_port *out)
{
	return !bpf_map_lookup_elem(dp->map[SL_MAP_PORTS].fd, &ifindex, out) &&
	       (out->side || out->vlans);
}

static void pins_of(char *buf, size_t len, const char *pin_dir)
{
	snprintf(buf, len, "%s/v%d", pin_dir, SL_ABI_VERSION);
}

int sl_dp_pinned_bypass(const char *pin_dir, bool on)
{
	char dir[300], path[340];
	struct sl_ctl *ctl;
	int fd;

	pins_of(dir, sizeof(dir), pin_dir);
	snprintf(path, sizeof(path), "%s/sl_ctl", dir);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd;
	/* one word: an agent that hangs may wake up and write the others */
	ctl = mmap(NULL, sizeof(*ctl), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0);
	close(fd);
	if (ctl == MAP_FAILED)
		return -errno;
	ctl->bypass = on;
	munmap(ctl, sizeof(*ctl));
	return 0;
}

int sl_dp_pinned_detach(const char *pin_dir, uint32_t ifindex)
{
	char dir[300], path[340];
	int rc;

	pins_of(dir, sizeof(dir), pin_dir);
	link_path(path, sizeof(path), dir, ifindex);
	rc = detach_pin(path);
	if (rc != -ENOENT)	/* not ours to touch, then */
		sl_dp_clear_tc(ifindex);
	return rc;
}
