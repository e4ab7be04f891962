// SPDX-License-Identifier: GPL-2.0
/*
 * What `sealane watch` makes of the agent's answers: the model, its order, its
 * figures and its lines, without a terminal.
 */
#include <locale.h>
#include <wchar.h>
#include "../../tools/watch_json.c"
#include "../../tools/watch_model.c"
#include "../../tools/watch_drops.c"
#include "../../tools/watch_sort.c"
#include "../../tools/watch_text.c"
#include "../../tools/watch_table.c"
#include "../../tools/watch_head.c"
#include "../../tools/watch_view.c"
#include "../../tools/watch_lane.c"
#include "../../tools/watch_help.c"
#include "../../tools/watch_keys.c"
#include "kselftest_harness.h"

#define NOW_NS 1790000000000000000ULL

static uint64_t state = 88172645463325252ULL;

static uint32_t any(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 20) % n;
}

static struct json_object *parse(const char *text)
{
	struct json_object *o = json_tokener_parse(text);

	if (!o)
		abort();	/* the test's own mistake */
	return o;
}

static void take_text(struct watch_model *m,
		      void (*take)(struct watch_model *, struct json_object *),
		      const char *text)
{
	struct json_object *o = parse(text);

	take(m, o);
	json_object_put(o);
}

static const char two_lanes[] =
"{\"gateway\":{\"name\":\"hkg1\",\"at\":null},\"lanes\":["
"{\"lane\":\"SG\",\"at\":[1.3,103.8],\"cable_km\":2900,\"floor_ns\":28971000,"
"\"floor_source\":\"cable\",\"geography\":\"ok\",\"idle_ns\":36000000,"
"\"packets_per_s\":120.5,\"bits_per_s\":963000,"
"\"working_p50_ns\":37000000,\"working_p90_ns\":41000000,\"budgets\":["
"{\"budget\":\"p99 <= 40ms over 5m\",\"state\":\"broken\",\"value_ns\":44000000,"
"\"since\":\"2026-11-26T04:00:00Z\"}],\"paths\":["
"{\"path\":\"sg-cable\",\"samples\":50,\"p5_ns\":36000000,\"p50_ns\":36140000,"
"\"p95_ns\":38000000,\"p99_ns\":44000000,\"min_ns\":35900000,"
"\"baseline_ns\":36000000,\"stretch\":1.243,\"hop_limit\":60,"
"\"state\":\"steady\",\"since\":null,\"packets_per_s\":120.5,"
"\"bits_per_s\":963000,\"retrans_ppm\":1200},"
"{\"path\":\"hk-cable\",\"samples\":0,\"p5_ns\":null,\"p50_ns\":null,"
"\"state\":\"changed\",\"packets_per_s\":0,\"retrans_ppm\":null}]},"
"{\"lane\":\"KL\",\"geography\":\"broken\",\"budgets\":[],\"paths\":["
"{\"path\":\"sg-cable\",\"p50_ns\":44150000,\"state\":\"learning\"}]},"
"{\"lane\":\"quiet\",\"paths\":[]},{\"lane\":\"new\",\"packets_per_s\":0.5,"
"\"bits_per_s\":3000,\"paths\":[{\"path\":\"sg-cable\",\"state\":\"learning\",\"samples\":0,"
"\"bits_per_s\":2000}]}]}";

static const struct watch_row *row(const struct watch_model *m,
				   const char *lane, const char *path)
{
	unsigned int i;

	for (i = 0; i < m->n_rows; i++)
		if (!strcmp(m->rows[i].lane, lane) &&
		    !strcmp(m->rows[i].path, path))
			return &m->rows[i];
	return NULL;
}

