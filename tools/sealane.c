// SPDX-License-Identifier: GPL-2.0
/* sealane: the command line. The table below is dispatch and help. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "config.h"
#include "remote.h"

static const struct command commands[] = {
	{ "doctor", "[--try] [IF...]",
	  "what this host can and cannot do, with the remedy",
	  "  --try     attach a trivial program for a moment to prove native "
	  "XDP\n", cmd_doctor },
	{ "status", "[--lanes]", "interfaces, drops by reason, tables, agent",
	  "  --lanes     how TCP fares on each lane, by direction, and its round\n"
	  "              trip under load beside the idle one\n",
	  cmd_status },
	{ "attach", "IF --side S [--path P] [--generic]",
	  "measure and enforce on an interface",
	  "  --side S    inside, outside or tap\n"
	  "  --path P    name of the cable behind an outside interface\n"
	  "  --generic   accept generic XDP (slow); never chosen by itself\n",
	  cmd_attach },
	{ "detach", "IF", "leave an interface; works without the agent too",
	  "", cmd_detach },
	{ "bypass", "on|off [--why TEXT]",
	  "pass everything at once; works without the agent too",
	  "  --why TEXT  reason, for the log and for who is on call next\n",
	  cmd_bypass },
	{ "module", "[on|off]", "the kernel module: what it does, use it or not",
	  "  on   use it (as the agent does by itself when it is loaded)\n"
	  "  off  let go of it, so that it can be removed; until `on`, or the\n"
	  "       agent starts anew\n", cmd_module },
	{ "latency", "[LANE...] [--by KEYS] [--half H] [--since T] [--until T]",
	  "round-trip times of the lanes",
	  "  --by KEYS   rows by lane, path, method, half, prefix "
	  "(comma-separated);\n"
	  "              the rest is merged\n"
	  "  --half H    only far, near, full or self (time in the gateway, which\n"
	  "              rows that merge halves leave out)\n"
	  "  --since T   RFC 3339, or a time before now such as -10m "
	  "(default -5m)\n"
	  "  --until T   likewise (default now)\n", cmd_latency },
	{ "history", "LANE [--since T] [--until T] [--step D] [--by KEYS] ...",
	  "a lane over time: a heat strip on a terminal, else rows",
	  "  --since T   RFC 3339, or a time before now such as -6h "
	  "(default -1h)\n"
	  "  --until T   likewise (default now)\n"
	  "  --step D    10s, 1m, 15m or several of them (default: some 60 to "
	  "120 steps);\n"
	  "              what is older is kept in longer ones\n"
	  "  --by KEYS   a strip for each path, method, half or prefix\n"
	  "  --half H    far (default), near, full or self\n"
	  "  --path P    only this cable\n"
	  "  --method M  only this method\n"
	  "  --heat      with -j: the counts of each step by bucket too\n",
	  cmd_history },
	{ "lanes", "[LANE...]",
	  "how the lanes are now: usual latency, changes, budgets",
	  "  Figures of the last 10 s, half far, by path; idle and working latency "
	  "of\n"
	  "  the last 5 min. Lane other is there while it sees traffic.\n",
	  cmd_lanes },
	{ "watch", "[-n N] [--every D]",
	  "a live screen: lanes, drops, events; rows without a terminal",
	  "  -n N       N rounds of rows instead of the screen, then end; with "
	  "-j one\n"
	  "             document per round\n"
	  "  --every D  ask that often, 1s to 1h (default 2s)\n"
	  "  On the screen ? shows the keys.\n", cmd_watch },
	{ "block", "ADDR|PREFIX... [--for D] [--why TEXT] [--count-only]",
	  "drop traffic from and to addresses",
	  "  --for D       end by itself, after 90s, 5m, 2h, 7d\n"
	  "  --why TEXT    reason, for the log\n"
	  "  --count-only  count what would be dropped\n"
	  "  --force       much live traffic is meant to be dropped\n",
	  cmd_block },
	{ "unblock", "PREFIX... [--why TEXT]", "let it pass again",
	  "  --why TEXT  reason, for the log\n", cmd_unblock },
	{ "list", "ls | show L | replace L FILE | remove L",
	  "named sets of prefixes, pushed and replaced as one",
	  "  ls                  all lists\n"
	  "  show L              a page of prefixes: [--from N] [--limit N]\n"
	  "  replace L FILE      a million prefixes or one; - is stdin, gzip is "
	  "unpacked\n"
	  "  remove L\n"
	  "  --format F          auto, cidr, netset (FireHOL) or spamhaus\n"
	  "  --force             much live traffic is meant to be dropped\n"
	  "  --why TEXT          reason, for the log\n", cmd_list },
	{ "events", "[--drops] [--follow] [--since T] [--kind K] [--limit N]",
	  "what happened: path changes, budgets, commits, refusals, faults",
	  "  --drops     headers of dropped packets instead, and who dropped "
	  "them\n"
	  "  --follow    and whatever comes, until interrupted\n"
	  "  --since T   RFC 3339, or a time before now such as -1h\n"
	  "  --kind K    access, agent, budget, bypass, clock, commit, "
	  "congestion,\n"
	  "              disk, expiry, geography, history, interface, module,\n"
	  "              path-change, refused, reload, tables\n"
	  "  --limit N   the last N (default 100)\n", cmd_events },
	{ "rule", "check|plan|apply FILE | confirm | rollback [GEN] | ls | log",
	  "rules: check and apply files, confirm, go back",
	  "  check FILE     every mistake of a file, with line and remedy; - is "
	  "stdin\n"
	  "  -c CONF        lanes, paths and protected prefixes from a "
	  "configuration\n"
	  "  --force        a match that takes every packet is meant; much live "
	  "traffic may be dropped\n"
	  "  plan FILE      what it changes, and would do to the live traffic\n"
	  "  --since D      look only at what was sampled since then, 90s or "
	  "5m\n"
	  "  apply FILE     all of it at once, or nothing\n"
	  "  --confirm D    undo it after D (5s to 24h) unless confirmed, agent "
	  "or no agent\n"
	  "  --base GEN     refuse when the rules were changed after that "
	  "generation\n"
	  "  --why TEXT     reason, for log and audit\n"
	  "  confirm        keep what waits to be confirmed\n"
	  "  rollback [GEN] rules, lists and blocks as they were in GEN; "
	  "without it, undo what waits\n"
	  "  ls             the rules in force, with their hits\n"
	  "  log            generations, newest first: [--limit N]\n",
	  cmd_rule },
	{ "audit", "show | verify [FILE] | export [FILE]",
	  "who did what, and the proof that nothing was changed",
	  "  show           the last entries: [--since T] [--tag T] [--limit N]\n"
	  "  verify [FILE]  prove the agent's log, or an export, entry by entry\n"
	  "  export [FILE]  all of it as JSON lines; FILE must be new\n",
	  cmd_audit },
	{ "explain", "ADDR", "lane, blocks, lists and last round trips of an address",
	  "", cmd_explain },
	{ "flowspec", "exabgp | gobgp | ls | purge NEIGHBOUR",
	  "rules that BGP neighbours announce",
	  "  exabgp              read ExaBGP's JSON on stdin, as its process\n"
	  "  gobgp               read `gobgp monitor global rib -j` on stdin\n"
	  "  ls                  neighbours, and routes with what became of them\n"
	  "  purge NEIGHBOUR     enforce nothing of it until its session comes up\n"
	  "                      anew\n"
	  "  --neighbor-limit N  routes of a neighbour (default 1000)\n"
	  "  --grace D           routes hold without their session (default 120s)\n"
	  "  --source NAME       tells several speakers apart (default exabgp or\n"
	  "                      gobgp)\n"
	  "  --adj-in            gobgp: the lines are those of `monitor adj-in`\n",
	  cmd_flowspec },
	{ "token", "add NAME --role R | ls | remove NAME",
	  "who may ask the agent over TCP",
	  "  add NAME     make a token, and show it this once\n"
	  "  ls           names, roles, ends\n"
	  "  remove NAME  at once\n"
	  "  --role R     view, operate (attach, reload, bypass too) or enforce\n"
	  "               (all)\n"
	  "  --until T    it ends then: 90d, or RFC 3339\n"
	  "  --file F     the file; else the one that the configuration names\n"
	  "  -c CONF      the configuration\n", cmd_token },
	{ "replay", "FILE [-c CONF] [--rules RULES] [--samples OUT|-] "
	  "[--module]",
	  "run a capture through the data plane",
	  "  -c CONF        lanes, home and sizes from a configuration\n"
	  "  --rules RULES  with the rules of a file, and their hits\n"
	  "  --samples OUT  one JSON object per sample and line; - is stdout\n"
	  "  --module       IPv6 is looked up by the kernel module\n",
	  cmd_replay },
	{}
};

static void overview(FILE *f)
{
	const struct command *c;

	fprintf(f, "usage: sealane [OPTIONS] COMMAND [ARGUMENTS]\n\n"
		"Latency and drop rules of an international gateway.\n\n");
	for (c = commands; c->name; c++)
		fprintf(f, "  %-9s %s\n", c->name, c->summary);
	fprintf(f, "\nOptions, before or after the command:\n"
		"  -j             JSON\n"
		"  -p             JSON, indented\n"
		"  --socket PATH  the agent's socket (or $SEALANE_SOCKET; "
		"default %s)\n"
		"  --url URL      an agent elsewhere (or $SEALANE_URL), such as\n"
		"                 https://gateway.example:9479\n"
		"  --token-file F its token (or $SEALANE_TOKEN, the token "
		"itself)\n"
		"  --cacert F     whom to trust, instead of the system's "
		"authorities\n"
		"  --bpffs DIR    the data plane's pins (or $SEALANE_BPFFS)\n"
		"  --help         this, or a command's own help\n"
		"  --version\n\n"
		"Exit status: 0 done, 1 usage, 2 refused or failed, "
		"3 agent unreachable.\n", SL_SOCKET_PATH);
}

static const struct command *find(const char *name)
{
	const struct command *c;

	for (c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

/* A known command that differs in a letter or two, for the hint. */
static const char *resembling(const char *word)
{
	const struct command *c;
	size_t i, same;

	for (c = commands; c->name; c++) {
		for (i = same = 0; word[i] && c->name[i]; i++)
			same += word[i] == c->name[i];
		if (same + 1 >= strlen(c->name) || same >= 4)
			return c->name;
	}
	return NULL;
}

