// Conveniences: the menu on a phone, the search key, rows of forms, questions before what cannot be undone.
"use strict";

const say = (text) => {
  const place = document.getElementById("said");
  if (place) place.textContent = text;
};

const isTyping = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const search = document.querySelector('[data-shortcut="/"]');
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = event.target.closest("details.who[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

const toggleMenu = (button) => {
  const menu = document.getElementById(button.getAttribute("aria-controls"));
  const isOpen = menu.classList.toggle("is-open");
  button.setAttribute("aria-expanded", String(isOpen));
};

const nextIndex = (list) => {
  const used = [...list.children].map((row) => Number(row.dataset.row.split(".").pop()));
  return used.length ? Math.max(...used) + 1 : 0;
};

const addRow = async (button) => {
  const path = button.dataset.add;
  const form = button.closest("form");
  const list = form.querySelector(`[data-list="${path}"]`);
  const answer = await fetch(`${form.dataset.rows}?path=${path}.${nextIndex(list)}`, { credentials: "same-origin" });
  if (!answer.ok) {
    button.removeAttribute("data-add");
    button.click();
    return;
  }
  const template = document.createElement("template");
  template.innerHTML = (await answer.text()).trim();
  const row = template.content.firstElementChild;
  list.append(row);
  const table = list.closest("table[hidden]");
  if (table) table.hidden = false;
  list.closest("fieldset").classList.remove("none");
  row.querySelector("input, select, textarea").focus();
  say("A row was added.");
};

const removeRow = (button) => {
  const row = button.closest("[data-row]");
  const list = row.parentElement;
  const neighbour = row.nextElementSibling || row.previousElementSibling;
  const add = list.closest("fieldset").querySelector(`[data-add="${list.dataset.list}"]`);
  row.remove();
  const table = list.closest("table");
  if (table && !list.children.length) table.hidden = true;
  list.closest("fieldset").classList.toggle("none", !list.children.length);
  const next = neighbour ? neighbour.querySelector("[data-remove]") : add;
  if (next) next.focus();
  say("The row was removed.");
};

const goToField = (link, event) => {
  const path = link.dataset.to;
  const names = [...document.querySelectorAll("form.sheet [name]")];
  const field = names.find((one) => one.name === path) || names.find((one) => one.name.startsWith(`${path}.`));
  if (!field) return;
  event.preventDefault();
  field.focus();
};

const openDetails = (link) => {
  const details = document.getElementById(link.dataset.open);
  if (details) details.open = true;
};

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-menu], [data-add], [data-remove], [data-to], [data-open]");
  if (!target) return;
  if (target.matches("[data-menu]")) toggleMenu(target);
  else if (target.matches("[data-to]")) goToField(target, event);
  else if (target.matches("[data-open]")) openDetails(target);
  else {
    event.preventDefault();
    if (target.matches("[data-add]")) addRow(target);
    else removeRow(target);
  }
});

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm || event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

document.querySelector("[data-focus]")?.focus();
