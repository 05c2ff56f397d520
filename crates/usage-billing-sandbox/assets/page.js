import { forgetBill, updateBill } from "./bill.js";
import { button, byId, code, count, draw, el, table } from "./elements.js";
import { ask, copyButton, say } from "./sandbox.js";
import { VENDORS, named, swatch } from "./vendors.js";

const INTERVAL = 1000; // milliseconds between two updates
const MAX_REQUESTS = 15;

// ---- Clock, faults and reset ----

// A change of the sandbox by a button: says what was done, or why not.
async function change(done, method, path, body) {
  try {
    await ask(path, { method, body: body === undefined ? undefined : JSON.stringify(body) });
    say(done);
    await refresh();
    return true;
  } catch (error) {
    say("Failed: " + error.message);
    return false;
  }
}

let now;
const advance = (name, seconds) => button("+ " + name, () => change("The clock was advanced by " + name + ".", "POST", "clock", { advance_seconds: seconds() }));
byId("clock-buttons").append(
  advance("1 hour", () => 3600),
  advance("1 day", () => 86400),
  advance("1 month", () => { const next = new Date(now); next.setUTCMonth(next.getUTCMonth() + 1); return Math.round((next - new Date(now)) / 1000); }));

const FAULTS = [["503 twice", "503; times=2"], ["429, wait 5 s", "429; retry_after=5; times=1"], ["Delay of 2 s", "latency; millis=2000; times=1"], ["Connection reset", "reset_after; times=1"], ["Half a body", "cut_body; times=1"]];
const addFault = text => change("The fault was added.", "POST", "faults", text);
byId("fault-buttons").append(...FAULTS.map(([name, text]) => button(name, () => addFault(text))));
byId("fault-form").addEventListener("submit", async event => {
  event.preventDefault();
  if (await addFault(byId("fault").value)) byId("fault").value = "";
});

function fault(rule) {
  const { kind, status, ...rest } = rule.fault;
  const terms = Object.entries(rest).map(([name, value]) => name + "=" + (typeof value === "object" ? JSON.stringify(value) : value));
  const text = [kind === "status" ? status : kind, ...(kind === "status" || status === undefined ? [] : ["status=" + status]), ...terms].join("; ");
  return el("li", {},
    code(text),
    el("span", { class: "facts" }, "injected " + count(rule.injected, "time")),
    button("Remove", () => { byId("fault").focus({ preventScroll: true }); return change("The fault was removed.", "DELETE", "faults/" + rule.id); }, { class: "small", "aria-label": "Remove the fault " + text }));
}
function showFaults(rules) {
  if (rules.length === 0) return el("p", { class: "about" }, "None. The next request succeeds.");
  return [el("ul", { class: "list" }, rules.slice(0, 20).map(fault)),
    rules.length > 20 ? el("p", { class: "about" }, count(rules.length - 20, "more fault")) : "",
    rules.length > 1 ? button("Remove all " + rules.length, () => { byId("fault").focus({ preventScroll: true }); return change("All faults were removed.", "DELETE", "faults"); }, { class: "small" }) : ""];
}

byId("reset").addEventListener("click", () => byId("confirm").showModal());
byId("confirm-no").addEventListener("click", () => byId("confirm").close());
byId("confirm-yes").addEventListener("click", () => {
  byId("confirm").close();
  change("The sandbox was reset.", "POST", "reset");
});

// ---- Tables of the vendors' state ----

function badge(text) {
  const good = ["Complete", "saved", "REPORTED", "ACTIVE", "Active", "Succeeded"], bad = ["Failed", "failed", "REPORT_FAILED", "INVALID", "CANCELLED", "deleted"];
  return el("span", { class: "badge " + (good.includes(text) ? "good" : bad.includes(text) ? "bad" : "odd") }, text);
}

