"use strict";
(() => {
  document.documentElement.classList.add("js");
  const all = (what, within = document) => [...within.querySelectorAll(what)];
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const plain = (text) => text.normalize("NFKC").toLowerCase();

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  // The number that a cell begins with, else its text; null where there is none.
  function valueOf(cell, wanted) {
    const text = (cell.querySelector("bdi") ?? cell).textContent.trim().replace("\u2212", "-").replaceAll(",", "");
    if (wanted === "text") return text || null;
    const number = Number.parseFloat(text);
    return Number.isNaN(number) ? null : number;
  }

  // What is not defined comes last in both directions; equal rows keep their order.
  function inOrder(column, wanted, sign) {
    return (one, other) => {
      const [a, b] = [one, other].map((row) => valueOf(row.cells[column], wanted));
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * (wanted === "text" ? collator.compare(a, b) : a - b);
    };
  }

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    const isNumber = (head) => head.matches(".number, .rank");
    const given = [...table.tBodies].map((body) => [body, [...body.rows]]);

    function sort(column, sign) {
      const wanted = isNumber(heads[column]) ? "number" : "text";
      for (const body of table.tBodies) {
        const rows = [...body.rows].filter((row) => !("fixed" in row.dataset));
        body.append(...rows.sort(inOrder(column, wanted, sign)));
      }
      mark(column, sign);
    }
    function restore() {
      for (const [body, rows] of given) body.append(...rows);
      mark(null, 1);
    }
    function mark(column, sign) {
      heads.forEach((head, place) => {
        const own = place === column;
        if (own) head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        else head.removeAttribute("aria-sort");
        const arrow = head.querySelector(".arrow");
        if (arrow) arrow.textContent = "\u00a0" + (own ? (sign > 0 ? "▲" : "▼") : "↕");
      });
    }
    heads.forEach((head, column) => {
      if ("fixed" in head.dataset) return;
      const first = head.dataset.first === "down" ? -1 : 1;
      const button = make("button", { type: "button" });
      head.querySelector(".title").append(make("span", { class: "arrow", "aria-hidden": "true" }, "\u00a0↕"));
      button.append(...head.childNodes);
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        sort(column, now ? (now === "ascending" ? -1 : 1) : first);
      });
      head.append(button);
    });
    return { heads, sort, restore };
  }

  // One table of the board at a time, by the address; without a script all are shown.
  function tabs(sections, changed) {
    const links = all(".choose a");
    let chosen = sections[0];
    function follow() {
      const target = document.getElementById(location.hash.slice(1));
      // A place outside the tables leaves the shown one as it is.
      if (target || !location.hash) chosen = target ? target.closest("section.board") ?? chosen : sections[0];
      for (const section of sections) section.hidden = section !== chosen;
      for (const link of links) {
        if (link.hash === "#" + chosen.id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
      changed(chosen);
      if (target && target !== chosen) target.scrollIntoView();
    }
    for (const link of links) link.addEventListener("click", (event) => {
      event.preventDefault();
      history.pushState(null, "", link.hash);
      follow();
    });
    addEventListener("hashchange", follow);
    addEventListener("popstate", follow);
    follow();
  }

  function board(form) {
    const sections = all("section.board");
    const names = new Map(all("thead th").map((head) => [head, head.textContent.trim()]));
    for (const [head] of names) if (head.querySelector(".title")) names.set(head, head.querySelector(".title").textContent);
    const sorts = new Map(sections.map((section) => [section, sortable(section.querySelector("table"))]));
    const status = form.querySelector("[role=status]");
    const [search, order] = [form.elements.search, form.elements.sort];
    let shown = sections[0];

    function fits(row) {
      const { backbone, supervision, modality, tuned, bounds, reported } = form.elements;
      const wanted = plain(search.value.trim());
      const setting = (name) => row.querySelector("." + name).textContent;
      if (row.matches(".floor, .ceiling")) return bounds.checked && (!wanted || plain(row.textContent).includes(wanted));
      if (row.matches(".reported") && (!reported.checked || tuned.value)) return false;
      if (tuned.value && row.dataset.tuned !== tuned.value) return false;
      for (const choice of [backbone, supervision, modality])
        if (choice.value && setting(choice.name) !== choice.value) return false;
      return !wanted || plain(row.textContent).includes(wanted);
    }

    function filter() {
      let [found, of] = [0, 0];
      for (const section of sections) for (const row of all("tbody tr", section)) {
        if (row.matches(".divider")) continue;
        row.hidden = !fits(row);
        if (section === shown && row.matches(".submission")) { of += 1; found += !row.hidden; }
      }
      for (const papers of all("tbody.papers")) papers.hidden = !all("tr.reported", papers).some((row) => !row.hidden);
      const counted = `${of} submission${of === 1 ? "" : "s"}`;
      status.textContent = found === of ? counted : `${found || "none"} of ${counted}`;
    }

    function show(section) {
      shown = section;
      const { heads } = sorts.get(section);
      order.replaceChildren(...heads.flatMap((head, column) => {
        if ("fixed" in head.dataset) return [];
        const name = names.get(head);
        return [make("option", { value: String(column) }, name)];
      }));
      filter();
    }
    order.addEventListener("change", () => {
      const { heads, sort } = sorts.get(shown);
      sort(Number(order.value), heads[order.value].dataset.first === "down" ? -1 : 1);
    });
    for (const event of ["input", "change"]) form.addEventListener(event, filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => {
      for (const { restore } of sorts.values()) restore();
      filter();
    }));
    const narrow = matchMedia("(max-width: 39.99rem)");
    const details = form.querySelector("details");
    const fold = () => { details.open = !narrow.matches; };
    narrow.addEventListener("change", fold);
    fold();
    form.hidden = !document.querySelector("tr.submission");
    tabs(sections, show);
  }

  function finder(controls) {
    const table = controls.parentElement.querySelector("table");
    const input = controls.querySelector("input");
    const status = controls.querySelector("[role=status]");
    controls.hidden = false;
    input.addEventListener("input", () => {
      const wanted = plain(input.value.trim());
      let found = 0;
      for (const row of table.tBodies[0].rows) {
        row.hidden = !plain(row.cells[0].textContent).includes(wanted);
        found += !row.hidden;
      }
      status.textContent = wanted ? `${found} of ${table.tBodies[0].rows.length} classes` : "";
    });
  }

  // Pages that are opened as files may not have the clipboard's own interface.
  async function copy(text, source) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      getSelection().selectAllChildren(source);
      return document.execCommand("copy");
    }
  }

  for (const button of all("[data-copies]")) {
    const source = button.parentElement.querySelector("[data-copied]");
    const status = button.parentElement.querySelector("[role=status]");
    button.hidden = false;
    button.addEventListener("click", async () => {
      const copied = await copy(source.textContent, source);
      status.textContent = copied ? "Copied" : "Selected: copy it with the keyboard";
    });
  }
  for (const controls of all("[data-finds]")) finder(controls);
  const form = document.querySelector("[data-controls]");
  if (form) board(form);
  else all("table[data-sorts]").forEach(sortable);
})();
