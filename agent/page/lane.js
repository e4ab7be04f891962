// SPDX-License-Identifier: GPL-2.0
// One lane: its history as a heat map with what happened, its paths, prefixes and
// budgets. What is shown is in the address, so that it can be sent to somebody.
import { get } from "./api.js";
import { csv, download } from "./csv.js";
import { byId, el, empty, failure } from "./dom.js";
import { heatLegend, heatMap, pathLines } from "./heat.js";
import * as l from "./lanes.js";
import { drawMarks, markList } from "./marks.js";
import * as parts from "./parts.js";

// name, how long, step in s: some 300 columns each
const WINDOWS = [["15m", "15 m", 10], ["1h", "1 h", 10], ["6h", "6 h", 60], ["24h", "24 h", 300],
	["7d", "7 d", 1800], ["30d", "30 d", 7200], ["400d", "400 d", 86400]];
const HALVES = [["far", "far: to the remote end"], ["near", "near: to the home end"],
	["full", "full: end to end"], ["self", "self: within the gateway"]];
const KEYS = ["time", "samples", "min_ns", "p5_ns", "p50_ns", "p90_ns", "p95_ns",
	"p99_ns", "max_ns", "mean_ns"];
const SOON_MS = 1500;	// after an event: history needs its step

export class LaneView {
	constructor() {
		this.box = byId("lane");
		this.name = null;
		this.lane = null;	// of the last GET lanes
		this.plots = [];
		this.turn = 0;		// of the question under way
		addEventListener("resize", () => this.resize());
		matchMedia("(prefers-color-scheme: dark)")
			.addEventListener("change", () => this.draw());
	}

	// words: w=24h&path=..&half=..
	open(name, words) {
		const known = (list, word, other) => list.some(([key]) => key === word) ?
			word : other;
		const choice = { window: known(WINDOWS, words.get("w"), "1h"),
			path: words.get("path") || "",
			half: known(HALVES, words.get("half"), "far") };
		const other = name !== this.name;

		this.name = name;
		this.choice = choice;
		if (other)
			this.build();
		this.mirror();
		this.load();
	}

	close() {
		this.name = null;
		this.turn++;
		clearTimeout(this.timer);
		this.drop();
		this.box.replaceChildren();
	}

	build() {
		const card = (id, title, note) => el("section", { class: "card",
			"aria-labelledby": `${id}-title` },
		el("div", { class: "card-head" }, el("h3", { id: `${id}-title` }, title),
			note ? el("p", { class: "hint" }, note) : ""),
		this[id] = el("div", {}));

		this.drop();
		this.lane = null;
		this.title = el("h2", { id: "lane-title", tabindex: "-1" }, this.name);
		this.state = el("span", { class: "chips" });
		this.facts = el("dl", { class: "strip" });
		this.box.replaceChildren(
			el("p", {}, el("a", { class: "back", href: "#/" }, "\u2190 All corridors")),
			el("div", { class: "lane-head" }, this.title, this.state), this.facts,
			this.chartCard(),
			el("div", { class: "split even" }, card("marks", "What happened"),
				el("div", { class: "stack" }, card("budgets", "Budgets"),
					card("working", "Idle and working", "what load adds, 5 min"))),
			card("paths", "By path", "the last 10 s"),
			card("prefixes", "Top prefixes", "the last hour"));
		this.lines = el("div", { class: "plot" });
		this.paths.after(this.lines);
		this.title.focus();
	}

	chartCard() {
		const radios = WINDOWS.map(([key, text]) => el("label", {},
			el("input", { type: "radio", name: "window", value: key,
				onchange: () => this.choose({ window: key }) }), el("span", {}, text)));

		this.pathSelect = el("select", { onchange: (e) =>
			this.choose({ path: e.target.value }) });
		this.halfSelect = el("select", { onchange: (e) =>
			this.choose({ half: e.target.value }) },
		HALVES.map(([key, text]) => el("option", { value: key }, text)));
		this.plot = el("div", { class: "plot", role: "img" });
		this.said = el("div", { role: "status" });
		this.figures = el("div", {});
		this.details = el("details", { ontoggle: () => this.drawSteps() },
			el("summary", {}, "The same as a table"), this.figures);
		return el("section", { class: "card", "aria-labelledby": "heat-title" },
			el("div", { class: "card-head" },
				el("h3", { id: "heat-title" }, "Round trips over time"),
				el("fieldset", { class: "segments" },
					el("legend", { class: "unseen" }, "Window"), radios),
				el("label", { class: "field" }, el("span", {}, "Path"), this.pathSelect),
				el("label", { class: "field" }, el("span", {}, "Half"), this.halfSelect),
				el("button", { type: "button", onclick: () => this.save() }, "CSV")),
			this.said, this.plot, heatLegend(), this.details);
	}

