// SPDX-License-Identifier: GPL-2.0
/*
 * Bypass: everything passes and nothing is measured or blocked. Whoever is on
 * call next must not overlook it: it is an event when it is set, once a minute
 * while it lasts, and when it is lifted. It works without the agent too, so what
 * the control block says is compared with what we know.
 */
#include <stdio.h>
#include <string.h>
#include "bypass_note.h"
#include "commits.h"
#include "duration.h"
#include "plain.h"

#define REMIND_S 60

static const char no_reason[] = "no reason given";

/* Who it was, for a message. */
static const char *by(const struct bypass *b, char *buf, size_t len)
{
	if (b->by_known)
		snprintf(buf, len, "%s", user_name(&b->who));
	else
		snprintf(buf, len, "somebody");
	return buf;
}

static struct json_object *detail_of(const struct bypass *b)
{
	struct json_object *o = b->by_known ? event_by(&b->who) :
				json_object_new_object();

	put_bool(o, "on", b->on);
	put_time(o, "since", b->since_ns);
	put_text(o, "why", b->why);
	return o;
}

static void tell(struct agent *a, const struct bypass *was, const char *how)
{
	const struct bypass *b = &a->bypass;
	uint64_t for_s = (sl_now_ns() - was->since_ns) / 1000000000;
	char who[32];

	by(b, who, sizeof(who));
	if (b->on)
		event(a, LOG_WARNING, "bypass", detail_of(b), "bypass is ON, "
		      "set by %s%s: %s; nothing is measured or blocked", who,
		      how, b->why);
	else if (!was->on)
		event(a, LOG_INFO, "bypass", detail_of(b), "bypass is off as it "
		      "was: %s asked for it%s%s%s", who, how,
		      b->why[0] ? ": " : "", b->why);
	else
		event(a, LOG_WARNING, "bypass", detail_of(b), "bypass is off, "
		      "lifted by %s%s after %llu s%s%s", who, how,
		      (unsigned long long)for_s, b->why[0] ? ": " : "", b->why);
}

int bypass_set(struct agent *a, bool on, const char *why,
	       const struct caller *who, struct refusal *r)
{
	struct bypass was = a->bypass;
	struct sl_bypass_note note = { .on = on, .at_ns = sl_now_ns(),
				       .uid = who->uid, .pid = who->pid };

	if (!why || !why[0])
		why = on ? no_reason : "";
	if (strlen(why) >= sizeof(note.why))
		return refuse(r, 400, "at most 255 bytes", "why is too long");
	sl_dp_set_bypass(a->dp, on);
	strcpy(note.why, why);
	if (sl_bypass_note_write(a->pin_dir, &note))
		say(LOG_WARNING, "cannot note below /run/sealane who changed "
		    "the bypass");
	a->bypass = (struct bypass){ .on = on, .by_known = true, .who = *who,
				     .since_ns = note.at_ns };
	strcpy(a->bypass.why, why);
	tell(a, &was, "");
	return 0;
}

/* The control block does not say what we know: find out who it was. */
static void notice(struct agent *a, bool on, const char *how)
{
	struct bypass was = a->bypass, *b = &a->bypass;
	struct sl_bypass_note note;

	*b = (struct bypass){ .on = on, .since_ns = sl_now_ns() };
	if (!sl_bypass_note_read(a->pin_dir, &note) && note.on == on &&
	    note.at_ns >= was.since_ns) {
		b->by_known = true;
		b->who = (struct caller){ .uid = note.uid,
					    .pid = note.pid };
		b->since_ns = note.at_ns;
		strcpy(b->why, sl_plain(note.why));
	}
	if (on && !b->why[0])
		strcpy(b->why, no_reason);
	tell(a, &was, how);
}

void bypass_start(struct agent *a)
{
	struct sl_bypass_note note;
	bool on = sl_dp_bypass(a->dp);

	if (on) {
		notice(a, on, " before this start");
	} else if (!sl_bypass_note_read(a->pin_dir, &note) && note.on) {
		/* it was on, and is not: maybe the pins are new */
		a->bypass = (struct bypass){ .on = true,
					     .since_ns = note.at_ns };
		notice(a, on, " before this start");
	}
}

void bypass_second(struct agent *a)
{
	struct bypass *b = &a->bypass;
	bool on = sl_dp_bypass(a->dp);
	char since[48], who[32];

	if (on != b->on) {
		notice(a, on, " without the agent");
		b->seconds = 0;
	}
	if (!on || ++b->seconds % REMIND_S)
		return;
	event(a, LOG_WARNING, "bypass", detail_of(b), "bypass is ON since %s, "
	      "set by %s: %s; nothing is measured or blocked",
	      sl_time_str(b->since_ns, since, sizeof(since)),
	      by(b, who, sizeof(who)), b->why);
}

struct json_object *bypass_doc(const struct agent *a)
{
	const struct bypass *b = &a->bypass;
	struct json_object *o;
	char who[32];

	if (!b->on)
		return NULL;
	o = json_object_new_object();
	put_time(o, "since", b->since_ns);
	put_text(o, "by", b->by_known ? by(b, who, sizeof(who)) : NULL);
	put_text(o, "why", b->why);
	return o;
}
