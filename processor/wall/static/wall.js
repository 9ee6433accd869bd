// The wall: shows what the worker sends, second by second. What a number means is decided there; here it is only put on the screen.
"use strict";

const SILENT_MS = 6000; // the worker sends every second; after so long without a word nothing can be trusted
const AGAIN_MS = 3000; // between attempts where the browser has given up
const SECONDS = 15; // that a board stays, unless ?seconds says otherwise

const root = document.documentElement;
const asked = new URLSearchParams(location.search);
const page = { state: null, board: "", heard: 0, dated: 0, since: "", paused: false, turned: 0, source: null };

// ---- light and dark: before anything is drawn

const dark = matchMedia("(prefers-color-scheme: dark)");
function theme(wanted) {
  root.dataset.theme = wanted || (dark.matches ? "dark" : "light");
}
function turn() {
  theme(root.dataset.theme === "dark" ? "light" : "dark");
  remembered("wall-theme", root.dataset.theme);
}
function remembered(name, value) {
  try {
    if (value !== undefined) localStorage.setItem(name, value);
    return localStorage.getItem(name) || "";
  } catch {
    return ""; // a browser that keeps nothing
  }
}
theme(asked.get("theme") || remembered("wall-theme"));
if (asked.has("kiosk")) root.dataset.kiosk = "";

// ---- small tools

const by = (id) => document.getElementById(id);
function make(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}
function icon(name, className) {
  const drawn = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  drawn.setAttribute("aria-hidden", "true");
  if (className) drawn.setAttribute("class", className);
  use.setAttribute("href", `#icon-${name}`);
  drawn.append(use);
  return drawn;
}
/** Replaces what is in `parent` only where it differs: what has not changed is neither drawn nor read out again. */
function put(parent, children) {
  children.forEach((child, index) => {
    const present = parent.children[index];
    if (!present) parent.append(child);
    else if (!present.isEqualNode(child)) present.replaceWith(child);
  });
  while (parent.children.length > children.length) parent.lastElementChild.remove();
}

// ---- drawing

function marked(className, mark, text) {
  const made = make("p", className);
  made.append(icon(mark), make("span", "", text));
  return made;
}

/** How wide the number will be, in digits: its size follows from that, so that it always fits. */
function lengthOf(told) {
  const points = told.words ? 0 : (told.value.match(/[.,:]/g) || []).length;
  return Math.max(2.5, told.value.length - 0.45 * points + (told.unit ? 0.5 + 0.42 * told.unit.length : 0));
}

function tile(told) {
  const item = make("li", "tile");
  item.dataset.name = told.name;
  item.dataset.verdict = told.verdict;
  item.dataset.note = String(Boolean(told.note));
  const inside = make("div", "inside");
  const top = make("div", "top");
  const title = make("h2", "", told.title);
  if (told.trend) title.style.setProperty("--word", String(Math.max(...told.title.split(" ").map((word) => word.length)))); // beside it
  top.append(title);
  if (told.trend) {
    const trend = marked("trend", told.trend, told.trend_text);
    trend.prepend(make("span", "unseen", `${told.trend}, `)); // who cannot see the arrow hears it
    trend.title = told.trend_since;
    top.append(trend);
  }
  const value = make("p", "value", told.value);
  value.dataset.words = String(told.words);
  value.dataset.letters = String(/[a-z]{2}/.test(told.value));
  value.style.setProperty("--length", String(lengthOf(told)));
  if (told.unit) value.append(make("span", "unit", `\u00a0${told.unit}`));
  const bottom = make("div", "bottom");
  if (told.verdict_text) bottom.append(marked("verdict", told.verdict, told.verdict_text));
  const row = make("div", "row");
  if (told.target) row.append(make("p", "target", told.target));
  if (told.counted) row.append(make("p", "counted", told.counted));
  if (told.n) row.append(make("p", told.low_n ? "few" : "n", told.n));
  if (row.children.length) bottom.append(row);
  if (told.note) bottom.append(make("p", "note", told.note));
  inside.append(top, value, bottom);
  item.append(inside);
  return item;
}

function empty(told) {
  const item = make("li", "empty");
  item.append(make("h2", "", told.title), ...told.lines.map((line) => make("p", "", line)));
  return item;
}

function draw() {
  const state = page.state;
  if (!state) return;
  const boards = state.boards;
  const shown = boards.find((board) => board.name === page.board) || boards[0];
  page.board = shown.name;
  root.dataset.freshness = state.freshness;
  by("title").textContent = shown.title;
  by("question").textContent = shown.question;
  document.title = `${shown.title} · ticket-kpis`;
  facts();
  const tiles = state.empty ? [empty(state.empty)] : shown.tiles.map(tile);
  const columns = tiles.length <= 3 ? tiles.length : Math.ceil(tiles.length / 2);
  by("tiles").style.setProperty("--columns", String(columns));
  put(by("tiles"), tiles);
  put(by("boards"), boards.map((board, index) => {
    const item = make("li");
    const link = make("a");
    link.href = `#${board.name}`;
    if (board === shown) link.setAttribute("aria-current", "page");
    link.append(make("span", "number", `${index + 1}\u00a0`), make("span", "", board.title));
    item.append(link);
    return item;
  }));
  notices();
}

function facts() {
  const told = page.state.facts;
  put(by("facts"), (root.dataset.connection === "lost" ? told.flatMap(aged) : told).map((fact) => {
    const item = make("li", "", fact.text);
    item.dataset.kind = fact.kind;
    return item;
  }));
}

