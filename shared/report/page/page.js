"use strict";
// The page reads well without this. It adds: a choice of theme, and for the findings
// search, filters and sorting. What it shows is text that is there already.
(() => {
  const themes = ["automatic", "light", "dark"];
  const button = document.getElementById("theme");
  const remember = (value) => { try { localStorage.setItem("fleetwarden-theme", value); } catch { /* a file may have no storage */ } };
  const remembered = () => { try { return localStorage.getItem("fleetwarden-theme"); } catch { return null; } };
  const wear = (theme) => {
    document.documentElement.toggleAttribute("data-theme", theme !== "automatic");
    if (theme !== "automatic") document.documentElement.dataset.theme = theme;
    button.querySelector("span").textContent = theme;
  };
  let theme = themes.includes(remembered()) ? remembered() : "automatic";
  wear(theme);
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    wear(theme);
    remember(theme);
  });

  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));

  const form = document.getElementById("filter");
  if (!form) return;
  const body = document.querySelector("#list tbody");
  const cell = (row, column) => row.cells[column].textContent.trim();
  const rows = [...body.rows].map((row, place) => ({ row, place, text: row.textContent.toLowerCase() }));
  const selects = [...form.querySelectorAll("select")];

  for (const select of selects) {
    const column = Number(select.dataset.column);
    const seen = new Map();
    for (const { row } of rows) seen.set(cell(row, column), (seen.get(cell(row, column)) || 0) + 1);
    const values = column === 0 ? [...seen.keys()] : [...seen.keys()].sort();
    for (const value of values) select.add(new Option(`${value} (${seen.get(value)})`, value));
  }

  const apply = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = selects.filter((s) => s.value !== "").map((s) => [Number(s.dataset.column), s.value]);
    let shown = 0;
    for (const { row, text } of rows) {
      const fits = words.every((w) => text.includes(w)) && wanted.every(([column, value]) => cell(row, column) === value);
      row.hidden = !fits;
      if (fits) shown++;
    }
    form.querySelector("output").textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`;
    document.getElementById("nothing").hidden = shown > 0;
  };

  const order = (column, down) => {
    const key = (row) => row.cells[column].dataset.k;
    const compare = (a, b) => key(a.row) !== undefined
      ? Number(key(a.row)) - Number(key(b.row))
      : cell(a.row, column).localeCompare(cell(b.row, column), "en", { numeric: true });
    rows.sort((a, b) => (down ? -1 : 1) * compare(a, b) || a.place - b.place);
    body.append(...rows.map((r) => r.row));
  };

  const heads = [...document.querySelectorAll("#list th")];
  heads.forEach((head, column) => {
    const sort = document.createElement("button");
    sort.type = "button";
    sort.textContent = head.textContent;
    head.replaceChildren(sort);
    sort.addEventListener("click", () => {
      const down = head.ariaSort === "ascending" || (column === 0 && head.ariaSort !== "descending");
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      order(column, down);
    });
  });

  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (e) => e.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  apply();
})();
