// SPDX-License-Identifier: GPL-2.0
/* sealaned: start, the mirrored stop, and reload. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include "access.h"
#include "changes.h"
#include "commits.h"
#include "duration.h"
#include "history.h"
#include "metrics.h"
#include "module.h"
#include "plan.h"
#include "prefixes.h"

static void usage(FILE *f)
{
	fprintf(f, "usage: sealaned [-c FILE] [--check]\n\n"
		"  -c FILE    configuration (default %s)\n"
		"  --check    read it, say what is wrong, and exit\n"
		"  --help, --version\n\n"
		"SIGHUP reads the configuration anew; a bad file changes "
		"nothing.\nOn SIGTERM the agent leaves the data plane running: "
		"lanes are counted and\nblocks enforced until `sealane "
		"detach`.\n", SL_CONFIG_PATH);
}

/* Every mistake of a file on a line of its own. */
static struct sl_config *read_config(const char *path, struct refusal *r)
{
	struct sl_config_errors errs = {};
	struct sl_config *cfg = NULL;
	unsigned int i;

	if (sl_config_load(path, &cfg, &errs)) {
		refuse(r, 400, "mend the file; nothing was changed",
		       "%s has %u mistakes", path, errs.n);
		for (i = 0; i < errs.n; i++)
			refuse_item(r, "%s:%u:%u: %s; %s", path,
				    errs.e[i].line, errs.e[i].column,
				    errs.e[i].message, errs.e[i].remedy);
	}
	sl_config_errors_free(&errs);
	return cfg;
}

/* The mistakes of every file that a configuration names. */
static int load_world(const struct sl_config *cfg, const uint32_t *lane_id,
		      struct world **out, struct refusal *r)
{
	struct sl_mistakes all = {};
	size_t i;
	int rc = world_load(cfg, lane_id, out, &all);

	if (rc)
		refuse(r, 400, "mend the files; nothing was changed",
		       "%zu mistakes in the files that the configuration names",
		       all.total);
	for (i = 0; rc && i < all.n; i++)
		refuse_item(r, "%s; %s", all.m[i].message, all.m[i].remedy);
	sl_mistakes_free(&all);
	return rc;
}

void say_refusal(struct refusal *r)
{
	size_t i;

	say(LOG_ERR, "%s; %s", r->message, r->remedy);
	for (i = 0; r->items && i < json_object_array_length(r->items); i++)
		say(LOG_ERR, "%s", json_object_get_string(
		    json_object_array_get_idx(r->items, i)));
	json_object_put(r->items);
	r->items = NULL;
}

/* --check: the file and all that it names. */
static int check_config(const char *path)
{
	struct refusal r = {};
	struct sl_config *cfg = read_config(path, &r);
	struct world *w = NULL;
	int rc = cfg ? load_world(cfg, NULL, &w, &r) : -1;

	if (!rc)
		rc = api_check(cfg, &r);
	if (rc)
		say_refusal(&r);
	else
		printf("%s: valid, %u lanes, %u interfaces, %zu prefixes\n",
		       path, cfg->n_lanes, cfg->n_ifaces,
		       w->rib->n4 + w->rib->n6);
	world_free(w);
	sl_config_free(cfg);
	return rc ? 2 : 0;
}

/* Numbers of the lanes, the same for a name for ever, so that counters and
 * histograms keep their meaning over reloads and restarts. */
uint32_t *number_lanes(struct agent *a, const struct sl_config *cfg)
{
	uint32_t *ids = calloc(cfg->n_lanes + 1, sizeof(*ids));
	bool in_use[SL_MAX_LANES] = {};
	unsigned int i;
	int id;

	for (i = 0; i < SL_MAX_LANES; i++)
		in_use[i] = a->lane_name[i][0];
	for (i = 0; ids && i < cfg->n_lanes; i++) {
		id = store_id(a, "lane", cfg->lanes[i].name, SL_MAX_LANES,
			      in_use);
		if (id < 0) {
			free(ids);
			return NULL;
		}
		ids[i] = id;
		in_use[id] = true;
	}
	return ids;
}

static void name_lanes(struct agent *a)
{
	unsigned int i;

	for (i = 0; i < a->cfg->n_lanes; i++)
		strcpy(a->lane_name[a->lane_id[i]], a->cfg->lanes[i].name);
}

