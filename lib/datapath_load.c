// SPDX-License-Identifier: GPL-2.0
/* The object on its way into the kernel: which functions of the module it may
 * call, and why the verifier refused it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>
#include <sealane/kmod.h>
#include "datapath_priv.h"
#include "sealane.skel.h"

/* The verifier's own words: the last line of its log before the figures. */
static char verifier_said[160];

static void keep_line(const char *line, size_t n)
{
	if (!n || !strncmp(line, "processed ", 10) || !strncmp(line, "-- ", 3) ||
	    !strncmp(line, "verification time", 17) ||
	    !strncmp(line, "stack depth", 11) || !strncmp(line, "libbpf:", 7))
		return;
	snprintf(verifier_said, sizeof(verifier_said), ": %.*s", (int)n, line);
}

/* Print nothing, but remember why a program was refused. */
static int listen(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char *text = NULL, *line, *end;

	if (level != LIBBPF_WARN || vasprintf(&text, fmt, ap) < 0)
		return 0;
	if (strstr(text, "PROG LOAD LOG"))
		for (line = text; *line; line = *end ? end + 1 : end) {
			end = strchrnul(line, '\n');
			keep_line(line, end - line);
		}
	free(text);
	return 0;
}

/* Change the last letter of a name, wherever the object has it. */
static void hide(void *bytes, size_t len, const char *name)
{
	size_t n = strlen(name) + 1;	/* and no longer name's beginning */
	uint8_t *at = bytes, *end = at + len;

	while ((at = memmem(at, end - at, name, n)))
		at[n - 2] = '_';
}

/*
 * The kernel makes a program hold the module when it may call its functions,
 * even if the verifier then finds the calls dead. So that it can be removed, the
 * functions that are not used must not be found: the calls are weak.
 */
int sl_dp_open_skel(uint32_t functions, struct sealane_bpf **out)
{
	struct sealane_bpf *skel = calloc(1, sizeof(*skel));
	int rc = skel ? sealane_bpf__create_skeleton(skel) : -ENOMEM;
	const void *bytes;
	void *own = NULL;

	if (!rc) {
		bytes = skel->skeleton->data;
		own = malloc(skel->skeleton->data_sz);
		rc = own ? 0 : -ENOMEM;
	}
	if (!rc) {
		memcpy(own, bytes, skel->skeleton->data_sz);
		if (!(functions & SL_KMOD_STAMP))
			hide(own, skel->skeleton->data_sz, SLK_KFUNC_STAMP);
		if (!(functions & SL_KMOD_LOOKUP6))
			hide(own, skel->skeleton->data_sz, SLK_KFUNC_LOOKUP6);
		skel->skeleton->data = own;
		rc = bpf_object__open_skeleton(skel->skeleton, NULL);
	}
	free(own);	/* libbpf has its copies */
	if (rc && skel)
		sealane_bpf__destroy(skel);
	else if (!rc)
		*out = skel;
	return rc;
}

int sl_dp_load_skel(struct sl_dp *dp, struct sealane_bpf *skel)
{
	libbpf_print_fn_t before = libbpf_set_print(listen);
	int rc;

	verifier_said[0] = '\0';
	rc = sealane_bpf__load(skel);
	libbpf_set_print(before);
	return rc ? sl_dp_fail(dp, rc, "the kernel refused the program: %s%s",
			       strerror(-rc), verifier_said) : 0;
}
