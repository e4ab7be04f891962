// SPDX-License-Identifier: GPL-2.0
// Asking the agent. A token, where it wants one, lives as long as the tab does.

const KEY = "sealane-token";
const TIMEOUT_MS = 20000;

export const setToken = (word) => sessionStorage.setItem(KEY, word);
export const headers = (more) => {
	const token = sessionStorage.getItem(KEY);

	return token ? { ...more, Authorization: `Bearer ${token}` } : { ...more };
};

// What the agent, or the way to it, said instead of an answer. status 0: it did
// not answer.
export class Refused extends Error {
	constructor(status, message, remedy) {
		super(message);
		this.status = status;
		this.remedy = remedy;
	}
}

export const refusedBy = async (response) => {
	const said = await response.json().catch(() => ({}));
	const error = said.error || {};

	return new Refused(response.status, error.message ||
		`the agent answered ${response.status}`, error.remedy);
};

// GET /api/v1/NAME; parameters that are undefined or "" are left out.
export const get = async (name, params = {}) => {
	const words = Object.entries(params)
		.filter(([, v]) => v !== undefined && v !== "");
	const query = words.length ? `?${new URLSearchParams(words)}` : "";
	const cancel = new AbortController();
	const timer = setTimeout(() => cancel.abort(), TIMEOUT_MS);

	try {
		const response = await fetch(`/api/v1/${name}${query}`,
			{ headers: headers(), signal: cancel.signal, cache: "no-store" });

		if (!response.ok)
			throw await refusedBy(response);
		return await response.json();
	} catch (error) {
		throw error instanceof Refused ? error :
			new Refused(0, "the agent does not answer");
	} finally {
		clearTimeout(timer);
	}
};
