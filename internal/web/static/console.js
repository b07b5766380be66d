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
		for (const button of root.querySelectorAll("[data-copy][hidden], [data-wrap][hidden]")) button.hidden = false;
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

	let quiet;
	function say(text) {
		let box = document.getElementById("said");
		if (!box) {
			box = document.createElement("div");
			box.id = "said";
			box.className = "toast toast-end z-50";
			box.setAttribute("role", "status");
			document.body.append(box);
		}
		const note = document.createElement("div");
		note.className = "alert alert-info py-2 text-sm";
		note.textContent = text;
		box.replaceChildren(note);
		clearTimeout(quiet);
		quiet = setTimeout(() => box.replaceChildren(), 2500);
	}

	// Places to go to: those of the menu, and the environments that hold what is typed.
	const palette = document.getElementById("palette");
	const typed = document.getElementById("palette-text");
	const places = document.getElementById("palette-list");
	let chosen = 0;
	let asked = 0;

	function menuPlaces() {
		return [...document.querySelectorAll("#palette-items a")].map((a) => ({ name: a.textContent, to: a.getAttribute("href"), kind: "page" }));
	}

	async function findPlaces() {
		const text = typed.value.trim().toLowerCase();
		const turn = ++asked;
		let found = menuPlaces().filter((p) => p.name.toLowerCase().includes(text));
		draw(found);
		if (!text) return;
		try {
			const [answer, docs] = await Promise.all([
				fetch("/v1/environments?limit=8&q=" + encodeURIComponent(text), { headers: { Accept: "application/json" } }), fetch("/docs/search.json?q=" + encodeURIComponent(text)),
			]);
			if (turn !== asked) return;
			if (answer.ok) {
				const { items } = await answer.json();
				found = found.concat(items.map((e) => ({ name: e.name, to: "/environments/" + encodeURIComponent(e.id), kind: e.project + " · " + e.phase })));
			}
			if (docs.ok) {
				const { items } = await docs.json();
				found = found.concat(items.slice(0, 5).map((d) => ({ name: d.title, to: d.address, kind: "docs · " + d.area })));
			}
			if (turn === asked) draw(found);
		} catch {
			// The pages of the menu are there all the same.
		}
	}

	function draw(found) {
		chosen = 0;
		places.replaceChildren(...found.map((place, i) => {
			const item = document.createElement("li");
			item.setAttribute("role", "option");
			item.id = "place-" + i;
			const link = document.createElement("a");
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
			item.setAttribute("aria-selected", String(i === chosen));
			item.firstChild.toggleAttribute("aria-current", i === chosen);
			if (i === chosen) {
				item.firstChild.setAttribute("aria-current", "page");
				item.scrollIntoView({ block: "nearest" });
			}
		});
		typed.setAttribute("aria-activedescendant", places.children.length ? "place-" + chosen : "");
	}

	function openPalette() {
		typed.value = "";
		palette.showModal();
		typed.focus();
		findPlaces();
	}

	typed.addEventListener("input", findPlaces);
	typed.addEventListener("keydown", (event) => {
		const n = places.children.length;
		if (event.key === "ArrowDown" && n) chosen = (chosen + 1) % n;
		else if (event.key === "ArrowUp" && n) chosen = (chosen + n - 1) % n;
		else if (event.key === "Enter" && n) {
			event.preventDefault();
			location.assign(places.children[chosen].firstChild.href);
			return;
		} else return;
		event.preventDefault();
		mark();
	});
	for (const dialog of document.querySelectorAll("dialog")) {
		dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
	}

	let before = "";
	document.addEventListener("keydown", (event) => {
		if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
			event.preventDefault();
			if (!palette.open) openPalette();
			return;
		}
		if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog[open]")) return;
		const pair = before + event.key;
		before = "";
		if (event.key === "/") {
			const search = document.querySelector("[data-search]");
			if (search) {
				event.preventDefault();
				search.focus();
			}
		} else if (event.key === "?") document.getElementById("keys").showModal();
		else if (pair === "gh") location.assign("/");
		else if (pair === "ge") location.assign("/environments");
		else if (event.key === "g") before = "g";
	});

	const offline = (is) => document.documentElement.classList.toggle("is-offline", is);
	document.addEventListener("htmx:sse:after:connection", () => offline(false));
	document.addEventListener("htmx:sse:error", (event) => {
		if ([401, 403, 404].includes(event.detail.status)) location.reload(); // it is no lost connection: the page itself says what it is
		else offline(true);
	});
	document.addEventListener("htmx:after:swap", () => prepare(document));
	window.addEventListener("online", () => offline(false));
	window.addEventListener("offline", () => offline(true));

	prepare(document);
	setInterval(() => prepare(document), 15000);
})();