TEST(lanes_become_rows_with_the_agents_figures)
{
	struct watch_model m = { .now_ns = NOW_NS };
	const struct watch_row *r;

	take_text(&m, watch_take_lanes, two_lanes);
	ASSERT_EQ(m.n_rows, 5);
	EXPECT_EQ(m.n_lanes, 4);
	EXPECT_EQ(m.packets_per_s, 121);
	EXPECT_EQ(m.bits_per_s, 966000);
	EXPECT_EQ(m.n_broken, 1);
	EXPECT_EQ(m.n_changed, 1);
	EXPECT_STREQ(m.gateway, "hkg1");
	r = row(&m, "SG", "sg-cable");
	ASSERT_NE(r, NULL);
	EXPECT_EQ(r->num[WATCH_P50], 36140000);
	EXPECT_EQ(r->num[WATCH_P95], 38000000);
	EXPECT_EQ(r->num[WATCH_P99], 44000000);
	EXPECT_EQ(r->num[WATCH_FLOOR], 28971000);
	EXPECT_EQ(r->num[WATCH_STRETCH], 1.243);
	EXPECT_EQ(r->num[WATCH_LOSS], 1200);
	EXPECT_EQ(r->num[WATCH_PACKETS], 120.5);
	EXPECT_EQ(r->num[WATCH_BITS], 963000);
	EXPECT_STREQ(r->state, "budget");
	EXPECT_EQ(watch_row_style(r), WATCH_BAD);
	r = row(&m, "SG", "hk-cable");
	ASSERT_NE(r, NULL);
	EXPECT_TRUE(isnan(r->num[WATCH_P50]));
	EXPECT_TRUE(isnan(r->num[WATCH_LOSS]));
	EXPECT_STREQ(r->state, "changed, budget");
	r = row(&m, "KL", "sg-cable");
	ASSERT_NE(r, NULL);
	EXPECT_STREQ(r->state, "learning, geography");
	EXPECT_EQ(watch_row_style(r), WATCH_WARN);
	r = row(&m, "quiet", "");
	ASSERT_NE(r, NULL);
	EXPECT_STREQ(r->state, "no traffic");
	EXPECT_EQ(watch_row_style(r), WATCH_PLAIN);
	/* a path that saw nothing so far, and the lane's packets by none */
	r = row(&m, "new", "sg-cable");
	ASSERT_NE(r, NULL);
	EXPECT_STREQ(r->state, "learning");
	EXPECT_EQ(watch_row_style(r), WATCH_PLAIN);
	/* what is not named any more is gone */
	take_text(&m, watch_take_lanes, "{\"lanes\":[]}");
	EXPECT_EQ(m.n_rows, 0);
	EXPECT_EQ(m.n_broken, 0);
	watch_model_free(&m);
}

TEST(answers_of_the_wrong_shape_are_survived)
{
	static const char *const odd[] = { "[]", "5", "\"x\"", "{}",
		"{\"lanes\":5,\"rules\":\"x\",\"events\":{},\"last\":\"x\"}",
		"{\"lanes\":[null,1,[],{}],\"rules\":[null,1,{}],"
		"\"events\":[null,7],\"rows\":[null],\"step_s\":10}",
		"{\"lanes\":[{\"lane\":{},\"paths\":[{\"p50_ns\":\"1\","
		"\"p95_ns\":-5,\"p99_ns\":1e999,\"path\":[]}],"
		"\"budgets\":[1]}]}" };
	struct watch_model m = { .now_ns = NOW_NS };
	size_t i;
	int c;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct json_object *o = parse(odd[i]);

		watch_take_status(&m, o);
		watch_take_lanes(&m, o);
		watch_take_trends(&m, o);
		watch_take_events(&m, o);
		for (c = 0; c < WATCH_SOURCES; c++)
			watch_take_drops(&m, c, o, 1);
		json_object_put(o);
	}
	/* numbers that are none, negative or infinite are unknown */
	ASSERT_EQ(m.n_rows, 1);
	EXPECT_TRUE(isnan(m.rows[0].num[WATCH_P50]));
	EXPECT_TRUE(isnan(m.rows[0].num[WATCH_P95]));
	EXPECT_TRUE(isnan(m.rows[0].num[WATCH_P99]));
	EXPECT_EQ(m.n_drops, 0);
	watch_model_free(&m);
}

TEST(a_trend_is_what_was_put_in_by_step)
{
	double all[400];
	struct watch_trend t = {};
	int64_t i, last = 0, at;

	for (i = 0; i < WATCH_CELLS; i++)
		t.cell_ns[i] = NAN;
	for (i = 0; i < 400; i++)
		all[i] = NAN;
	for (i = 1; i < 2000; i++) {
		at = any(last + 20 < 400 ? last + 20 : 400);
		if (at > last)
			last = at;
		if (at > last - WATCH_CELLS)
			all[at] = i;
		watch_put_trend(&t, at, i);
		ASSERT_EQ(t.last, last);
		for (at = last; at > last - WATCH_CELLS && at >= 0; at--)
			ASSERT_TRUE(all[at] == t.cell_ns[at % WATCH_CELLS] ||
				    (isnan(all[at]) &&
				     isnan(t.cell_ns[at % WATCH_CELLS])));
	}
}

