/* SPDX-License-Identifier: GPL-2.0 */
/*
 * `sealane watch`: what the agent says of now, as a model (watch_model, filled
 * by watch_data), shown as lines of text (watch_view, watch_lane, watch_help) on
 * a screen (watch_screen, watch_term), or as rows for a pipe (watch_rows).
 * Nothing but watch_screen and watch_term knows of terminals.
 */
#ifndef SL_WATCH_H
#define SL_WATCH_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WATCH_TEXT_B	96	/* of a name */
#define WATCH_LONG_B	512	/* of a sentence */
#define WATCH_CELL_S	10	/* of a trend: a step of GET lanes */
#define WATCH_CELLS	60
#define WATCH_EVENTS	256	/* that are kept */
#define WATCH_LINE_B	4096	/* of the screen: 500 columns, four bytes each,
				 * and marks above letters */
#define WATCH_WIDTH	500
#define WATCH_HEIGHT	300

/* The columns of the lanes' table, in their order. */
enum watch_column {
	WATCH_LANE, WATCH_PATH, WATCH_STATE, WATCH_P50, WATCH_P95, WATCH_P99,
	WATCH_FLOOR, WATCH_STRETCH, WATCH_LOSS, WATCH_PACKETS, WATCH_BITS,
	WATCH_TREND, WATCH_COLUMNS
};

/* Median round trips of the last minutes, one per WATCH_CELL_S; NAN: none. */
struct watch_trend {
	double cell_ns[WATCH_CELLS];	/* by number modulo WATCH_CELLS */
	int64_t last;			/* number of the newest: time / step */
};

/* A lane on a path: a row. Numbers are of the last 10 s and the far half; ns,
 * ppm, packets/s or bit/s, NAN where the agent has none. */
struct watch_row {
	char lane[WATCH_TEXT_B], path[WATCH_TEXT_B];
	char state[WATCH_TEXT_B];	/* words: "changed, budget" */
	int rank;			/* of the state; the worst is highest */
	double num[WATCH_COLUMNS];	/* those of WATCH_P50 to WATCH_BITS */
	double min_ns, p5_ns, baseline_ns, hop_limit, samples;
	char since[40];			/* of the state, RFC 3339; "": unknown */
	struct watch_trend trend;
};

enum watch_source { WATCH_RULE, WATCH_FLOWSPEC, WATCH_LIST, WATCH_BLOCK,
		    WATCH_SOURCES };

/* What drops, limits or counts. */
struct watch_drop {
	enum watch_source source;
	char name[WATCH_TEXT_B], action[WATCH_TEXT_B], last_hit[40];
	char why[WATCH_TEXT_B];
	double packets;			/* since it was put in; of a limit those
					 * over it */
	double packets_per_s;		/* NAN: asked but once so far */
	uint64_t at_ns;			/* monotonic; of `packets` */
};

struct watch_event {
	int64_t n;
	char time[40], severity[16], kind[WATCH_TEXT_B], lane[WATCH_TEXT_B];
	char message[WATCH_LONG_B];
};

/* Times are of the wall clock unless they are said to be monotonic. */
struct watch_model {
	uint64_t now_ns;		/* of what is shown */
	/* the agent */
	bool reached;			/* by the last request */
	bool ever;			/* since we began */
	uint64_t lost_ns;		/* since when it is not; 0: it is */
	char why[WATCH_LONG_B];		/* it is not */
	char trouble[WATCH_LONG_B];	/* it refused something; "" */
	char gateway[WATCH_TEXT_B], version[WATCH_TEXT_B];
	char started[40], source[WATCH_TEXT_B], module[WATCH_TEXT_B];
	double pid, uptime_s, generation;
	uint64_t restarted_ns;		/* seen by us; 0: never */
	bool bypass;
	char bypass_text[WATCH_LONG_B];	/* since when, by whom, why */
	unsigned int interfaces, attached;
	/* the rows, by lane and path */
	struct watch_row *rows;
	unsigned int n_rows, n_lanes, n_broken, n_changed;
	double packets_per_s, bits_per_s;	/* of all lanes */
	struct watch_drop *drops;	/* by source and name */
	unsigned int n_drops;
	struct watch_event *events;	/* the oldest first */
	unsigned int n_events;
	int64_t last_event, shown_event;	/* the latter: by rows */
	struct json_object *lanes;	/* GET lanes, whole */
	/* of the lane that is looked into; NULL: not there */
	char lane[WATCH_TEXT_B];	/* "": none */
	struct json_object *latency, *prefixes, *history;
	char no_prefixes[WATCH_LONG_B], no_history[WATCH_LONG_B];
};

