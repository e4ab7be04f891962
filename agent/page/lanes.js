// SPDX-License-Identifier: GPL-2.0
// What the GET lanes document says, in the words that table, map and lane view share.
import { chip } from "./dom.js";
import * as f from "./format.js";

// Upper bounds of p95 / floor for each colour; beyond the last one is the fifth.
export const STEPS = [1.5, 2, 3, 5];

export const ratio = (lane, path) => lane.floor_ns && path && path.p95_ns ?
	path.p95_ns / lane.floor_ns : null;
// 0..4, or null where there is no floor or no sample.
export const step = (x) => x === null ? null :
	STEPS.findIndex((most) => x <= most) < 0 ? STEPS.length :
	STEPS.findIndex((most) => x <= most);

// The path that most of a lane's samples came by.
export const main = (lane) => lane.paths.reduce(
	(most, p) => !most || p.samples > most.samples ? p : most, null);

const SAY = {
	learning: ["quiet", "learning"],
	steady: ["ok", "steady"],
	suspect: ["warn", "suspect"],
	changed: ["bad", "changed"],
};

export const broken = (lane) => lane.budgets.filter((b) => b.state === "broken");
export const href = (name) => `#/lane/${encodeURIComponent(name)}`;

const since = (time) => time ? ` since ${f.moment(time)}` : "";

// What a path is like, then what is wrong with its lane.
export const chips = (lane, path) => {
	const list = [];

	if (path) {
		const [kind, word] = SAY[path.state] || ["quiet", path.state];

		list.push(chip(kind, word, `${word}${since(path.since)}`));
	}
	for (const b of broken(lane))
		list.push(chip("bad", `over budget`, `${b.budget}, is ` +
			`${f.ms(b.value_ns)}${since(b.since)}`));
	if (lane.geography === "broken")
		list.push(chip("warn", "below floor",
			"faster than light would be: the place or the cable's length is wrong"));
	return list;
};

const HOUR_MS = 3600000;

// The last path change of the last hour, unless it led back.
export const change = (lane, events) => {
	const last = events.filter((e) => e.kind === "path-change" && e.detail &&
		e.detail.lane === lane.lane).at(-1);

	return last && !last.detail.back &&
		Date.now() - Date.parse(last.time) < HOUR_MS ? last : null;
};

// Sentences about what is not as it should be; an event tells more than a state.
export const notable = (lane, event) => [
	...(event ? [{ kind: "bad", text: `${f.moment(event.time)}: ${event.message}` }] : []),
	...(event ? [] : lane.paths)
		.filter((p) => p.state === "changed" || p.state === "suspect")
		.map((p) => ({ kind: SAY[p.state][0], text: `path ${p.path || NAMELESS} ` +
			`${p.state}${since(p.since)}: p5 ${f.ms(p.p5_ns)}, was ${f.ms(p.baseline_ns)}` })),
	...broken(lane).map((b) => ({ kind: "bad", text: `${b.budget}: is ` +
		`${f.ms(b.value_ns)}${since(b.since)}` })),
	...(lane.geography === "broken" ? [{ kind: "warn", text:
		"round trips below the floor: the place or the cable's length is wrong" }] : []),
];

export const NAMELESS = "(no path)";