TEST(a_trend_shows_a_step_and_no_jitter)
{
	int64_t now = NOW_NS / S_NS / WATCH_CELL_S;
	struct watch_trend t = {};
	char text[64];
	int i;

	for (i = 0; i < WATCH_CELLS; i++)
		t.cell_ns[i] = NAN;
	for (i = 7; i >= 0; i--)
		watch_put_trend(&t, now - i, i > 3 ? 36e6 : 44e6);
	watch_trend_text(&t, NOW_NS, 10, false, text, sizeof(text));
	EXPECT_STREQ(text, "  ▁▁▁▁████");
	watch_trend_text(&t, NOW_NS, 10, true, text, sizeof(text));
	EXPECT_STREQ(text, "  ____####");
	/* 20 s later, with nothing new */
	watch_trend_text(&t, NOW_NS + 20 * S_NS, 10, true, text, sizeof(text));
	EXPECT_STREQ(text, "____####  ");
	for (i = 7; i >= 0; i--)
		watch_put_trend(&t, now - i, 36e6 + i * 1e5);
	watch_trend_text(&t, NOW_NS, 8, true, text, sizeof(text));
	EXPECT_STREQ(text, "..._____");
}

TEST(history_fills_the_minutes_before)
{
	struct watch_model m = { .now_ns = NOW_NS };
	char doc[600], at[40];
	const struct watch_row *r;

	take_text(&m, watch_take_lanes, two_lanes);
	sl_time_str(NOW_NS - 100 * S_NS, at, sizeof(at));
	snprintf(doc, sizeof(doc), "{\"step_s\":20,\"rows\":[{\"lane\":\"SG\","
		 "\"path\":\"sg-cable\",\"steps\":[{\"time\":\"%s\","
		 "\"p50_ns\":30000000},{\"time\":\"banana\",\"p50_ns\":1}]},"
		 "{\"lane\":\"nobody\",\"path\":\"x\",\"steps\":[]}]}", at);
	take_text(&m, watch_take_trends, doc);
	r = row(&m, "SG", "sg-cable");
	ASSERT_NE(r, NULL);
	EXPECT_EQ(r->trend.cell_ns[(r->trend.last - 10) % WATCH_CELLS], 3e7);
	EXPECT_EQ(r->trend.cell_ns[(r->trend.last - 9) % WATCH_CELLS], 3e7);
	EXPECT_TRUE(isnan(r->trend.cell_ns[(r->trend.last - 8) % WATCH_CELLS]));
	EXPECT_EQ(r->trend.cell_ns[r->trend.last % WATCH_CELLS], 36140000);
	/* and is kept over the next answer */
	take_text(&m, watch_take_lanes, two_lanes);
	r = row(&m, "SG", "sg-cable");
	EXPECT_EQ(r->trend.cell_ns[(r->trend.last - 9) % WATCH_CELLS], 3e7);
	watch_model_free(&m);
}

static void random_rows(struct watch_model *m, unsigned int n)
{
	unsigned int i;
	int c;

	m->rows = calloc(n, sizeof(*m->rows));
	m->n_rows = n;
	for (i = 0; i < n; i++) {
		struct watch_row *r = &m->rows[i];

		snprintf(r->lane, sizeof(r->lane), "lane%u", any(n / 2));
		snprintf(r->path, sizeof(r->path), "path%u", i);
		strcpy(r->state, any(2) ? "steady" : "changed");
		r->rank = any(8);
		for (c = 0; c < WATCH_COLUMNS; c++)
			r->num[c] = any(4) ? any(50) * 1e6 : NAN;
		r->trend.last = 0;
	}
}

TEST(rows_are_sorted_by_any_column_both_ways_unknown_ones_last)
{
	struct watch_model m = {};
	struct watch_order o = {};
	const struct watch_row **rows;
	unsigned int i, n;
	int c, down;

	random_rows(&m, 200);
	for (c = 0; c < WATCH_TREND; c++)
		for (down = 0; down < 2; down++) {
			o.column = c;
			o.down = down;
			rows = watch_rows_by(&m, &o, &n);
			ASSERT_EQ(n, 200);
			for (i = 1; i < n; i++) {
				const struct watch_row *a = rows[i - 1];
				const struct watch_row *b = rows[i];
				double x = c == WATCH_STATE ? a->rank : a->num[c];
				double y = c == WATCH_STATE ? b->rank : b->num[c];
				int d = c == WATCH_LANE ? strcmp(a->lane,
					b->lane) : c == WATCH_PATH ?
					strcmp(a->path, b->path) : isnan(x) ?
					(isnan(y) ? 0 : 99) : isnan(y) ? -99 :
					(x > y) - (x < y);

				ASSERT_NE(d, 99);
				if (d != -99)
					ASSERT_LE(down ? -d : d, 0);
			}
			free(rows);
		}
	watch_model_free(&m);
}

