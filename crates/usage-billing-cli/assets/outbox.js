"use strict";
const live = document.getElementById("live");
const update = async () => {
  if (document.hidden || document.activeElement.closest("#main") || !getSelection().isCollapsed) return;
  try {
    const response = await fetch(location.href, { signal: AbortSignal.timeout(8000) });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    document.getElementById("main").replaceChildren(...page.getElementById("main").childNodes);
    document.title = page.title;
    live.textContent = "";
  } catch {
    live.textContent = "The sender does not respond: the numbers are old.";
  }
};
setInterval(update, 10000);
