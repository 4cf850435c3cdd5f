// The portal's search: filters the tiles as one types, `/` focuses it, arrows move, Enter opens.
// Without script the same form asks the server (GET /?q=…).

const field = document.querySelector("[data-app-search]");

if (field) {
  const status = document.querySelector("[data-search-status]");
  const nothing = document.querySelector("[data-search-nothing]");
  const sections = [...document.querySelectorAll("[data-section]")];
  const links = () => [...document.querySelectorAll("[data-open]")].filter((link) => link.offsetParent !== null);

  // Compared as the server compares: without case and without accents.
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();

  const filter = () => {
    const wanted = plain(field.value);
    let found = 0;
    for (const section of sections) {
      // While one searches each app stands once: favourites and recent ones repeat what follows below.
      const repeats = section.dataset.section === "again";
      let here = 0;
      for (const tile of section.querySelectorAll("[data-find]")) {
        const fits = plain(tile.dataset.find).includes(wanted);
        tile.hidden = !fits;
        here += fits ? 1 : 0;
      }
      section.hidden = wanted !== "" && (repeats || here === 0);
      found += repeats ? 0 : here;
      const count = section.querySelector("[data-count]");
      if (count) count.textContent = String(here);
    }
    if (nothing) nothing.hidden = found > 0;
    const { one, many, none } = status.dataset;
    const sentence = found === 0 ? none : (found === 1 ? one : many).replace("{n}", String(found));
    status.textContent = wanted === "" ? "" : sentence;
  };

  const move = (step) => {
    const all = links();
    const at = all.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : -1) : at + step;
    if (next < 0) field.focus();
    else all[Math.min(next, all.length - 1)]?.focus();
  };

  field.addEventListener("input", filter);
  field.form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim() !== "") links()[0]?.click();
  });
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const here = event.target;
    const typing = here !== field && here.closest?.("input, textarea, select, [contenteditable]");
    if (typing) return;
    if (event.key === "/" && here !== field && "slash" in field.dataset) {
      event.preventDefault();
      field.focus();
      field.select();
    } else if (here === field || here.matches?.("[data-open]")) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        move(event.key === "ArrowDown" ? 1 : -1);
      } else if (event.key === "Escape" && field.value !== "") {
        field.value = "";
        filter();
        field.focus();
      }
    }
  });
  if (field.value !== "") filter();
}

// The menu under the name closes when one clicks or tabs elsewhere, or presses Escape.
for (const menu of document.querySelectorAll("details[data-menu]")) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}
