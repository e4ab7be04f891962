// SPDX-License-Identifier: GPL-2.0
// The head: whose gateway, how fresh, bypass, module, generation, time.
import { get } from "./api.js";
import { byId, el, setText } from "./dom.js";
import * as f from "./format.js";

const STATUS_MS = 15000, STALE_MS = 12000;

const stopwatch = ({ module, residence }) => {
	const words = module && module.used ? `module ${module.version}` :
		module ? "module not used" : "no module";

	return `${words}, ${residence ? residence.source : "none"}`;
};

export class Head {
	constructor() {
		this.state = "connecting";
		this.since = new Date();
		this.heard_ms = 0;		// the last lanes document
		this.asked_ms = 0;
		setInterval(() => this.second(), 1000);
		this.second();
	}

	second() {
		const now = new Date(), clock = byId("clock");
		const old_ms = Date.now() - this.heard_ms;

		setText(clock, `${f.day(now)} ${f.clock(now)} UTC`);
		clock.dateTime = now.toISOString();
		clock.title = f.local(now);
		setText(byId("age"), this.heard_ms && old_ms > STALE_MS ?
			`figures ${f.span(old_ms / 1000)} old` : "");
		document.body.classList.toggle("stale",
			this.heard_ms > 0 && old_ms > STALE_MS);
	}

	// "live", "lost" or "refused"; a change is read out.
	tell(state, error) {
		const pill = byId("state");

		if (state !== this.state)
			this.since = new Date();
		this.state = state;
		pill.dataset.state = state;
		setText(pill, state === "live" ? "live" : state === "refused" ? "refused" :
			`reconnecting since ${f.clock(this.since)}`);
		byId("token").hidden = !(state === "refused" && error.status === 401);
		this.complain(state === "refused" ? error : null);
	}

	complain(error) {
		const box = byId("trouble");

		box.hidden = !error;
		setText(box, error ? [error.message, error.remedy].filter(Boolean).join(": ") : "");
	}

	lanes(doc) {
		this.heard_ms = Date.now();
		setText(byId("gateway"), doc.gateway.name);
		this.name = doc.gateway.name;
		this.entitle();
	}

	// The tab says which lane it shows.
	entitle(lane = this.lane) {
		this.lane = lane;
		document.title = [lane, this.name, "Sealane"].filter(Boolean).join(" \u2013 ");
	}

	async refresh(now = false) {
		if (document.hidden || (!now && Date.now() - this.asked_ms < STATUS_MS))
			return;
		this.asked_ms = Date.now();
		try {
			this.draw(await get("status"));
		} catch {
			// the pill says it already
		}
	}

	draw(status) {
		const facts = [["Generation", f.count(status.generation)],
			["Stopwatch", stopwatch(status), "what times packets within the gateway"],
			["Agent", `${status.agent.version}, up ${f.span(status.agent.uptime_s)}`]];
		const by = status.bypassed, banner = byId("bypass");

		byId("facts").replaceChildren(...facts.map(([name, text, title]) =>
			el("div", { title }, el("dt", {}, name), el("dd", {}, text))));
		banner.hidden = !status.bypass;
		setText(banner, status.bypass ? "Bypass is on: nothing is dropped" +
			(by ? `, since ${f.moment(by.since)}${by.by ? ` by ${by.by}` : ""}` +
			`${by.why ? `: ${by.why}` : ""}` : "") : "");
	}
}