TEST(a_filter_wants_all_its_words_somewhere)
{
	static const char *const texts[] = { "SG", "sg-cable", "Changed", NULL };

	EXPECT_TRUE(watch_matches("", texts));
	EXPECT_TRUE(watch_matches("   ", texts));
	EXPECT_TRUE(watch_matches("CABLE", texts));
	EXPECT_TRUE(watch_matches("sg changed", texts));
	EXPECT_TRUE(watch_matches(" -cab  ang ", texts));
	EXPECT_FALSE(watch_matches("sg steady", texts));
	EXPECT_FALSE(watch_matches("SGsg", texts));
	EXPECT_FALSE(watch_matches("cable-", texts));
}

TEST(text_takes_exactly_its_columns)
{
	static const char *const parts[] = { "a", "é", "東", "e\u0301", "ก้", "-",
					     "🙂", "\u200b", "\xff", "ß" };
	char text[400], out[WATCH_LINE_B];
	int i, k, width, flags;

	ASSERT_NE(setlocale(LC_CTYPE, "C.UTF-8"), NULL);
	EXPECT_FALSE(watch_ascii());
	for (i = 0; i < 20000; i++) {
		text[0] = '\0';
		for (k = any(20); k; k--)
			strcat(text, parts[any(10)]);
		width = any(30);
		flags = any(2) ? WATCH_RIGHT : 0;
		watch_fit(out, sizeof(out), text, width, flags);
		ASSERT_EQ(watch_columns_of(out), width);
		ASSERT_EQ(mbstowcs(NULL, out, 0) == (size_t)-1, false);
	}
	watch_fit(out, sizeof(out), "東京レーン", 6, 0);
	EXPECT_STREQ(out, "東京… ");
	watch_fit(out, sizeof(out), "ab", 4, WATCH_RIGHT);
	EXPECT_STREQ(out, "  ab");
	watch_fit(out, sizeof(out), "x\u0301\u0301\u0301\u0301\u0301\u0301", 1,
		  0);
	EXPECT_STREQ(out, "x\u0301\u0301\u0301\u0301");
	setlocale(LC_CTYPE, "C");
	EXPECT_TRUE(watch_ascii());
	watch_fit(out, sizeof(out), "東京レーン", 4, WATCH_ASCII);
	EXPECT_STREQ(out, "???~");
}

TEST(figures_are_short_and_say_their_size)
{
	char b[24];

	EXPECT_STREQ(watch_ms(36140000, b), "36.14");
	EXPECT_STREQ(watch_ms(41000, b), "0.0410");
	EXPECT_STREQ(watch_ms(1234567890, b), "1235");
	EXPECT_STREQ(watch_ms(NAN, b), "-");
	EXPECT_STREQ(watch_ms(0, b), "0.0000");
	EXPECT_STREQ(watch_rate(0, b), "0");
	EXPECT_STREQ(watch_rate(7, b), "7");
	EXPECT_STREQ(watch_rate(0.25, b), "0.25");
	EXPECT_STREQ(watch_rate(99.7, b), "99.7");
	EXPECT_STREQ(watch_rate(999.6, b), "1.00k");
	EXPECT_STREQ(watch_rate(12345, b), "12.3k");
	EXPECT_STREQ(watch_rate(999499, b), "999k");
	EXPECT_STREQ(watch_rate(1e9, b), "1.00G");
	EXPECT_STREQ(watch_rate(NAN, b), "-");
	EXPECT_STREQ(watch_count(15025, b), "15025");
	EXPECT_STREQ(watch_ratio(1.243, b), "1.24");
	EXPECT_STREQ(watch_ago(0, b), "0 s");
	EXPECT_STREQ(watch_ago(99.9, b), "99 s");
	EXPECT_STREQ(watch_ago(100, b), "1 min");
	EXPECT_STREQ(watch_ago(7200, b), "2 h");
	EXPECT_STREQ(watch_ago(86400 * 3, b), "3 d");
	EXPECT_STREQ(watch_ago(-5, b), "0 s");
}