const TABLES = [
  { vendor: "genesys", name: "client organizations", rows: it => it.genesys.customers, more: it => it.genesys.more_customers, columns: [["Name", one => one.name], ["Organization", one => code(one.id)], ["Contract", one => code(one.contract)], ["Currency", one => one.currency]] },
  { vendor: "genesys", name: "queries and reports", rows: it => it.genesys.jobs, columns: [["Kind", one => one.kind], ["Id", one => code(one.id)], ["State", one => badge(one.state)]] },
  { vendor: "suger", name: "usage record groups", rows: it => it.suger.groups, count: rows => rows.reduce((sum, one) => sum + one.groups, 0), columns: [["Status", one => badge(one.status)], ["Groups", one => one.groups, true]] },
  { vendor: "suger", name: "entitlements", rows: it => it.suger.entitlements, more: it => it.suger.more_entitlements, columns: [["Name", one => one.name], ["Id", one => code(one.id)], ["Marketplace", one => one.partner], ["Buyer", one => code(one.buyer)], ["Product", one => code(one.product)], ["Status", one => badge(one.status)]] },
  { vendor: "acronis", name: "reports", rows: it => it.acronis.reports, columns: [["Kind", one => one.kind], ["Level", one => one.level], ["Period", one => one.period], ["Files", one => el("span", {}, one.files.map(([format, text]) => [format + " ", badge(text), " "]))], ["Id", one => code(one.id)]] },
  { vendor: "acronis", name: "tenants", rows: it => it.acronis.tenants, more: it => it.acronis.more_tenants, columns: [["Name", one => "\u2003".repeat(one.depth) + one.name], ["Kind", one => one.kind], ["Mode", one => one.mode], ["Id", one => code(one.id)]] },
];
const tables = TABLES.map(one => {
  const [facts, body] = [el("span", { class: "facts" }), el("div", { class: "body" })];
  const details = el("details", {}, el("summary", {}, named(one.vendor, VENDORS[one.vendor] + ", " + one.name), facts), body);
  return { ...one, facts, body, details };
});
byId("tables").append(el("div", { class: "card rows" }, tables.map(one => one.details)));

function showTables(data) {
  for (const one of tables) {
    const rows = one.rows(data), more = one.more ? one.more(data) : 0;
    const label = VENDORS[one.vendor] + ", " + one.name;
    one.facts.textContent = (one.count ? one.count(rows) : rows.length + more) || "none yet";
    draw(one.body, [rows, more], () => rows.length
      ? [table(label, one.columns, rows), more ? el("p", { class: "about" }, more + " more") : ""]
      : el("p", { class: "about" }, "None yet."));
  }
}

// ---- Credentials and samples ----

const block = (title, what, text) => el("div", { class: "code" },
  el("div", { class: "heading" }, el("span", {}, title), copyButton(what, () => text)),
  el("pre", { tabindex: "0", role: "region", "aria-label": what }, el("code", {}, text.trimEnd())));

// Radio buttons that look like one control.
function choice(fieldset, name, options, chosen) {
  for (const option of options) {
    const input = el("input", { type: "radio", name, value: option, checked: option === options[0] });
    input.addEventListener("change", () => chosen(option));
    fieldset.append(el("label", {}, input, el("span", {}, option)));
  }
  return fieldset;
}

let language = "Rust", shell = "sh", data;
choice(byId("language"), "language", ["Rust", "Python", "sh", "PowerShell"], option => { language = option; showGuide(); });
const shells = choice(el("fieldset", { class: "choice" }, el("legend", {}, "Shell")), "shell", ["sh", "PowerShell"], option => { shell = option; showGuide(); });
const environment = el("div");
byId("environment").append(
  el("div", { class: "heading" }, el("h3", {}, "All three vendors, by environment variables"), shells),
  el("p", { class: "about" }, "For the program usage-billing and for the clients of this workspace."),
  environment);

const credential = (what, value) => [el("dt", {}, what), el("dd", {}, code(value), copyButton(what, () => value))];
function vendor(one) {
  const [, sample] = one.samples.find(([name]) => name === language);
  return el("article", { class: "card vendor" },
    el("div", {},
      el("h4", {}, swatch(one.id), one.name),
      el("dl", { class: "credentials" }, credential("Base URL", one.base_url), one.credentials.map(([what, value]) => credential(what, value))),
      el("p", { class: "links" }, el("a", { href: "/openapi/" + one.id }, "Reference of " + one.operations + " operations"), el("a", { href: "/openapi/" + one.id + ".yaml" }, "OpenAPI"))),
    block(language, "Sample for " + one.name + " in " + language, sample));
}
function showGuide() {
  if (!data) return;
  const text = data.environment.find(([name]) => name === shell)[1];
  draw(environment, [text, shell], () => [block(shell, "Environment variables for " + shell, text), block("Then, for example", "Command", "usage-billing usage fetch --period last-month")]);
  draw(byId("vendors"), [data.vendors, language], () => data.vendors.map(vendor));
}

// ---- Requests ----

