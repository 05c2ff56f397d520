// The bill of a month, with its chart and its lines.

import { byId, code, count, draw, el, svg, wide } from "./elements.js";
import { ask, copyButton, say } from "./sandbox.js";
import { VENDORS, named, swatch } from "./vendors.js";

// Numbers are strings of decimals, whose digits are all shown.

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

const monthName = start => new Date(start).toLocaleDateString("en", { month: "long", year: "numeric", timeZone: "UTC" });
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
export async function updateBill(day) {
  today = day;
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
  updateBill(today);
}
byId("earlier").addEventListener("click", () => step(-1));
byId("later").addEventListener("click", () => step(1));

// Another sandbox may respond next, with other data.
export function forgetBill() {
  computed = undefined;
}
