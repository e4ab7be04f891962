// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel module: take it when it appears, let go of it when told, look after
 * its copies of the IPv6 tables. Everything works without it, so whatever goes
 * wrong here is said and lived with.
 *
 * A copy is loaded when its table has been left alone for a second: a commit or a
 * push never waits for it, and while tables change every second the programs read
 * their own. The word that names the copy is cleared before the table changes
 * (sl_dp_outdate_image()).
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "commits.h"
#include "duration.h"
#include "kmod_image.h"
#include "module.h"

#define FREE_WAIT_MS	2000	/* programs are freed behind a grace period */

struct module *module_new(void)
{
	struct module *m = calloc(1, sizeof(*m));

	if (m)
		m->fd = -1;
	return m;
}

bool module_used(const struct agent *a)
{
	return a->module->fd >= 0;
}

bool module_stamps(const struct agent *a)
{
	return module_used(a) && a->module->functions & SL_KMOD_STAMP;
}

/* Not used, and why; said once. */
static void unused(struct agent *a, const char *why)
{
	struct module *m = a->module;

	if (!strcmp(m->why, why))
		return;
	snprintf(m->why, sizeof(m->why), "%s", why);
	if (why[0])
		event(a, LOG_WARNING, "module", NULL, "the module is loaded and "
		      "not used: %s", why);
}

/* --- its copies of the tables --- */
struct unloading {
	int fd;
	uint32_t handle;
};

static void *unload_beside(void *arg)
{
	struct unloading *u = arg;

	ioctl(u->fd, SLK_IOC_UNLOAD, &u->handle);
	close(u->fd);
	free(u);
	return NULL;
}

/* Beside the loop, since it waits for packets on their way. */
static void unload(const struct module *m, uint32_t handle)
{
	struct unloading *u = malloc(sizeof(*u));
	pthread_attr_t attr;
	pthread_t thread;

	if (!u)
		return;
	*u = (struct unloading){ fcntl(m->fd, F_DUPFD_CLOEXEC, 0), handle };
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, unload_beside, u))
		unload_beside(u);
	pthread_attr_destroy(&attr);
}

static void drop_image(struct agent *a, int bank)
{
	struct module_image *i = &a->module->image[bank];

	if (!i->handle)
		return;
	sl_dp_set_image(a->dp, bank, 0);
	unload(a->module, i->handle);
	i->handle = 0;
}

static void refused(struct agent *a, struct module_image *i, const char *why)
{
	struct json_object *detail = json_object_new_object();

	i->refused = true;
	a->module->images_refused++;
	put_text(detail, "why", why);
	event(a, LOG_WARNING, "module", detail, "the module did not take the "
	      "IPv6 table (%s); programs read it themselves", why);
}

static void load_image(struct agent *a, int bank)
{
	struct module_image *i = &a->module->image[bank];
	uint64_t began_ns = sl_mono_ns();
	struct slk_load l = {};
	size_t len_b = 0;
	void *bytes;
	int rc = sl_kmod_image(sl_dp_bank(a->dp, bank), &bytes, &len_b);

	if (!rc) {
		l.data = (uintptr_t)bytes;
		l.len_b = len_b;
		rc = ioctl(a->module->fd, SLK_IOC_LOAD, &l) ? -errno : 0;
		free(bytes);
	}
	if (rc) {
		refused(a, i, l.why[0] ? l.why : strerror(-rc));
		return;
	}
	i->handle = l.handle;
	sl_dp_set_image(a->dp, bank, l.handle);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	/* somebody wrote to the table while it was copied */
	if (sl_dp_table_version(a->dp, bank) != i->version)
		drop_image(a, bank);
	a->module->image_took_ns = sl_mono_ns() - began_ns;
}

/* A bank that packets read, or may read again. */
static void sync_bank(struct agent *a, int bank, bool wanted)
{
	struct module_image *i = &a->module->image[bank];
	uint32_t version = sl_dp_table_version(a->dp, bank);
	bool quiet = version == i->version;

	if (!quiet) {
		i->version = version;
		i->refused = false;
	}
	if (!wanted || (i->handle && (!quiet || !sl_dp_image(a->dp, bank))))
		drop_image(a, bank);
	else if (quiet && !i->handle && !i->refused)
		load_image(a, bank);
}

static void sync_images(struct agent *a)
{
	int live = sl_dp_epoch(a->dp) & 1;

	if (!(a->module->functions & SL_KMOD_LOOKUP6))
		return;
	sync_bank(a, live, true);
	sync_bank(a, !live, a->former.base);
}

/* --- take it, let it go --- */
static const char *open_device(struct module *m)
{
	static char text[TEXT_B];

	m->fd = open(SLK_DEVICE, O_RDWR | O_CLOEXEC);
	if (m->fd < 0) {
		snprintf(text, sizeof(text), errno == EBUSY ?
			 "another program has %s open" : "cannot open %s: %s",
			 SLK_DEVICE, strerror(errno));
		return text;
	}
	if (ioctl(m->fd, SLK_IOC_INFO, &m->info))
		snprintf(text, sizeof(text), "%s does not answer: %s",
			 SLK_DEVICE, strerror(errno));
	else if (m->info.abi != SLK_ABI_VERSION)
		snprintf(text, sizeof(text), "its interface is version %u, ours "
			 "is %d", m->info.abi, SLK_ABI_VERSION);
	else
		return NULL;
	close(m->fd);
	m->fd = -1;
	return text;
}