/* Where a global option's word goes; NULL: it is none. */
static const char **global_value(struct cli *cli, const char *word)
{
	return !strcmp(word, "--socket") ? &cli->socket :
	       !strcmp(word, "--bpffs") ? &cli->bpffs :
	       !strcmp(word, "--url") ? &cli->url :
	       !strcmp(word, "--token-file") ? &cli->token_file :
	       !strcmp(word, "--cacert") ? &cli->cacert : NULL;
}

/* Take the global options out of argv. */
static int global_options(struct cli *cli, int *argc, char **argv, bool *help)
{
	const char **value;
	int i, n = 1, rc = 0;

	for (i = 1; i < *argc && !rc; i++) {
		value = global_value(cli, argv[i]);
		if (!strcmp(argv[i], "-j")) {
			cli->json = true;
		} else if (!strcmp(argv[i], "-p")) {
			cli->json = cli->pretty = true;
		} else if (!strcmp(argv[i], "--help") ||
			   !strcmp(argv[i], "-h")) {
			*help = true;
		} else if (!strcmp(argv[i], "--version")) {
			printf("sealane %s\n", SL_VERSION);
			exit(DONE);
		} else if (value && i + 1 == *argc) {
			rc = cli_usage(cli, "%s wants a value", argv[i]);
		} else if (value) {
			*value = argv[++i];
		} else {
			argv[n++] = argv[i];
		}
	}
	*argc = n;
	argv[n] = NULL;
	return rc;
}

