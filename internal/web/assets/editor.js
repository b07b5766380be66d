// The editor of YAML and JSON. It takes over a plain text area, which stays what the form sends:
//
//	<textarea data-editor="blueprint" data-schema="/static/…" data-parts="web backend" data-check="/blueprints/check" data-faults="[…]">
//
// It lives in a shadow root, since the policy of the pages lets no style be written into the document: there it uses style sheets that are made, not written.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting, syntaxTree } from "@codemirror/language";
import { forceLinting, linter, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { lineOf, schemaCompletion, schemaHover } from "./schema.js";

const colour = (name) => `var(--color-${name})`;

const look = EditorView.theme({
	"&": { color: colour("base-content"), backgroundColor: colour("base-100"), border: `1px solid color-mix(in oklab, ${colour("base-content")} 45%, transparent)`, borderRadius: "var(--radius-field)", fontSize: "0.85rem" },
	"&.cm-focused": { outline: `2px solid ${colour("primary")}`, outlineOffset: "2px" },
	".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.55", maxHeight: "70vh", overflow: "auto" },
	".cm-content, .cm-gutter": { minHeight: "20rem" },
	".cm-content": { caretColor: colour("base-content"), padding: "0.5rem 0" },
	".cm-cursor": { borderLeftColor: colour("base-content") },
	".cm-gutters": { color: `color-mix(in oklab, ${colour("base-content")} 72%, transparent)`, backgroundColor: colour("base-200"), borderRight: `1px solid ${colour("base-300")}`, borderRadius: "var(--radius-field) 0 0 var(--radius-field)" },
	".cm-activeLine, .cm-activeLineGutter": { backgroundColor: `color-mix(in oklab, ${colour("primary")} 8%, transparent)` },
	"&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground, .cm-content ::selection": { backgroundColor: `color-mix(in oklab, ${colour("primary")} 26%, transparent)` },
	".cm-matchingBracket": { backgroundColor: `color-mix(in oklab, ${colour("primary")} 20%, transparent)` },
	".cm-tooltip": { color: colour("base-content"), backgroundColor: colour("base-100"), border: `1px solid ${colour("base-300")}`, borderRadius: "var(--radius-field)", boxShadow: "0 6px 20px rgb(0 0 0 / 0.18)", maxWidth: "min(32rem, 90vw)" },
	".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--font-mono)", maxHeight: "16rem" },
	".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "0.2rem 0.6rem" },
	".cm-tooltip-autocomplete ul li[aria-selected]": { color: colour("primary-content"), backgroundColor: colour("primary") },
	".cm-completionDetail": { fontStyle: "normal", opacity: "0.85" },
	".cm-completionInfo": { padding: "0.4rem 0.6rem", fontFamily: "var(--font-sans)" },
	".cm-tooltip-hover .told, .cm-tooltip-lint .cm-diagnostic": { padding: "0.4rem 0.6rem" },
	".cm-diagnostic-error": { borderLeftColor: colour("error") },
	".cm-diagnostic-warning": { borderLeftColor: colour("warning") },
	".cm-panels": { color: colour("base-content"), backgroundColor: colour("base-200") },
});

const paint = HighlightStyle.define([
	{ tag: [tags.propertyName, tags.definition(tags.propertyName)], color: colour("primary"), fontWeight: "550" },
	{ tag: [tags.string, tags.special(tags.string), tags.content], color: colour("success") },
	{ tag: [tags.number, tags.bool, tags.null], color: colour("accent") },
	{ tag: [tags.keyword, tags.atom, tags.typeName, tags.labelName], color: colour("secondary") },
	{ tag: tags.comment, color: `color-mix(in oklab, ${colour("base-content")} 72%, transparent)`, fontStyle: "italic" },
	{ tag: [tags.separator, tags.punctuation, tags.squareBracket, tags.brace, tags.meta], color: `color-mix(in oklab, ${colour("base-content")} 80%, transparent)` },
]);

// newLine begins a line of YAML: below a key that opens something further in, else where the keys of the line stand.
function newLine(view) {
	const { state } = view;
	const at = state.selection.main.head;
	const line = state.doc.lineAt(at);
	const before = line.text.slice(0, at - line.from);
	if (isJSON(state.doc.sliceString(0, 200)) || !before.trim()) return false;
	const { column, key, value } = lineOf(before);
	const indent = key && (!value || value.startsWith("#")) ? column + 2 : column;
	view.dispatch(state.update(state.replaceSelection("\n" + " ".repeat(indent)), { scrollIntoView: true, userEvent: "input" }));
	return true;
}

