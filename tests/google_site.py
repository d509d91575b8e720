"""A site of our own with the structure of Google Images' pages, served on loopback: what a search meets is its
words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from flask import Flask, Response, redirect, request

from chromium import on_a_port

DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
TBN = "https://encrypted-tbn0.gstatic.com/images?q=tbn:"


@dataclass(frozen=True)
class Result:
    """A cell of the grid. ``picture`` empty: the panel never shows more than the thumbnail. Times are milliseconds."""

    picture: str
    page: str = "https://shop.example.com/look"
    title: str = "A look"
    thumbnail: str = DOT
    late: int = 0
    favicon: bool = False


@dataclass(frozen=True)
class Look:
    """A page of results: the markup of one time, and how it behaves."""

    results: tuple[Result, ...] = ()
    cell: str = 'class="eA0Zlc" jsname="dTDiAc"'
    thumbnail: str = 'class="YQ4gaf"'
    panel: str = 'jsname="figiqf"'
    picture: str = 'class="sFlh5c FyHeAf iPVvYb" jsname="HiaYvf"'
    at_once: int = 100
    more_button: bool = False
    takes_back: bool = False
    preloads_next: bool = False
    related: int = 0


OLD = Look(
    cell='class="isv-r" data-ri="0"',
    thumbnail='class="rg_i Q4LuWd"',
    panel='id="islsp"',
    picture='class="n3VNCb"',
)
"""The markup of some years ago."""


@dataclass
class Site:
    """Pages by the words that are searched, and what was asked for."""

    looks: dict[str, Look] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    consents: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    address: str = ""

    def app(self) -> Flask:
        app = Flask("google_site")
        app.add_url_rule("/search", view_func=self._search)
        app.add_url_rule("/consent/save", view_func=self._save)
        app.add_url_rule(
            "/sorry/index", "sorry", view_func=lambda: "<title>Sorry</title><p>Please show that you are there."
        )
        app.add_url_rule("/favicon.ico", "icon", view_func=lambda: Response(status=204))
        return app

    def _search(self) -> Any:
        words = request.args["q"]
        self.asked.append(dict(request.args))
        if words in self.consents and "agreed" not in request.cookies:
            return self.consents[words]
        if words == "sorry":
            return redirect("/sorry/index")
        return self.pages[words] if words in self.pages else results_page(self.looks[words])

    def _save(self) -> Response:
        answer = redirect(f"/search?q={request.args['q']}")
        answer.set_cookie("agreed", "yes")
        return answer  # type: ignore[return-value]


@contextmanager
def open_site() -> Iterator[Site]:
    site = Site()
    with on_a_port(site.app()) as address:
        site.address = address
        yield site


def consent_page(words: str, *buttons: str) -> str:
    """A page that wants an answer first; each of ``buttons`` is the markup of one."""
    form = f'<form action="/consent/save"><input type="hidden" name="q" value="{words}">{"".join(buttons)}</form>'
    return f"<!doctype html><meta charset=utf-8><h1>Before you continue</h1>{form}"


def results_page(look: Look) -> str:
    document = json.dumps(asdict(look)).replace("<", "\\u003c")
    return _PAGE.replace("LOOK", document)


_PAGE = """<!doctype html><meta charset="utf-8"><title>Search</title>
<style>
  # grid { width: 640px } #grid > div { display: inline-block; width: 150px; height: 150px; margin: 2px; background:
  # #ddd }
  #grid img { width: 120px; height: 120px } #grid img.zr758c { width: 16px; height: 16px }
  #side { position: fixed; right: 0; top: 0; width: 500px; height: 600px } #end { height: 800px }
</style>
<div id="grid"></div><div id="end"></div><div id="side"></div>
<script>
const look = LOOK;
const grid = document.getElementById('grid'), side = document.getElementById('side');
const open = (result, number) => {
  const related = '<div class="eA0Zlc" jsname="dTDiAc" data-lpage="https://related.example.com/"><img class="YQ4gaf" src="x"></div>';
  side.innerHTML = `<div ${look.panel}><img class="zr758c" src="https://favicons.example.com/icon.png">` +
    `<a href="${result.page}" target="_blank"><img ${look.picture} width="300" height="300"></a>` +
    related.repeat(look.related) + '</div>';
  const img = side.querySelectorAll('img')[1];
  img.src = result.thumbnail;
  if (!result.picture) return;
  setTimeout(() => {
    if (look.takes_back) img.onerror = () => { img.onerror = null; img.src = result.thumbnail; };
    img.src = result.picture;
    if (look.preloads_next && look.results[number + 1]) {
      const next = look.results[number + 1];
      side.firstChild.insertAdjacentHTML('beforeend', `<a href="${next.page}"><img ${look.picture} src="${next.picture}"></a>`);
    }
  }, result.late);
};
let shown = 0;
const addMore = () => {
  for (const result of look.results.slice(shown, shown + look.at_once)) {
    const number = shown++;
    const page = result.page ? `data-lpage="${result.page}"` : '';
    grid.insertAdjacentHTML('beforeend',
      `<div ${look.cell} ${page}>${result.favicon ? '<img class="YQ4gaf zr758c" src="' + result.thumbnail + '">' : ''}` +
      `<h3 jsname="qQjpJ2"><img ${look.thumbnail}></h3></div>`);
    const thumbnail = [...grid.lastChild.querySelectorAll('img')].pop();
    thumbnail.alt = result.title;
    thumbnail.src = result.thumbnail;
    thumbnail.onclick = () => open(result, number);
  }
};
addMore();
let busy = false;
const later = () => { if (busy) return; busy = true; setTimeout(() => { busy = false; addMore(); }, 60); };
if (look.more_button) {
  grid.insertAdjacentHTML('afterend', '<button class="mye4qd">Show more results</button>');
  document.querySelector('.mye4qd').onclick = later;
} else {
  addEventListener('scroll', () => { if (innerHeight + scrollY > document.body.offsetHeight - 50) later(); });
}
</script>
"""
