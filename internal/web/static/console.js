// What pages do beyond plain links and forms: times that count, copying, going places by keys, and saying when a page is not live any more.
(() => {
	"use strict";

	const spans = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];
	const words = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "short" });

	function relative(at, now) {
		const seconds = Math.round((at - now) / 1000);
		for (const [unit, size] of spans) {
			if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
		}
		return seconds > 0 ? "in under a minute" : "just now";
	}

	function prepare(root) {
		const now = Date.now();
		for (const time of root.querySelectorAll("time[data-moment]")) {
			const text = relative(Date.parse(time.dateTime), now);
			if (time.textContent !== text) time.textContent = text;
		}
		for (const button of root.querySelectorAll("[data-copy][hidden], [data-wrap][hidden], [data-palette][hidden]")) button.hidden = false;
	}

	document.addEventListener("click", async (event) => {
		const copy = event.target.closest("[data-copy]");
		if (copy) {
			try {
				await navigator.clipboard.writeText(copy.dataset.copy);
				say("Copied");
			} catch {
				say("The browser did not let it be copied");
			}
			return;
		}
		const wrap = event.target.closest("[data-wrap]");
		if (wrap) {
			const on = document.getElementById(wrap.dataset.wrap).classList.toggle("wrapped");
			wrap.setAttribute("aria-pressed", String(on));
		}
	});

	const box = document.getElementById("said"); // it is there from the beginning, so that what is put into it is read out
	let quiet;
	function say(text) {
		const note = document.createElement("div");
		note.className = "alert alert-info py-2 text-sm";
		note.textContent = text;
		box.replaceChildren(note);
		clearTimeout(quiet);
		quiet = setTimeout(() => box.replaceChildren(), 4000);
	}

	// What a form did is told once, also when the page is loaded again; that a page was asked for as a whole is nothing to keep.
	const address = new URL(location.href);
	for (const word of ["done", "whole"].filter((word) => address.searchParams.has(word))) {
		address.searchParams.delete(word);
		history.replaceState(null, "", address);
	}

	// Rows that are chosen, by the name of their boxes.
	const boxes = (name) => [...document.querySelectorAll(`main input[type="checkbox"][name="${name}"]`)];
	function count() {
		for (const all of document.querySelectorAll("[data-all]")) {
			const list = boxes(all.dataset.all);
			const n = list.filter((b) => b.checked).length;
			all.hidden = list.length === 0;
			all.checked = n > 0 && n === list.length;
			all.indeterminate = n > 0 && n < list.length;
			for (const told of document.querySelectorAll(`[data-chosen="${all.dataset.all}"]`)) {
				const text = n + " chosen";
				if (n > 0 && told.textContent !== text) told.textContent = text;
			}
		}
	}
	document.addEventListener("change", (event) => {
		const name = event.target.dataset.all;
		if (name) for (const b of boxes(name)) b.checked = event.target.checked;
		count();
	});
	document.addEventListener("click", (event) => {
		const all = event.target.closest("[data-choose-all]");
		if (all) {
			event.preventDefault();
			for (const b of boxes(all.dataset.chooseAll)) b.checked = true;
			count();
		} else if (event.target.closest("[data-palette]")) openPalette();
	});

	// Places to go to and things to do, as the server finds them for what is typed.
	const palette = document.getElementById("palette");
	const typed = document.getElementById("palette-text");
	const places = document.getElementById("palette-list");
	const none = document.getElementById("palette-none");
	let chosen = 0;
	let asked = 0;
	let shown = 0; // the turn of what the list shows
	let entered = false; // before what was typed was found
	let rest;

	function findPlaces() {
		const turn = ++asked;
		clearTimeout(rest);
		rest = setTimeout(() => find(turn), typed.value ? 80 : 0);
	}

	async function find(turn) {
		let found;
		try {
			const text = encodeURIComponent(typed.value.trim());
			const [answer, docs] = await Promise.all([fetch("/palette?q=" + text, { headers: { Accept: "application/json" } }), text && fetch("/docs/search.json?q=" + text)]);
			if (!answer.ok) throw new Error(String(answer.status));
			found = (await answer.json()).items;
			if (docs && docs.ok) found = found.concat((await docs.json()).items.slice(0, 5).map((d) => ({ name: d.title, to: d.address, kind: "docs · " + d.area })));
		} catch { // the menu is there all the same
			const text = typed.value.trim().toLowerCase();
			found = [...document.querySelectorAll("#menu .menu-link")].map((a) => ({ name: a.textContent.trim(), to: a.getAttribute("href"), kind: "page" })).filter((p) => p.name.toLowerCase().includes(text));
		}
		if (turn !== asked) return;
		shown = turn;
		draw(found);
		if (entered) go();
	}

	function go() {
		entered = shown !== asked;
		if (!entered && places.children.length) location.assign(places.children[chosen].firstChild.href);
	}

	function draw(found) {
		chosen = 0;
		none.hidden = found.length > 0;
		places.replaceChildren(...found.map((place, i) => {
			const item = document.createElement("li");
			item.setAttribute("role", "presentation");
			const link = document.createElement("a");
			link.setAttribute("role", "option");
			link.id = "place-" + i;
			link.href = place.to;
			link.className = "menu-link justify-between";
			link.tabIndex = -1;
			const name = document.createElement("span");
			name.textContent = place.name;
			const kind = document.createElement("span");
			kind.className = "faint text-xs";
			kind.textContent = place.kind;
			link.append(name, kind);
			item.append(link);
			return item;
		}));
		mark();
	}

	function mark() {
		[...places.children].forEach((item, i) => {
			item.firstChild.setAttribute("aria-selected", String(i === chosen));
			if (i === chosen) item.scrollIntoView({ block: "nearest" });
		});
		typed.setAttribute("aria-activedescendant", places.children.length ? "place-" + chosen : "");
	}

	function openPalette() {
		typed.value = "";
		entered = false;
		places.replaceChildren();
		none.hidden = true;
		palette.showModal();
		typed.focus();
		findPlaces();
	}

	typed.addEventListener("input", () => {
		entered = false;
		findPlaces();
	});
	typed.addEventListener("keydown", (event) => {
		const n = places.children.length;
		if (event.key === "ArrowDown" && n) chosen = (chosen + 1) % n;
		else if (event.key === "ArrowUp" && n) chosen = (chosen + n - 1) % n;
		else if (event.key === "Enter") {
			event.preventDefault();
			go();
			return;
		} else return;
		event.preventDefault();
		mark();
	});
	for (const dialog of document.querySelectorAll("dialog")) {
		dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
	}

	// Rows are those of tables that say so; their links have the focus, so that what reads the screen reads the row.
	const rows = () => [...document.querySelectorAll("main [data-rows] [data-row-link]")].filter((link) => link.offsetParent);
	function step(by) {
		const list = rows();
		if (!list.length) return;
		const at = list.findIndex((link) => link.closest("tr, li").contains(document.activeElement));
		const to = at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + by, 0), list.length - 1);
		list[to].focus();
		list[to].scrollIntoView({ block: "nearest" });
	}
	const here = () => rows().find((link) => link.closest("tr, li").contains(document.activeElement));

	// What single keys do, as the help says it. True for done.
	const keys = {
		"/": () => focusOn("[data-search]"),
		"?": () => (document.getElementById("keys").showModal(), true),
		j: () => (step(1), true),
		k: () => (step(-1), true),
		o: () => press(here()),
		n: () => press(document.querySelector("[data-new]")),
		x: () => {
			const box = here()?.closest("tr, li").querySelector('input[type="checkbox"]');
			if (!box) return false;
			box.checked = !box.checked;
			count();
			return true;
		},
	};
	function focusOn(what) {
		const field = document.querySelector(what);
		field?.focus();
		return Boolean(field);
	}
	function press(link) {
		link?.click();
		return Boolean(link);
	}

	let before = 0; // when g was pressed
	document.addEventListener("keydown", (event) => {
		if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
			event.preventDefault();
			if (!palette.open) openPalette();
			return;
		}
		const field = event.target.closest('input:not([type="checkbox"]), textarea, select, [contenteditable], .xterm');
		if (event.key === "Escape" && field && !event.target.closest("dialog, .xterm")) {
			event.target.blur();
			return;
		}
		if (event.ctrlKey || event.metaKey || event.altKey || field || event.target.closest("dialog[open]")) return;
		const second = Date.now() - before < 2000;
		before = 0;
		if (second) {
			const link = [...document.querySelectorAll("#menu [data-key]")].find((a) => a.dataset.key === event.key);
			if (link) {
				event.preventDefault();
				location.assign(link.href);
			}
			return;
		}
		if (event.key === "g") before = Date.now();
		else if (keys[event.key]?.()) event.preventDefault();
	});

	const offline = (is) => document.documentElement.classList.toggle("is-offline", is);
	document.addEventListener("htmx:sse:after:connection", () => offline(false));
	document.addEventListener("htmx:sse:error", (event) => {
		if ([401, 403, 404].includes(event.detail.status)) location.reload(); // it is no lost connection: the page itself says what it is
		else offline(true);
	});
	document.addEventListener("htmx:after:swap", () => {
		prepare(document);
		count();
	});
	window.addEventListener("online", () => offline(false));
	window.addEventListener("offline", () => offline(true));

	prepare(document);
	count();
	setInterval(() => prepare(document), 15000);
})();