static const char *env(const char *name, const char *fallback)
{
	const char *v = getenv(name);

	return v && v[0] ? v : fallback;
}

int main(int argc, char **argv)
{
	struct cli cli = { .bpffs = env("SEALANE_BPFFS", "") };
	bool help = false;
	int rc = global_options(&cli, &argc, argv, &help);

	if (!rc && cli.url && cli.socket)
		rc = cli_usage(&cli, "name --url or --socket");
	if (!cli.url && !cli.socket)
		cli.url = env("SEALANE_URL", NULL);
	if (!cli.socket)
		cli.socket = env("SEALANE_SOCKET", SL_SOCKET_PATH);
	if (!rc)
		rc = remote_open(&cli);
	if (rc)
		return rc;
	if (argc < 2 && cli.json && !help)
		return cli_error(&cli, USAGE, "see sealane --help",
				 "a command is missing");
	if (argc < 2) {
		overview(help ? stdout : stderr);
		return help ? DONE : USAGE;
	}
	cli.cmd = find(argv[1]);
	if (!cli.cmd) {
		const char *like = resembling(argv[1]);

		return cli_error(&cli, USAGE, like ? like : "see sealane --help",
				 "unknown command %s", argv[1]);
	}
	if (help) {
		printf("usage: sealane %s %s\n\n%s\n%s%s", cli.cmd->name,
		       cli.cmd->args, cli.cmd->summary,
		       cli.cmd->help[0] ? "\n" : "", cli.cmd->help);
		return DONE;
	}
	rc = cli.cmd->run(&cli, argc - 2, argv + 2);
	if (cli_bypassed() && !cli.json && cli.cmd->run != cmd_bypass)
		fputs("sealane: BYPASS IS ON: nothing is measured or blocked; "
		      "sealane status says since when\n", stderr);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "sealane: cannot write the output\n");
		return REFUSED;
	}
	return rc;
}
