// SPDX-License-Identifier: GPL-2.0
/*
 * The module's copies of the IPv6 tables. One is loaded when its table has been
 * left alone for a second, and beside the loop: neither a commit nor a push ever
 * waits for it, and while tables change every second the programs read their own.
 *
 * The word that names a copy is cleared before its table changes, and the table's
 * version grows before that (sl_dp_outdate_image()): who has copied and finds the
 * version unchanged has copied one state of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "duration.h"
#include "kmod_image.h"
#include "module.h"

/* A copy on its way; the loop's but while `busy`. */
struct loading {
	pthread_t thread;
	bool started;
	bool busy;		/* written by the thread as its last step */
	int fd, bank;
	const struct sl_fib_image *from;
	uint32_t version;	/* of the table when it began */
	struct slk_load l;
	int rc;
	uint64_t took_ns;
};

static struct loading loading;

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

static void drop(struct agent *a, int bank)
{
	struct module_image *i = &a->module->image[bank];

	if (!i->handle)
		return;
	sl_dp_set_image(a->dp, bank, 0);
	unload(a->module, i->handle);
	i->handle = 0;
}

/* --- load --- */
static void *load_beside(void *arg)
{
	struct loading *w = arg;
	uint64_t began_ns = sl_mono_ns();
	size_t len_b = 0;
	void *bytes;

	w->rc = sl_kmod_image(w->from, &bytes, &len_b);
	if (!w->rc) {
		w->l.data = (uintptr_t)bytes;
		w->l.len_b = len_b;
		w->rc = ioctl(w->fd, SLK_IOC_LOAD, &w->l) ? -errno : 0;
		free(bytes);
	}
	w->took_ns = sl_mono_ns() - began_ns;
	__atomic_store_n(&w->busy, false, __ATOMIC_RELEASE);
	return NULL;
}

static void load(struct agent *a, int bank)
{
	struct loading *w = &loading;

	*w = (struct loading){ .busy = true, .fd = a->module->fd, .bank = bank,
			       .from = sl_dp_bank(a->dp, bank),
			       .version = a->module->image[bank].version };
	w->started = !pthread_create(&w->thread, NULL, load_beside, w);
}

static void refused(struct agent *a, struct module_image *i)
{
	const char *why = loading.l.why[0] ? loading.l.why :
			  strerror(-loading.rc);
	struct json_object *detail = json_object_new_object();

	i->refused = true;
	a->module->images_refused++;
	put_text(detail, "why", why);
	event(a, LOG_WARNING, "module", detail, "the module did not take the "
	      "IPv6 table (%s); programs read it themselves", why);
}

/* The copy has come: it is used if its table is still the same. */
static void finish(struct agent *a)
{
	struct loading *w = &loading;
	struct module_image *i = &a->module->image[w->bank];

	pthread_join(w->thread, NULL);
	w->started = false;
	if (w->rc) {
		/* a table that changed meanwhile may look like none */
		if (sl_dp_table_version(a->dp, w->bank) == w->version)
			refused(a, i);
		return;
	}
	a->module->image_took_ns = w->took_ns;
	i->handle = w->l.handle;
	sl_dp_set_image(a->dp, w->bank, i->handle);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	/* somebody wrote to the table while it was copied */
	if (sl_dp_table_version(a->dp, w->bank) != w->version)
		drop(a, w->bank);
}

void images_settle(struct agent *a)
{
	if (loading.started)
		finish(a);
}

/* --- a bank that packets read, or may read again --- */
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
		drop(a, bank);
	else if (quiet && !i->handle && !i->refused && !loading.started)
		load(a, bank);
}

void images_second(struct agent *a)
{
	int live = sl_dp_epoch(a->dp) & 1;

	if (!(a->module->functions & SL_KMOD_LOOKUP6))
		return;
	if (loading.started && !__atomic_load_n(&loading.busy,
						__ATOMIC_ACQUIRE))
		finish(a);
	sync_bank(a, live, true);
	sync_bank(a, !live, a->former.base);
}

static bool has(const struct slk_info *info, uint32_t handle)
{
	int i;

	for (i = 0; i < SLK_IMAGES; i++)
		if (handle && info->handle[i] == handle)
			return true;
	return false;
}

/* Copies that no bank names: an agent was killed between the two. */
static void unload_stray(struct agent *a)
{
	const struct slk_info *info = &a->module->info;
	int i;

	for (i = 0; i < SLK_IMAGES; i++)
		if (info->handle[i] &&
		    info->handle[i] != sl_dp_image(a->dp, 0) &&
		    info->handle[i] != sl_dp_image(a->dp, 1))
			unload(a->module, info->handle[i]);
}

void images_adopt(struct agent *a)
{
	struct module *m = a->module;
	int bank;

	for (bank = 0; bank < 2; bank++) {
		/* of a module that is gone */
		if (!has(&m->info, sl_dp_image(a->dp, bank)))
			sl_dp_set_image(a->dp, bank, 0);
		m->image[bank] = (struct module_image){
			.handle = sl_dp_image(a->dp, bank),
			.version = sl_dp_table_version(a->dp, bank) - 1 };
	}
	unload_stray(a);
}

void images_drop(struct agent *a)
{
	images_settle(a);
	drop(a, 0);
	drop(a, 1);
}
