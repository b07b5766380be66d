// Follows what containers write, with a bounded page: at most kept lines are remembered, and at most shown of them stand on the page.
(() => {
	"use strict";

	const view = document.getElementById("log-view");
	const box = document.getElementById("log");
	const status = document.getElementById("log-status");
	const pause = document.getElementById("log-pause");
	const earlier = document.getElementById("log-earlier");
	const newest = document.getElementById("log-newest");
	const search = document.querySelector("input[data-search]");
	const kept = 100000;
	const shown = 2000;
	const colours = 6;

	// A line that the address names is looked at, wherever it stands.
	function showNamed() {
		const line = document.getElementById(decodeURIComponent(location.hash.slice(1)));
		if (!line) return;
		line.classList.add("log-named");
		line.scrollIntoView({ block: "center" });
	}

	if (!view.dataset.stream) {
		showNamed();
		search.addEventListener("input", () => {
			const wanted = search.value.trim().toLowerCase();
			for (const line of box.children) line.hidden = wanted !== "" && !line.textContent.toLowerCase().includes(wanted);
		});
		return;
	}

	let lines = [];       // all that are remembered, oldest first
	let matching = [];    // those that hold what is looked for
	let from = 0;         // of matching: the first on the page
	let paused = false;
	let behind = 0;       // lines that came while paused
	let dropped = 0;
	let drawing = false;
	let atEnd = true;     // the page shows the newest, and goes along
	let top = 0;          // to where it was scrolled
	let word = search.value.trim().toLowerCase();
	let state = "Connecting";
	const marks = new Map(); // pod and container to how far their lines were told
	let latest = "";

	const full = (at) => {
		const [whole, part = ""] = at.replace(/Z$/, "").split(".");
		return whole + "." + (part + "000000000").slice(0, 9) + "Z";
	};
	const encoder = new TextEncoder();
	const known = new Map();
	function colourOf(pod) { // FNV-1a, as the server does it
		if (!known.has(pod)) {
			let h = 0x811c9dc5;
			for (const b of encoder.encode(pod)) h = Math.imul(h ^ b, 0x01000193) >>> 0;
			known.set(pod, h % colours);
		}
		return known.get(pod);
	}

	const holds = (line) => word === "" || line.text.toLowerCase().includes(word) || line.pod.toLowerCase().includes(word);

	function take(message, told) {
		const at = full(message.at);
		const key = message.pod + "/" + message.container;
		const before = told.get(key);
		if (before) { // the stream was taken up again: what was told comes again
			if (at < before.at) return;
			if (at === before.at && before.lines > 0) {
				before.lines--;
				return;
			}
		}
		const mark = marks.get(key);
		const same = mark && mark.at === at ? mark.lines + 1 : 1;
		marks.set(key, { at, lines: same });
		if (at > latest) latest = at;
		const line = { at, pod: message.pod || "", container: message.container || "", text: message.text, same };
		lines.push(line);
		if (holds(line)) {
			matching.push(line);
			if (paused) behind++;
		}
	}

	function bound() {
		if (lines.length > kept * 1.1) {
			dropped += lines.length - kept;
			lines = lines.slice(-kept);
			const oldest = lines[0].at;
			const first = matching.findIndex((line) => line.at >= oldest);
			matching = first < 0 ? [] : matching.slice(first);
			from = Math.max(0, from - Math.max(0, first));
		}
	}

	function idOf(line) {
		return "l-" + line.at + "-" + line.pod + "-" + line.container + (line.same > 1 ? "-" + line.same : "");
	}

	function element(line) {
		const div = document.createElement("div");
		div.className = "log-line";
		div.id = idOf(line);
		const at = document.createElement("a");
		at.className = "log-at";
		const q = new URLSearchParams(location.search);
		for (const name of ["q", "tail", "done"]) q.delete(name);
		q.set("at", line.at);
		at.href = "?" + q + "#" + encodeURIComponent(div.id);
		at.textContent = line.at.slice(11, 23);
		at.title = line.at + " · " + line.container;
		const pod = document.createElement("span");
		pod.className = "pod-" + colourOf(line.pod);
		pod.textContent = line.pod;
		div.append(at, " ", pod, " ");
		let rest = line.text;
		if (word !== "") {
			const low = rest.toLowerCase();
			let done = 0;
			for (let i = low.indexOf(word); i >= 0 && low.length === rest.length; i = low.indexOf(word, done)) {
				const mark = document.createElement("mark");
				mark.textContent = rest.slice(i, i + word.length);
				div.append(rest.slice(done, i), mark);
				done = i + word.length;
			}
			rest = rest.slice(done);
		}
		div.append(rest);
		return div;
	}

	function say() {
		let text = state + " · " + matching.length.toLocaleString("en") + (matching.length === 1 ? " line" : " lines");
		if (word !== "") text += " of " + lines.length.toLocaleString("en") + " with “" + word + "”";
		if (dropped > 0) text += " · older ones were let go: " + dropped.toLocaleString("en");
		if (paused) text = "Paused · " + behind.toLocaleString("en") + " new lines since";
		if (status.textContent !== text) status.textContent = text;
		const nothing = document.getElementById("log-nothing");
		if (nothing) nothing.hidden = matching.length > 0;
		earlier.hidden = from === 0;
		newest.hidden = paused || atEnd || from + box.children.length >= matching.length;
	}

	// draw makes the page show matching from a place on. What stands there already stays.
	let drawn = { from: 0, to: 0, of: null };
	function draw() {
		drawing = false;
		bound();
		if (!paused && atEnd) from = Math.max(0, matching.length - shown);
		const to = paused && drawn.of === matching ? drawn.to : Math.min(matching.length, from + shown);
		if (drawn.of === matching && from >= drawn.from && from <= drawn.to && to >= drawn.to) {
			for (let i = drawn.from; i < from && box.firstChild; i++) box.firstChild.remove();
			if (to > drawn.to) {
				const fresh = document.createDocumentFragment();
				for (let i = Math.max(drawn.to, from); i < to; i++) fresh.append(element(matching[i]));
				box.append(fresh);
			}
		} else box.replaceChildren(...matching.slice(from, to).map(element));
		drawn = { from, to, of: matching };
		if (atEnd && !paused) toEnd();
		say();
	}

	function drawSoon() {
		if (drawing) return;
		drawing = true;
		setTimeout(() => requestAnimationFrame(draw), 100); // many lines at once are drawn once
	}

	async function read() {
		const address = new URL(view.dataset.stream, location.href);
		const told = new Map();
		if (latest) {
			for (const [key, mark] of marks) told.set(key, { ...mark });
			address.searchParams.set("since", new Date(Date.parse(latest) - 5000).toISOString());
			address.searchParams.delete("tail");
		}
		const answer = await fetch(address, { headers: { Accept: "application/jsonl, application/problem+json" } });
		if (!answer.ok) {
			const problem = await answer.json().catch(() => ({}));
			return { final: answer.status < 500 && answer.status !== 429, text: problem.detail || "the server answered " + answer.status };
		}
		const old = document.getElementById("log-problem");
		if (old) old.remove();
		state = address.searchParams.has("follow") ? "Following" : "All was told";
		if (!latest) box.replaceChildren();
		drawSoon();
		const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
		let rest = "";
		for (;;) {
			const { value, done } = await reader.read();
			if (done) return { final: false, text: "the stream was cut" };
			const parts = (rest + value).split("\n");
			rest = parts.pop();
			for (const part of parts) {
				if (part === "") continue;
				const message = JSON.parse(part);
				if (message.end) {
					drawSoon();
					return { final: true, text: "" };
				}
				if (message.problem) return { final: message.problem.status < 500, text: message.problem.detail };
				if (message.text !== undefined) take(message, told);
			}
			drawSoon();
		}
	}

	async function follow() {
		for (let wait = 1000; ;) {
			let end;
			const began = Date.now();
			try {
				end = await read();
			} catch {
				end = { final: false, text: "the connection is lost" };
			}
			if (end.final) {
				state = end.text === "" ? "All was told" : "Ended: " + end.text;
				drawSoon();
				return;
			}
			state = "Not live: " + end.text + ". It is being taken up again";
			drawSoon();
			if (Date.now() - began > 30000) wait = 1000;
			await new Promise((resolve) => setTimeout(resolve, wait));
			wait = Math.min(wait * 2, 30000);
		}
	}

	pause.hidden = false;
	pause.addEventListener("click", () => {
		paused = !paused;
		behind = 0;
		pause.setAttribute("aria-pressed", String(paused));
		pause.textContent = paused ? "Go on" : "Pause";
		if (!paused) atEnd = true;
		drawSoon();
	});
	box.addEventListener("scroll", () => {
		// Lines that came since also make a distance to the end: only who scrolls up leaves it.
		const end = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
		const was = atEnd;
		if (!end && box.scrollTop < top - 2) atEnd = false;
		else if (end && from + box.children.length >= matching.length) atEnd = true;
		top = box.scrollTop;
		if (was !== atEnd) say();
	});
	function toEnd() {
		box.scrollTop = box.scrollHeight;
		top = box.scrollTop;
	}
	new ResizeObserver(() => {
		if (atEnd && !paused) toEnd();
	}).observe(box);
	earlier.firstElementChild.addEventListener("click", () => {
		atEnd = false;
		const first = box.firstElementChild && box.firstElementChild.id;
		from = Math.max(0, from - shown / 2);
		drawn.of = null;
		draw();
		const stays = first && document.getElementById(first);
		if (stays) stays.scrollIntoView({ block: "start" });
	});
	newest.firstElementChild.addEventListener("click", () => {
		atEnd = true;
		draw();
	});
	search.addEventListener("input", () => {
		word = search.value.trim().toLowerCase();
		matching = lines.filter(holds);
		atEnd = true;
		drawSoon();
	});

	follow();
})();