/* --- watch_model: answers of the agent -> model; what is malformed is absent */
void watch_model_free(struct watch_model *m);
void watch_take_status(struct watch_model *m, struct json_object *doc);
void watch_take_lanes(struct watch_model *m, struct json_object *doc);
void watch_take_trends(struct watch_model *m, struct json_object *doc);
/* mono_ns: when the answer came, for rates. */
void watch_take_drops(struct watch_model *m, enum watch_source source,
		      struct json_object *doc, uint64_t mono_ns);
void watch_take_events(struct watch_model *m, struct json_object *doc);
/* Look into another lane, or none (""). */
void watch_look(struct watch_model *m, const char *lane);
void watch_put_trend(struct watch_trend *t, int64_t number, double ns);
extern const char *const watch_source_names[WATCH_SOURCES];

/* --- watch_json: members of an object, whatever it is */
double watch_num(struct json_object *o, const char *key);	/* or NAN */
/* Plain text, cut at a character; "" when it is none. Returns buf. */
char *watch_word(struct json_object *o, const char *key, char *buf,
		 size_t len);
struct json_object *watch_member(struct json_object *o, const char *key);
/* An array's length, 0 when it is none; its members. */
size_t watch_length(struct json_object *array);
struct json_object *watch_at(struct json_object *array, size_t i);

/* --- watch_sort: which rows are shown, in which order */
struct watch_order {
	enum watch_column column;
	bool down;			/* the greatest first */
	char filter[WATCH_TEXT_B];	/* words, all of which must occur */
};

/* Does each word of the filter occur in one of the texts (NULL ends them)? Case
 * of ASCII letters does not matter. */
bool watch_matches(const char *filter, const char *const *texts);
/* Rows that match, in order; *n of them. Unknown numbers come last either way.
 * The caller frees it. */
const struct watch_row **watch_rows_by(const struct watch_model *m,
				       const struct watch_order *o,
				       unsigned int *n);
/* Likewise; what drops most now comes first. */
const struct watch_drop **watch_drops_by(const struct watch_model *m,
					 const char *filter, unsigned int *n);
/* Events that match, the newest first; lane "": all. */
const struct watch_event **watch_events_by(const struct watch_model *m,
					   const char *filter,
					   const char *lane, unsigned int *n);

/* --- watch_text: text in columns, by wcwidth() of the locale */
enum { WATCH_RIGHT = 1, WATCH_ASCII = 2 };
/* Exactly `width` columns of text: cut with a mark or padded. out of WATCH_LINE_B
 * bytes at most. Returns the bytes written. */
size_t watch_fit(char *out, size_t len, const char *text, int width, int flags);
int watch_columns_of(const char *text);
bool watch_ascii(void);			/* the locale has no UTF-8 */
/* "-" where it is not known. buf of 24 bytes; returned. */
char *watch_ms(double ns, char *buf);
char *watch_rate(double per_s, char *buf);	/* 1.23k: with the SI prefix */
char *watch_count(double n, char *buf);
char *watch_ratio(double n, char *buf);
char *watch_ago(double s, char *buf);		/* 12 s, 3 min, 2 h, 4 d */
/* The value of a column of a row; buf of WATCH_TEXT_B bytes. */
char *watch_cell(const struct watch_row *r, enum watch_column c, char *buf);
/* A character per value, of eight heights between low and high; NAN is a blank. */
void watch_strip(const double *values, int n, double low, double high,
		 bool ascii, char *out, size_t len);
void watch_trend_text(const struct watch_trend *t, uint64_t now_ns, int width,
		      bool ascii, char *out, size_t len);

struct watch_column_spec {
	const char *title, *key;	/* shown; of the JSON documents */
	int width;
	int keep;			/* where room lacks the least goes first */
	bool text;
};
extern const struct watch_column_spec watch_columns[WATCH_COLUMNS];

