// SPDX-License-Identifier: GPL-2.0
#include "watch.h"

void watch_compose_help(struct watch_page *p)
{
	static const char *const lines[] = {
		"up down, k j        select a lane; PgUp PgDn Home End as well",
		"left right, < >     sort by the column before or behind",
		"1 2 3               sort by lane, path, state",
		"4 5 6               ... by p50, p95, p99",
		"7 8 9               ... by floor, stretch, loss",
		"0 b t               ... by packets/s, bit/s, the newest p50",
		"r                   turn the order round",
		"/ text              show only rows, drops and events that have",
		"                    all these words; Esc shows all again",
		"Enter               look into the lane: paths, budgets, history,",
		"                    methods and halves, prefixes, its events",
		"Esc, q              back; q leaves the program at last",
		"Tab                 lanes alone, drops alone, events alone, all",
		"space               pause: nothing is asked until space again",
		"^L                  paint anew",
		" ",
		"Figures of the lanes are of the last 10 s and half far: gateway",
		"to the far end and back. loss: retransmitted segments of all,",
		"in millionths. floor: the least that light in fibre needs.",
		"stretch: p5 / floor. A trend's height is from the least to the",
		"greatest median shown, but never less than a tenth of it.",
		"State: steady, learning (no baseline yet), suspect (may be",
		"changing), changed; budget: one is broken; geography: faster",
		"than the floor allows.",
	};
	size_t i;

	watch_add(p, WATCH_TITLE, "  keys");
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		watch_add(p, WATCH_PLAIN, "  %s", lines[i]);
}