TEST(the_rate_of_drops_is_between_two_answers)
{
	static const char one[] = "{\"rules\":[{\"id\":\"a\",\"action\":\"drop\","
		"\"action_text\":\"drop\",\"packets\":100,\"over_packets\":0},"
		"{\"id\":\"l\",\"action\":{\"limit\":{\"pps\":5}},\"action_text\""
		":\"limit 5/s\",\"packets\":1000,\"over_packets\":10},"
		"{\"id\":\"p\",\"action\":\"pass\",\"action_text\":\"pass\","
		"\"packets\":5}]}";
	static const char two[] = "{\"rules\":[{\"id\":\"a\",\"action\":\"drop\","
		"\"action_text\":\"drop\",\"packets\":350,\"over_packets\":0},"
		"{\"id\":\"l\",\"action\":{\"limit\":{\"pps\":5}},\"action_text\""
		":\"limit 5/s\",\"packets\":9000,\"over_packets\":4}]}";
	struct json_object *a = parse(one), *b = parse(two), *c;
	const struct watch_drop **drops;
	struct watch_model m = {};
	unsigned int n;

	c = parse("{\"blocks\":[{\"prefix\":\"192.0.2.1/32\",\"action\":\"drop\","
		  "\"packets\":900,\"why\":\"case\"}]}");
	watch_take_drops(&m, WATCH_RULE, a, 10 * S_NS);
	watch_take_drops(&m, WATCH_BLOCK, c, 10 * S_NS);
	ASSERT_EQ(m.n_drops, 3);	/* what passes drops nothing */
	EXPECT_TRUE(isnan(m.drops[0].packets_per_s));
	EXPECT_EQ(m.drops[1].packets, 10);	/* those over the limit */
	watch_take_drops(&m, WATCH_RULE, b, 12 * S_NS);
	EXPECT_EQ(m.drops[0].packets_per_s, 125);
	/* a counter that went back is another one */
	EXPECT_TRUE(isnan(m.drops[1].packets_per_s));
	drops = watch_drops_by(&m, "", &n);
	ASSERT_EQ(n, 3);
	EXPECT_STREQ(drops[0]->name, "a");
	EXPECT_STREQ(drops[1]->name, "192.0.2.1/32");
	free(drops);
	drops = watch_drops_by(&m, "CASE", &n);
	EXPECT_EQ(n, 1);
	free(drops);
	json_object_put(a);
	json_object_put(b);
	json_object_put(c);
	watch_model_free(&m);
}

TEST(events_are_kept_up_to_a_bound_and_begin_anew)
{
	const struct watch_event **events;
	struct watch_model m = {};
	char doc[400];
	unsigned int i, n;

	for (i = 1; i <= WATCH_EVENTS + 50; i++) {
		snprintf(doc, sizeof(doc), "{\"events\":[{\"n\":%u,\"time\":"
			 "\"2026-11-26T04:00:00Z\",\"kind\":\"commit\","
			 "\"severity\":\"notice\",\"message\":\"m%u\",\"detail\":"
			 "{\"lane\":\"%s\"}}],\"last\":%u}", i, i,
			 i % 2 ? "SG" : "KL", i);
		take_text(&m, watch_take_events, doc);
	}
	EXPECT_EQ(m.n_events, WATCH_EVENTS);
	EXPECT_EQ(m.last_event, WATCH_EVENTS + 50);
	events = watch_events_by(&m, "", "SG", &n);
	EXPECT_EQ(n, WATCH_EVENTS / 2);
	EXPECT_STREQ(events[0]->message, "m305");
	free(events);
	events = watch_events_by(&m, "M306", "", &n);
	EXPECT_EQ(n, 1);
	free(events);
	take_text(&m, watch_take_events, "{\"events\":[],\"last\":3}");
	EXPECT_EQ(m.n_events, 0);
	EXPECT_EQ(m.last_event, 0);
	watch_model_free(&m);
}