/* --- watch_view: lines */
enum watch_style {
	WATCH_PLAIN, WATCH_BOLD, WATCH_FAINT, WATCH_TITLE, WATCH_GOOD,
	WATCH_WARN, WATCH_BAD, WATCH_ALARM, WATCH_SELECTED
};

struct watch_line {
	char text[WATCH_LINE_B];
	enum watch_style style;
	int mark_at, mark_n;		/* columns in another style */
	enum watch_style mark;
};

struct watch_page {
	struct watch_line *line;
	int n, room;
};

enum watch_part { WATCH_ALL, WATCH_LANES, WATCH_DROPS, WATCH_EVENTS_ONLY,
		  WATCH_PARTS };

/* How it is looked at: what keys change. */
struct watch_view {
	int width, height;
	bool ascii, paused, help, editing;
	struct watch_order order;
	enum watch_part part;
	char lane[WATCH_TEXT_B];	/* looked into; "": none */
	/* the selected row, by name so that it stays selected when it moves; ""
	 * in at_lane: by its number */
	char at_lane[WATCH_TEXT_B], at_path[WATCH_TEXT_B];
	int at, top;			/* of the rows */
	int scroll;			/* of all else */
	int page;			/* lines that there was room for */
};

/* One more line, which the painter cuts to the width. NULL when the page is
 * full. */
struct watch_line *watch_add(struct watch_page *p, enum watch_style style,
			     const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Fill the page with the whole screen; v learns what there was room for. */
void watch_compose(const struct watch_model *m, struct watch_view *v,
		   struct watch_page *p);
/* Sentences on the agent and what it does; on what must not be overlooked (false:
 * nothing); on all lanes together. */
void watch_identity(const struct watch_model *m, char *out, size_t len);
bool watch_alarms(const struct watch_model *m, char *out, size_t len);
void watch_summary(const struct watch_model *m, char *out, size_t len);
/* Two lines at the top, one at the bottom. */
void watch_compose_head(const struct watch_model *m, const struct watch_view *v,
			struct watch_page *p);
void watch_compose_foot(const struct watch_view *v, struct watch_page *p);
/* At most `lines` lines: a title and rows. */
void watch_compose_drops(const struct watch_model *m,
			 const struct watch_view *v, int lines,
			 struct watch_page *p);
void watch_compose_events(const struct watch_model *m,
			  const struct watch_view *v, int lines,
			  struct watch_page *p);
/* All of one lane, longer than a screen: into a page of its own. */
void watch_compose_lane(const struct watch_model *m,
			const struct watch_view *v, struct watch_page *p);
void watch_compose_help(struct watch_page *p);

/* --- watch_table: the lanes */
struct watch_layout {
	enum watch_column column[WATCH_COLUMNS];
	int width[WATCH_COLUMNS];	/* of column[i] */
	int n;
};
/* The columns that `width` has room for, the sorted one among them. */
void watch_lay_out(const struct watch_model *m, int width,
		   enum watch_column sorted, struct watch_layout *l);
void watch_titles(const struct watch_layout *l, const struct watch_order *o,
		  bool ascii, char *out, size_t len);
/* mark_at and mark_n: where its state stands, if it does. */
void watch_row_text(const struct watch_layout *l, const struct watch_row *r,
		    uint64_t now_ns, bool ascii, char *out, size_t len,
		    int *mark_at, int *mark_n);
enum watch_style watch_row_style(const struct watch_row *r);
/* The table's title and rows, `lines` of them; the selection is kept in sight. */
void watch_compose_rows(const struct watch_model *m, struct watch_view *v,
			int lines, struct watch_page *p);

/* --- watch_keys: keys -> view. True: leave the program. */
enum watch_key {
	WATCH_KEY_UP = 0x110000, WATCH_KEY_DOWN, WATCH_KEY_LEFT,
	WATCH_KEY_RIGHT, WATCH_KEY_PAGE_UP, WATCH_KEY_PAGE_DOWN,
	WATCH_KEY_HOME, WATCH_KEY_END, WATCH_KEY_BACKSPACE
};
bool watch_key(struct watch_view *v, int32_t key);

#endif
