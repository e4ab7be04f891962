// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel module: take it when it appears, let go of it when told. Everything
 * works without it, so whatever goes wrong here is said and lived with.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "commits.h"
#include "duration.h"
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

	if (why) {
		unused(a, why);
		return;
	}
	functions = sl_kmod_functions();
	images_adopt(a);
	if (!functions || sl_dp_use_module(a->dp, functions)) {
		unused(a, functions ? sl_dp_error(a->dp) :
		       "none of its functions is known");
		m->failed = instance;
		images_drop(a);
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
	int ms;

	clocks_forget(a);
	if (sl_dp_use_module(a->dp, 0))
		event(a, LOG_ERR, "module", NULL, "cannot load programs without "
		      "the module: %s", sl_dp_error(a->dp));
	module_collect(a);	/* what was settled until now */
	images_drop(a);
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
	images_second(a);
}

void module_stop(struct agent *a)
{
	unsigned int i;

	if (!a->module)
		return;
	images_settle(a);
	if (module_used(a))
		close(a->module->fd);
	for (i = 0; i < SLK_SERIES; i++)
		free(a->module->last[i]);
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
static void keep_last(struct module *m, uint32_t slot, const struct sl_hist *h)
{
	if (!m->last[slot])
		m->last[slot] = malloc(sizeof(*h));
	if (m->last[slot])
		*m->last[slot] = *h;
}

void module_walk(struct agent *a, module_series_fn take, void *arg)
{
	struct slk_read r = {};
	struct sl_hist h;

	if (!module_used(a))
		return;
	r.hist = (uintptr_t)&h;
	while (!ioctl(a->module->fd, SLK_IOC_READ, &r)) {
		take(arg, r.slot, r.key, &h);
		a->module->missed[r.slot] = (struct module_missed){
			r.key, r.lost, r.busy };
		a->module->n_series = r.from = r.slot + 1;
		keep_last(a->module, r.slot, &h);
	}
}

void module_peek(struct agent *a, module_series_fn take, void *arg)
{
	const struct module *m = a->module;
	uint32_t i;

	for (i = 0; module_used(a) && i < m->n_series; i++)
		if (m->last[i] && m->missed[i].key)
			take(arg, i, m->missed[i].key, m->last[i]);
}
