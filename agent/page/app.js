// SPDX-License-Identifier: GPL-2.0
// The page: what the stream brings goes to the parts that show it; the address says
// whether it is all corridors or one lane.
import "uplot/dist/uPlot.min.css";
import "./app.css";
import { setToken } from "./api.js";
import { byId, el, empty } from "./dom.js";
import { Drops } from "./drops.js";
import { Events } from "./events.js";
import { Head } from "./head.js";
import { LaneView } from "./lane.js";
import * as l from "./lanes.js";
import { CorridorMap } from "./map.js";
import { Sparks } from "./spark.js";
import { follow } from "./stream.js";
import { LaneTable } from "./table.js";

// Events after which status, and a lane's marks, are others.
const TELLING = new Set(["agent", "bypass", "budget", "commit", "expiry", "geography",
	"module", "path-change", "reload"]);

const head = new Head();
const sparks = new Sparks(() => table.draw());
const table = new LaneTable(sparks);
const map = new CorridorMap();
const drops = new Drops();
const events = new Events();
const view = new LaneView();
let latest = null;	// GET lanes
let was = null;		// the stream's state

const notables = (doc) => {
	const list = doc.lanes.flatMap((lane) => l.notable(lane, l.change(lane, events.list))
		.map((n) => ({ ...n, lane: lane.lane })));
	const placeless = doc.lanes.filter((lane) => !lane.at);

	byId("notable").replaceChildren(list.length ? el("ul", { class: "notables" },
		list.map((n) => el("li", { class: n.kind },
			el("a", { href: l.href(n.lane) }, n.lane), ` ${n.text}`))) :
		empty("Every path is steady, and every budget is kept."));
	byId("placeless").replaceChildren(...(doc.gateway.at && placeless.length ? [
		el("h3", {}, "Not on the map"),
		el("ul", { class: "placeless" }, placeless.map((lane) => el("li", {},
			el("a", { href: l.href(lane.lane) }, lane.lane))))] : []));
};

const take = (kind, document) => {
	if (kind === "lanes") {
		latest = document;
		head.lanes(document);
		notables(document);
		map.update(document);
		table.update(document);
		view.update(document);
		sparks.refresh(document.lanes);
	} else if (kind === "event") {
		events.take(document);
		if (latest)
			notables(latest);
		if (TELLING.has(document.kind)) {
			head.refresh(true);
			drops.refresh(true);
			view.event();
		}
	}
};

const tell = (state, error) => {
	head.tell(state, error);
	if (state === "live" && was !== "live") {
		events.load();
		head.refresh(true);
		drops.refresh(true);
		sparks.forget();
		view.event();
	}
	was = state;
};

const route = () => {
	const at = /^#\/lane\/([^?]+)(?:\?(.*))?$/.exec(location.hash);
	let name = null;

	try {
		name = at && decodeURIComponent(at[1]);
	} catch {
		// a broken address is that of all corridors
	}
	head.entitle(name);
	byId("overview").hidden = name !== null;
	byId("lane").hidden = name === null;
	if (name === null) {
		const former = view.name;

		view.close();
		// back to where one came from
		if (former !== null)
			document.querySelector(`.lanes a[href="${CSS.escape(l.href(former))}"]`)?.focus();
		map.draw();
		drops.refresh(true);
	} else {
		view.open(name, new URLSearchParams(at[2] || ""));
		if (latest)
			view.update(latest);
	}
};

byId("token").addEventListener("submit", (e) => {
	e.preventDefault();
	setToken(byId("token-word").value.trim());
	byId("token-word").value = "";
	dispatchEvent(new Event("online"));	// the stream tries again at once
});
document.querySelector(".skip").addEventListener("click", (e) => {
	e.preventDefault();	// the address is the view's
	byId("main").focus();
});
addEventListener("hashchange", route);
document.addEventListener("visibilitychange", () => {
	head.refresh();
	drops.refresh();
	if (latest)
		sparks.refresh(latest.lanes);
});
setInterval(() => { head.refresh(); drops.refresh(); }, 1000);
route();
follow(take, tell);