const path = one => one.path + (one.query ? "?" + one.query : "");
function status(one) {
  const kind = !one.status ? "odd" : one.status < 300 ? "good" : one.status < 500 ? "odd" : "bad";
  return el("span", { class: "badge " + kind }, one.status || "no response");
}
function decoded(query) {
  return [...new URLSearchParams(query)].map(([name, value]) => el("li", {}, code(name + " = " + value)));
}
function request(one) {
  const facts = [
    ["Number", String(one.number)],
    ["Time", one.at.slice(0, 19).replace("T", " ") + " UTC"],
    ["Vendor", VENDORS[one.vendor]],
    ["Operation", one.operation ? el("a", { href: "/openapi/" + one.vendor + "#" + one.operation }, one.operation) : "not in the document"],
    one.query ? ["Query", el("ul", {}, decoded(one.query))] : null,
    one.violations.length ? ["Violations", el("ul", {}, one.violations.map(text => el("li", {}, code(text))))] : null,
    one.faults.length ? ["Faults", el("ul", {}, one.faults.map(fault => el("li", {}, fault.effect)))] : null,
  ].filter(Boolean);
  return el("details", { "data-key": JSON.stringify(one) },
    el("summary", {}, el("span", { class: "time" }, one.at.slice(11, 19)), el("span", { class: "request" }, el("b", {}, one.method), " ", path(one)),
      el("span", { class: "marks" }, one.faults.length ? el("span", { class: "badge odd" }, "fault") : "", one.violations.length ? el("span", { class: "badge odd" }, "violation") : "", status(one))),
    el("dl", { class: "body facts-list" }, facts.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])));
}

const KINDS = { all: () => true, errors: one => !one.status || one.status >= 400, faults: one => one.faults.length > 0, violations: one => one.violations.length > 0 };
function showRequests() {
  if (!data) return;
  const text = byId("text").value.trim().toLowerCase(), kind = KINDS[byId("kind").value];
  const words = one => [one.method, path(one), one.operation, one.status, ...one.violations, ...one.faults.map(fault => fault.effect)].join(" ").toLowerCase();
  const found = data.requests.filter(one => kind(one) && words(one).includes(text));
  const wanted = found.slice(0, MAX_REQUESTS);
  // Rows that stay are not moved, so that they keep the focus and stay open.
  const list = byId("request-list");
  const rows = new Map([...list.children].map(row => [row.dataset.key, row]));
  const keys = new Set(wanted.map(one => JSON.stringify(one)));
  for (const [key, row] of rows) if (!keys.has(key)) row.remove();
  let next = list.firstElementChild;
  for (const one of wanted) {
    const row = rows.get(JSON.stringify(one));
    if (row && row === next) next = row.nextElementSibling;
    else list.insertBefore(row || request(one), next);
  }
  list.hidden = wanted.length === 0;
  const summary = data.requests.length === 0 ? "None yet: send one with a sample above."
    : found.length === 0 ? "None of the last " + count(data.requests.length, "request") + " matches."
    : wanted.length + " of the last " + count(data.requests.length, "request") + ", newest first.";
  if (byId("shown").textContent !== summary) byId("shown").textContent = summary;
}
byId("filter").addEventListener("input", showRequests);
byId("filter").addEventListener("submit", event => event.preventDefault());

// ---- Updates ----

function live(isLive) {
  byId("live").className = "dot " + (isLive ? "good" : "bad");
  byId("live").setAttribute("aria-label", isLive ? "Live" : "The sandbox does not respond");
}

async function refresh() {
  const text = await ask("state");
  // The address under which this page was opened is the one that works from here (ports may be mapped).
  const here = JSON.stringify(location.origin).slice(1, -1);
  data = JSON.parse(text.split(JSON.parse(text).url).join(here));
  now = data.now;
  const time = now.slice(0, 19).replace("T", " ") + " UTC";
  byId("clock").textContent = time;
  byId("now").textContent = time;
  byId("strict").hidden = !data.strict;
  live(true);
  draw(byId("faults"), data.faults, showFaults);
  showTables(data);
  showGuide();
  showRequests();
  updateBill(now.slice(0, 10));
}

async function keepFresh() {
  if (!document.hidden) {
    try {
      await refresh();
    } catch {
      forgetBill();
      live(false);
      byId("now").textContent = "The sandbox does not respond";
    }
  }
  setTimeout(keepFresh, INTERVAL);
}
keepFresh();
