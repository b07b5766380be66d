// What fields for passwords do beyond typing: showing what was typed, and saying that Caps Lock is on. Without this they are plain fields.
(() => {
	"use strict";

	for (const field of document.querySelectorAll('input[type="password"]')) {
		const button = document.createElement("button");
		button.type = "button";
		button.className = "btn join-item";
		button.textContent = "Show";
		button.setAttribute("aria-label", "Show the password");
		button.setAttribute("aria-pressed", "false");
		button.setAttribute("aria-controls", field.id);
		const show = (on) => {
			field.type = on ? "text" : "password";
			button.setAttribute("aria-pressed", String(on));
		};
		button.addEventListener("click", () => {
			show(field.type === "password");
			field.focus();
		});
		field.form.addEventListener("submit", () => show(false)); // or browsers would keep it among texts

		const note = document.createElement("p");
		note.className = "faint text-sm";
		note.setAttribute("role", "status");
		const look = (event) => { note.textContent = event.getModifierState && event.getModifierState("CapsLock") ? "Caps Lock is on." : ""; };
		field.addEventListener("keydown", look);
		field.addEventListener("keyup", look);
		field.addEventListener("blur", () => { note.textContent = ""; });

		const box = document.createElement("div");
		const typing = document.activeElement === field;
		box.className = "join flex w-full";
		field.replaceWith(box);
		field.classList.add("join-item");
		box.append(field, button);
		box.after(note);
		if (typing) field.focus();
	}
})();
