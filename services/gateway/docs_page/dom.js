// Making elements. Text only ever becomes text: nothing here parses HTML.

/** An element with attributes and children; a child may be a string, a node or a list. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.flat(Infinity).filter((child) => child !== null));
  return element;
}

/** The little Markdown that descriptions use: paragraphs, lists, **strong**, *stress*, `code`. */
export function prose(text = "") {
  return text.trim().split(/\n{2,}/).filter(Boolean).map((block) => {
    const lines = block.split("\n");
    if (lines.every((line) => line.startsWith("- "))) {
      return el("ul", {}, lines.map((line) => el("li", {}, phrases(line.slice(2)))));
    }
    return el("p", {}, phrases(lines.join(" ")));
  });
}

/** One line of such Markdown as nodes. */
export function phrases(text) {
  const tags = { "**": "strong", "*": "em", "`": "code" };
  return text.split(/(\*\*[^*]+\*\*|\*[^*]+\*|`[^`]+`)/).filter(Boolean).map((part) => {
    const mark = ["**", "*", "`"].find((each) => part.startsWith(each) && part.endsWith(each));
    if (!mark || part.length <= 2 * mark.length) return part;
    return el(tags[mark], {}, part.slice(mark.length, -mark.length));
  });
}

/** Text to read and to copy. */
export function sample(caption, text) {
  const button = el("button", { type: "button", "aria-label": `Copy: ${caption}` }, "Copy");
  button.addEventListener("click", () => copy(text, button));
  const code = el("pre", { tabindex: "0" }, el("code", {}, text));
  return el("figure", {}, el("figcaption", {}, caption), button, code);
}

async function copy(text, button) {
  const announcement = document.getElementById("announcement");
  try {
    await navigator.clipboard.writeText(text);
    announcement.textContent = "Copied";
    button.textContent = "Copied";
  } catch {
    // A page that does not come by HTTPS or from this machine has no clipboard: select instead.
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
    announcement.textContent = "Selected, copy it with the keyboard";
    button.textContent = "Selected";
  }
  setTimeout(() => {
    button.textContent = "Copy";
    announcement.textContent = "";
  }, 2000);
}
