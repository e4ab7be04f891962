// SPDX-License-Identifier: GPL-2.0
// The last hour of each lane as a line: asked for one lane at a time, a minute apart.
import { get } from "./api.js";
import { svg } from "./dom.js";
import * as f from "./format.js";

const W = 120, H = 28;
const HOUR_S = 3600, STEP_S = 60, AGAIN_MS = 60000;
const REST = 5;	// times what an answer took until the next lane is asked for

const pause = (time_ms) => new Promise((done) => setTimeout(done, time_ms));

export class Sparks {
	constructor(changed) {
		this.changed = changed;		// new figures for a lane
		this.rows = new Map();		// "lane/path" -> steps
		this.asked = new Map();		// lane -> when, ms
		this.busy = false;
	}

	key(lane, path) {
		return `${lane}/${path}`;
	}

	// Ask for those that are due, one after the other.
	async refresh(lanes) {
		if (this.busy || document.hidden)
			return;
		this.busy = true;
		for (const { lane } of lanes) {
			if (Date.now() - (this.asked.get(lane) || 0) < AGAIN_MS)
				continue;
			this.asked.set(lane, Date.now());
			try {
				const doc = await get("history", { lane, by: "path",
					since: "-1h", step: `${STEP_S}s` });

				for (const row of doc.rows)
					this.rows.set(this.key(lane, row.path), row.steps);
				this.changed(lane);
				await pause(REST * (Date.now() - this.asked.get(lane)));
			} catch {
				break;	// whoever opens the lane is told why
			}
		}
		this.busy = false;
	}

	// Drop what was asked: the agent is another one, or history came back.
	forget() {
		this.asked.clear();
	}

	draw(lane, path) {
		const steps = (this.rows.get(this.key(lane, path)) || [])
			.filter((s) => s.p50_ns !== null);

		if (!steps.length)
			return svg("svg", { width: W, height: H, class: "spark",
				"aria-hidden": "true" });
		const end = Date.now() / 1000, lows = steps.map((s) => s.p50_ns);
		const least = Math.min(...lows), most = Math.max(...lows);
		// a tenth of the value fills the height: noise looks like noise
		const room = Math.max(most - least, least * 0.1) || 1;
		const middle = (most + least) / 2;
		const at = (s) => [
			(W - 4) * (1 - (end - Date.parse(s.time) / 1000) / HOUR_S),
			H / 2 - (s.p50_ns - middle) / room * (H - 8)];
		let d = "", last = null;

		for (const s of steps) {
			const t = Date.parse(s.time) / 1000, [x, y] = at(s);

			d += `${last !== null && t - last < 2.5 * STEP_S ? "L" : "M"}` +
				`${x.toFixed(1)},${y.toFixed(1)}`;
			last = t;
		}
		const [x, y] = at(steps.at(-1));

		return svg("svg", { viewBox: `0 0 ${W} ${H}`, width: W, height: H,
			class: "spark", role: "img", "aria-label": `p50 of the last hour: ` +
			`${f.ms(least)} to ${f.ms(most)}` },
			svg("path", { d }), svg("circle", { cx: x, cy: y, r: 2.4 }));
	}
}
