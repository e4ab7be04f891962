// SPDX-License-Identifier: GPL-2.0
/*
 * Any bytes as a conversation (tests/native/script.c) through the whole engine, with
 * what must hold checked after each packet. With SL_TWIN in the environment (and
 * as root) the loaded program gets the same packets, and every byte that either
 * writes is compared.
 */
#include <stdio.h>
#include <stdlib.h>
#include "native/shot.h"

#define PACKETS	128	/* of one input: longer ones only take longer */

static bool twin;

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	twin = getenv("SL_TWIN") != NULL;
	if (twin ? twin_open() : alone_open()) {
		fprintf(stderr, "the engine cannot be opened\n");
		exit(2);
	}
	known_ports();
	return 0;
}

static void fail(unsigned int number, const struct shot *s, const char *wrong)
{
	uint32_t i;

	fprintf(stderr, "packet %u at %llu ns, %u of %u bytes: %s\n", number,
		(unsigned long long)s->time_ns, s->len_b, s->wire_b, wrong);
	for (i = 0; i < s->len_b; i++)
		fprintf(stderr, "%02x", s->b[i]);
	fprintf(stderr, "\n");
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct script script;
	unsigned int number = 0;
	const char *wrong;
	uint32_t verdict;
	struct shot s;

	script_open(&script, data, size);
	sl_set.replay = !(script.mode & SCRIPT_LIVE);
	check_begin();
	native_forget();
	while (number < PACKETS && script_next(&script, &s)) {
		number++;
		if (!sl_set.replay && s.wire_b < s.len_b)
			s.wire_b = s.len_b;
		wrong = NULL;
		if (twin && sl_set.replay)
			wrong = twin_run(&s, &verdict);
		else
			verdict = alone_run(&s);
		if (!wrong)
			wrong = check_packet(&s, verdict);
		if (wrong)
			fail(number, &s, wrong);
	}
	if (twin)
		twin_undo();
	else
		native_undo(NULL);
	return 0;
}
