// Passkeys need a script: the browser speaks to the authenticator, we only carry what it says.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function call(path, body) {
	const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
	const data = answer.status === 204 ? {} : await answer.json();
	if (!answer.ok) throw new Error(data.errors && data.errors.length ? data.errors[0].message : data.detail || "the server refused it");
	return data;
}

function listed(credentials) {
	return (credentials || []).map((c) => ({ ...c, id: bytes(c.id) }));
}

async function add(name) {
	const { ticket, options } = await call("/v1/account/passkeys", { name });
	const o = options.publicKey;
	const made = await navigator.credentials.create({
		publicKey: { ...o, challenge: bytes(o.challenge), user: { ...o.user, id: bytes(o.user.id) }, excludeCredentials: listed(o.excludeCredentials) },
	});
	await call("/v1/account/passkeys/confirmation", {
		ticket,
		response: {
			id: made.id, rawId: text(made.rawId), type: made.type, clientExtensionResults: made.getClientExtensionResults(),
			response: {
				clientDataJSON: text(made.response.clientDataJSON), attestationObject: text(made.response.attestationObject),
				transports: made.response.getTransports ? made.response.getTransports() : [],
			},
		},
	});
	location.assign("/account/security?done=own-passkey");
}

async function signIn(returnTo) {
	const { ticket, options } = await call("/signin/passkey/options", {});
	const o = options.publicKey;
	const got = await navigator.credentials.get({ publicKey: { ...o, challenge: bytes(o.challenge), allowCredentials: listed(o.allowCredentials) } });
	const done = await call("/signin/passkey", {
		ticket, return_to: returnTo,
		response: {
			id: got.id, rawId: text(got.rawId), type: got.type, clientExtensionResults: got.getClientExtensionResults(),
			response: {
				clientDataJSON: text(got.response.clientDataJSON), authenticatorData: text(got.response.authenticatorData),
				signature: text(got.response.signature), userHandle: got.response.userHandle ? text(got.response.userHandle) : null,
			},
		},
	});
	location.assign(done.return_to);
}

function tell(error) {
	const place = document.getElementById("passkey-problem");
	place.textContent = error.name === "NotAllowedError" ? "The passkey was not used." : error.message.charAt(0).toUpperCase() + error.message.slice(1);
	place.hidden = false;
}

for (const e of document.querySelectorAll("[data-passkey]")) {
	if (!window.PublicKeyCredential) continue; // stays hidden: there is nothing that it could do
	e.hidden = false;
	if (e.dataset.passkey === "sign-in") {
		e.addEventListener("click", () => signIn(e.dataset.returnTo || "").catch(tell));
	} else {
		e.addEventListener("submit", (event) => {
			event.preventDefault();
			add(e.elements.passkey_name.value.trim()).catch(tell);
		});
	}
}
