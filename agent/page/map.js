// SPDX-License-Identifier: GPL-2.0
// The corridor map: land, and an arc from the gateway to each lane that has a place.
import { geoMercator, geoPath } from "d3-geo";
import { byId, el, empty, svg } from "./dom.js";
import * as f from "./format.js";
import * as l from "./lanes.js";
import { NEAR } from "./near.js";

const HEIGHT_PX = { wide: 430, narrow: 300 };
const PAD_PX = { wide: 64, narrow: 44 };
const LEAST_SPAN_DEG = 10;	// of the view: nobody wants to see one street
const LABEL_PX = { w: 60, h: 30, gap: 9 };

// The meridian between the lanes farthest east and west of the gateway, each by the
// shorter way round, so that no arc leaves the picture on one side to come back on the
// other.
export const middle = (home, lons) => {
	const off = [0, ...lons.map((lon) => ((lon - home + 540) % 360) - 180)];
	const centre = home + (Math.min(...off) + Math.max(...off)) / 2;

	return ((centre + 540) % 360) - 180;
};

const spread = ([lat, lon]) => {
	const half = LEAST_SPAN_DEG / 2;

	return [[lon - half, lat - half], [lon + half, lat + half]];
};

// places: the gateway's first
const fit = (places, w, h, pad) => {
	const [home, ...others] = places.map(([, lon]) => lon);
	const rotate = [-middle(home, others), 0];
	const points = places.length > 1 ? places.map(([lat, lon]) => [lon, lat]) :
		spread(places[0]);

	return geoMercator().rotate(rotate).fitExtent([[pad, pad], [w - pad, h - pad]],
		{ type: "MultiPoint", coordinates: points });
};

const inside = (projection, w, h, [west, south, east, north]) =>
	[[0, 0], [w, 0], [0, h], [w, h]].every((corner) => {
		const [x, lat] = projection.invert(corner);
		const lon = x < west ? x + 360 : x;

		return lon > west && lon < east && lat > south && lat < north;
	});

// An arc leaves the straight line by a share of its length: those to neighbouring
// places stay apart. Its middle is a quadratic curve's control point.
const control = ([x0, y0], [x1, y1]) => {
	const bend = x1 >= x0 ? -0.16 : 0.16;

	return [(x0 + x1) / 2 - (y1 - y0) * bend, (y0 + y1) / 2 + (x1 - x0) * bend];
};

const bent = (from, to) => {
	const [a, b, c] = [from, control(from, to), to]
		.map((p) => p.map((v) => v.toFixed(1)).join(","));

	return `M${a}Q${b} ${c}`;
};

// Small boxes along an arc, which labels avoid.
const beads = (from, to) => [0.25, 0.4, 0.55, 0.7, 0.85].map((t) => {
	const [x, y] = [0, 1].map((i) => (1 - t) ** 2 * from[i] +
		2 * t * (1 - t) * control(from, to)[i] + t * t * to[i]);

	return { x: x - 6, y: y - 6, w: 12, h: 12 };
});

// 1.5 to 7 px, by the logarithm: 10 kbit/s and 100 Gbit/s are both on it.
const width = (bits_per_s) => Math.min(7, Math.max(1.5,
	1.5 + (Math.log10(Math.max(bits_per_s, 1e4)) - 4) * 5.5 / 7));

const overlap = (a, b) =>
	Math.max(0, Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x)) *
	Math.max(0, Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y));

// A label that covers so much of others, in shares of itself, is shown only when its
// place is pointed at or focused.
const CROWDED = 0.12;

// Where a label stands beside its point: the first of eight places at which it
// covers least.
const place = ([x, y], taken, w, h, box = LABEL_PX) => {
	const { gap } = box;
	let best, least = Infinity;

	for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, 1],
		[1, -1], [-1, -1]]) {
		const at = { w: box.w, h: box.h,
			x: dx > 0 ? x + gap : dx < 0 ? x - gap - box.w : x - box.w / 2,
			y: dy > 0 ? y + gap : dy < 0 ? y - gap - box.h : y - box.h / 2,
			anchor: dx > 0 ? "start" : dx < 0 ? "end" : "middle" };
		const out = at.x < 0 || at.y < 0 || at.x + at.w > w || at.y + at.h > h;
		const cost = taken.reduce((all, t) => all + overlap(at, t), out ? 4000 : 0);

		if (cost < least) {
			least = cost;
			best = at;
		}
	}
	best.crowded = taken.reduce((all, t) => all + (t.label ? overlap(best, t) : 0), 0) >
		CROWDED * box.w * box.h;
	if (!best.crowded)
		taken.push({ ...best, label: true });
	return best;
};

const label = (at, lines) => {
	const x = at.anchor === "start" ? at.x : at.anchor === "end" ? at.x + at.w :
		at.x + at.w / 2;

	return svg("text", { x, y: at.y + 12, "text-anchor": at.anchor,
		class: at.crowded ? "label crowded" : "label" },
		svg("tspan", { class: "name" }, lines[0]),
		lines[1] && svg("tspan", { x, dy: 14, class: "figure" }, lines[1]));
};

const words = (lane) => {
	const path = l.main(lane);
	const x = l.ratio(lane, path);

	return `${lane.lane}: p50 ${f.ms(path && path.p50_ns)}, p95 ` +
		`${f.ms(path && path.p95_ns)}${x === null ? "" : `, ${f.times(x)} the floor`}, ` +
		f.bits(lane.bits_per_s);
};