/** A fact without a worker: the age grows and the clock goes on; what is open now cannot be told. */
function aged(fact) {
  // Of both clocks: the first stands still while a computer sleeps, the second may be set back.
  const away = Math.max(performance.now() - page.heard, Date.now() - page.dated);
  if ("behind" in fact) return [{ kind: "warning", text: `${fact.event}, ${span(fact.behind + away / 1000)} behind` }];
  return "local" in fact ? [{ kind: fact.kind, text: new Date(fact.local + away).toISOString().slice(11, 16) }] : [];
}

/** How long, as the worker says it. */
function span(seconds) {
  const whole = Math.max(Math.round(seconds), 0);
  for (const [length, unit, least] of [[86400, "days", 2 * 86400], [3600, "h", 2 * 3600], [60, "min", 2 * 60]]) {
    if (whole >= least) return `${Math.floor(whole / length).toLocaleString("en")} ${unit}`;
  }
  return `${whole} s`;
}

function notices() {
  const lost = root.dataset.connection === "lost";
  const told = page.state ? page.state.notices : [];
  const away = page.since ? ` since ${page.since}` : "";
  const text = page.state ? `Disconnected from the processor${away}. These numbers are old; trying again.` : "No answer from the processor; trying again.";
  const all = lost ? [{ kind: "error", text }, ...told] : told;
  const unknown = page.state ? chosen().filter((name) => name !== "all" && !names().includes(name)).map((name) => `no board ${name}`) : [];
  const mistyped = unknown.length ? [{ kind: "warning", text: `?boards: ${unknown.join(", ")}. There are ${names().join(", ")}.` }] : [];
  put(by("notices"), [...all, ...mistyped].map((notice) => {
    const item = make("p", "notice", notice.text);
    item.dataset.kind = notice.kind;
    return item;
  }));
}

// ---- what the worker sends

function connect() {
  if (page.source) page.source.close();
  page.source = new EventSource("wall/events");
  page.source.addEventListener("state", (event) => {
    page.state = JSON.parse(event.data);
    page.heard = performance.now();
    page.dated = Date.now();
    page.since = "";
    root.dataset.connection = "live";
    draw();
  });
  page.source.addEventListener("error", () => {
    lose();
    if (page.source.readyState === EventSource.CLOSED) setTimeout(connect, AGAIN_MS); // otherwise the browser tries by itself
  });
}

function lose() {
  if (root.dataset.connection === "lost") return;
  root.dataset.connection = "lost";
  page.since = page.state ? page.state.now : "";
  if (page.state) facts();
  notices();
}

// ---- going from board to board

function names() {
  return page.state ? page.state.boards.map((board) => board.name) : [];
}
/** What ?boards says. */
function chosen() {
  return (asked.get("boards") || "").split(",").map((name) => name.trim()).filter(Boolean);
}
/** The boards that take turns: those of ?boards, "all", or else those that are meant for walls. */
function rotated() {
  const present = chosen().filter((name) => names().includes(name));
  if (present.length) return present;
  return chosen().includes("all") ? names() : page.state.boards.filter((board) => board.playlist).map((board) => board.name);
}
function go(name) {
  page.board = name;
  page.turned = performance.now();
  if (location.hash !== `#${name}`) history.replaceState(null, "", `#${name}`);
  draw();
}
function step(list, by_) {
  if (list.length) go(list[(list.indexOf(page.board) + by_ + list.length) % list.length]);
}
function rotating() {
  return asked.has("kiosk") && !page.paused;
}
function tick() {
  const now = performance.now();
  if (page.heard && now - page.heard > SILENT_MS) lose();
  if (page.state && root.dataset.connection === "lost") facts();
  const seconds = Math.max(1, Number(asked.get("seconds")) || SECONDS);
  if (rotating() && page.state && !by("help").open && now - page.turned >= seconds * 1000) step(rotated(), 1);
  by("rotation").textContent = asked.has("kiosk") ? (page.paused ? "rotation paused" : `next board every ${seconds} s`) : "";
}

function key(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "?") {
    if (by("help").open) by("help").close();
    else by("help").showModal();
  } else if (by("help").open) {
    return; // its own keys
  } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    step(names(), event.key === "ArrowRight" ? 1 : -1);
  } else if (/^[1-9]$/.test(event.key) && names()[Number(event.key) - 1]) {
    go(names()[Number(event.key) - 1]);
  } else if (event.key === "t") {
    turn();
  } else if (event.key === " " && !(event.target instanceof HTMLButtonElement)) {
    page.paused = !page.paused;
    page.turned = performance.now();
    root.toggleAttribute("data-paused", page.paused);
    tick();
  } else {
    return;
  }
  event.preventDefault();
}

document.addEventListener("DOMContentLoaded", () => {
  page.board = location.hash.slice(1);
  page.turned = performance.now();
  document.addEventListener("keydown", key);
  addEventListener("hashchange", () => go(location.hash.slice(1)));
  dark.addEventListener("change", () => theme(asked.get("theme") || remembered("wall-theme")));
  by("ask").addEventListener("click", () => by("help").showModal());
  by("turn").addEventListener("click", turn);
  setInterval(tick, 250);
  put(by("tiles"), [empty({ title: "Connecting…", lines: ["The numbers come with the first word from the processor."] })]);
  connect();
});
