/** Makes elements of texts and other elements; what comes from outside is never read as HTML. */

/** @typedef {string | Node} Child */

/**
 * @param {string} tag
 * @param {Readonly<Record<string, string>>} attributes
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * An element of index.html.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}

/**
 * Copies what `text` gives, and says so on the button for a moment.
 * @param {HTMLElement} button
 * @param {() => string} text
 */
export function copyOnClick(button, text) {
  const [label] = button.childNodes;
  const usual = label?.nodeValue ?? '';
  button.addEventListener('click', async () => {
    const copied = await navigator.clipboard.writeText(text()).then(
      () => true,
      () => false,
    );
    if (label !== undefined) label.nodeValue = copied ? 'Copied' : 'Select it and copy';
    setTimeout(() => {
      if (label !== undefined) label.nodeValue = usual;
    }, 1_500);
  });
}
