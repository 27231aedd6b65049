// The sections of the page: one for each call, and the problems that calls answer with.

import { el, phrases, prose, sample } from "./dom.js";
import { entry, fields, followed } from "./schemas.js";

const PROBLEM = "application/problem+json";

/** Every call of the document, in its order. */
export function operationsOf(api) {
  return Object.entries(api.paths).flatMap(([path, calls]) =>
    Object.entries(calls).map(([method, call]) => ({ path, method, ...call })));
}

/** The section of one call. */
export function operationSection(operation, api) {
  const { operationId, method, path, summary, description } = operation;
  const parameters = operation.parameters.map((parameter) => followed(parameter, api));
  const answers = Object.entries(operation.responses)
    .map(([status, answer]) => [status, followed(answer, api)]);
  return el("section", { class: "operation", id: operationId, "aria-labelledby": `${operationId}-h` },
    el("h3", { id: `${operationId}-h` }, summary),
    el("p", { class: "call" }, el("span", { class: `method ${method}` }, method), path),
    prose(description),
    sample("Example", curl(operation, parameters, api)),
    parameters.length ? [el("h4", {}, "Parameters"), parameterList(parameters, api)] : null,
    bodySection(operation.requestBody, api),
    answers.filter(([status]) => status < 400).map(([status, answer]) =>
      answerSection(status, answer, api)),
    el("h4", {}, "Refusals"),
    refusals(answers, api));
}

function parameterList(parameters, api) {
  return el("dl", { class: "fields" }, parameters.map((parameter) =>
    entry(parameter.name, parameter.schema, api, {
      required: parameter.required, description: parameter.description, place: parameter.in,
    })));
}

function bodySection(body, api) {
  if (!body) return null;
  const [{ schema }] = Object.values(body.content);
  return [el("h4", {}, body.required ? "Body" : "Body (optional)"),
    fields(schema, api, { sent: true })];
}

function answerSection(status, answer, api) {
  const content = answer.content?.["application/json"];
  const headers = Object.entries(answer.headers ?? {}).map(([name, header]) => {
    const { schema, description } = followed(header, api);
    return entry(name, schema, api, { description });
  });
  return [
    el("h4", {}, `Answer ${status}`),
    prose(answer.description),
    content?.example ? sample(`Answer ${status}`, JSON.stringify(content.example, null, 2)) : null,
    content ? el("details", {}, el("summary", {}, "Fields"), fields(content.schema, api)) : null,
    headers.length
      ? el("details", {}, el("summary", {}, "Headers"), el("dl", { class: "fields" }, headers))
      : null,
  ];
}

function refusals(answers, api) {
  if (!api.components.schemas.Problem) {
    return el("ul", {}, answers.filter(([status]) => status >= 400).map(
      ([status, { description }]) => el("li", {}, `${status}: `, phrases(description))));
  }
  const rows = answers.flatMap(([status, answer]) =>
    Object.keys(answer.content?.[PROBLEM]?.examples ?? {}).map((code) => [status, code]));
  return el("ul", {}, rows.map(([status, code]) =>
    el("li", {}, `${status} `, el("a", { href: `#problem-${code}` }, el("code", {}, code)), ": ",
      phrases(meaningOf(code, api)))));
}

/** What a code means: its line in the description of the field `code`. */
function meaningOf(code, api) {
  const lines = api.components.schemas.Problem.properties.code.description.split("\n");
  const line = lines.find((each) => each.startsWith(`- \`${code}\``));
  return line.slice(line.indexOf(": ") + 2);
}

function curl({ method, path, requestBody }, parameters, api) {
  const given = (place) => parameters.filter((parameter) => parameter.in === place);
  const segments = Object.fromEntries(given("path").map(({ name, example }) => [name, example]));
  // Of a query only what the call cannot do without.
  const query = given("query").filter(({ required }) => required)
    .map(({ name, example }) => `${name}=${encodeURIComponent(example)}`).join("&");
  const url = path.replace(/\{(\w+)\}/g, (whole, name) => segments[name] ?? whole)
    + (query && `?${query}`);
  const credentials = api.components.securitySchemes.basic
    ? '-u "$CLIENT_ID:$CLIENT_SECRET"' : '-H "X-API-Key: $API_KEY"';
  const sent = bodyOptions(requestBody);
  const parts = [`curl ${credentials} "$LEDGER_URL${url}"`, ...sent];
  if (method !== "get" && !sent.length) parts.push(`-X ${method.toUpperCase()}`);
  return parts.join(" \\\n  ");
}

/** What gives curl the body of a call: JSON, or a form field by field. */
function bodyOptions(body) {
  const [[type, { example }]] = Object.entries(body?.content ?? { none: {} });
  if (!example) return [];
  if (type === "multipart/form-data") {
    return Object.entries(example).map(([name, value]) => `-F ${quoted(`${name}=${value}`)}`);
  }
  return ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(example))}`];
}

/** A single-quoted word of the shell, in which a quote is left, escaped and entered again. */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The section with every problem. Each has an anchor, to which a problem's `type` leads. */
export function problemsSection(api) {
  const { Problem } = api.components.schemas;
  const problems = Object.values(api.components.examples).map(({ value }) => value)
    .sort((one, other) => one.status - other.status || one.code.localeCompare(other.code));
  return el("section", { id: "problems", "aria-labelledby": "problems-h" },
    el("h2", { id: "problems-h" }, "Problems"),
    prose(Problem.description),
    el("details", {}, el("summary", {}, "Fields"), fields({
      ...Problem,
      properties: { ...Problem.properties, code: { type: "string", description: "Stable." } },
    }, api)),
    problems.map((problem) => el("div", { class: "operation", id: `problem-${problem.code}` },
      el("h3", {}, `${problem.status} `, el("code", {}, problem.code)),
      el("p", {}, phrases(meaningOf(problem.code, api))),
      el("details", {}, el("summary", {}, "Example"),
        sample(problem.code, JSON.stringify(problem, null, 2))))));
}
