import { byId, el, wide } from "./elements.js";

const vendor = location.pathname.split("/").pop();

// `code`, **strong** and *emphasis* of a line.
function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*)/).map(part => {
    if (/^`.+`$/s.test(part)) return el("code", {}, part.slice(1, -1));
    if (/^\*\*.+\*\*$/s.test(part)) return el("strong", {}, part.slice(2, -2));
    if (/^\*.+\*$/s.test(part)) return el("em", {}, part.slice(1, -1));
    return part;
  });
}
// The little Markdown that the documents have: paragraphs and lists.
function prose(text) {
  return (text || "").trim().split(/\n\s*\n/).filter(block => block).flatMap(block => {
    const at = block.search(/^\s*- /m);
    const before = at < 0 ? block : block.slice(0, at).trim();
    const items = at < 0 ? [] : block.slice(at).split(/^\s*- /m).filter(item => item.trim());
    return [before && el("p", {}, ...inline(before)), items.length ? el("ul", {}, ...items.map(item => el("li", {}, ...inline(item.trim())))) : ""];
  }).filter(node => node);
}

let root;
const resolve = value => value && value.$ref ? value.$ref.slice(2).split("/").reduce((at, key) => at[key.replace(/~1/g, "/").replace(/~0/g, "~")], root) : value;
const named = ref => ref.split("/").pop();
function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return el("a", { href: "#schema-" + named(schema.$ref) }, named(schema.$ref));
  if (schema.allOf) return el("span", {}, ...schema.allOf.map(typeOf), schema.nullable ? " or null" : "");
  if (schema.type === "array") return el("span", {}, "list of ", typeOf(schema.items));
  if (schema.type === "object" && typeof schema.additionalProperties === "object") return el("span", {}, "map of ", typeOf(schema.additionalProperties));
  const limits = [["minimum", "≥ "], ["maximum", "≤ "], ["minLength", "length ≥ "], ["maxLength", "length ≤ "], ["default", "default "]].filter(([key]) => schema[key] !== undefined).map(([key, word]) => word + schema[key]);
  return [schema.type + (schema.format ? " (" + schema.format + ")" : "") + (schema.nullable ? " or null" : ""), ...limits].join(", ");
}
function table(label, head, rows) {
  return wide(label, el("table", {},
    el("thead", {}, el("tr", {}, ...head.map(text => el("th", { scope: "col" }, text)))),
    el("tbody", {}, ...rows.map(row => el("tr", {}, ...row.map(cell => el("td", {}, ...[cell].flat())))))));
}
const example = value => value === undefined ? "" : el("pre", { tabindex: "0" }, JSON.stringify(value, null, 2));

function body(content) {
  return Object.entries(content || {}).flatMap(([media, of]) => [el("p", {}, el("code", {}, media), " ", typeOf(of.schema)), example(of.example),
    ...Object.entries(of.examples || {}).flatMap(([name, one]) => [el("p", { class: "soft" }, (resolve(one).summary || name)), example(resolve(one).value)])]);
}

function operation(path, method, one, shared) {
  const parameters = [...(shared || []), ...(one.parameters || [])].map(resolve);
  const request = resolve(one.requestBody);
  const responses = Object.entries(one.responses).map(([status, response]) => [status, resolve(response)]);
  return el("details", { class: "entry", id: one.operationId },
    el("summary", {}, el("h3", {}, el("code", { class: method.toUpperCase() }, method.toUpperCase()), " ", el("code", {}, path)), el("br"), el("span", {}, one.summary || ""), " ", el("span", { class: "soft" }, one.operationId), one.deprecated ? " (deprecated)" : ""),
    el("div", {}, ...prose(one.description),
      one["x-permissions"] ? el("p", {}, "Permissions, any of: ", el("code", {}, one["x-permissions"].join(", "))) : "",
      ...(parameters.length ? [el("h4", {}, "Parameters"), table("Parameters of " + one.operationId, ["Name", "In", "Type", "Meaning"], parameters.map(it => [el("code", {}, it.name + (it.required ? " *" : "")), it.in, typeOf(it.schema), prose(it.description)]))] : []),
      ...(request ? [el("h4", {}, "Body" + (request.required ? " *" : "")), ...prose(request.description), ...body(request.content)] : []),
      el("h4", {}, "Responses"),
      ...responses.filter(([status]) => status < "3").flatMap(([status, response]) => [el("p", {}, el("code", {}, status), " ", ...inline(response.description || "")), ...body(response.content)]),
      table("Errors of " + one.operationId, ["Status", "Meaning", "Body"], responses.filter(([status]) => status >= "3").map(([status, response]) => [el("code", {}, status), prose(response.description), Object.values(response.content || {}).map(of => typeOf(of.schema))]))));
}

function schema(name, one) {
  const required = one.required || [];
  const fields = Object.entries(one.properties || {}).map(([key, of]) => [el("code", {}, key + (required.includes(key) ? " *" : "")), typeOf(of), prose(of.description || (resolve(of) || {}).description)]);
  return el("details", { class: "entry", id: "schema-" + name }, el("summary", {}, el("h3", {}, el("code", {}, name)), " ", el("span", { class: "soft" }, one.type || "")),
    el("div", {}, ...prose(one.description), one.enum ? el("p", {}, "Values: ", el("code", {}, one.enum.map(value => JSON.stringify(value)).join(", "))) : "",
      one.type === "array" || typeof one.additionalProperties === "object" ? el("p", {}, typeOf(one)) : "",
      fields.length ? table("Fields of " + name, ["Field", "Type", "Meaning"], fields) : "", example(one.example)));
}

const entries = [];
function add(to, node, data) {
  entries.push({ node, text: (node.textContent + JSON.stringify(data)).toLowerCase() });
  to.append(node);
}
function find() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(word => word);
  let count = 0;
  for (const entry of entries) {
    const hit = words.every(word => entry.text.includes(word));
    entry.node.hidden = !hit;
    count += hit;
  }
  for (const section of document.querySelectorAll("main section")) section.hidden = !section.querySelector(".entry:not([hidden])");
  byId("found").textContent = count + " of " + entries.length + " operations and schemas.";
}
function open() {
  const target = byId(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") { target.hidden = false; target.closest("section").hidden = false; target.open = true; target.scrollIntoView(); }
}

(async () => {
  root = await (await fetch("/openapi/" + vendor + ".json")).json();
  document.title = root.info.title + ": reference";
  byId("title").textContent = root.info.title;
  byId("yaml").href = "/openapi/" + vendor + ".yaml";
  byId("about").append(el("details", {}, el("summary", {}, "About this API, as of " + root.info.version), ...prose(root.info.description)));
  for (const tag of root.tags) {
    const section = el("section", { "aria-labelledby": "tag-" + tag.name }, el("h2", { id: "tag-" + tag.name }, tag.name), ...prose(tag.description));
    for (const [path, methods] of Object.entries(root.paths))
      for (const [method, one] of Object.entries(methods))
        // Under its first tag: an operation with two would stand here twice.
        if (one.operationId && one.tags[0] === tag.name) add(section, operation(path, method, one, methods.parameters), one);
    byId("content").append(section);
  }
  const schemas = el("section", { "aria-labelledby": "schemas" }, el("h2", { id: "schemas" }, "Schemas"));
  for (const [name, one] of Object.entries(root.components.schemas)) add(schemas, schema(name, one), one);
  byId("content").append(schemas);
  byId("search").addEventListener("input", find);
  addEventListener("hashchange", open);
  find();
  open();
})().catch(error => { byId("found").textContent = "The document cannot be shown: " + error.message; });
