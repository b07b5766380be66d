// What a JSON schema says of a place in a YAML document: which keys and values may stand there, and what they mean.
import { hoverTooltip } from "@codemirror/view";

// Of a line: its indentation, whether it begins items of a list, its key and what stands behind it.
const shape = /^(\s*)((?:-\s+)*)(?:(["']?)([\w./@-]+)\3\s*:(?:\s+(.*))?)?/;

export function lineOf(text) {
	const m = shape.exec(text);
	const dashes = (m[2].match(/-/g) || []).length;
	return { indent: m[1].length, dashes, column: m[1].length + m[2].length, key: m[4], value: m[5], blank: /^\s*(#|$)/.test(text) };
}

// around gives the keys that lead to a place, outermost first; "-" is an item of a list. column is where the key at the place stands, or would.
function around(doc, number, column) {
	const path = [];
	let edge = column; // what is around stands to the left of it
	let list = -1; // or, of an item, at or to the left of its dash
	const enter = (line) => {
		path.unshift(line.key);
		edge = line.column;
		list = -1;
		leave(line);
	};
	const leave = (line) => {
		if (!line.dashes) return;
		path.unshift(...Array(line.dashes).fill("-"));
		edge = list = line.indent;
	};
	leave(lineOf(doc.line(number).text));
	for (let n = number - 1; n >= 1 && (edge > 0 || list >= 0); n--) {
		const line = lineOf(doc.line(n).text);
		const opens = line.key && (!line.value || line.value.startsWith("#"));
		if (line.blank) continue;
		if (list >= 0) {
			if (opens && line.column <= list) enter(line);
		} else if (line.dashes && line.column === edge) leave(line);
		else if (opens && line.column < edge) enter(line);
	}
	return path;
}

function resolved(schema, root) {
	for (let i = 0; schema && schema.$ref && i < 10; i++) {
		const at = schema.$ref.replace(/^#\/?/, "").split("/").filter(Boolean).reduce((o, k) => o?.[k], root);
		schema = at ? { ...at, ...schema, $ref: at.$ref } : null;
	}
	return schema;
}

// below is what a schema says of a key, or of an item.
function below(schema, key, root) {
	schema = resolved(schema, root);
	if (!schema) return null;
	if (key === "-") return schema.items || null;
	if (schema.properties?.[key]) return schema.properties[key];
	for (const [pattern, s] of Object.entries(schema.patternProperties || {})) if (new RegExp(pattern, "u").test(key)) return s;
	for (const s of schema.anyOf || schema.oneOf || []) {
		const found = below(s, key, root);
		if (found) return found;
	}
	return typeof schema.additionalProperties === "object" ? schema.additionalProperties : null;
}

// place is the schema that holds where a path leads, with the document in which its references are looked up.
function place(path, about, schemas) {
	let [schema, root] = [schemas.blueprint, schemas.blueprint];
	if (about.kind === "values") {
		const keys = { type: "object", properties: {} };
		for (const name of ["all", ...about.parts]) keys.properties[name] = { description: name === "all" ? "For every component." : "Component " + name + ".", values: true };
		[schema, root] = [keys, keys];
	}
	for (const key of path) {
		schema = below(schema, key, root);
		if (!schema) return null;
		if (schema.values || (about.kind !== "values" && key === "values" && path.slice(0, 2).join(" ") === "components -" && root === schemas.blueprint)) {
			[schema, root] = [schemas.values, schemas.values];
		}
	}
	const found = resolved(schema, root);
	return found ? { schema: found, root } : null;
}

const typeOf = (s) => s.enum?.join(" | ") || s.const || [].concat(s.type || []).join(" or ") || "";
const hidden = (name, about, path) => name === "blueberry" && (about.kind === "values" ? path.length === 1 : path.length === 3); // only the platform sets it

function keysOf(found, about, path) {
	const out = [];
	for (const [name, raw] of Object.entries(found.schema.properties || {})) {
		if (hidden(name, about, path)) continue;
		const s = resolved(raw, found.root) || {};
		out.push({ name, type: s.values ? "component" : typeOf(s), help: s.description || raw.description, needed: (found.schema.required || []).includes(name), nested: s.values || s.type === "object" || s.type === "array" || [].concat(s.type || []).includes("object") });
	}
	return out;
}

function valuesOf(found) {
	const s = found.schema;
	const all = s.enum || (s.const !== undefined ? [s.const] : []);
	if (!all.length && [].concat(s.type || []).includes("boolean")) all.push("true", "false");
	return all.filter((x) => x !== "").map((x) => ({ label: String(x), detail: x === s.default ? "default" : "", info: s.description }));
}

// schemaCompletion gives the keys or values that may stand at the cursor.
export async function schemaCompletion(context, about) {
	const doc = context.state.doc;
	const line = doc.lineAt(context.pos);
	const before = line.text.slice(0, context.pos - line.from);
	if (/^\s*#/.test(before) || /^\s*\{/.test(doc.sliceString(0, 200))) return null;
	const schemas = await about.schemas;
	const value = /^(\s*(?:-\s+)*)([\w./-]+):\s+([\w./-]*)$/.exec(before);
	if (value) {
		const found = place([...around(doc, line.number, value[1].length), value[2]], about, schemas);
		const options = found ? valuesOf(found) : [];
		return options.length ? { from: context.pos - value[3].length, options, validFor: /^[\w./-]*$/ } : null;
	}
	const key = /^(\s*(?:-\s+)*)([\w-]*)$/.exec(before);
	if (!key || (!key[2] && !context.explicit)) return null;
	const path = around(doc, line.number, key[1].length);
	const found = place(path, about, schemas);
	if (!found) return null;
	if (found.schema.items && !key[1].includes("-")) return null;
	const keys = keysOf(found, about, path);
	const options = keys.map((k) => ({ label: k.name, detail: k.type + (k.needed ? " · needed" : ""), info: k.help, apply: k.name + (k.nested ? ":" : ": "), boost: k.needed ? 1 : 0 }));
	return options.length ? { from: context.pos - key[2].length, options, validFor: /^[\w-]*$/ } : null;
}

// schemaHover tells what a key means.
export function schemaHover(about) {
	return hoverTooltip(async (view, pos) => {
		const line = view.state.doc.lineAt(pos);
		const at = lineOf(line.text);
		if (!at.key || pos < line.from + at.column || pos > line.from + at.column + at.key.length) return null;
		const found = place([...around(view.state.doc, line.number, at.column), at.key], about, await about.schemas);
		const words = found && [found.schema.description, typeOf(found.schema)].filter(Boolean).join(" · ");
		if (!words) return null;
		return {
			pos: line.from + at.column, end: line.from + at.column + at.key.length, above: true,
			create() {
				const dom = document.createElement("div");
				dom.className = "told";
				dom.textContent = words;
				return { dom };
			},
		};
	});
}
