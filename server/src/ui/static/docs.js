// Shows the OpenAPI document of this server: operations by tag, with parameters, bodies and answers.
const byId = (id) => document.getElementById(id);

// An element with text or children; text is never parsed as HTML.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// A text as parts: what stands between backticks is code.
function words(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

// A schema in one line: names of types, "[]" for lists, "?" for what may be null.
function typeName(schema) {
  if (!schema) return "any";
  if (schema.$ref) return schema.$ref.split("/").pop();
  const options = schema.oneOf || schema.anyOf;
  if (options) {
    const names = options.filter((option) => option.type !== "null").map(typeName);
    return names.join(" | ") + (names.length < options.length ? "?" : "");
  }
  if (schema.allOf) return schema.allOf.map(typeName).join(" & ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const types = [schema.type].flat();
  const name = types.filter((type) => type !== "null").map((type) => {
    return type === "array" ? `${typeName(schema.items)}[]` : type || "any";
  }).join(" | ");
  return name + (types.includes("null") ? "?" : "");
}

function fields(document, schema) {
  const name = schema && schema.$ref ? schema.$ref.split("/").pop() : null;
  const found = name ? document.components.schemas[name] : schema;
  if (!found || !found.properties) return null;
  const required = new Set(found.required || []);
  return table(Object.entries(found.properties).map(([key, property]) => {
    return [key + (required.has(key) ? " *" : ""), typeName(property), property.description || ""];
  }));
}

function table(rows) {
  const body = rows.map(([name, type, text]) => element("tr", {},
    element("td", {}, element("code", {}, name)), element("td", {}, element("code", {}, type)), element("td", {}, ...words(text))));
  return element("div", { class: "wide" }, element("table", {}, ...body));
}

function operation(document, path, method, described) {
  const parts = [];
  if (described.description) parts.push(element("p", {}, ...words(described.description)));
  const parameters = (described.parameters || []).map((parameter) => {
    const name = `${parameter.name}${parameter.required ? " *" : ""}`;
    return [name, typeName(parameter.schema), `${parameter.in}. ${parameter.description || ""}`];
  });
  if (parameters.length) parts.push(element("h4", {}, "Parameters"), table(parameters));
  for (const content of Object.values(described.requestBody?.content || {})) {
    parts.push(element("h4", {}, `Body: ${typeName(content.schema)}`));
    const known = fields(document, content.schema);
    if (known) parts.push(known);
  }
  parts.push(element("h4", {}, "Answers"), table(Object.entries(described.responses || {}).map(([status, answer]) => {
    const content = Object.values(answer.content || {})[0];
    return [status, content ? typeName(content.schema) : "", answer.description || ""];
  })));
  const verb = element("span", { class: `verb ${method}` }, method.toUpperCase());
  const summary = element("summary", {}, verb, " ", element("code", {}, path), " ", ...words(described.summary || ""));
  const details = element("details", { "data-text": `${method} ${path} ${described.summary || ""}`.toLowerCase() }, summary);
  // The body is built when it is looked at: there are many operations and few are.
  details.addEventListener("toggle", () => details.append(...parts), { once: true });
  return details;
}

function show(described) {
  const groups = new Map();
  for (const [path, methods] of Object.entries(described.paths)) {
    for (const [method, entry] of Object.entries(methods)) {
      if (!entry.responses) continue;
      const tag = (entry.tags || ["other"])[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(described, path, method, entry));
    }
  }
  const sections = [...groups].sort(([a], [b]) => a.localeCompare(b)).map(([tag, operations]) => {
    return element("section", {}, element("h2", {}, tag), ...operations);
  });
  byId("operations").replaceChildren(...sections);
  byId("state").textContent = `${described.info.title} ${described.info.version}`;
  byId("search").hidden = false;
}

byId("filter").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const details of document.querySelectorAll("details")) {
    details.hidden = !words.every((word) => details.dataset.text.includes(word));
  }
  for (const section of document.querySelectorAll("section")) {
    section.hidden = !section.querySelector("details:not([hidden])");
  }
});

async function load(password) {
  const headers = password ? { Authorization: `Bearer ${password}` } : {};
  const answer = await fetch("/openapi.json", { headers });
  byId("login").hidden = answer.status !== 401;
  if (answer.status === 401) {
    byId("state").textContent = password ? "This is not the password." : "This server asks for a password.";
    return;
  }
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  show(await answer.json());
}

const attempt = (password) => load(password).catch((error) => {
  byId("state").textContent = `The API's description could not be loaded: ${error.message}`;
});
byId("login").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(byId("password").value);
});
attempt("");