const tone = (lane) => {
	const step = l.step(l.ratio(lane, l.main(lane)));

	return step === null ? "none" : `step${step}`;
};

export class CorridorMap {
	constructor() {
		this.box = byId("map");
		this.land = {};
		this.doc = null;
		new ResizeObserver(() => this.draw()).observe(this.box);
		this.legend();
	}

	legend() {
		const text = l.STEPS.map((most) => `to ${most}\u00d7`)
			.concat(`above ${l.STEPS.at(-1)}\u00d7`);

		byId("map-legend").replaceChildren(
			el("span", { class: "hint" }, "p95 against floor"),
			...text.map((word, i) => el("span", { class: "key" },
				el("i", { class: `swatch step${i}` }), word)),
			el("span", { class: "key" }, el("i", { class: "swatch none" }),
				"floor not known"));
	}

	update(doc) {
		this.doc = doc;
		this.draw();
	}

	// Land is fetched once it is known which.
	async fetchLand(name) {
		this.land[name] = {};	// on its way
		try {
			this.land[name] = await (await fetch(`/page/${name}.json`)).json();
			this.shape = "";
			this.draw();
		} catch {
			delete this.land[name];
			this.shape = "";	// the next document tries again
		}
	}

	// The view changes only with places and size; land is drawn anew only then.
	view(places, w, h, narrow) {
		const shape = JSON.stringify([places, w, h]);

		if (shape === this.shape)
			return;
		this.shape = shape;
		this.projection = fit(places, w, h, narrow ? PAD_PX.narrow : PAD_PX.wide)
			.clipExtent([[-2, -2], [w + 2, h + 2]]);
		const name = inside(this.projection, w, h, NEAR) ? "near" : "world";
		const land = this.land[name];

		if (!land)
			this.fetchLand(name);
		this.landNode = svg("path", { class: "land",
			d: land && land.type ? geoPath(this.projection)(land) || "" : "" });
	}

	draw() {
		if (!this.doc)
			return;
		const { gateway } = this.doc;
		const lanes = this.doc.lanes.filter((lane) => lane.at);
		const w = this.box.clientWidth, narrow = w < 560;
		const h = narrow ? HEIGHT_PX.narrow : HEIGHT_PX.wide;

		if (!gateway.at || !lanes.length) {
			this.box.replaceChildren(empty(gateway.at ?
				"No lane has a place yet: lanes: [{name: .., at: [latitude, longitude]}]" :
				"The gateway has no place: gateway: {at: [latitude, longitude]} puts it on the map"));
			return;
		}
		if (!w)
			return;
		this.view([gateway.at, ...lanes.map((lane) => lane.at)], w, h, narrow);
		this.paint(gateway, lanes, w, h);
	}

	paint(gateway, lanes, w, h) {
		const on = ([lat, lon]) => this.projection([lon, lat]);
		const home = on(gateway.at);
		const taken = [home, ...lanes.map((lane) => on(lane.at))]
			.map(([x, y]) => ({ x: x - 7, y: y - 7, w: 14, h: 14 }))
			.concat(lanes.flatMap((lane) => beads(home, on(lane.at))));
		const focused = document.activeElement && this.box.contains(document.activeElement) ?
			document.activeElement.getAttribute("href") : null;
		const sorted = [...lanes].sort((a, b) => on(a.at)[1] - on(b.at)[1]);
		const name = label(place(home, taken, w, h,
			{ ...LABEL_PX, w: 8 * gateway.name.length + 8, h: 16 }), [gateway.name]);
		const drawn = svg("svg", { viewBox: `0 0 ${w} ${h}`, width: w, height: h,
			role: "group", "aria-label": `Map of ${lanes.length} lanes from ${gateway.name}` },
			svg("rect", { class: "sea", width: w, height: h }), this.landNode,
			sorted.map((lane) => this.arc(lane, home, on(lane.at))),
			sorted.map((lane) => this.lane(lane, on(lane.at),
				place(on(lane.at), taken, w, h))),
			svg("g", { class: "home" }, svg("circle", { cx: home[0], cy: home[1], r: 6 }),
				name));

		this.box.replaceChildren(drawn);
		if (focused)
			drawn.querySelector(`.place[href="${CSS.escape(focused)}"]`)?.focus();
	}

	// For the pointer alone: keyboards and readers have the place.
	arc(lane, home, to) {
		const d = bent(home, to);

		return svg("a", { href: l.href(lane.lane), class: `corridor ${tone(lane)}`,
			tabindex: "-1", "aria-hidden": "true" },
			svg("title", {}, words(lane)),
			svg("path", { class: "reach", d }),
			svg("path", { class: "arc", d,
				"stroke-width": width(lane.bits_per_s).toFixed(1) }));
	}

	lane(lane, to, at) {
		const path = l.main(lane);

		return svg("a", { href: l.href(lane.lane), "aria-label": words(lane),
			class: `corridor place ${tone(lane)}` },
			svg("title", {}, words(lane)),
			svg("circle", { cx: to[0], cy: to[1], r: 5 }),
			label(at, [lane.lane, f.ms(path && path.p50_ns)]));
	}
}
