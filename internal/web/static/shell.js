// A terminal in a container, over the WebSocket of the API. What goes over it is told at exec-environment in the API reference.
import { FitAddon } from "./xterm-fit.js";
import { Terminal } from "./xterm.js";

const form = document.getElementById("shell-form");
const part = document.getElementById("shell");
const screen = document.getElementById("shell-screen");
const status = document.getElementById("shell-status");
const open = document.getElementById("shell-open");
const end = document.getElementById("shell-end");

// Channels of the protocol.
const stdin = 0, stdout = 1, stderr = 2, result = 3, resize = 4;
const most = 32767; // bytes of one message beside its channel

// The terminal makes style sheets of its own. They bear the word that the policy of this page lets in.
const create = document.createElement.bind(document);
document.createElement = (name, ...rest) => {
	const made = create(name, ...rest);
	if (String(name).toLowerCase() === "style") made.nonce = form.dataset.nonce;
	return made;
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();
let terminal, fit, socket;

function say(text) {
	status.textContent = text;
}

function send(channel, bytes) {
	if (!socket || socket.readyState !== WebSocket.OPEN) return;
	for (let i = 0; i < bytes.length || i === 0; i += most) {
		const piece = bytes.subarray(i, i + most);
		const message = new Uint8Array(piece.length + 1);
		message[0] = channel;
		message.set(piece, 1);
		socket.send(message);
	}
}

function coloursOf() {
	const style = getComputedStyle(part);
	return { background: style.backgroundColor, foreground: style.color, cursor: style.color, selectionBackground: "#8888aa66" };
}

function prepare() {
	if (terminal) {
		terminal.reset();
		return;
	}
	terminal = new Terminal({ fontFamily: "ui-monospace, monospace", fontSize: 13, scrollback: 5000, cursorBlink: false, screenReaderMode: true, theme: coloursOf(), minimumContrastRatio: 4.5 });
	fit = new FitAddon();
	terminal.loadAddon(fit);
	terminal.open(screen);
	terminal.onData((text) => send(stdin, encoder.encode(text)));
	terminal.onBinary((text) => send(stdin, Uint8Array.from(text, (c) => c.charCodeAt(0))));
	terminal.onResize(tellSize);
	new ResizeObserver(() => fit.fit()).observe(screen);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { terminal.options.theme = coloursOf(); });
}

function tellSize() {
	send(resize, encoder.encode(JSON.stringify({ width: terminal.cols, height: terminal.rows })));
}

function start() {
	const chosen = form.elements.container.selectedOptions[0];
	const command = form.elements.command.value.trim().split(/\s+/).filter((word) => word !== "");
	if (command.length === 0) command.push("sh");
	const address = new URL(form.dataset.address, location.href);
	address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
	address.searchParams.set("pod", chosen.dataset.pod);
	address.searchParams.set("container", chosen.dataset.container);
	address.searchParams.set("tty", "true");
	address.searchParams.set("upgrade_first", "true"); // a page is not shown what answers a WebSocket that is refused
	for (const word of command) address.searchParams.append("command", word);
	part.hidden = false;
	prepare();
	fit.fit();
	say("Opening " + chosen.textContent.trim() + " …");
	open.disabled = true;
	end.disabled = false;
	let told = "";
	let opened = false;
	let ran = false;
	socket = new WebSocket(address, [form.dataset.protocol]);
	socket.binaryType = "arraybuffer";
	socket.addEventListener("open", () => {
		opened = true;
		say("Open: " + chosen.textContent.trim());
		tellSize();
		terminal.focus();
	});
	socket.addEventListener("message", (event) => {
		const bytes = new Uint8Array(event.data);
		const content = bytes.subarray(1);
		if (bytes[0] === stdout || bytes[0] === stderr) {
			ran = true;
			terminal.write(content);
		}
		else if (bytes[0] === result) {
			const how = JSON.parse(decoder.decode(content));
			told = how.error ? (ran ? "It was ended: " : "It was not opened: ") + how.error.detail : "It ended with exit code " + how.exit_code + ".";
		}
	});
	socket.addEventListener("close", () => {
		open.disabled = false;
		end.disabled = true;
		if (told === "" && !opened) told = "It was not opened: the server cannot be reached, or refused it. The command on this page tells why.";
		say(told || "It is closed. How the command ended is not known.");
		open.focus();
	});
}

form.addEventListener("submit", (event) => {
	event.preventDefault();
	if (!socket || socket.readyState === WebSocket.CLOSED) start();
});
end.addEventListener("click", () => socket.close(1000));
addEventListener("pagehide", () => { if (socket) socket.close(1000); });
open.disabled = false;
