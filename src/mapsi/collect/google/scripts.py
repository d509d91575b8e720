"""What the browser is asked about Google Images' page: small scripts that read it in one round trip each."""

from __future__ import annotations

LOOK = """
const [cells, panels, consents, trafficCss, consentCss] = arguments;
const outside = (cell) => !panels.some((css) => cell.closest(css));
const way = cells.findIndex((css) => [...document.querySelectorAll(css)].some(outside));
const shown = (node) => node && node.getClientRects().length > 0;
return {
  way,
  traffic: document.querySelector(trafficCss) !== null,
  consent: document.querySelector(consentCss) !== null,
  button: consents.findIndex((css) => shown(document.querySelector(css))),
  panel: panels.some((css) => document.querySelector(css)),
  text: (document.body ? document.body.innerText : "").slice(0, 20000),
};
"""

_RESULTS = """
const [css, panels] = arguments;
const cells = [...document.querySelectorAll(css)].filter((cell) => !panels.some((panel) => cell.closest(panel)));
"""
CELLS = _RESULTS + "return cells;"
COUNT = _RESULTS + "return cells.length;"

READ_CELL = """
const [cell, ways] = arguments;
const way = ways.findIndex((css) => cell.querySelector(css));
const thumbnail = way < 0 ? null : cell.querySelector(ways[way]);
const holder = cell.matches('[data-lpage]') ? cell : cell.querySelector('[data-lpage]');
return [way, thumbnail, holder ? holder.dataset.lpage : '', thumbnail ? thumbnail.alt : ''];
"""

# Addresses are noted the moment the page sets them: where the picture's own server cannot be reached, the page may take
# the address back again and show the thumbnail.
WATCH = """
const [ways, cells] = arguments;
window.mapsiWatch?.observer.disconnect();
const noted = [];
const note = (img, how) => {
  if (cells.some((css) => img.closest(css))) return;
  const way = ways.findIndex((css) => img.matches(css));
  if (way >= 0 && img.getAttribute('src')) noted.push([way, img.src, img.closest('a[href]')?.href ?? '', how]);
};
const observer = new MutationObserver((changes) => {
  for (const change of changes) {
    if (change.type === 'attributes') {
      if (change.target instanceof HTMLImageElement) note(change.target, change.attributeName);
      continue;
    }
    for (const node of change.addedNodes) {
      if (node instanceof HTMLImageElement) note(node, 'src');
      else if (node instanceof Element) node.querySelectorAll('img').forEach((img) => note(img, 'src'));
    }
  }
});
observer.observe(document.documentElement,
  {subtree: true, childList: true, attributes: true, attributeFilter: ['src', 'class']});
window.mapsiWatch = {observer, noted};
"""

CONSENT_BY_TEXT = """
const texts = arguments[0];
const said = (node) => [node.innerText, node.value, node.ariaLabel].map((text) => (text ?? '').trim().toLowerCase());
const buttons = [...document.querySelectorAll('button, input[type=submit], [role=button]')];
for (const text of texts) {
  const button = buttons.find((node) => said(node).includes(text.toLowerCase()));
  if (button) return button;
}
return null;
"""

NOTED = "return window.mapsiWatch ? window.mapsiWatch.noted : []"
