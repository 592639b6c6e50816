"use strict";
(() => {
  const PAGE = 50;
  const COLOURS = 7;
  const LIGHT_TEXT = 4; // the one colour that is too dark for black letters
  const data = (id) => JSON.parse(document.getElementById(id).textContent);
  const tables = data("tables");
  let views = null;

  // Elements are made, and texts are text nodes: nothing that a file says is read as markup.
  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== null && value !== false) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }
  const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
  const draw = (tag, attributes = {}, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  const breakable = (name) => name.split(/(?<=[_@])/).flatMap((part, place) => (place ? [make("wbr"), part] : [part]));
  const number = (value) => value.toLocaleString("en");
  const plain = (name) => name.replaceAll("_", " ");

  function shown(value, kind) {
    if (value === null) return "n/a";
    if (kind === "percent") return (100 * value).toFixed(2);
    return kind === "count" ? number(value) : value;
  }

  const compareText = new Intl.Collator("en", { numeric: true }).compare;

  // What is not defined comes last in both directions; equal rows keep the order they had.
  function comparison(column, kind, sign) {
    return (one, other) => {
      const [a, b] = [one[column], other[column]];
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * (kind === "text" ? compareText(a, b) : a - b);
    };
  }

  function table(box, { columns, rows }, cell) {
    let page = 0, sorted = null, sign = 1, wanted = "", whole = false;
    const noun = columns[0][0] === "class" ? "classes" : "videos";
    const body = make("tbody");
    const status = make("span", { role: "status" });
    const previous = make("button", { type: "button", on: { click: () => turn(-1) } }, "Previous");
    const next = make("button", { type: "button", on: { click: () => turn(1) } }, "Next");
    const search = make("input", { type: "search", autocomplete: "off", spellcheck: "false", on: { input: find } });
    const heads = columns.map(([name, kind], column) => {
      const arrow = make("span", { class: "arrow", "aria-hidden": "true" }, "\u00a0↕");
      const button = make("button", { type: "button", on: { click: () => sort(column) } }, ...breakable(name), arrow);
      return make("th", { scope: "col", class: kind === "text" ? null : "number" }, button);
    });
    const grid = make("table", { class: "data" }, make("thead", {}, make("tr", {}, ...heads)), body);
    const around = { class: "scroll", "data-scrolls": true, tabindex: "0", role: "region", "aria-label": noun };
    box.append(
      make("div", { class: "controls" }, make("label", {}, "Search", search)),
      make("div", around, grid),
      make("div", { class: "controls" }, previous, next, status),
    );

    function turn(step) {
      page += step;
      show();
    }
    function find() {
      wanted = search.value.trim().toLowerCase();
      page = 0;
      show();
    }
    function sort(column) {
      const kind = columns[column][1];
      sign = column === sorted ? -sign : kind === "text" ? 1 : -1;
      sorted = column;
      rows.sort(comparison(column, kind, sign));
      heads.forEach((head, place) => {
        const own = place === column;
        if (own) head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        else head.removeAttribute("aria-sort");
        head.querySelector(".arrow").textContent = "\u00a0" + (own ? (sign > 0 ? "▲" : "▼") : "↕");
      });
      page = 0;
      show();
    }
    function show() {
      const names = [wanted, wanted.replaceAll(" ", "_")];
      const found = wanted ? rows.filter((row) => names.some((name) => row[0].toLowerCase().includes(name))) : rows;
      const first = whole ? 0 : page * PAGE;
      const seen = whole ? found : found.slice(first, first + PAGE);
      body.replaceChildren(...seen.map((row) => make("tr", {}, ...row.map((value, column) => {
        if (!column) return make("th", { scope: "row" }, ...cell(value));
        const kind = value === null ? "number none" : "number";
        return make("td", { class: kind }, shown(value, columns[column][1]));
      }))));
      previous.disabled = first === 0;
      next.disabled = first + seen.length >= found.length;
      const range = seen.length ? `${number(first + 1)} to ${number(first + seen.length)}` : "none";
      status.textContent = `${range} of ${number(found.length)} ${noun}` + (wanted ? `, found in ${number(rows.length)}` : "");
    }
    addEventListener("beforeprint", () => { whole = true; show(); });
    addEventListener("afterprint", () => { whole = false; show(); });
    show();
  }

  // Rows of spans that do not overlap; what finds no free row goes to the last.
  function stacked(spans) {
    const ends = [];
    const rows = spans.map(([start, end]) => {
      let row = ends.findIndex((last) => last <= start);
      if (row < 0) row = Math.min(ends.length, 3);
      ends[row] = Math.max(ends[row] ?? 0, end);
      return row;
    });
    return { rows, count: Math.max(1, ends.length) };
  }

  const ruler = document.createElement("canvas").getContext("2d");
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600];
  const ROW = 30;
  const EDGE = 16;

  function timeline(view, labels) {
    const colours = new Map();
    for (const span of view.truth) if (!colours.has(span[2])) colours.set(span[2], colours.size % COLOURS);
    const readout = make("p", { class: "readout", role: "status" });
    const box = make("div", { class: "scroll timeline", "data-scrolls": true });
    const hint = "Point at, tap or focus a bar to read it; the arrow keys go to the next.";
    const lanes = [["truth", view.truth], ["prediction", view.predicted]];
    let zoom = 1;

    const seconds = (value) => value.toFixed(1).replace(/\.0$/, "");
    function read(lane, [start, end, label, score]) {
      const scored = score === null ? "" : `, score ${score}`;
      readout.textContent = `${lane}: ${plain(labels[label])}, ${seconds(start)} to ${seconds(end)} s${scored}`;
      for (const bar of box.querySelectorAll(".span")) bar.classList.toggle("same", bar.dataset.label === String(label));
    }

    function bars(lane, spans, top, at) {
      const { rows } = stacked(spans);
      const made = spans.map((span, place) => {
        const [start, end, label] = span;
        const colour = colours.has(label) ? `c${colours.get(label)}` : "other";
        const act = () => read(lane, span);
        return draw("rect", {
          class: `span ${colour}`, x: at(start), y: top + ROW * rows[place], height: ROW - 4,
          width: Math.max(1.5, at(end) - at(start)), tabindex: place ? "-1" : "0", role: "img",
          "data-label": label, "aria-label": `${lane}: ${plain(labels[label])}, ${seconds(start)} to ${seconds(end)} seconds`,
          on: { mouseenter: act, focus: act, click: act },
        });
      });
      made.forEach((bar, place) => bar.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step || !made[place + step]) return;
        event.preventDefault();
        made[place + step].focus();
      }));
      return made.flatMap((bar, place) => [bar, ...written(bar, spans[place], top + ROW * rows[place], at)]);
    }

    function written(bar, [start, end, label], top, at) {
      const text = plain(labels[label]);
      if (ruler.measureText(text).width + 8 > at(end) - at(start)) return [];
      const light = colours.get(label) === LIGHT_TEXT ? " light" : "";
      return [draw("text", { class: "on" + light, x: at(start) + 4, y: top + 17, "aria-hidden": "true" }, text)];
    }

    function show() {
      const room = Math.max(280, box.clientWidth) - 2 * EDGE;
      const scale = (zoom * room) / Math.max(1, view.duration);
      const at = (time) => Math.round(10 * (EDGE + time * scale)) / 10;
      const width = Math.ceil(2 * EDGE + zoom * room);
      ruler.font = "11px system-ui, sans-serif";
      const marks = [];
      let top = 6;
      for (const [lane, spans] of lanes) {
        const height = ROW * stacked(spans).count;
        marks.push(draw("text", { class: "lane", x: EDGE, y: top + 13 }, lane), ...bars(lane, spans, top + 20, at));
        if (!spans.length) marks.push(draw("text", { class: "axis", x: EDGE, y: top + 36 }, "nothing"));
        top += 26 + height;
      }
      const shaded = view.ignored.map(([start, end]) => draw("rect", {
        class: "ignored", x: at(start), y: 0, width: at(end) - at(start), height: top,
      }));
      const step = STEPS.find((each) => each * scale >= 55) ?? 7200;
      for (let time = 0; time <= view.duration; time += step) {
        shaded.push(draw("line", { class: "grid", x1: at(time), y1: 22, x2: at(time), y2: top + 4 }));
        marks.push(draw("text", { class: "tick", x: at(time), y: top + 18, "text-anchor": "middle" }, `${time} s`));
      }
      box.replaceChildren(draw("svg", { width, height: top + 26, viewBox: `0 0 ${width} ${top + 26}` }, ...shaded, ...marks));
      readout.textContent = hint;
      out.disabled = zoom === 1;
      into.disabled = zoom === 16;
    }

    function magnify(factor) {
      const middle = (box.scrollLeft + box.clientWidth / 2) / box.scrollWidth;
      zoom = Math.min(16, Math.max(1, zoom * factor));
      show();
      box.scrollLeft = middle * box.scrollWidth - box.clientWidth / 2;
    }
    const out = make("button", { type: "button", on: { click: () => magnify(0.5) } }, "Zoom out");
    const into = make("button", { type: "button", on: { click: () => magnify(2) } }, "Zoom in");
    const keys = [...colours].map(([label, colour]) => swatch(`c${colour}`, plain(labels[label])));
    if (view.predicted.some((span) => !colours.has(span[2]))) keys.push(swatch("other", "a class that this video does not have"));
    if (view.ignored.length) keys.push(swatch("ignored", "ignored: without a box"));
    if (colours.size > COLOURS) keys.push(make("li", { class: "quiet" }, "Colours repeat after seven classes."));
    const legend = make("ul", { class: "legend" }, ...keys);
    return { show, parts: [make("div", { class: "controls" }, out, into), box, readout, legend, listed(lanes, labels, seconds)] };
  }

  const swatch = (css, name) => make("li", {},
    draw("svg", { viewBox: "0 0 24 16", "aria-hidden": "true" }, draw("rect", { class: css, x: 2, y: 2, width: 20, height: 12 })), name);

  function listed(lanes, labels, seconds) {
    const rows = lanes.flatMap(([lane, spans]) => spans.map(([start, end, label, score]) => make("tr", {},
      make("td", {}, lane), make("td", {}, plain(labels[label])), make("td", { class: "number" }, seconds(start)),
      make("td", { class: "number" }, seconds(end)), make("td", { class: "number" }, score === null ? "" : String(score)))));
    const heads = ["lane", "class", "start, s", "end, s", "score"].map((name, place) =>
      make("th", { scope: "col", class: place > 1 ? "number" : null }, name));
    return make("details", {}, make("summary", {}, "The same as a table"),
      make("div", { class: "scroll", "data-scrolls": true, tabindex: "0", role: "region", "aria-label": "Spans" },
        make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows))));
  }

  // A drawing is shown as an image: no script in it runs and it reaches nothing of the page.
  const picture = ([kind, verdict, caption, svg]) => make("figure", {},
    make("img", { src: "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg), alt: caption }),
    make("figcaption", {}, `${kind}: ${verdict}`));

  const facts = (pairs) => make("dl", {}, ...pairs.map(([name, value]) =>
    make("div", {}, make("dt", {}, plain(name)), make("dd", {}, value))));

  function open(name) {
    views ??= data("views");
    const section = document.getElementById("video");
    const { columns, rows } = tables.videos;
    const row = rows.find((each) => each[0] === name);
    const view = Object.hasOwn(views.videos, name) ? views.videos[name] : null;
    const heading = make("h2", { tabindex: "-1" }, row || view ? name : `There is no video ${name}`);
    const close = make("button", { type: "button", on: { click: () => { location.hash = "#videos"; } } }, "Close");
    const parts = [heading, make("div", { class: "controls" }, close)];
    const line = view && timeline(view, views.labels);
    if (line) parts.push(...line.parts);
    else if (row) parts.push(make("p", { class: "quiet" }, "No timeline was made of this video."));
    const scores = row ? columns.slice(1).map(([key, kind], place) => [key, shown(row[place + 1], kind)]) : [];
    if (scores.length) parts.push(make("h3", {}, "Scores, in percent, and counts"), facts(scores));
    if (view && view.counts.length)
      parts.push(make("h3", {}, "Seconds by verdict"), facts(view.counts.map(([key, count]) => [key, number(count)])));
    if (view && view.gallery.length) {
      const order = ["best", "worst", "typical"];
      const pictures = [...view.gallery].sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0]));
      parts.push(make("h3", {}, "Frames"), make("div", { class: "gallery" }, ...pictures.map(picture)));
    }
    section.replaceChildren(...parts);
    section.hidden = false;
    redraw = line ? line.show : () => {};
    redraw();
    section.scrollIntoView();
    heading.focus({ preventScroll: true });
  }

  let redraw = () => {};
  let width = innerWidth;
  addEventListener("resize", () => {
    if (width !== innerWidth) redraw();
    width = innerWidth;
  });

  function follow() {
    const [key, name] = location.hash.split(/=(.*)/s);
    if (key === "#video" && name) {
      try { return open(decodeURIComponent(name)); } catch (error) { if (!(error instanceof URIError)) throw error; }
    }
    document.getElementById("video").hidden = true;
    document.getElementById("video").replaceChildren();
    redraw = () => {};
  }

  table(document.querySelector("[data-table=classes]"), tables.classes, (name) => breakable(name));
  table(document.querySelector("[data-table=videos]"), tables.videos, (name) =>
    [make("a", { href: "#video=" + encodeURIComponent(name) }, name)]);
  addEventListener("hashchange", follow);
  follow();
})();
