// SPDX-License-Identifier: GPL-2.0
// Elements without markup: whatever comes from the agent becomes text, never HTML.

const SVG = "http://www.w3.org/2000/svg";

const fill = (node, props, children) => {
	for (const [key, value] of Object.entries(props || {})) {
		if (value === undefined || value === null || value === false)
			continue;
		if (key.startsWith("on"))
			node.addEventListener(key.slice(2), value);
		else
			node.setAttribute(key, value === true ? "" : value);
	}
	node.append(...children.flat().filter((c) => c !== null && c !== undefined));
	return node;
};

// el("td", { class: "num" }, "12", otherNode)
export const el = (tag, props, ...children) =>
	fill(document.createElement(tag), props, children);
export const svg = (tag, props, ...children) =>
	fill(document.createElementNS(SVG, tag), props, children);
export const byId = (id) => document.getElementById(id);

// Change a text only where it is another: nothing is read out or laid out for nothing.
export const setText = (node, text) => {
	if (node.textContent !== text)
		node.textContent = text;
};

// "Nothing here", and what went wrong, look the same everywhere.
export const empty = (text) => el("p", { class: "empty" }, text);
export const failure = (error) => el("p", { class: "failure", role: "alert" },
	error.message, error.remedy ? ` (${error.remedy})` : "");

// A word with a mark whose shape tells what its colour tells: ok, warn, bad, quiet.
export const chip = (kind, text, title) =>
	el("span", { class: `chip ${kind}`, title }, text);

// What the style sheet says a colour is now; canvases do not ask it themselves.
export const colour = (name) =>
	getComputedStyle(document.documentElement).getPropertyValue(name).trim();
