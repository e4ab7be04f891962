// SPDX-License-Identifier: GPL-2.0
// Round trips over time: a heat map of the histogram's own buckets, quantile lines,
// the floor. uPlot draws axes and lines; the cells are drawn under them.
import uPlot from "uplot";
import { colour, el } from "./dom.js";
import * as f from "./format.js";

const PER_OCTAVE = 32;		// Prometheus schema 5: bounds 2^(i/32) s
const SHADES = 24;
const SEEN = 0.999;		// of the samples are on the picture; the rest would
				// squeeze it
const HEIGHT_PX = 380;
const LEAST_CELL_PX = 2;

// Bucket (2^((i-1)/32), 2^(i/32)] s, in ms.
export const upper_ms = (index) => 2 ** (index / PER_OCTAVE) * 1e3;

export const LINES = [
	{ key: "p99_ns", label: "p99", dash: [6, 3], width: 1.5, tone: "--line-high" },
	{ key: "p95_ns", label: "p95", dash: [], width: 1.5, tone: "--line-high" },
	{ key: "p50_ns", label: "p50", dash: [], width: 2.25, tone: "--line-mid" },
	{ key: "p5_ns", label: "p5", dash: [2, 3], width: 1.5, tone: "--line-mid" },
];

// How the legend shows them.
const DASHES = { "": "solid", "undefined": "solid", "2,3": "dotted" };

// Columns for uPlot; a null where a step is missing, so that lines have gaps.
export const columns = (steps, keys, step_s) => {
	const times = [], values = keys.map(() => []);
	let last = null;

	for (const s of steps) {
		const t = Date.parse(s.time) / 1000;

		if (last !== null && t - last > 1.5 * step_s) {
			times.push(last + step_s);
			values.forEach((v) => v.push(null));
		}
		times.push(t + step_s / 2);
		values.forEach((v, i) => v.push(s[keys[i]] === null ||
			s[keys[i]] === undefined ? null : s[keys[i]] / 1e6));
		last = t;
	}
	return [times, ...values];
};

// [least, most] in ms that the axis shows: what SEEN of the samples lie in, the
// quantile lines, the floor.
export const extent = (steps, floor_ns) => {
	const sum = new Map();
	let total = 0, below = 0, low = null, high = null;

	for (const s of steps)
		for (const [i, n] of s.heat || []) {
			sum.set(i, (sum.get(i) || 0) + n);
			total += n;
		}
	for (const [i, n] of [...sum].sort((a, b) => a[0] - b[0])) {
		below += n;
		if (low === null && below > total * (1 - SEEN))
			low = upper_ms(i - 1);
		if (high === null && below >= total * SEEN)
			high = upper_ms(i);
	}
	for (const s of steps) {
		low = Math.min(low ?? Infinity, (s.p5_ns ?? Infinity) / 1e6);
		high = Math.max(high ?? 0, (s.p50_ns ?? 0) / 1e6, (s.p95_ns ?? 0) / 1e6);
	}
	// of the steps' p99 nearly all: a step of few samples has any
	const highs = steps.map((s) => (s.p99_ns ?? 0) / 1e6).sort((a, b) => a - b);

	high = Math.max(high ?? 0, highs[Math.floor(0.99 * highs.length)] ?? 0);
	if (!Number.isFinite(low) || !high)
		return [1, 1000];
	if (floor_ns)
		low = Math.min(low, floor_ns / 1e6);
	return [low * 0.93, Math.max(high, low * 1.3) * 1.06];
};

// 1, 2, 5, 10, ... ms; over less than two octaves evenly spaced ones.
export const ticks = (low, high) => {
	const out = [];

	if (high / low < 4) {
		const raw = (high - low) / 4, unit = 10 ** Math.floor(Math.log10(raw));
		const by = [1, 2, 5, 10].map((b) => b * unit).find((b) => b >= raw);

		for (let k = Math.ceil(low / by); k * by <= high; k++)
			out.push(k * by);
		return out;
	}
	for (let e = -3; e <= 5; e++)
		out.push(...(high / low < 30 ? [1, 1.5, 2, 3, 5, 7] : [1, 2, 5])
			.map((b) => b * 10 ** e).filter((v) => v >= low && v <= high));
	return out;
};

const number = (text) => [0, 2, 4].map((i) => parseInt(text.slice(1 + i, 3 + i), 16));

// From the style sheet's two ends of the scale, SHADES colours between.
const shades = () => {
	const stops = ["--heat-0", "--heat-1", "--heat-2"].map((n) => number(colour(n)));

	return Array.from({ length: SHADES }, (_, i) => {
		const t = i / (SHADES - 1) * 2, from = stops[t < 1 ? 0 : 1];
		const to = stops[t < 1 ? 1 : 2], share = t < 1 ? t : t - 1;

		return `rgb(${from.map((v, j) => Math.round(v + (to[j] - v) * share))})`;
	});
};

// Neighbouring buckets together (a schema down: i' = ceil(i/2)) until cells are large
// enough to see.
const shift_of = (u) => {
	const [low, high] = [u.scales.y.min, u.scales.y.max];
	const cell_px = u.bbox.height / (Math.log2(high / low) * PER_OCTAVE);
	let shift = 0;

	while (cell_px * 2 ** shift < LEAST_CELL_PX * devicePixelRatio && shift < 4)
		shift++;
	return shift;
};

const merged = (heat, shift) => {
	const sum = new Map();

	for (const [i, n] of heat) {
		const to = Math.ceil(i / 2 ** shift);

		sum.set(to, (sum.get(to) || 0) + n);
	}
	return sum;
};

