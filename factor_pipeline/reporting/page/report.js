"use strict";
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const specs = JSON.parse(document.getElementById("charts").textContent);
  const views = new Map();
  const muted = new Map();

  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const label = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  const asked = new URLSearchParams(location.search).get("theme");
  if (asked === "dark" || asked === "light") root.dataset.theme = asked;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    label();
  });
  system.addEventListener("change", label);
  label();

  // Colours are CSS variables, so that a chart follows the theme without being drawn again.
  // A series without a value in a month is left out of what is said of the month.
  const told = (value, sanitize) => {
    const rows = Object.entries(value).filter(([, said]) => !said.startsWith("NaN"));
    const cells = ([name, said]) =>
      `<tr><td class="key">${sanitize(name)}</td><td class="value">${sanitize(said)}</td></tr>`;
    return `<table>${rows.map(cells).join("")}</table>`;
  };
  const draw = async (holder) => {
    const result = await window.vegaEmbed(holder, specs[holder.id], {
      mode: "vega-lite",
      actions: false,
      renderer: "svg",
      tooltip: { formatTooltip: told },
      ast: true, // evaluates no strings as code, which the page's security policy forbids
    });
    views.set(holder.id, result.view);
    apply(holder.id);
  };
  const apply = (id) => {
    const view = views.get(id);
    if (view && muted.has(id)) view.signal("muted", [...muted.get(id)]).run();
  };

  const holders = [...document.querySelectorAll(".chart")];
  const waiting = new Set(holders);
  const drawOnce = (holder) => {
    if (!waiting.delete(holder)) return;
    draw(holder).catch((error) => { holder.textContent = `Chart failed: ${error.message}`; });
  };
  for (const holder of holders) holder.style.minHeight = `${Number(holder.dataset.height) + 30}px`;
  const near = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) if (entry.isIntersecting) drawOnce(entry.target);
    },
    { rootMargin: "800px" },
  );
  for (const holder of holders) near.observe(holder);
  const drawAll = () => holders.forEach(drawOnce);
  window.addEventListener("load", () => setTimeout(drawAll, 50));
  window.addEventListener("beforeprint", drawAll);

  for (const key of document.querySelectorAll(".entry")) {
    key.addEventListener("click", () => {
      const { chart, series } = key.dataset;
      const names = muted.get(chart) || new Set();
      if (!names.delete(series)) names.add(series);
      muted.set(chart, names);
      key.setAttribute("aria-pressed", String(!names.has(series)));
      apply(chart);
    });
  }
})();