static void take(struct agent *a, uint64_t instance)
{
	struct module *m = a->module;
	const char *why = open_device(m);
	uint32_t functions;
	int bank;

	if (why) {
		unused(a, why);
		return;
	}
	functions = sl_kmod_functions();
	/* those of an agent before us are ours to unload, unless another module
	 * was loaded since */
	for (bank = 0; bank < 2; bank++) {
		if (!m->info.images)
			sl_dp_set_image(a->dp, bank, 0);
		m->image[bank] = (struct module_image){
			.handle = sl_dp_image(a->dp, bank),
			.version = sl_dp_table_version(a->dp, bank) - 1 };
	}
	if (!functions || sl_dp_use_module(a->dp, functions)) {
		unused(a, functions ? sl_dp_error(a->dp) :
		       "none of its functions is known");
		m->failed = instance;
		for (bank = 0; bank < 2; bank++)
			drop_image(a, bank);
		close(m->fd);
		m->fd = -1;
		return;
	}
	m->functions = functions;
	m->instance = instance;
	m->why[0] = '\0';
	event(a, LOG_NOTICE, "module", NULL, "module in use: version %s%s",
	      module_version(), m->info.debug ? ", a debug build" : "");
}

static int users(void)
{
	FILE *f = fopen("/sys/module/" SLK_MODULE "/refcnt", "re");
	int n = 0;

	if (f && fscanf(f, "%d", &n) != 1)
		n = 0;
	if (f)
		fclose(f);
	return n;
}

/* Nothing of ours holds it afterwards, so that rmmod works. */
static void let_go(struct agent *a)
{
	struct module *m = a->module;
	int bank, ms;

	clocks_forget(a);
	if (sl_dp_use_module(a->dp, 0))
		event(a, LOG_ERR, "module", NULL, "cannot load programs without "
		      "the module: %s", sl_dp_error(a->dp));
	module_collect(a);	/* what was settled until now */
	for (bank = 0; bank < 2; bank++)
		drop_image(a, bank);
	close(m->fd);
	m->fd = -1;
	m->functions = 0;
	for (ms = 0; users() && ms < FREE_WAIT_MS; ms += 10)
		usleep(10000);
	event(a, LOG_NOTICE, "module", NULL, "module no longer in use");
}

/* Why it shall not be used; NULL: it shall. */
static const char *unwanted(const struct agent *a)
{
	if (a->module->off)
		return "switched off";
	return a->cfg->module ? NULL : "module: off in the configuration";
}

static void sync_use(struct agent *a)
{
	struct module *m = a->module;
	const char *why = unwanted(a);
	uint64_t there = sl_kmod_instance();
	bool fresh;	/* its device may not be there yet */

	if (module_used(a) && why)
		let_go(a);
	fresh = there != m->loaded;
	m->loaded = there;
	if (!there)
		m->why[0] = '\0';
	else if (why && !module_used(a))
		snprintf(m->why, sizeof(m->why), "%s", why);
	else if (!module_used(a) && there != m->failed && !fresh)
		take(a, there);
}

void module_start(struct agent *a)
{
	a->module->loaded = sl_kmod_instance();
	sync_use(a);
}

void module_second(struct agent *a)
{
	sync_use(a);
	if (!module_used(a))
		return;
	ioctl(a->module->fd, SLK_IOC_INFO, &a->module->info);
	sync_images(a);
}

void module_stop(struct agent *a)
{
	if (!a->module)
		return;
	if (module_used(a))
		close(a->module->fd);
	free(a->module);
}

int module_set(struct agent *a, bool on, const struct caller *who,
	       struct refusal *r)
{
	struct module *m = a->module;
	struct json_object *detail;

	if (on && !a->cfg->module)
		return refuse(r, 409, "write module: auto and reload",
			      "the configuration says module: off");
	m->off = !on;
	m->failed = 0;
	m->loaded = sl_kmod_instance();
	detail = event_by(who);
	put_bool(detail, "on", on);
	event(a, LOG_NOTICE, "module", detail, "module switched %s by %s",
	      on ? "on" : "off", user_name(who));
	sync_use(a);
	if (!on || module_used(a))
		return 0;
	return m->loaded ?
	       refuse(r, 409, "see sealane doctor", "%s", m->why) :
	       refuse(r, 409, "modprobe sealane; it is taken when it appears",
		      "the module is not loaded");
}

/* --- what it measured --- */
void module_walk(struct agent *a, module_series_fn take, void *arg)
{
	struct slk_read r = {};
	struct sl_hist h;

	if (!module_used(a))
		return;
	r.hist = (uintptr_t)&h;
	while (!ioctl(a->module->fd, SLK_IOC_READ, &r)) {
		take(arg, r.slot, r.key, &h);
		r.from = r.slot + 1;
	}
}
