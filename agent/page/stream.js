// SPDX-License-Identifier: GPL-2.0
// Server-sent events (WHATWG HTML 9.2) by fetch: unlike an EventSource it can send a
// token, and says why it was refused.
import { headers, Refused, refusedBy } from "./api.js";

const SILENCE_MS = 25000;	// the agent says something every 15 s
const RETRY_MS = [500, 1000, 2000, 3000, 5000];
const HIDDEN_MS = 60000;	// then a tab that nobody looks at gives its connection
				// back: browsers have six for one agent

// Bytes to events: lines end with LF, CR or both; an empty one ends an event.
export class Parser {
	constructor(take) {
		this.take = take;
		this.rest = "";
		this.clear();
	}

	clear() {
		this.kind = "message";
		this.data = [];
	}

	feed(text) {
		const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);

		this.rest = lines.pop();
		for (const line of lines)
			this.line(line);
	}

	line(line) {
		if (line === "") {
			if (this.data.length)
				this.take(this.kind, this.data.join("\n"), this.id);
			this.clear();
			return;
		}
		const at = line.indexOf(":");
		const field = at < 0 ? line : line.slice(0, at);
		const value = at < 0 ? "" : line.slice(at + 1).replace(/^ /, "");

		if (field === "event")
			this.kind = value;
		else if (field === "data")
			this.data.push(value);
		else if (field === "id")
			this.id = value;
	}
}

// Who comes back to the tab or to the network does not wait; who is away does not ask.
const wait = (time_ms) => new Promise((done) => {
	const stop = new AbortController();
	const go = () => {
		if (document.hidden)
			return;
		clearTimeout(timer);
		stop.abort();
		done();
	};
	const timer = setTimeout(go, time_ms);

	addEventListener("online", go, { signal: stop.signal });
	document.addEventListener("visibilitychange", go, { signal: stop.signal });
});

// Cancel once the tab has been out of sight for long; returns what ends the watch.
const whileSeen = (cancel) => {
	let timer;
	const look = () => {
		clearTimeout(timer);
		if (document.hidden)
			timer = setTimeout(() => cancel.abort(), HIDDEN_MS);
	};

	document.addEventListener("visibilitychange", look);
	look();
	return () => {
		clearTimeout(timer);
		document.removeEventListener("visibilitychange", look);
	};
};

// Read until it breaks. alive() whenever something came, a heartbeat too.
const listen = async (last, take, alive) => {
	const cancel = new AbortController();
	const unwatch = whileSeen(cancel);
	let timer = setTimeout(() => cancel.abort(), SILENCE_MS);
	const heard = () => {
		clearTimeout(timer);
		timer = setTimeout(() => cancel.abort(), SILENCE_MS);
		alive();
	};

	try {
		const response = await fetch("/api/v1/stream", {
			headers: headers({ Accept: "text/event-stream",
				...(last.id ? { "Last-Event-ID": last.id } : {}) }),
			signal: cancel.signal, cache: "no-store" });

		if (!response.ok)
			throw await refusedBy(response);
		const parser = new Parser((kind, data, id) => {
			last.id = id || last.id;
			take(kind, JSON.parse(data));
		});
		const reader = response.body.getReader();
		const decoder = new TextDecoder();

		heard();
		for (;;) {
			const { value, done } = await reader.read();

			if (done)
				return;
			heard();
			parser.feed(decoder.decode(value, { stream: true }));
		}
	} finally {
		clearTimeout(timer);
		unwatch();
		cancel.abort();
	}
};

// For ever: take(kind, document) for what comes; tell(state, error) with "live", "lost"
// or "refused" when that changes.
export const follow = async (take, tell) => {
	const last = {};
	let tries = 0;

	for (;;) {
		let state = "lost", error;

		try {
			await listen(last, take, () => { tries = 0; tell("live"); });
		} catch (caught) {
			error = caught;
			if (caught instanceof Refused && caught.status)
				state = "refused";
		}
		tell(state, error);
		await wait(RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
	}
};