	choose(change) {
		const { window, path, half } = { ...this.choice, ...change };
		const words = new URLSearchParams({ w: window,
			...(path ? { path } : {}), ...(half !== "far" ? { half } : {}) });

		location.hash = `${l.href(this.name)}?${words}`;
	}

	// The controls say what the address says.
	mirror() {
		const names = new Set(["", this.choice.path,
			...(this.lane ? this.lane.paths.map((p) => p.path) : [])]);

		if (this.pathSelect.options.length !== names.size)
			this.pathSelect.replaceChildren(...[...names].map((name) =>
				el("option", { value: name }, name || "all")));
		this.pathSelect.value = this.choice.path;
		this.halfSelect.value = this.choice.half;
		for (const radio of this.box.querySelectorAll("input[name=window]"))
			radio.checked = radio.value === this.choice.window;
	}

	step_s() {
		return WINDOWS.find(([key]) => key === this.choice.window)[2];
	}

	async load() {
		const turn = ++this.turn, { window, path, half } = this.choice;
		const common = { lane: this.name, half, step: `${this.step_s()}s`,
			since: `-${window}` };

		clearTimeout(this.timer);
		this.box.setAttribute("aria-busy", "true");
		try {
			const doc = await get("history", { ...common, path, heat: 1 });
			const byPath = await get("history", { ...common, by: "path" });
			const top = await get("latency", { lane: this.name, by: "prefix" });

			if (turn !== this.turn)
				return;
			Object.assign(this, { doc, byPath });
			this.said.replaceChildren();
			this.prefixes.replaceChildren(parts.prefixes(top));
			this.draw();
		} catch (error) {
			if (turn === this.turn)
				this.complain(error);
		}
		if (turn !== this.turn)
			return;
		this.box.removeAttribute("aria-busy");
		this.timer = setTimeout(() => this.again(), this.step_s() * 1000);
	}

	complain(error) {
		this.said.replaceChildren(failure(error));
		for (const box of this.doc ? [] : [this.marks, this.prefixes])
			box.replaceChildren(empty("Not known."));
	}

	again() {
		if (document.hidden)
			this.timer = setTimeout(() => this.again(), this.step_s() * 1000);
		else
			this.load();
	}

	// Something happened that history marks.
	event() {
		if (this.name === null)
			return;
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.load(), SOON_MS);
	}

	update(doc) {
		if (this.name === null)
			return;
		const before = this.lane;

		this.lane = doc.lanes.find((lane) => lane.lane === this.name) || null;
		if (!this.lane) {
			this.facts.replaceChildren(el("div", {}, el("dt", {}, "Traffic"),
				el("dd", {}, "none now")));
			this.state.replaceChildren();
			return;
		}
		this.facts.replaceChildren(...parts.facts(this.lane));
		this.state.replaceChildren(...l.chips(this.lane, l.main(this.lane)));
		this.paths.replaceChildren(parts.paths(this.lane));
		this.budgets.replaceChildren(parts.budgets(this.lane));
		this.working.replaceChildren(parts.working(this.lane));
		this.mirror();
		// the floor's line waits for the first document
		if (this.doc && (before && before.floor_ns) !== this.lane.floor_ns)
			this.draw();
	}

	drop() {
		this.plots.forEach((p) => p.destroy());
		this.plots = [];
		this.doc = this.byPath = null;
	}

	draw() {
		const { doc, byPath } = this;

		if (this.name === null || !doc)
			return;
		this.plots.forEach((p) => p.destroy());
		this.plots = [];
		this.lines.replaceChildren();
		this.plot.replaceChildren();
		this.marks.replaceChildren(markList(doc.marks));
		if (!doc.rows.length || !doc.rows[0].steps.length) {
			this.plot.replaceChildren(empty("No samples in this window."));
		} else {
			// the floor is of the far half
			const floor_ns = this.choice.half === "far" && this.lane ?
				this.lane.floor_ns : null;

			this.plots.push(heatMap(this.plot, doc, floor_ns,
				(u) => drawMarks(u, doc.marks)));
			this.plot.setAttribute("aria-label", `Heat map of ${doc.rows[0].steps.length} ` +
				"steps; the figures are in the table below");
		}
		if (byPath.rows.length > 1)
			this.plots.push(pathLines(this.lines, byPath));
		this.drawSteps();
	}

	drawSteps() {
		if (this.details.open && this.doc && this.doc.rows.length)
			this.figures.replaceChildren(parts.steps(this.doc.rows[0]));
	}

	resize() {
		const width = Math.max(200, this.plot ? this.plot.clientWidth : 0);

		this.plots.forEach((p) => p.setSize({ width, height: p.height }));
	}

	save() {
		if (this.doc && this.doc.rows.length)
			download(`${this.name}-${this.choice.window}-${this.choice.half}.csv`,
				csv(KEYS, this.doc.rows[0].steps));
	}
}
