// SPDX-License-Identifier: GPL-2.0
// The lane view's tables: its paths, its prefixes, idle against working, budgets, steps.
import { chip, el, empty } from "./dom.js";
import * as f from "./format.js";
import * as l from "./lanes.js";

// heads: [text, numeric]; rows: arrays of text or nodes, the first a row's head
export const table = (caption, heads, rows) => el("div", { class: "scroll", tabindex: "0",
	role: "region", "aria-label": caption },
	el("table", {}, el("caption", { class: "unseen" }, caption),
		el("thead", {}, el("tr", {}, heads.map(([text, number]) =>
			el("th", { scope: "col", class: number ? "num" : "" }, text)))),
		el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((c, i) =>
			el(i ? "td" : "th", { scope: i ? null : "row",
				class: heads[i][1] ? "num" : "" }, c)))))));

export const facts = (lane) => {
	const p = l.main(lane), x = l.ratio(lane, p);
	const source = { cable: `${f.count(lane.cable_km)} km of cable`,
		"great-circle": "great circle" }[lane.floor_source];
	const all = [["p50", f.ms(p && p.p50_ns)],
		["p95", f.ms(p && p.p95_ns), x === null ? "" : `${f.times(x)} the floor`],
		["p99", f.ms(p && p.p99_ns)],
		["Floor", f.ms(lane.floor_ns), source || "no length, no place"],
		["Stretch", f.times(p && p.stretch), "p5 against the floor"],
		["Rate", f.bits(lane.bits_per_s),
			f.packets(lane.packets_per_s)],
		["Loss", f.share(p && p.retrans_ppm), "segments sent again"]];

	return all.map(([name, value, note]) => el("div", {}, el("dt", {}, name),
		el("dd", {}, value), note ? el("dd", { class: "note" }, note) : ""));
};

export const paths = (lane) => lane.paths.length ? table("Paths, the last 10 seconds",
	[["Path"], ["State"], ["Samples", true], ["p5", true], ["p50", true], ["p95", true],
		["p99", true], ["Baseline", true], ["Stretch", true], ["Hop limit", true],
		["Rate", true]],
	lane.paths.map((p) => [p.path || l.NAMELESS,
		el("span", {}, l.chips({ budgets: [] }, p)), f.count(p.samples), f.ms(p.p5_ns),
		f.ms(p.p50_ns), f.ms(p.p95_ns), f.ms(p.p99_ns), f.ms(p.baseline_ns),
		f.times(p.stretch), p.hop_limit === null ? f.NONE : String(p.hop_limit),
		f.bits(p.bits_per_s)])) :
	empty("No path has seen traffic in the last 10 seconds.");

const WORDS = { kept: "ok", broken: "bad", unknown: "quiet" };

export const budgets = (lane) => lane.budgets.length ? el("ul", { class: "budgets" },
	lane.budgets.map((b) => el("li", {}, chip(WORDS[b.state] || "quiet", b.state),
		el("span", { class: "name" }, b.budget),
		el("span", { class: "note" }, b.value_ns === null ? "not known yet" :
			`is ${f.ms(b.value_ns)}${b.since ? `, since ${f.moment(b.since)}` : ""}`)))) :
	empty("No budget is set for this lane.");

// Bars on one scale: what load adds is the difference in their lengths.
export const working = (lane) => {
	const all = [["Idle, shortest handshake", lane.idle_ns],
		["Working, p50", lane.working_p50_ns], ["Working, p90", lane.working_p90_ns]];
	const most = Math.max(...all.map(([, v]) => v || 0));

	if (!most)
		return empty("No TCP flow was measured at work yet.");
	const bar = (v) => {
		const inner = el("span", { class: "bar-fill" });

		inner.style.width = `${100 * (v || 0) / most}%`;
		return el("span", { class: "bar", "aria-hidden": "true" }, inner);
	};
	const added = lane.idle_ns && lane.working_p50_ns ?
		lane.working_p50_ns - lane.idle_ns : null;

	return el("div", {}, el("dl", { class: "bars" }, all.map(([name, v]) =>
		el("div", {}, el("dt", {}, name), el("dd", {}, bar(v), f.ms(v))))),
	added === null ? "" : el("p", { class: "hint" }, added > 0 ?
		`Load adds ${f.ms(added)} at the median.` :
		"Load adds nothing that could be measured."));
};

export const prefixes = (doc) => {
	const rows = doc.rows.filter((r) => r.prefix && r.prefix !== "all")
		.sort((a, b) => b.samples - a.samples);

	return rows.length ? table("Prefixes with most samples", [["Prefix"],
		["Samples", true], ["p50", true], ["p90", true], ["p99", true]],
	rows.slice(0, 20).map((r) => [r.prefix, f.count(r.samples), f.ms(r.p50_ns),
		f.ms(r.p90_ns), f.ms(r.p99_ns)])) :
		empty("No prefix of this lane has been measured yet.");
};

export const steps = (row) => table("Round trips, step by step", [["Time (UTC)"],
	["Samples", true], ["min", true], ["p5", true], ["p50", true], ["p90", true],
	["p95", true], ["p99", true], ["max", true]],
row.steps.map((s) => [`${f.day(new Date(s.time))} ${f.clock(new Date(s.time))}`,
	f.count(s.samples), ...["min_ns", "p5_ns", "p50_ns", "p90_ns", "p95_ns", "p99_ns",
		"max_ns"].map((key) => f.ms(s[key]))]));