TEST(columns_fit_their_width_with_lane_and_order_among_them)
{
	struct watch_order o = {};
	struct watch_model m = {};
	struct watch_layout l;
	char text[WATCH_LINE_B];
	int width, i, sorted, lane;

	setlocale(LC_CTYPE, "C.UTF-8");
	random_rows(&m, 20);
	for (width = 30; width <= WATCH_WIDTH; width++)
		for (sorted = 0; sorted < WATCH_COLUMNS; sorted++) {
			watch_lay_out(&m, width, sorted, &l);
			for (i = lane = 0; i < l.n; i++)
				lane += l.column[i] == WATCH_LANE ||
					l.column[i] == (unsigned int)sorted;
			ASSERT_EQ(lane, 1 + (sorted != WATCH_LANE));
			o.column = sorted;
			watch_titles(&l, &o, false, text, sizeof(text));
			ASSERT_LE(watch_columns_of(text), width);
			ASSERT_NE(strstr(text, "▲"), NULL);
		}
	watch_lay_out(&m, 200, 0, &l);
	EXPECT_EQ(l.n, WATCH_COLUMNS);
	watch_model_free(&m);
}

static struct watch_page new_page(void)
{
	return (struct watch_page){ calloc(WATCH_HEIGHT,
					   sizeof(struct watch_line)), 0,
				    WATCH_HEIGHT };
}

/* What a terminal must never get. */
static bool has_controls(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	for (; *c; c++)
		if (*c < ' ' || *c == 0x7f || (c[0] == 0xc2 && c[1] >= 0x80 &&
					       c[1] < 0xa0))
			return true;
	return false;
}

static bool shows(const struct watch_page *p, const char *what)
{
	int i;

	for (i = 0; i < p->n; i++)
		if (strstr(p->line[i].text, what))
			return true;
	return false;
}

TEST(the_screen_is_filled_at_any_size_and_shows_the_selected_lane)
{
	struct watch_model m = { .now_ns = NOW_NS, .ever = true,
				 .reached = true };
	struct watch_view v = { .order = { .column = WATCH_P50 } };
	struct watch_page p = new_page();
	int i, n, selected;

	setlocale(LC_CTYPE, "C.UTF-8");
	random_rows(&m, 100);
	for (i = 0; i < 3000; i++) {
		v.width = 1 + any(160);
		v.height = 1 + any(60);
		v.part = any(10) ? WATCH_ALL : any(WATCH_PARTS);
		v.at = any(120);
		v.at_lane[0] = '\0';
		v.help = !any(20);
		strcpy(v.lane, any(20) ? "" : "lane1");
		watch_compose(&m, &v, &p);
		if (v.height < 5 || v.width < 20) {
			ASSERT_EQ(p.n, 1);
			continue;
		}
		ASSERT_EQ(p.n, v.height);
		for (n = selected = 0; n < p.n; n++) {
			ASSERT_FALSE(has_controls(p.line[n].text));
			selected += p.line[n].style == WATCH_SELECTED;
		}
		if (v.part < WATCH_DROPS && !v.help && !v.lane[0])
			ASSERT_EQ(selected, 1);
	}
	free(p.line);
	watch_model_free(&m);
}

TEST(hostile_words_are_words)
{
	static const char evil[] = "x\\u001b[31m\\u001b]0;t\\u0007\\u009b1m"
		"\\u202e\\r\\ny";
	struct watch_model m = { .now_ns = NOW_NS, .reached = true,
				 .ever = true };
	struct watch_view v = { .width = 120, .height = 50 };
	struct watch_page p = new_page();
	char doc[4000];
	int i, n;

	setlocale(LC_CTYPE, "C.UTF-8");
	snprintf(doc, sizeof(doc), "{\"gateway\":{\"name\":\"%s\"},\"lanes\":[{"
		 "\"lane\":\"%s\",\"at\":[\"%s\",\"\"],\"geography\":\"%s\","
		 "\"floor_source\":\"%s\",\"budgets\":[{\"budget\":\"%s\","
		 "\"state\":\"%s\",\"since\":\"%s\"}],\"paths\":[{\"path\":"
		 "\"%s\",\"state\":\"%s\",\"since\":\"%s\"}]}],\"rules\":[{"
		 "\"id\":\"%s\",\"action\":\"drop\",\"action_text\":\"%s\","
		 "\"why\":\"%s\",\"packets\":1}],\"events\":[{\"n\":1,\"time\":"
		 "\"%s\",\"kind\":\"%s\",\"severity\":\"%s\",\"message\":\"%s\","
		 "\"detail\":{\"lane\":\"%s\"}}],\"last\":1,\"bypass\":true,"
		 "\"bypassed\":{\"by\":\"%s\",\"why\":\"%s\",\"since\":\"%s\"},"
		 "\"agent\":{\"version\":\"%s\",\"started\":\"%s\"},"
		 "\"residence\":{\"source\":\"%s\"},\"module\":null}", evil,
		 evil, evil, evil, evil, evil, evil, evil, evil, evil, evil,
		 evil, evil, evil, evil, evil, evil, evil, evil, evil, evil,
		 evil, evil, evil, evil);
	take_text(&m, watch_take_status, doc);
	take_text(&m, watch_take_lanes, doc);
	take_text(&m, watch_take_events, doc);
	m.history = parse("{\"from\":\"\\u001b\",\"rows\":[{\"steps\":1}]}");
	m.prefixes = parse("{\"rows\":[{\"prefix\":\"\\u001b[2J\"}]}");
	m.latency = parse("{\"rows\":[{\"path\":\"\\u001b[2J\"}]}");
	for (i = 0; i < 2; i++) {
		if (i)
			strcpy(v.lane, m.rows[0].lane);
		watch_compose(&m, &v, &p);
		for (n = 0; n < p.n; n++)
			ASSERT_FALSE(has_controls(p.line[n].text));
		EXPECT_TRUE(shows(&p, "x?[31m?]0;t??1m???y"));
		EXPECT_TRUE(shows(&p, "BYPASS ON"));
	}
	free(p.line);
	watch_model_free(&m);
}