/* What cannot change under running tables. */
static int same_sizes(const struct sl_config *x, const struct sl_config *y,
		      struct refusal *r)
{
	if (memcmp(&x->tables, &y->tables, sizeof(x->tables)) ||
	    x->flow_idle_ns != y->flow_idle_ns ||
	    x->stamp_max_ns != y->stamp_max_ns ||
	    strcmp(x->socket, y->socket) || strcmp(x->bpffs, y->bpffs) ||
	    strcmp(x->state_dir, y->state_dir))
		return refuse(r, 409, "detach, and start the agent anew",
			      "tables, timing, socket, state_dir and bpffs "
			      "cannot change while it runs");
	return 0;
}

/* Beside the loop; what touches the store was done before. */
int reload_make(struct agent *a, struct job *j)
{
	(void)a;
	j->step = "reading";
	return load_world(j->cfg, j->lane_id, &j->world, &j->r);
}

/* In the loop, when the job starts: the configuration and its numbers. */
int reload_begin(struct agent *a, struct job *j)
{
	sl_config_free(j->cfg);	/* all four: of a former attempt */
	free(j->lane_id);
	world_free(j->world);
	api_plan_free(j->api);
	j->lane_id = NULL;
	j->world = NULL;
	j->api = NULL;
	j->cfg = read_config(a->config_path, &j->r);
	if (!j->cfg || same_sizes(j->cfg, a->cfg, &j->r) ||
	    api_prepare(a, j->cfg, &j->api, &j->r))
		return -1;
	j->lane_id = number_lanes(a, j->cfg);
	if (!j->lane_id)
		return refuse(&j->r, 409, "use fewer lanes",
			      "no numbers left for the lanes");
	return guards_make(a, j->cfg, &j->guard) ?
	       refuse(&j->r, 500, "see the agent's log",
		      "cannot make the guards") : 0;
}

int reload_finish(struct agent *a, struct job *j)
{
	if (job_replay(a, j, a->extra))
		return -EAGAIN;
	tables_live(a, j, 0);
	sl_config_free(a->cfg);
	free(a->lane_id);
	world_free(a->world);
	a->cfg = j->cfg;
	a->lane_id = j->lane_id;
	a->world = j->world;
	j->cfg = NULL;
	j->lane_id = NULL;
	j->world = NULL;
	name_lanes(a);
	api_take(a, j->api);
	j->api = NULL;
	ports_configure(a);
	ports_sync(a);
	event(a, LOG_NOTICE, "reload", event_commit(a, &j->who, ""),
	      "configuration reloaded by %s: %u lanes", user_name(&j->who),
	      a->cfg->n_lanes);
	audit_note(a, &(struct audit){ .who = j->who, .action = "reload",
		   .object = a->config_path, .outcome = "done" });
	sd_notify(0, "READY=1");
	j->answer = json_object_new_object();
	put_int(j->answer, "generation", a->generation);
	put_int(j->answer, "lanes", a->cfg->n_lanes);
	put_int(j->answer, "interfaces", a->n_ports);
	return 0;
}

/* One agent per state directory. */
static int take_lock(struct agent *a)
{
	char path[300], pid[16] = "";
	ssize_t n;

	if (mkdir(a->cfg->state_dir, 0700) && errno != EEXIST) {
		say(LOG_ERR, "cannot make %s: %s", a->cfg->state_dir,
		    strerror(errno));
		return -1;
	}
	snprintf(path, sizeof(path), "%s/lock", a->cfg->state_dir);
	a->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (a->lock_fd < 0) {
		say(LOG_ERR, "cannot open %s: %s", path, strerror(errno));
		return -1;
	}
	if (flock(a->lock_fd, LOCK_EX | LOCK_NB)) {
		n = read(a->lock_fd, pid, sizeof(pid) - 1);
		say(LOG_ERR, "another agent (pid %.*s) uses %s; stop it first",
		    n > 0 ? (int)n : 1, n > 0 ? pid : "?", a->cfg->state_dir);
		return -1;
	}
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (ftruncate(a->lock_fd, 0) ||
	    pwrite(a->lock_fd, pid, strlen(pid), 0) < 0)
		say(LOG_WARNING, "cannot write %s", path);
	return 0;
}