const isJSON = (text) => /^\s*\{/.test(text);

// syntaxFaults are the places that the parser could make nothing of.
function syntaxFaults(view) {
	const text = view.state.doc.toString();
	if (isJSON(text)) return jsonParseLinter()(view);
	const out = [];
	syntaxTree(view.state).iterate({
		enter(node) {
			if (node.type.isError && out.length < 20) {
				const line = view.state.doc.lineAt(node.from);
				out.push({ from: node.from, to: Math.max(node.to, Math.min(node.from + 1, line.to)), severity: "error", message: "This is not YAML: look at the indentation, colons and quotes." });
			}
		},
	});
	const tab = /^ *\t/gm;
	for (let m; (m = tab.exec(text)); ) out.push({ from: m.index, to: m.index + m[0].length, severity: "error", message: "YAML is indented by spaces, not by tabs." });
	return out;
}

// marked turns what the server found into marks: at the place that it names, else at the beginning.
function marked(doc, faults) {
	return faults.map((f) => {
		const line = doc.line(Math.min(Math.max(f.line || 1, 1), doc.lines));
		let from = Math.min(line.from + Math.max((f.column || 1) - 1, 0), line.to);
		if (from === line.to) from = line.from + line.text.search(/\S|$/);
		return { from, to: line.to, severity: f.warning ? "warning" : "error", message: (f.field ? f.field + ": " : "") + f.message };
	});
}

// asked gives the faults that the server finds; none when it does not answer, for then the form tells them.
async function asked(area, text) {
	const form = new URLSearchParams({ content: text });
	for (const name of ["project", "public"]) {
		const field = area.form.elements[name];
		if (field) form.set(name, field.value);
	}
	try {
		const answer = await fetch(area.dataset.check, { method: "POST", body: form, headers: { Accept: "application/json" } });
		return answer.ok ? (await answer.json()).faults : [];
	} catch {
		return [];
	}
}

async function schemasOf(area) {
	const out = {};
	for (const name of (area.dataset.schemas || "").split(" ").filter(Boolean)) {
		try {
			const answer = await fetch(name);
			const schema = await answer.json();
			out[schema.title] = schema;
		} catch {
			// What is not there completes nothing.
		}
	}
	return { blueprint: out["Blueberry blueprint"], values: out["Values of a web-service component"] };
}

function takeOver(area) {
	const host = document.createElement("div");
	host.className = "editor";
	const shadow = host.attachShadow({ mode: "open" });
	const label = document.querySelector(`label[for="${area.id}"]`);
	const first = JSON.parse(area.dataset.faults || "[]");
	let untouched = true;
	const schemas = schemasOf(area);
	const about = { kind: area.dataset.editor, parts: (area.dataset.parts || "").split(" ").filter(Boolean), schemas };

	async function faults(view) {
		const found = syntaxFaults(view);
		if (untouched && first.length) return marked(view.state.doc, first);
		if (found.length || !area.dataset.check) return found;
		const text = view.state.doc.toString();
		return text.trim() ? marked(view.state.doc, await asked(area, text)) : [];
	}

	const language = new Compartment();
	const speaks = (text) => (isJSON(text) ? json() : yaml());
	let spoken = isJSON(area.value);
	area.before(host);
	const view = new EditorView({
		root: shadow,
		parent: shadow,
		state: EditorState.create({
			doc: area.value,
			extensions: [
				lineNumbers(), lintGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(), highlightActiveLine(), highlightActiveLineGutter(),
				indentUnit.of("  "), EditorState.tabSize.of(2), EditorView.lineWrapping, language.of(speaks(area.value)), syntaxHighlighting(paint), look,
				autocompletion({ override: [(context) => schemaCompletion(context, about)], icons: false }), schemaHover(about),
				linter(faults, { delay: 700 }),
				keymap.of([{ key: "Enter", run: newLine }, ...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap, indentWithTab]),
				EditorView.contentAttributes.of({ "aria-label": label ? label.textContent.replace(/\s+/g, " ").trim() : "Document", "aria-multiline": "true" }),
				EditorView.updateListener.of((update) => {
					if (!update.docChanged) return;
					untouched = false;
					area.value = update.state.doc.toString();
					for (const button of document.querySelectorAll("[data-of-document]")) button.disabled = true; // it would send what is shown, not what is typed
					for (const note of document.querySelectorAll("[data-changed-since]")) note.hidden = false;
					if (isJSON(area.value) !== spoken) {
						spoken = !spoken;
						update.view.dispatch({ effects: language.reconfigure(speaks(area.value)) });
					}
				}),
			],
		}),
	});
	area.hidden = true;
	area.required = false; // what is hidden cannot be asked for by the browser; the server does
	label?.addEventListener("click", (event) => {
		event.preventDefault();
		view.focus();
	});
	// Letters that are typed here are no keys of the page.
	host.addEventListener("keydown", (event) => {
		if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
	});
	for (const name of ["project", "public"]) area.form.elements[name]?.addEventListener?.("change", () => forceLinting(view));
	for (const link of document.querySelectorAll(`a[data-line][href="#${area.id}"]`)) {
		link.addEventListener("click", (event) => {
			event.preventDefault();
			const line = view.state.doc.line(Math.min(Math.max(Number(link.dataset.line), 1), view.state.doc.lines));
			view.dispatch({ selection: { anchor: line.from + line.text.search(/\S|$/) }, effects: EditorView.scrollIntoView(line.from, { y: "center" }) });
			view.focus();
		});
	}
	for (const hint of document.querySelectorAll(`[data-editor-hint="${area.id}"]`)) hint.hidden = false;
	if (first.length) view.dispatch(setDiagnostics(view.state, marked(view.state.doc, first)));
}

for (const area of document.querySelectorAll("textarea[data-editor]")) takeOver(area);
