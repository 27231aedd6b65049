// Reads the OpenAPI document that this server serves, and shows it.

import { el, phrases, prose } from "./dom.js";
import { operationSection, operationsOf, problemsSection } from "./operations.js";

const DOCUMENT = "v1/openapi.json";

function contents(api, operations) {
  const groups = api.tags.map(({ name }) => [
    el("h2", {}, name),
    el("ul", {}, operations.filter(({ tags }) => tags.includes(name)).map(
      ({ operationId, summary }) => el("li", {}, el("a", { href: `#${operationId}` }, summary)))),
  ]);
  const list = el("details", {}, el("summary", {}, "Contents"), groups, el("h2", {}, "Also"),
    el("ul", {},
      api.components.schemas.Problem
        ? el("li", {}, el("a", { href: "#problems" }, "Problems")) : null,
      el("li", {}, el("a", { href: DOCUMENT }, "OpenAPI document"))));
  // Beside the text they are always there; above it they would be a screen or two to scroll over.
  const beside = matchMedia("(min-width: 60rem)");
  list.open = beside.matches;
  beside.addEventListener("change", () => { list.open = beside.matches; });
  list.addEventListener("click", ({ target }) => {
    if (target.closest("a")) list.open = beside.matches;
  });
  return list;
}

function content(api, operations) {
  const schemes = Object.values(api.components.securitySchemes);
  return [
    el("h1", {}, api.info.title, " ", el("small", { class: "quiet" }, api.info.version)),
    prose(api.info.description),
    el("h2", {}, "Credentials"),
    schemes.map(({ scheme, description }) =>
      el("p", {}, scheme === "basic" ? "HTTP Basic: " : "", phrases(description))),
    api.tags.map(({ name, description }) => [
      el("h2", {}, name),
      prose(description),
      operations.filter(({ tags }) => tags.includes(name)).map(
        (operation) => operationSection(operation, api)),
    ]),
    api.components.schemas.Problem ? problemsSection(api) : null,
  ];
}

async function show() {
  const main = document.getElementById("content");
  try {
    const answer = await fetch(DOCUMENT);
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const api = await answer.json();
    const operations = operationsOf(api);
    document.title = api.info.title;
    document.getElementById("contents").append(contents(api, operations));
    main.replaceChildren(...content(api, operations).flat(Infinity));
    // What the address names was not there yet when the browser looked for it.
    // At once: a smooth scroll would run through the whole page.
    document.getElementById(decodeURIComponent(location.hash.slice(1)))
      ?.scrollIntoView({ behavior: "instant" });
  } catch (error) {
    document.getElementById("state").textContent =
      `The description of the API cannot be shown: ${error.message}.`;
  } finally {
    main.setAttribute("aria-busy", "false");
  }
}

show();
