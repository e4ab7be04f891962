// SPDX-License-Identifier: GPL-2.0
// The lane table: a row for each lane and path, sorted by any column.
import { byId, el, empty } from "./dom.js";
import * as f from "./format.js";
import * as l from "./lanes.js";

const stretch = (lane, p) => p ? p.stretch : null;
const of = (key) => (lane, p) => p ? p[key] : null;
const RANK = { changed: 3, suspect: 2, learning: 1, steady: 0 };

// key, heading, value to sort by, how it is shown, what it means
const COLUMNS = [
	["lane", "Lane", (lane) => lane.lane],
	["path", "Path", (lane, p) => p ? p.path || l.NAMELESS : ""],
	["rate", "Rate", of("bits_per_s"), f.bits, "bits a second, both ways"],
	["loss", "Loss", of("retrans_ppm"), f.share, "TCP segments sent again"],
	["p50", "p50", of("p50_ns"), f.ms],
	["p95", "p95", of("p95_ns"), f.ms],
	["p99", "p99", of("p99_ns"), f.ms],
	["floor", "Floor", (lane) => lane.floor_ns, f.ms,
		"the least that light in fibre allows"],
	["stretch", "Stretch", stretch, f.times, "p5 against the floor"],
	["state", "State", (lane, p) => (p ? RANK[p.state] ?? 0 : -1) +
		4 * l.broken(lane).length],
	["spark", "Last hour", null, null, "p50, minute by minute"],
];

const compare = (a, b) => {
	const none = (v) => v === null || v === undefined;

	if (none(a) || none(b))
		return none(a) - none(b);	// absent ones last, in both orders
	return typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b;
};

export class LaneTable {
	constructor(sparks) {
		this.sparks = sparks;
		this.by = "lane";
		this.down = false;
		this.rows = new Map();		// key -> { tr, cells }
		this.doc = null;
		this.body = el("tbody", { role: "rowgroup" });
		this.heads = COLUMNS.map((c) => this.head(c));
		this.table = el("table", { class: "lanes", role: "table" },
			el("caption", { class: "unseen" }, "Lanes by path, the last 10 seconds"),
			el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, this.heads)),
			this.body);
		this.none = empty("No lane has seen traffic yet.");
		byId("lanes").append(this.table, this.none);
		this.filter = byId("lanes-filter");
		this.filter.addEventListener("input", () => this.draw());
	}

	head([key, text, value, , title]) {
		return el("th", { scope: "col", role: "columnheader", class: `c-${key}`,
			title }, value ? el("button", { type: "button",
			onclick: () => this.sort(key) }, text) : text);
	}

	sort(key) {
		this.down = this.by === key ? !this.down : key !== "lane" && key !== "path";
		this.by = key;
		this.draw();
	}

	update(doc) {
		this.doc = doc;
		this.draw();
	}

	pairs() {
		const words = this.filter.value.trim().toLowerCase();
		const all = this.doc.lanes.flatMap((lane) => lane.paths.length ?
			lane.paths.map((p) => [lane, p]) : [[lane, null]]);
		const [, , value] = COLUMNS.find(([key]) => key === this.by);
		const text = ([lane, p]) => `${lane.lane} ${p ? `${p.path} ${p.state}` : ""} ` +
			l.chips(lane, p).map((c) => c.textContent).join(" ");

		return all.filter((pair) => text(pair).toLowerCase().includes(words))
			.sort((a, b) => {
				const x = value(...a), y = value(...b);
				const order = compare(x, y);

				return (this.down && x !== null && y !== null ? -order : order) ||
					compare(a[0].lane, b[0].lane);
			});
	}

	draw() {
		if (!this.doc)
			return;
		const pairs = this.pairs(), seen = new Set();

		COLUMNS.forEach(([key], i) => this.heads[i].setAttribute("aria-sort",
			key !== this.by ? "none" : this.down ? "descending" : "ascending"));
		pairs.forEach(([lane, p], i) => {
			const key = `${lane.lane}/${p ? p.path : ""}`;
			const row = this.rows.get(key) || this.make(key, lane);

			seen.add(key);
			this.fill(row, lane, p);
			if (this.body.children[i] !== row.tr)
				this.body.insertBefore(row.tr, this.body.children[i] || null);
		});
		for (const [key, row] of this.rows)
			if (!seen.has(key)) {
				row.tr.remove();
				this.rows.delete(key);
			}
		this.table.hidden = !pairs.length;
		this.none.hidden = pairs.length > 0;
		this.none.textContent = this.doc.lanes.length ?
			"No lane fits the filter." : "No lane has seen traffic yet.";
	}

	make(key, lane) {
		const cells = COLUMNS.map(([id, text]) => el(id === "lane" ? "th" : "td", {
			class: `c-${id}`, "data-label": text,
			role: id === "lane" ? "rowheader" : "cell",
			scope: id === "lane" ? "row" : null }));
		const tr = el("tr", { role: "row", onclick: (e) => {
			if (!e.target.closest("a") && !getSelection().toString())
				location.hash = l.href(lane.lane);
		} }, cells);
		const row = { tr, cells };

		cells[0].append(el("a", { href: l.href(lane.lane) }, lane.lane));
		this.rows.set(key, row);
		return row;
	}

	fill(row, lane, p) {
		COLUMNS.forEach(([key, , value, show], i) => {
			const cell = row.cells[i];

			if (key === "state")
				cell.replaceChildren(...l.chips(lane, p));
			else if (key === "spark")
				cell.replaceChildren(this.sparks.draw(lane.lane, p ? p.path : ""));
			else if (key === "p95")
				this.bar(cell, lane, p);
			else if (key !== "lane")
				cell.textContent = show ? show(value(lane, p)) : value(lane, p);
		});
		row.tr.dataset.lane = lane.lane;
		row.tr.dataset.path = p ? p.path : "";
	}

	bar(cell, lane, p) {
		const step = l.step(l.ratio(lane, p));

		cell.replaceChildren(el("i", { class: `swatch ${step === null ? "none" :
			`step${step}`}` }), f.ms(p ? p.p95_ns : null));
	}
}
