// What the pages ask of the sandbox, and what they say to the reader.

import { button, byId, el } from "./elements.js";

let silence;
export function say(text) {
  clearTimeout(silence);
  byId("message").textContent = text;
  silence = setTimeout(() => { byId("message").textContent = ""; }, 6000);
}

export async function ask(path, options) {
  const response = await fetch("/_sandbox/" + path, { cache: "no-store", ...options });
  const text = await response.text();
  if (!response.ok) throw new Error(JSON.parse(text).message);
  return text;
}

export function copyButton(what, text) {
  const it = button("Copy", async () => {
    const value = text();
    try {
      await navigator.clipboard.writeText(value);
    } catch {
      // Pages of http hosts other than loopback have no clipboard.
      const area = el("textarea", { readonly: true }, value);
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      it.focus();
    }
    it.textContent = "Copied";
    say(what + " copied.");
    setTimeout(() => { it.textContent = "Copy"; }, 2000);
  }, { class: "small", "aria-label": "Copy: " + what });
  return it;
}