const drawCells = (u, steps, step_s) => {
	const { ctx, bbox } = u, tones = shades(), shift = shift_of(u);
	const cells = steps.map((s) => merged(s.heat || [], shift));
	const most = Math.max(...steps.map((s, i) =>
		Math.max(0, ...cells[i].values()) / s.samples));

	ctx.save();
	ctx.beginPath();
	ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
	ctx.clip();
	steps.forEach((s, k) => {
		const t = Date.parse(s.time) / 1000;
		const x0 = Math.floor(u.valToPos(t, "x", true));
		const x1 = Math.max(x0 + 1, Math.floor(u.valToPos(t + step_s, "x", true)));

		for (const [i, n] of cells[k]) {
			const y0 = Math.floor(u.valToPos(upper_ms(i * 2 ** shift), "y", true));
			const y1 = Math.max(y0 + 1, Math.floor(u.valToPos(
				upper_ms((i - 1) * 2 ** shift), "y", true)));
			const t01 = Math.sqrt(n / s.samples / most);

			ctx.fillStyle = tones[Math.min(SHADES - 1,
				Math.floor(t01 * SHADES))];
			ctx.fillRect(x0, y0, x1 - x0, y1 - y0);
		}
	});
	ctx.restore();
};

// Hours of the day; the date where a day begins, and alone beyond some days.
const timeTicks = (u, splits, axis, space, incr) => splits.map((s) => {
	const date = new Date(s * 1000);
	const midnight = s % 86400 === 0;

	if (incr >= 86400 || midnight)
		return f.day(date).slice(incr >= 28 * 86400 ? 0 : 5);
	return f.clock(date, incr < 60);
});

const axes = () => {
	const font = "12px system-ui, sans-serif", stroke = colour("--soft");
	const grid = { stroke: colour("--grid"), width: 1 };
	const ticksOf = { stroke: colour("--grid"), width: 1, size: 5 };

	return [{ stroke, font, grid, ticks: ticksOf, values: timeTicks, space: 70 },
		{ stroke, font, grid, ticks: ticksOf, size: 56,
			splits: (u) => ticks(u.scales.y.min, u.scales.y.max),
			filter: (u, splits) => splits,
			values: (u, splits) => splits.map((v) => `${+v.toPrecision(3)} ms`) }];
};

const shown = (u, v) => v === null || v === undefined ? f.NONE : f.ms(v * 1e6);
const when = (u, t) => t === null || t === undefined ? f.NONE :
	`${f.day(new Date(t * 1000))} ${f.clock(new Date(t * 1000))} UTC`;

const base = (box, from_s, to_s, y) => ({
	width: Math.max(200, box.clientWidth), height: HEIGHT_PX,
	tzDate: (t) => uPlot.tzDate(new Date(t * 1000), "Etc/UTC"),
	scales: { x: { time: true, range: () => [from_s, to_s] },
		y: { distr: 3, log: 2, range: () => y } },
	axes: axes(), cursor: { drag: { x: false, y: false }, points: { size: 6 } },
	padding: [18, 20, 0, 0],
	legend: { markers: { width: 3, dash: (u, i) => DASHES[String(u.series[i].dash)] ||
		"dashed" } },
});

// box: where to; doc: of GET history with heat, one row; ready(u) whenever the picture
// was laid out anew.
export const heatMap = (box, doc, floor_ns, ready) => {
	const [row] = doc.rows;
	const steps = row ? row.steps : [];
	const from_s = Date.parse(doc.from) / 1000, to_s = Date.parse(doc.to) / 1000;
	const data = columns(steps, LINES.map((line) => line.key), doc.step_s);

	// the floor from one end to the other
	data.forEach((list, i) => { list.unshift(i ? null : from_s); list.push(i ? null : to_s); });
	data.push(data[0].map(() => floor_ns ? floor_ns / 1e6 : null));
	const series = LINES.map((line) => ({ label: line.label, dash: line.dash,
		width: line.width, stroke: colour(line.tone), value: shown,
		points: { show: steps.length < 3 } }));
	const plot = new uPlot({ ...base(box, from_s, to_s, extent(steps, floor_ns)),
		series: [{ value: when, label: "Time" }, ...series,
			{ label: "floor", stroke: colour("--line-floor"), width: 2,
				dash: [10, 5], value: shown, points: { show: false } }],
		hooks: { drawAxes: [(u) => drawCells(u, steps, doc.step_s)],
			ready: [ready], setSize: [ready] } }, data, box);

	return plot;
};

// p50 of each path, for comparing.
export const pathLines = (box, doc) => {
	const from_s = Date.parse(doc.from) / 1000, to_s = Date.parse(doc.to) / 1000;
	const all = doc.rows.map((r) => columns(r.steps, ["p50_ns"], doc.step_s));
	const y = extent(doc.rows.flatMap((r) => r.steps.map((s) =>
		({ p5_ns: s.p50_ns, p50_ns: s.p50_ns }))), 0);
	const tones = [1, 2, 3, 4].map((i) => colour(`--path-${i}`));

	return new uPlot({ ...base(box, from_s, to_s, y), height: 220,
		series: [{ value: when, label: "Time" }, ...doc.rows.map((r, i) => ({
			label: r.path || "(no path)", width: 2, value: shown,
			stroke: tones[i % tones.length],
			dash: [[], [8, 4], [2, 3], [10, 3, 2, 3]][i % 4],
			points: { show: r.steps.length < 3 } }))] },
		uPlot.join(all), box);
};

export const heatLegend = () => el("p", { class: "legend" },
	el("span", { class: "key" }, el("i", { class: "swatch heat" }),
		"share of a step's samples"));
