// All that a page does besides following links: light or dark, local time, copying, and a brush over a curve.
// Every page works without it. Events are heard on the document, so parts that htmx replaces need nothing new.
"use strict";
(() => {
  const THEME = "broadstreet.theme";
  const root = document.documentElement;

  // Light, dark, or as the system has it. Before the page is drawn, so that it does not flash.
  const stored = () => { try { return localStorage.getItem(THEME) || ""; } catch { return ""; } };
  const dress = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme; else delete root.dataset.theme;
    for (const button of document.querySelectorAll("[data-theme-is]"))
      button.setAttribute("aria-pressed", String(button.dataset.themeIs === (root.dataset.theme || "")));
  };
  dress(stored());

  // Local time in brackets after a time in UTC.
  const localTimes = () => {
    for (const time of document.querySelectorAll("time[data-local]:not([data-told])")) {
      const when = new Date(time.dateTime);
      if (isNaN(when)) continue;
      time.dataset.told = "";
      const local = when.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      if (zone !== "UTC") time.append(` (${local} ${zone})`);
    }
  };

  // What is new since this browser last looked, more than an hour ago; the server keeps nothing of it.
  const LOOKED = "broadstreet.looked";
  const news = async () => {
    const place = document.querySelector("[data-new]:not([data-told])");
    if (!place) return;
    place.dataset.told = "";
    let looked = null;
    try {
      looked = JSON.parse(sessionStorage.getItem(LOOKED)) || JSON.parse(localStorage.getItem(LOOKED));
      localStorage.setItem(LOOKED, JSON.stringify(new Date().toISOString()));
      if (looked) sessionStorage.setItem(LOOKED, JSON.stringify(looked));
    } catch { /* nothing is kept here */ }
    if (!looked || isNaN(new Date(looked))) return;
    const address = "/new?since=" + encodeURIComponent(looked.slice(0, 19));
    const answer = await fetch(address.replace("/new", "/new.json"));
    if (!answer.ok) return;
    const link = place.querySelector("a");
    link.href = address;
    link.textContent = (await answer.json()).heading;
    link.title = "Since " + new Date(looked).toLocaleString();
  };

  // A click on a button: a theme, or a text to copy.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if ("themeIs" in button.dataset) {
      try { localStorage.setItem(THEME, button.dataset.themeIs); } catch { /* the choice lasts for this page */ }
      dress(button.dataset.themeIs);
    } else if ("copy" in button.dataset) {
      const named = button.dataset.copy && document.getElementById(button.dataset.copy);
      const text = named ? named.value ?? named.textContent : button.dataset.text;
      const before = button.textContent;
      try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; }
      catch { button.textContent = "Cannot copy here"; }
      setTimeout(() => { button.textContent = before; }, 1500);
    }
  });

  // Go to an address: the same page by htmx, which keeps the place; by the browser where there is no htmx.
  const go = (address) => {
    const page = document.getElementById("page");
    if (!window.htmx || !page) { location.assign(address); return; }
    const link = document.createElement("a");
    link.href = address;
    link.hidden = true;
    link.setAttribute("hx-boost", "true");
    page.append(link);
    htmx.process(link);
    link.click();
  };
  const between = (from, to) => {
    const address = new URL(location.href);
    for (const [name, value] of [["from", from], ["to", to]])
      if (value) address.searchParams.set(name, value); else address.searchParams.delete(name);
    for (const name of ["after", "before", "page"]) address.searchParams.delete(name);
    return address.pathname + address.search;
  };

  // The brush: dragging over a chart whose columns carry data-from and data-to chooses the time between.
  let drag = null;
  const columns = (chart) => [...chart.querySelectorAll("[data-from][data-to]")];
  const columnAt = (chart, x) => {
    let best = null, least = Infinity;
    for (const column of columns(chart)) {
      const box = column.getBoundingClientRect();
      const off = Math.max(box.left - x, x - box.right, 0) + Math.abs((box.left + box.right) / 2 - x) / 1e6;
      if (off < least) { best = column; least = off; }
    }
    return best;
  };
  const paint = () => {
    const chart = drag.chart;
    const boxes = [drag.first, drag.last].map((column) => column.getBoundingClientRect());
    const matrix = chart.getScreenCTM().inverse();
    const view = chart.viewBox.baseVal;
    const at = (x) => new DOMPoint(x, 0).matrixTransform(matrix).x;
    const left = at(Math.min(...boxes.map((box) => box.left))), right = at(Math.max(...boxes.map((box) => box.right)));
    drag.shade.setAttribute("x", left);
    drag.shade.setAttribute("width", Math.max(right - left, 1));
    drag.shade.setAttribute("y", view.y);
    drag.shade.setAttribute("height", view.height);
  };
  document.addEventListener("pointerdown", (event) => {
    const chart = event.target.closest && event.target.closest("[data-selects] svg");
    const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!chart || !plain || !chart.querySelector("[data-from][data-to]")) return;
    const first = columnAt(chart, event.clientX);
    const shade = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    shade.setAttribute("class", "brushed");
    drag = { chart, first, last: first, shade, x: event.clientX, moved: false };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.moved && Math.abs(event.clientX - drag.x) < 4) return;
    if (!drag.moved) drag.chart.append(drag.shade);
    drag.moved = true;
    drag.last = columnAt(drag.chart, event.clientX);
    paint();
    event.preventDefault();
  });
  // A column may be a link: a click follows it, a drag that ends on it does not, and it is not carried away.
  let dragged = -Infinity;  // times count from the begin of the page: its first click is no end of a drag
  document.addEventListener("click", (event) => {
    if (event.timeStamp - dragged < 300 && event.target.closest("svg")) { event.preventDefault(); event.stopPropagation(); }
  }, true);
  document.addEventListener("dragstart", (event) => {
    if (drag || (event.target.closest && event.target.closest("[data-selects] svg"))) event.preventDefault();
  });
  const drop = () => { if (drag) drag.shade.remove(); drag = null; };
  document.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const { first, last, moved } = drag;
    drop();
    if (!moved) return;
    dragged = event.timeStamp;
    const order = [first, last].sort((one, other) => (one.dataset.from < other.dataset.from ? -1 : 1));
    go(between(order[0].dataset.from, order[1].dataset.to));
  });
  document.addEventListener("pointercancel", drop);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") drop(); });
  document.addEventListener("selectstart", (event) => { if (drag) event.preventDefault(); });

  // What goes on: a newer version, an analysis, a running scan. Only while the page is looked at: a browser has
  // few connections for one server, and every open tab would hold one.
  let stream = null;
  const listen = () => {
    const line = document.querySelector("[data-live]");
    if (document.hidden || !line) { if (stream) stream.close(); stream = null; return; }
    if (stream) return;
    stream = new EventSource("/events");
    stream.addEventListener("message", (event) => {
      const live = document.querySelector("[data-live]");
      if (!live) return;
      const { version, line: words, share } = JSON.parse(event.data);
      const shown = live.dataset.version;
      if (version !== null && shown === "") { location.reload(); return; }
      const parts = [];
      if (version !== null && String(version) !== shown) {
        const link = document.createElement("a");
        link.href = location.href;
        link.textContent = `Version ${version} of the casebook is there. Show it.`;
        parts.push(link, " ");
      }
      parts.push(words);
      if (share !== null) {
        const bar = document.createElement("progress");
        bar.value = share;
        bar.setAttribute("aria-label", words);
        parts.push(bar);
      }
      live.replaceChildren(...parts);
      live.hidden = !words && parts.length < 2;
    });
  };
  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", () => { if (stream) stream.close(); stream = null; });
  addEventListener("pageshow", () => listen());

  const ready = () => {
    for (const themes of document.querySelectorAll("[data-themes]")) themes.hidden = false;
    for (const chart of document.querySelectorAll("[data-selects] svg:has([data-from][data-to])")) chart.setAttribute("data-brush", "");
    dress(stored());
    localTimes();
    news();
  };
  document.addEventListener("DOMContentLoaded", ready);
  document.addEventListener("htmx:load", ready);
})();
