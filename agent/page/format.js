// SPDX-License-Identifier: GPL-2.0
// Figures as people read them. Absent ones are a dash.

export const NONE = "\u2013";
const absent = (v) => v === null || v === undefined;
// Three digits that count.
const three = (v) => v < 999.5 ? v.toFixed(v < 9.995 ? 2 : v < 99.95 ? 1 : 0) :
	Math.round(v).toLocaleString("en");

export const ms = (ns) => absent(ns) ? NONE : `${three(ns / 1e6)}\u00a0ms`;
export const times = (x) => absent(x) ? NONE : `${three(x)}\u00d7`;
export const count = (n) => absent(n) ? NONE : n.toLocaleString("en");

const scaled = (v, unit) => {
	const steps = ["", "k", "M", "G", "T"];
	let i = 0;

	while (v >= 999.5 && i < steps.length - 1) {
		v /= 1000;
		i++;
	}
	return `${i ? three(v) : Math.round(v)}\u00a0${steps[i]}${unit}`;
};

export const bits = (per_s) => absent(per_s) ? NONE : scaled(per_s, "bit/s");
export const packets = (per_s) => absent(per_s) ? NONE :
	per_s > 0 && per_s < 10 ? `${three(per_s)}\u00a0p/s` : scaled(per_s, "p/s");
export const bytes = (n) => absent(n) ? NONE : scaled(n, "B");
export const share = (ppm) => absent(ppm) ? NONE :
	`${ppm > 0 && ppm < 1e4 ? +(ppm / 1e4).toPrecision(2) : +three(ppm / 1e4)}\u00a0%`;

const two = (n) => String(n).padStart(2, "0");
export const day = (date) => `${date.getUTCFullYear()}-` +
	`${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
export const clock = (date, seconds = true) => `${two(date.getUTCHours())}:` +
	two(date.getUTCMinutes()) + (seconds ? `:${two(date.getUTCSeconds())}` : "");
export const local = (date) => `${date.toLocaleString("en", {
	dateStyle: "medium", timeStyle: "medium" })} local time`;

// UTC; the day only where it is not today.
export const moment = (text) => {
	const date = new Date(text);
	const today = day(date) === day(new Date());

	return today ? clock(date) : `${day(date)} ${clock(date)}`;
};

export const span = (s) => s < 90 ? `${Math.round(s)} s` :
	s < 5400 ? `${Math.round(s / 60)} min` :
	s < 172800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;