static int open_datapath(struct agent *a)
{
	struct sl_dp_opts opts = { .cfg = a->cfg };
	int rc = sl_dp_pin_dir(a->cfg->bpffs, true, a->pin_dir,
			       sizeof(a->pin_dir));

	if (rc) {
		say(LOG_ERR, "no bpffs for the pins: %s; be root",
		    strerror(-rc));
		return rc;
	}
	opts.pin_dir = a->pin_dir;
	rc = sl_dp_open(&opts, &a->dp);
	if (rc) {
		say(LOG_ERR, "%s%s", sl_dp_error(a->dp), rc == -EPROTO ?
		    "; detach every interface and remove the pins, or start "
		    "with the former sizes" : "");
		return rc;
	}
	event(a, LOG_NOTICE, "agent", NULL, "data plane %s in %s, %.1f MB of "
	      "maps", sl_dp_origin(a->dp) == SL_DP_ADOPTED ? "adopted" :
	      "loaded", a->pin_dir, sl_dp_map_bytes(a->dp) / 1e6);
	bypass_start(a);
	return 0;
}

static int read_world(struct agent *a)
{
	struct refusal r = {};
	int rc = load_world(a->cfg, a->lane_id, &a->world, &r);

	if (rc)
		say_refusal(&r);
	return rc;
}

static int start(struct agent *a)
{
	struct rules *guard;

	if (take_lock(a) || events_open(a))
		return -1;
	event(a, LOG_NOTICE, "agent", NULL, "version %s started, pid %d",
	      SL_VERSION, (int)getpid());
	if (store_open(a) || generations_open(a) || store_load(a) ||
	    flowspec_open(a))
		return -1;
	a->lane_id = number_lanes(a, a->cfg);
	if (!a->lane_id)
		return -1;
	name_lanes(a);
	a->module = module_new();
	if (!a->module || read_world(a) || open_datapath(a) || jobs_open(a))
		return -1;
	module_start(a);
	generations_settle(a);
	audit_found(a);
	if (guards_make(a, a->cfg, &guard))
		return -1;
	guards_take(a, guard);
	if (flowspec_start(a) || tables_start(a) || ports_configure(a))
		return -1;
	ports_sync(a);
	return metrics_open(a) || collect_open(a) || prefixes_open(a) || history_open(a) ||
	       changes_open(a) || sample_open(a) || drops_open(a) ||
	       api_open(a);
}

static void stop(struct agent *a)
{
	unsigned int i;

	api_close(a);
	drops_close(a);
	jobs_close(a);
	sample_close(a);
	flowspec_close(a);
	changes_close(a);
	history_close(a);
	prefixes_close(a);
	collect_close(a);
	metrics_close(a);
	if (a->module)
		clocks_forget(a);
	module_stop(a);
	ports_free(a);
	sl_dp_close(a->dp);
	free(a->lane_id);
	generations_free(a);
	rules_free(a->rules);
	rules_free(a->guard);
	rules_free(a->flow);
	slots_free(a);
	store_close(a);
	events_close(a);
	for (i = 0; i < a->lists.n; i++)
		list_free(a->lists.l[i]);
	free(a->lists.l);
	free(a->blocks.b);
	tables_free(a);
	world_free(a->world);
	sl_config_free(a->cfg);
	if (a->lock_fd >= 0)
		close(a->lock_fd);
}

int main(int argc, char **argv)
{
	static struct agent a = { .config_path = SL_CONFIG_PATH,
				  .lock_fd = -1 };
	struct refusal r = {};
	bool check = false;
	int i, rc;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-c") && i + 1 < argc) {
			a.config_path = argv[++i];
		} else if (!strcmp(argv[i], "--check")) {
			check = true;
		} else if (!strcmp(argv[i], "--help")) {
			usage(stdout);
			return 0;
		} else if (!strcmp(argv[i], "--version")) {
			printf("sealaned %s\n", SL_VERSION);
			return 0;
		} else {
			fprintf(stderr, "sealaned: bad word %s\n", argv[i]);
			usage(stderr);
			return 1;
		}
	}
	if (check)
		return check_config(a.config_path);
	a.cfg = read_config(a.config_path, &r);
	if (!a.cfg) {
		say_refusal(&r);
		return 2;
	}
	a.started_ns = sl_now_ns();
	agent_signals();
	rc = start(&a) ? 2 : 0;
	if (!rc) {
		rc = agent_loop(&a) ? 2 : 0;
		event(&a, LOG_NOTICE, "agent", NULL, "stopped; the data plane "
		      "goes on");
	}
	stop(&a);
	return rc;
}
