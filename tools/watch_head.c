// SPDX-License-Identifier: GPL-2.0
/* Who is looked at, and how it fares. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "duration.h"
#include "watch.h"

#define RESTART_SHOWN_S 60

static double seconds_since(uint64_t now_ns, uint64_t then_ns)
{
	return now_ns > then_ns ? (now_ns - then_ns) / 1e9 : 0;
}

void watch_identity(const struct watch_model *m, char *out, size_t len)
{
	char up[24], gen[24], text[64] = "nothing known of the agent yet";

	if (m->ever)
		snprintf(text, sizeof(text), "%sagent up %s",
			 m->reached ? "" : "last seen: ",
			 watch_ago(m->uptime_s, up));
	snprintf(out, len, "%s  %s", m->gateway[0] ? m->gateway : "sealane",
		 text);
	if (!m->ever)
		return;
	len -= strlen(out);
	out += strlen(out);
	snprintf(out, len, "  generation %s  %s%s%s%s  interfaces %u of %u  "
		 "version %s", watch_count(m->generation, gen), m->module,
		 m->source[0] ? " (half self: " : "", m->source,
		 m->source[0] ? ")" : "", m->attached, m->interfaces,
		 m->version);
}

bool watch_alarms(const struct watch_model *m, char *out, size_t len)
{
	char ago[24];
	size_t n = 0;

	out[0] = '\0';
	if (!m->reached && m->lost_ns)
		n += snprintf(out, len, "%s for %s: %s; trying again. ",
			      m->ever ? "CONNECTION LOST" : "NO AGENT",
			      watch_ago(seconds_since(m->now_ns, m->lost_ns),
					ago), m->why);
	if (m->bypass && n < len)
		n += snprintf(out + n, len - n, "BYPASS ON: nothing is measured "
			      "or blocked%s. ", m->bypass_text);
	if (m->ever && m->attached < m->interfaces && n < len)
		n += snprintf(out + n, len - n, "%u of %u INTERFACES ARE NOT "
			      "ATTACHED. ", m->interfaces - m->attached,
			      m->interfaces);
	if (m->reached && m->trouble[0] && n < len)
		snprintf(out + n, len - n, "%s ", m->trouble);
	return out[0] != '\0';
}

void watch_summary(const struct watch_model *m, char *out, size_t len)
{
	char a[24], b[24], c[24];
	double dropped = 0;
	unsigned int i;

	for (i = 0; i < m->n_drops; i++)
		if (!isnan(m->drops[i].packets_per_s) &&
		    strcmp(m->drops[i].action, "count"))
			dropped += m->drops[i].packets_per_s;
	snprintf(out, len, "%u path%s changed, %u budget%s broken; %u lane%s, "
		 "%s packets/s, %sbit/s; %s packets/s dropped", m->n_changed,
		 m->n_changed == 1 ? "" : "s", m->n_broken,
		 m->n_broken == 1 ? "" : "s", m->n_lanes,
		 m->n_lanes == 1 ? "" : "s", watch_rate(m->packets_per_s,
		 a),
		 watch_rate(m->bits_per_s, b), watch_rate(dropped, c));
}

void watch_compose_head(const struct watch_model *m, const struct watch_view *v,
			struct watch_page *p)
{
	char text[3 * WATCH_LONG_B], fitted[WATCH_LINE_B / 2], time[40], ago[24];

	watch_identity(m, text, sizeof(text));
	sl_time_str(m->now_ns, time, sizeof(time));
	watch_fit(fitted, sizeof(fitted), text, v->width - 10,
		  v->ascii ? WATCH_ASCII : 0);
	/* of 2026-11-26T04:12:33.123Z the time of day */
	watch_add(p, WATCH_BOLD, "%s %.8sZ", fitted, time + 11);
	if (watch_alarms(m, text, sizeof(text))) {
		watch_add(p, WATCH_ALARM, "%s", text);
		return;
	}
	watch_summary(m, text, sizeof(text));
	if (m->restarted_ns && seconds_since(m->now_ns, m->restarted_ns) <
	    RESTART_SHOWN_S)
		watch_add(p, WATCH_WARN, "the agent was started anew %s ago; "
			  "%s", watch_ago(seconds_since(m->now_ns,
			  m->restarted_ns), ago), text);
	else
		watch_add(p, WATCH_PLAIN, "%s", text);
}
