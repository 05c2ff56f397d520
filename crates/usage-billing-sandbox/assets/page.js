import { byId, code, el, svg, table, wide } from "./elements.js";

const INTERVAL = 1000; // milliseconds between two updates
const MAX_REQUESTS = 15;

// ---- Messages and requests to the sandbox ----

let silence;
function say(text) {
  clearTimeout(silence);
  byId("message").textContent = text;
  silence = setTimeout(() => { byId("message").textContent = ""; }, 6000);
}

async function ask(path, options) {
  const response = await fetch("/_sandbox/" + path, { cache: "no-store", ...options });
  const text = await response.text();
  if (!response.ok) throw new Error(JSON.parse(text).message);
  return text;
}

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

function button(text, action, attributes) {
  const it = el("button", { type: "button", ...attributes }, text);
  it.addEventListener("click", action);
  return it;
}

function copyButton(what, text) {
  const it = button("Copy", async () => {
    const value = text();
    try {
      await navigator.clipboard.writeText(value);
    } catch {
      // Pages of http hosts other than loopback have no clipboard.
      const area = el("textarea", { readonly: true, "aria-hidden": "true" }, value);
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

// Drawn again only when it has changed, so that what a reader selected, opened or scrolled to stays; the focus stays by its label.
const drawn = new Map();
function draw(place, data, of) {
  const text = JSON.stringify(data);
  if (drawn.get(place) === text) return;
  drawn.set(place, text);
  const left = Array.from(place.querySelectorAll(".wide"), it => it.scrollLeft);
  const focused = place.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  place.replaceChildren(...[of(data)].flat().filter(child => child !== ""));
  place.querySelectorAll(".wide").forEach((it, at) => { it.scrollLeft = left[at] || 0; });
  if (focused) [...place.querySelectorAll("[aria-label]")].find(it => it.getAttribute("aria-label") === focused)?.focus({ preventScroll: true });
}

const count = (number, one, many) => number + " " + (number === 1 ? one : many || one + "s");

// ---- Numbers: strings of decimals, whose digits are all shown ----

const groups = digits => digits.length < 5 ? [digits] : digits.split(/(?=(?:\d{3})+$)/).map((part, at) => at ? el("span", { class: "group" }, part) : part);

// The point is at the same place in all rows: the fraction has the width of the longest one.
function decimal(text, places) {
  const [whole, fraction] = text.split(".");
  const tail = el("span", { class: "fraction" }, fraction ? "." + fraction.slice(0, 2) : "", fraction && fraction.length > 2 ? el("span", { class: "tail" }, fraction.slice(2)) : "");
  if (places) tail.style.minWidth = places + 0.5 + "ch";
  return el("span", { class: "decimal" }, groups(whole), tail);
}
function unit(text, length) {
  const it = el("span", { class: "unit" }, text);
  it.style.minWidth = length + "ch";
  return it;
}
const places = decimals => Math.max(0, ...decimals.map(one => (one.split(".")[1] || "").length));

// ---- The bill ----

const monthName = start => new Date(start).toLocaleDateString("en", { month: "long", year: "numeric", timeZone: "UTC" });
const swatch = vendor => el("span", { class: "swatch " + vendor, "aria-hidden": "true" });
const named = (vendor, ...text) => el("span", { class: "name" }, swatch(vendor), el("span", {}, text));
const VENDORS = { genesys: "Genesys Cloud", suger: "Suger", acronis: "Acronis" };

const money = (currency, amount) => el("span", { class: "money" }, decimal(amount), " ", el("span", { class: "unit" }, currency));

const size = bill => count(bill.customer_count, "customer") + ", " + count(bill.line_count, "line") + (bill.totals.length ? "" : ", no prices");

function tile(bill) {
  const totals = bill.totals.map(([currency, amount]) => el("li", {}, money(currency, amount)));
  return el("div", { class: "card tile" },
    el("h3", {}, swatch(bill.vendor), bill.name),
    el("ul", { class: "figure" }, totals.length ? totals : el("li", {}, count(bill.line_count, "quantity", "quantities"))),
    el("p", { class: "about" }, size(bill)));
}

function bar(one, currency) {
  return el("li", { class: "bar" },
    named(one.vendor, el("bdi", {}, one.customer || "Own organization"), " ", el("span", { class: "of" }, VENDORS[one.vendor])),
    el("span", { class: "track", "aria-hidden": "true" }, svg("svg", { width: "100%", height: "100%" }, svg("rect", { class: one.vendor, width: one.length + "%", height: "100%", rx: "2" }))),
    money(currency, one.amount));
}

// The vendors' parts of a total: one strip. `place` is where a part begins.
function strip(one) {
  let place = 0;
  const parts = one.vendors.map(part => {
    const it = svg("rect", { class: part.vendor, x: place + "%", width: part.length + "%", height: "100%" });
    place += Number(part.length);
    return it;
  });
  return el("span", { class: "strip", "aria-hidden": "true" }, svg("svg", { width: "100%", height: "100%" }, parts));
}

function chart(charts) {
  return el("figure", { class: "card chart" },
    el("figcaption", {}, el("h3", {}, "Amounts by vendor and customer"), charts.length > 1 ? el("p", { class: "about" }, "Each currency has a scale of its own.") : ""),
    charts.map(one => [
      el("div", { class: "currency" }, el("h4", {}, one.currency), el("ul", {}, one.vendors.map(part => el("li", {}, named(part.vendor, VENDORS[part.vendor] + " " + part.length + " %")))), money(one.currency, one.total)),
      one.vendors.length > 1 ? strip(one) : null,
      el("ol", { "aria-label": "Amounts in " + one.currency }, one.bars.map(it => bar(it, one.currency))),
      one.others ? el("p", { class: "about" }, count(one.others, "smaller amount") + " not shown") : null]));
}

// Roles, because the rows are blocks on a narrow screen.
function lines(bill) {
  const all = bill.customers.flatMap(customer => customer.lines);
  const [quantities, amounts] = [places(all.map(line => line.quantity)), places(all.flatMap(line => line.amount || []))];
  const longest = Math.max(0, ...all.map(line => line.unit.length));
  const priced = amounts > 0 || all.some(line => line.amount);
  const cell = (tag, role, attributes, ...children) => el(tag, { role, ...attributes }, ...children);
  const heads = ["Item", "Quantity", ...(priced ? ["Amount"] : [])];
  const row = line => cell("tr", "row", {},
    cell("td", "cell", {}, code(line.sku), line.metric === line.sku || line.sku.endsWith("/" + line.metric) ? null : el("span", { class: "metric" }, line.metric)),
    cell("td", "cell", { class: "number", "data-label": "Quantity" }, decimal(line.quantity, quantities), unit(line.unit, longest)),
    priced ? cell("td", "cell", { class: "number", "data-label": "Amount" }, line.amount ? [decimal(line.amount, amounts), unit(line.currency, 3)] : "no price") : null);
  const group = customer => cell("tbody", "rowgroup", {},
    cell("tr", "row", { class: "customer" },
      cell("th", "rowheader", { scope: "rowgroup", colspan: 2 }, el("bdi", {}, customer.name || "Own organization")),
      priced ? cell("td", "cell", { class: "number" }, customer.totals.map(([currency, amount]) => money(currency, amount))) : null),
    customer.lines.map(row),
    customer.line_count > customer.lines.length ? cell("tr", "row", {}, cell("td", "cell", { colspan: heads.length }, count(customer.line_count - customer.lines.length, "more line"))) : null);
  return wide("Lines of " + bill.name, cell("table", "table", { class: "lines", "aria-label": bill.name },
    cell("thead", "rowgroup", {}, cell("tr", "row", {}, heads.map((title, at) => cell("th", "columnheader", { scope: "col", class: at ? "number" : null }, title)))),
    bill.customers.map(group)));
}

function billDetails(bill) {
  const totals = bill.totals.map(([currency, amount]) => money(currency, amount));
  const more = bill.customer_count - bill.customers.length;
  return el("details", {},
    el("summary", {},
      named(bill.vendor, bill.name),
      el("span", { class: "facts" }, size(bill)),
      el("span", { class: "totals" }, totals)),
    el("div", { class: "body" },
      el("p", { class: "about" }, bill.about, totals.length ? " Lines are exact, sums to the cent." : ""),
      lines(bill),
      more > 0 ? el("p", { class: "about" }, count(more, "more customer") + " in the JSON") : null));
}

function showBill(data) {
  const month = data.start.slice(0, 7), command = "curl -s " + location.origin + "/_sandbox/expected?period=" + month;
  byId("bill").textContent = "Bill for " + monthName(data.start);
  byId("bill-json").href = "/_sandbox/expected?period=" + month;
  draw(byId("bill-content"), data, () => [
    el("div", { class: "tiles" }, data.bills.slice(0, 3).map(tile)),
    data.charts.length ? chart(data.charts) : "",
    el("div", { class: "card rows" }, data.bills.map(billDetails)),
    el("p", { class: "command" }, el("span", {}, "In a terminal:"), code(command), copyButton("The command", () => command)),
  ]);
}

// The month before the clock's, and what a reader chose instead. A bill is computed once a day of the clock.
const shift = (month, by) => { const [year, at] = month.split("-").map(Number); return new Date(Date.UTC(year, at - 1 + by, 1)).toISOString().slice(0, 7); };
let today, chosen = null, computed;
async function updateBill() {
  const last = shift(today.slice(0, 7), -1);
  const month = chosen !== null && chosen < last ? chosen : last;
  byId("later").disabled = month === last;
  if (computed === today + " " + month) return;
  const key = computed = today + " " + month;
  byId("bill-content").setAttribute("aria-busy", "true");
  try {
    const text = await ask("bill?period=" + month);
    if (computed === key) showBill(JSON.parse(text));
  } catch (error) {
    if (computed === key) computed = undefined;
    say("The bill cannot be computed: " + error.message);
  } finally {
    byId("bill-content").setAttribute("aria-busy", "false");
  }
}
function step(by) {
  if (!today) return;
  const last = shift(today.slice(0, 7), -1);
  chosen = shift(chosen || last, by);
  if (chosen >= last) chosen = null;
  updateBill();
}
byId("earlier").addEventListener("click", () => step(-1));
byId("later").addEventListener("click", () => step(1));

// ---- Clock, faults and reset ----

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
  today = now.slice(0, 10);
  updateBill();
}

async function keepFresh() {
  if (!document.hidden) {
    try {
      await refresh();
    } catch {
      // Another sandbox may respond next, with other data.
      computed = undefined;
      live(false);
      byId("now").textContent = "The sandbox does not respond";
    }
  }
  setTimeout(keepFresh, INTERVAL);
}
keepFresh();
