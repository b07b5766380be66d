// What the documentation does beyond plain pages: copying code, finding while one types, and telling which section is read.
(() => {
	"use strict";

	for (const button of document.querySelectorAll("[data-copy-code]")) {
		button.hidden = false;
		button.addEventListener("click", async () => {
			let said = "Copied";
			try {
				await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
			} catch {
				said = "Not allowed";
			}
			button.textContent = said;
			tell(said === "Copied" ? "The code is copied" : "The browser did not let it be copied");
			setTimeout(() => { button.textContent = "Copy"; }, 2000);
		});
	}

	let voice;
	function tell(text) {
		if (!voice) {
			voice = document.createElement("div");
			voice.className = "sr-only";
			voice.setAttribute("role", "status");
			document.body.append(voice);
		}
		voice.textContent = text;
	}

	for (const field of document.querySelectorAll("[data-find]")) find(field, document.getElementById(field.id + "-list"));

	function find(field, list) {
		let asked = 0;
		let chosen = -1;
		let wait;
		field.setAttribute("role", "combobox");
		field.setAttribute("aria-autocomplete", "list");
		field.setAttribute("aria-controls", list.id);
		show(false);

		function show(is) {
			list.hidden = !is;
			field.setAttribute("aria-expanded", String(is));
			if (!is) mark(-1);
		}

		function mark(i) {
			chosen = i;
			[...list.children].forEach((item, n) => item.setAttribute("aria-selected", String(n === i)));
			if (i >= 0) {
				field.setAttribute("aria-activedescendant", list.children[i].id);
				list.children[i].scrollIntoView({ block: "nearest" });
			} else field.removeAttribute("aria-activedescendant");
		}

		async function ask() {
			const turn = ++asked;
			const text = field.value.trim();
			if (text.length < 2) return show(false);
			try {
				const answer = await fetch("/docs/search.json?q=" + encodeURIComponent(text));
				if (!answer.ok) return;
				const { items } = await answer.json();
				if (turn !== asked || document.activeElement !== field) return;
				list.replaceChildren(...items.map((found, i) => {
					const item = document.createElement("li");
					item.id = list.id + "-" + i;
					item.setAttribute("role", "option");
					const link = document.createElement("a");
					link.href = found.address;
					link.tabIndex = -1;
					const title = document.createElement("strong");
					title.textContent = found.title;
					const where = document.createElement("small");
					where.textContent = found.page === found.title ? found.area : found.area + " › " + found.page;
					link.append(title, where);
					item.append(link);
					return item;
				}));
				show(items.length > 0);
			} catch {
				// The form itself still leads to what is found.
			}
		}

		field.addEventListener("input", () => {
			clearTimeout(wait);
			wait = setTimeout(ask, 120);
		});
		list.addEventListener("mousedown", (event) => event.preventDefault()); // a slow click on a find does not leave the field, which would take it away
		field.addEventListener("blur", () => setTimeout(() => show(false), 200));
		field.addEventListener("keydown", (event) => {
			const n = list.children.length;
			if (event.key === "Escape") return show(false);
			if (list.hidden || !n) return;
			if (event.key === "ArrowDown") mark((chosen + 1) % n);
			else if (event.key === "ArrowUp") mark((chosen + n) % (n + 1) - 1 < 0 ? n - 1 : chosen - 1);
			else if (event.key === "Enter" && chosen >= 0) location.assign(list.children[chosen].firstChild.href);
			else return;
			event.preventDefault();
		});
	}

	document.addEventListener("keydown", (event) => {
		const go = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, textarea, select");
		if (!go && !((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k")) return;
		const fields = [...document.querySelectorAll("[data-find]")];
		event.preventDefault();
		fields[fields.length - 1].focus();
		fields[fields.length - 1].select();
	});

	// Which section is read: the last whose heading has passed the top.
	const entries = new Map([...document.querySelectorAll(".docs-on a")].map((a) => [a.getAttribute("href").slice(1), a]));
	if (entries.size) {
		const headings = [...entries.keys()].map((id) => document.getElementById(id)).filter(Boolean);
		let due = false;
		const look = () => {
			due = false;
			let at = null;
			for (const h of headings) if (h.getBoundingClientRect().top < 120) at = h.id;
			for (const [id, a] of entries) {
				if (id === at) a.setAttribute("aria-current", "true");
				else a.removeAttribute("aria-current");
			}
		};
		addEventListener("scroll", () => {
			if (!due) requestAnimationFrame(look);
			due = true;
		}, { passive: true });
		look();
	}
	const here = document.querySelector(".docs-side [aria-current]");
	if (here) {
		const side = here.closest(".docs-side");
		side.scrollTop = Math.max(0, here.offsetTop - side.clientHeight / 2);
	}
})();
