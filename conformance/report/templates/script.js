// Filters, opens and copies; the page reads whole without it.
"use strict";
const byId = (id) => document.getElementById(id);
const clauses = Array.from(document.querySelectorAll("details.clause"));
const shown = () => clauses.filter((clause) => !clause.hidden);

function filter() {
  const level = byId("by-level").value;
  const verdict = byId("by-verdict").value;
  const words = byId("by-text").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const clause of clauses) {
    clause.hidden =
      (level !== "" && clause.dataset.level !== level) ||
      (verdict !== "" && !clause.dataset.words.split("|").includes(verdict)) ||
      !words.every((word) => clause.dataset.search.includes(word));
  }
  for (const group of document.querySelectorAll(".group")) {
    group.hidden = !group.querySelector("details.clause:not([hidden])");
  }
  const count = shown().length;
  byId("shown").textContent = `${count} of ${clauses.length} clauses`;
  byId("none").hidden = count > 0;
}

function goTo(id) {
  const target = id && byId(id);
  const clause = target && target.closest("details.clause");
  if (clause) {
    clause.hidden = false;
    clause.open = true;
    target.scrollIntoView({ block: "nearest" });
  }
}

async function copy(button) {
  const code = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "copied";
  } catch (refused) {
    getSelection().selectAllChildren(code);
    button.textContent = "selected";
  }
  setTimeout(() => { button.textContent = "copy"; }, 2000);
}

for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}
for (const cell of document.querySelectorAll(".cell[data-to]")) {
  cell.addEventListener("click", (event) => {
    const clause = cell.closest("details.clause");
    if (!clause.open) {
      event.preventDefault();
      goTo(cell.dataset.to);
    }
  });
}
document.querySelector(".filters").hidden = false;
document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
for (const id of ["by-level", "by-verdict", "by-text"]) byId(id).addEventListener("input", filter);
byId("open-all").addEventListener("click", () => shown().forEach((clause) => { clause.open = true; }));
byId("close-all").addEventListener("click", () => clauses.forEach((clause) => { clause.open = false; }));
addEventListener("hashchange", () => goTo(decodeURIComponent(location.hash.slice(1))));
filter();
goTo(decodeURIComponent(location.hash.slice(1)));
