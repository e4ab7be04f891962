// SPDX-License-Identifier: GPL-2.0
// What happened, on the time axis and as a list: a mark tells its text when pointed
// at, tapped or focused.
import { el, empty } from "./dom.js";
import * as f from "./format.js";

const CLOSE_PX = 14;	// marks nearer than this are one
// The first ones show first where several share a mark.
const SHAPE = { "path-change": "\u25b2", budget: "\u25c6", geography: "\u25c6",
	commit: "\u25cf", expiry: "\u25cb" };
const KINDS = Object.keys(SHAPE);
const rank = (kind) => kind in SHAPE ? KINDS.indexOf(kind) : KINDS.length;
const shape = (kind) => SHAPE[kind] || "\u25a0";
const tone = (kind) => kind in SHAPE ? kind : "else";

const groups = (marks, x_of) => {
	const out = [];

	for (const mark of marks) {
		const x = x_of(Date.parse(mark.time) / 1000), last = out.at(-1);

		if (last && x - last.x < CLOSE_PX)
			last.marks.push(mark);
		else
			out.push({ x, marks: [mark] });
	}
	return out;
};

const sentence = (m) => `${f.moment(m.time)} ${m.kind}: ${m.message}`;

// Buttons over a plot; they leave the chart's height to it.
export const drawMarks = (u, marks) => {
	const width = u.over.clientWidth;
	const tip = el("div", { class: "mark-tip", role: "tooltip", hidden: true });
	const hide = () => { tip.hidden = true; };

	u.over.querySelectorAll(".mark, .mark-tip").forEach((n) => n.remove());
	const buttons = groups(marks, (t) => u.valToPos(t, "x"))
		.filter((g) => g.x >= 0 && g.x <= width).map((g) => {
			const show = () => {
				tip.replaceChildren(...g.marks.map((m) => el("p", {}, sentence(m))));
				tip.hidden = false;
				tip.style.left = `${Math.max(0, Math.min(g.x - 130, width - 260))}px`;
			};
			const kind = g.marks.map((m) => m.kind)
				.reduce((a, b) => rank(b) < rank(a) ? b : a);
			const button = el("button", { type: "button", class: `mark ${tone(kind)}`,
				"aria-label": g.marks.map(sentence).join("; "),
				onmouseenter: show, onmouseleave: hide, onfocus: show,
				onblur: hide, onclick: show, onkeydown: (e) => {
					if (e.key === "Escape")
						hide();
				} },
			g.marks.length > 1 ? String(g.marks.length) : shape(kind));

			button.style.left = `${g.x}px`;
			return button;
		});

	u.over.append(...buttons, tip);
};

export const markList = (marks) => marks.length ?
	el("ol", { class: "events marks" }, [...marks].reverse().map((m) =>
		el("li", {}, el("time", { datetime: m.time,
			title: f.local(new Date(m.time)) }, f.moment(m.time)),
		el("span", { class: `kind mark-${tone(m.kind)}` }, `${shape(m.kind)} ${m.kind}`),
		el("span", { class: "message" }, m.message)))) :
	empty("Nothing happened in this window.");
