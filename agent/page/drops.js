// SPDX-License-Identifier: GPL-2.0
// What is dropped, limited and counted, and by whom: rules, lists, blocks, FlowSpec.
import { get } from "./api.js";
import { byId, el, empty, failure, setText } from "./dom.js";
import * as f from "./format.js";

const EVERY_MS = 5000;
const REST = 20;	// times what the answers took: long lists are asked for less often
const SHOWN = 30;	// the busiest ones; the rest is a number

const rule = (kind) => (r) => ({ kind, name: r.id, what: r.match_text,
	action: r.action_text, packets: r.packets, bytes: r.bytes,
	over: r.over_packets, hit: r.last_hit, why: r.why, until: r.until });

const block = (b) => ({ kind: "block", name: b.prefix, what: "", action: b.action,
	packets: b.packets, bytes: b.bytes, hit: b.last_hit, why: b.why, until: b.until });

const list = (x) => ({ kind: "list", name: x.name,
	what: `${f.count(x.prefixes)} prefixes`, action: "drop", packets: x.packets,
	bytes: x.bytes, hit: x.last_hit, why: x.why });

const flowspec = (r) => ({ kind: "FlowSpec", name: r.id, what: r.match,
	action: r.action, packets: r.packets, bytes: r.bytes, over: r.over_packets,
	hit: r.last_hit, why: `from ${r.neighbour}` });

const ask = async () => {
	const [rules, lists, blocks, routes, drops] = await Promise.all([
		get("rules"), get("lists"), get("blocks"), get("flowspec"),
		get("drops", { limit: 1 })]);

	return { dropped: drops.dropped, all: [...rules.rules.map(rule("rule")),
		...routes.rules.filter((r) => r.enforced).map(flowspec),
		...lists.lists.map(list), ...blocks.blocks.map(block)] };
};

export class Drops {
	constructor() {
		this.box = byId("drops");
		this.total = byId("drops-total");
		this.last = new Map();		// "kind/name" -> packets
		this.at_ms = 0;			// of these
		this.asked_ms = 0;
		this.every_ms = EVERY_MS;
		this.busy = false;
	}

	// Once more, unless it is too soon or nobody looks.
	async refresh(now = false) {
		if (this.busy || document.hidden || this.box.offsetParent === null ||
		    (!now && Date.now() - this.asked_ms < this.every_ms))
			return;
		this.busy = true;
		this.asked_ms = Date.now();
		try {
			const found = await ask();

			this.every_ms = Math.max(EVERY_MS, REST * (Date.now() - this.asked_ms));
			this.draw(found);
		} catch (error) {
			this.box.replaceChildren(failure(error));
		}
		this.busy = false;
	}

	rate(key, packets, elapsed_s) {
		const before = this.last.get(key);

		// counters that begin anew say nothing
		return before === undefined || !elapsed_s || packets < before ? null :
			(packets - before) / elapsed_s;
	}

	draw({ dropped, all }) {
		const now_ms = Date.now();
		const elapsed_s = this.at_ms ? (now_ms - this.at_ms) / 1000 : 0;
		const key = (x) => `${x.kind}/${x.name}`;

		for (const x of all)
			x.rate = this.rate(key(x), x.packets, elapsed_s);
		const total = this.rate("", dropped, elapsed_s);

		this.at_ms = now_ms;
		this.last = new Map(all.map((x) => [key(x), x.packets]));
		this.last.set("", dropped);
		setText(this.total, `${f.count(dropped)} packets dropped since the agent ` +
			`began${total === null ? "" : `, ${f.packets(total)} now`}`);
		all.sort((a, b) => (b.rate || 0) - (a.rate || 0) || b.packets - a.packets);
		this.box.replaceChildren(all.length ? this.table(all.slice(0, SHOWN)) :
			empty("Nothing is blocked, and no rule is loaded."),
			all.length > SHOWN ? el("p", { class: "hint" },
				`and ${f.count(all.length - SHOWN)} that hit less`) : "");
	}

	table(all) {
		const head = ["Rule", "Action", "Rate", "Packets", "Last hit"];

		return el("table", { class: "drops" },
			el("caption", { class: "unseen" }, "Rules, lists and blocks, the busiest first"),
			el("thead", {}, el("tr", {}, head.map((text, i) =>
				el("th", { scope: "col", class: i > 1 ? "num" : "" }, text)))),
			el("tbody", {}, all.map((x) => this.row(x))));
	}

	row(x) {
		const note = [x.what, x.why, x.until ? `until ${f.moment(x.until)}` : ""]
			.filter(Boolean).join(" \u00b7 ");

		return el("tr", {},
			el("th", { scope: "row" }, el("span", { class: "kind" }, x.kind), " ",
				el("span", { class: "name" }, x.name),
				note ? el("span", { class: "note", title: note }, note) : ""),
			el("td", {}, x.action),
			el("td", { class: "num" }, f.packets(x.rate)),
			el("td", { class: "num", title: f.bytes(x.bytes) }, f.count(x.packets)),
			el("td", { class: "num" }, x.hit ? f.moment(x.hit) : f.NONE));
	}
}