TEST(a_lane_is_shown_with_its_history_and_marks)
{
	struct watch_model m = { .now_ns = NOW_NS, .reached = true,
				 .ever = true };
	struct watch_view v = { .width = 60, .height = 60, .lane = "SG",
				.ascii = true };
	struct watch_page p = new_page();

	take_text(&m, watch_take_lanes, two_lanes);
	m.history = parse("{\"from\":\"2026-11-26T04:00:00Z\",\"to\":"
		"\"2026-11-26T04:05:30Z\",\"step_s\":60,\"rows\":[{\"steps\":["
		"{\"time\":\"2026-11-26T04:00:00Z\",\"p5_ns\":36000000,"
		"\"p50_ns\":36000000,\"p95_ns\":36000000,\"p99_ns\":40000000},"
		"{\"time\":\"2026-11-26T04:02:00Z\",\"p5_ns\":44000000,"
		"\"p50_ns\":44000000,\"p95_ns\":44000000,\"p99_ns\":44000000},"
		"{\"time\":\"2026-11-26T04:05:00Z\",\"p50_ns\":null}]}],"
		"\"marks\":[{\"time\":\"2026-11-26T04:02:10Z\",\"kind\":"
		"\"path-change\"},{\"time\":\"2026-11-26T04:02:11Z\",\"kind\":"
		"\"commit\"},{\"time\":\"2026-11-26T04:04:00Z\",\"kind\":"
		"\"budget\"},{\"time\":\"2026-11-26T09:00:00Z\",\"kind\":\"x\"}]}");
	watch_compose(&m, &v, &p);
	EXPECT_TRUE(shows(&p, "lane SG at 1.30, 103.80"));
	EXPECT_TRUE(shows(&p, "floor 28.97 ms by cable"));
	EXPECT_TRUE(shows(&p, "budget p99 <= 40ms over 5m: broken since"));
	EXPECT_TRUE(shows(&p, "hk-cable       changed"));
	EXPECT_TRUE(shows(&p, "history from 04:00:00Z until now, 1 min"));
	EXPECT_TRUE(shows(&p, "  p99    44.00 ms ~ #   "));
	EXPECT_TRUE(shows(&p, "  p5     44.00 ms _ #   "));
	EXPECT_TRUE(shows(&p, "  P path B budget   P B "));
	EXPECT_TRUE(shows(&p, "none of SG"));
	free(p.line);
	watch_model_free(&m);
}

TEST(a_lost_connection_and_a_restart_are_said)
{
	struct watch_model m = { .now_ns = NOW_NS, .ever = true,
				 .lost_ns = NOW_NS - 12 * S_NS };
	struct watch_view v = { .width = 120, .height = 30 };
	struct watch_page p = new_page();

	strcpy(m.why, "no agent at /run/x: refused");
	watch_compose(&m, &v, &p);
	EXPECT_TRUE(shows(&p, "CONNECTION LOST for 12 s: no agent at /run/x"));
	EXPECT_EQ(p.line[1].style, WATCH_ALARM);
	m.reached = true;
	m.lost_ns = 0;
	take_text(&m, watch_take_status, "{\"agent\":{\"started\":\"a\"},"
		  "\"interfaces\":[{\"state\":\"attached\"},"
		  "{\"state\":\"missing\"}]}");
	watch_compose(&m, &v, &p);
	EXPECT_TRUE(shows(&p, "1 of 2 INTERFACES ARE NOT ATTACHED"));
	take_text(&m, watch_take_status, "{\"agent\":{\"started\":\"b\"}}");
	m.now_ns += 3 * S_NS;
	watch_compose(&m, &v, &p);
	EXPECT_TRUE(shows(&p, "the agent was started anew 3 s ago"));
	free(p.line);
	watch_model_free(&m);
}

