// JSON Schemas as lists of fields, as far as this API's documents use them.

import { el, prose } from "./dom.js";

/** Follow a reference into the document, if the part is one. */
export function followed(part, api) {
  if (!part?.$ref) return part;
  return part.$ref.slice(2).split("/").reduce((found, step) => found[step], api);
}

/** What kind of value a schema describes, in words. */
export function kindOf(schema, api) {
  if (schema.type === "array") return `list of ${kindOf(schema.items, api)}`;
  if (schema.$ref) return followed(schema, api).title;
  if (schema.anyOf) return schema.anyOf.map((member) => kindOf(member, api)).join(" or ");
  const types = [schema.type ?? []].flat();
  const bounds = [
    schema.format,
    schema.minimum !== undefined && schema.minimum > -Number.MAX_SAFE_INTEGER
      ? `from ${schema.minimum}` : null,
    schema.maximum !== undefined && schema.maximum < Number.MAX_SAFE_INTEGER
      ? `to ${schema.maximum}` : null,
    schema.maxLength !== undefined ? `up to ${schema.maxLength} characters` : null,
    schema.default !== undefined && schema.default !== null
      ? `default ${JSON.stringify(schema.default)}` : null,
  ];
  return [types.join(" or "), ...bounds.filter(Boolean)].filter(Boolean).join(", ");
}

function choices(schema) {
  if (schema.anyOf) return schema.anyOf.map(choices);
  const values = schema.enum ?? (schema.const === undefined ? [] : [schema.const]);
  if (!values.length) return null;
  const spelled = values.flatMap((value) => [", ", el("code", {}, JSON.stringify(value))]);
  return el("p", {}, values.length > 1 ? "One of " : "Always ", spelled.slice(1));
}

/** One entry of a list: a field, a parameter or a header. */
export function entry(name, schema, api, { required = false, description, place } = {}) {
  const inner = [schema, schema.items, ...(schema.anyOf ?? [])].find((part) => part?.$ref);
  const nested = inner ? followed(inner, api) : null;
  return el("div", {},
    el("dt", {},
      el("code", {}, name),
      place ? el("span", { class: "kind" }, `in ${place}`) : null,
      el("span", { class: "kind" }, kindOf(schema, api)),
      required ? el("span", { class: "required" }, "required") : null),
    el("dd", {},
      prose(description ?? schema.description),
      choices(schema),
      nested?.properties ? el("details", {},
        el("summary", {}, `Fields of ${nested.title}`), fields(nested, api)) : null));
}

/** All fields of an object. What must be there is only worth saying of what a client sends. */
export function fields(schema, api, { sent = false } = {}) {
  const { properties, required } = followed(schema, api);
  return el("dl", { class: "fields" }, Object.entries(properties).map(([name, field]) =>
    entry(name, field, api, { required: sent && required?.includes(name) })));
}
