// SPDX-License-Identifier: GPL-2.0
/*
 * The fixtures of the loaded program as one, so that a guest loads it once: there the
 * verifier takes seconds. FIXTURES is their list, X(test_exits) ...; each is the main
 * of its file. all_fixtures names: prints them; else they run, each between marks
 * like those of guest.sh.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define X(name) int name##_main(int argc, char **argv);
FIXTURES
#undef X

static const struct fixture {
	const char *name;
	int (*main)(int argc, char **argv);
} fixtures[] = {
#define X(name) { #name, name##_main },
	FIXTURES
#undef X
};

/* In a process of its own: they end by exit(). */
static int run(const struct fixture *f)
{
	char *argv[] = { (char *)f->name, NULL };
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(f->main(1, argv));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 99;
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
		const time_t from = time(NULL);
		int rc;

		if (argc > 1 && !strcmp(argv[1], "names")) {
			printf("%s\n", fixtures[i].name);
			continue;
		}
		printf("== begin %s\n", fixtures[i].name);
		fflush(stdout);
		rc = run(&fixtures[i]);
		printf("== end %s %d %ld\n", fixtures[i].name, rc,
		       (long)(time(NULL) - from));
		fflush(stdout);
	}
	return 0;
}
