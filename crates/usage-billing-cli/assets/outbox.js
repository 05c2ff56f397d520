"use strict";
const live = document.getElementById("live");
// A reader announces a text again that is set again.
const announce = text => { if (live.textContent !== text) live.textContent = text; };
const update = async () => {
  if (document.hidden) return;
  try {
    const response = await fetch(location.href, { signal: AbortSignal.timeout(8000) });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const [old, main] = [document, page].map(it => it.getElementById("main"));
    document.title = page.title;
    if (document.activeElement.closest("#main") || !getSelection().isCollapsed) {
      // The reader is in the content, but sees whether usage is delivered.
      old.querySelector(".verdict").replaceWith(main.querySelector(".verdict"));
      announce(`Paused while a table has the focus or text is selected: the numbers are of ${old.querySelector(".soft time")?.textContent ?? "before"}.`);
    } else {
      old.replaceChildren(...main.childNodes);
      announce("");
    }
  } catch {
    announce("The sender does not respond: the numbers are old.");
  }
};
setInterval(update, 10000);
