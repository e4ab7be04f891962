// SPDX-License-Identifier: GPL-2.0
// What happened, the newest first.
import { get } from "./api.js";
import { byId, el, empty, failure } from "./dom.js";
import * as f from "./format.js";

const KEPT = 500, SHOWN = 100;
const SEVERITIES = ["error", "warning", "notice", "info"];

export class Events {
	constructor() {
		this.box = byId("events");
		this.list = [];
		this.last = 0;
		this.kind = byId("events-kind");
		this.severity = byId("events-severity");
		this.kind.append(el("option", { value: "" }, "all"));
		SEVERITIES.forEach((s, i) => this.severity.append(
			el("option", { value: i }, i === 3 ? "all" : i ? `${s} and worse` : s)));
		this.severity.value = "3";
		for (const select of [this.kind, this.severity])
			select.addEventListener("change", () => this.draw());
	}

	// All that the agent keeps, after it was found (again).
	async load() {
		try {
			const doc = await get("events", { limit: KEPT });

			if (doc.last < this.last)
				this.list = [];		// it lost what it knew
			this.add(...doc.events);
			this.draw();
		} catch (error) {
			this.box.replaceChildren(failure(error));
		}
	}

	add(...events) {
		const known = new Set(this.list.map((e) => e.n));

		this.list = [...this.list, ...events.filter((e) => !known.has(e.n))]
			.sort((a, b) => a.n - b.n).slice(-KEPT);
		this.last = this.list.length ? this.list.at(-1).n : 0;
		this.offer();
	}

	take(event) {
		this.add(event);
		this.draw();
	}

	// A choice for every kind that there is; the chosen one stays.
	offer() {
		const have = new Set([...this.kind.options].map((o) => o.value));

		for (const kind of new Set(this.list.map((e) => e.kind)))
			if (!have.has(kind))
				this.kind.append(el("option", { value: kind }, kind));
	}

	draw() {
		const most = Number(this.severity.value);
		const fits = this.list.filter((e) =>
			(!this.kind.value || e.kind === this.kind.value) &&
			SEVERITIES.indexOf(e.severity) <= most).reverse();

		this.box.replaceChildren(!fits.length ? empty(this.list.length ?
			"No event fits." : "Nothing has happened yet.") :
			el("ol", { class: "events", tabindex: "0", "aria-label": "Events, the newest first" },
				fits.slice(0, SHOWN).map((e) => this.item(e))));
	}

	item(e) {
		const date = new Date(e.time);

		return el("li", {},
			el("time", { datetime: e.time, title: f.local(date) }, f.moment(e.time)),
			el("span", { class: `kind ${e.severity}` }, e.kind),
			el("span", { class: "message" }, e.message));
	}
}