static bool keys(struct watch_view *v, const char *text)
{
	bool leave = false;

	for (; *text; text++)
		leave = watch_key(v, (unsigned char)*text);
	return leave;
}

TEST(keys_sort_filter_look_in_and_go_back)
{
	struct watch_view v = { .order = { .column = WATCH_STATE,
					   .down = true } };

	keys(&v, "4");
	EXPECT_EQ(v.order.column, WATCH_P50);
	EXPECT_TRUE(v.order.down);
	keys(&v, "4");
	EXPECT_FALSE(v.order.down);
	watch_key(&v, WATCH_KEY_RIGHT);
	EXPECT_EQ(v.order.column, WATCH_P95);
	watch_key(&v, WATCH_KEY_LEFT);
	watch_key(&v, WATCH_KEY_LEFT);
	watch_key(&v, WATCH_KEY_LEFT);
	watch_key(&v, WATCH_KEY_LEFT);
	watch_key(&v, WATCH_KEY_LEFT);
	EXPECT_EQ(v.order.column, WATCH_TREND);
	keys(&v, "1");
	EXPECT_FALSE(v.order.down);
	keys(&v, "/qr?");
	EXPECT_TRUE(v.editing);
	watch_key(&v, 0x6771);
	EXPECT_STREQ(v.order.filter, "qr?東");
	watch_key(&v, WATCH_KEY_BACKSPACE);
	EXPECT_STREQ(v.order.filter, "qr?");
	keys(&v, "\n");
	EXPECT_FALSE(v.editing);
	EXPECT_STREQ(v.order.filter, "qr?");
	watch_key(&v, ESC);
	EXPECT_STREQ(v.order.filter, "");
	strcpy(v.at_lane, "SG");
	keys(&v, "\n");
	EXPECT_STREQ(v.lane, "SG");
	keys(&v, "jjj");
	EXPECT_EQ(v.scroll, 3);
	keys(&v, "?");
	EXPECT_TRUE(v.help);
	EXPECT_FALSE(keys(&v, "q"));
	EXPECT_FALSE(v.help);
	EXPECT_FALSE(keys(&v, "q"));
	EXPECT_STREQ(v.lane, "");
	keys(&v, " ");
	EXPECT_TRUE(v.paused);
	EXPECT_TRUE(keys(&v, "q"));
}

TEST(a_filter_has_an_end)
{
	struct watch_view v = { .editing = true };
	int i;

	for (i = 0; i < 1000; i++)
		watch_key(&v, any(2) ? 'x' : any(2) ? 0x1f642 : 0xe9);
	EXPECT_LT(strlen(v.order.filter), sizeof(v.order.filter));
	for (i = 0; i < 1000; i++)
		watch_key(&v, WATCH_KEY_BACKSPACE);
	EXPECT_STREQ(v.order.filter, "");
}

TEST(any_keys_leave_a_screen_that_can_be_shown)
{
	struct watch_model m = { .now_ns = NOW_NS, .ever = true,
				 .reached = true };
	struct watch_view v = { .width = 80, .height = 24 };
	struct watch_page p = new_page();
	static const int32_t some[] = { WATCH_KEY_UP, WATCH_KEY_DOWN,
		WATCH_KEY_PAGE_UP, WATCH_KEY_PAGE_DOWN, WATCH_KEY_HOME,
		WATCH_KEY_END, WATCH_KEY_LEFT, WATCH_KEY_RIGHT, ESC, '\n', '\t',
		'?', '/', 'x', 'q', ' ', WATCH_KEY_BACKSPACE };
	int i;

	setlocale(LC_CTYPE, "C.UTF-8");
	random_rows(&m, 50);
	for (i = 0; i < 4000; i++) {
		watch_key(&v, some[any(sizeof(some) / sizeof(some[0]))]);
		watch_compose(&m, &v, &p);
		ASSERT_EQ(p.n, 24);
	}
	free(p.line);
	watch_model_free(&m);
}

TEST_HARNESS_MAIN
