// The chat page: asks /v1/answer and /v1/write, shows what comes, and tells /v1/feedback what a reader thinks of it.
// The key and the conversation stay in the tab, and are gone when it is closed; the theme stays in the browser.
"use strict";

const at = (id) => document.getElementById(id);
const made = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

const MAX_TURNS = 40;
const state = { turns: [], authors: [], running: null, opened: null };

// ---------------------------------------------------------------- the service

async function call(path, body, signal) {
  const headers = {};
  const key = sessionStorage.getItem("key");
  if (key) headers["Authorization"] = `Bearer ${key}`;
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(path, {
    method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal,
  });
  if (response.ok) return response;
  if (response.status === 401) askForKey();
  throw new Error(await said(response));
}

async function said(response) {
  try {
    const { error } = await response.json();
    const wait = response.headers.get("Retry-After");
    return wait ? `${error.message} (in ${wait} s)` : error.message;
  } catch {
    return `The service answered ${response.status}.`;
  }
}

// Server-sent events of a POST, which EventSource cannot send.
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    held += value;
    const whole = held.split("\n\n");
    held = whole.pop();
    for (const block of whole) {
      const lines = block.split("\n");
      const name = lines.find((line) => line.startsWith("event: "))?.slice(7) ?? "message";
      const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n");
      yield { name, data: JSON.parse(data) };
    }
  }
}

// ---------------------------------------------------------------- an answer

function answerBox() {
  const box = made("article", "theirs");
  box.setAttribute("aria-busy", "true");
  const text = made("div", "text busy");
  box.append(text);
  at("talk").append(box);
  return { box, text };
}

// Text with fenced code set apart and each mark that was verified made a button. Nothing of it becomes markup.
function written(target, text, citations) {
  const marks = new Map(citations.map((each) => [String(each.marker), each]));
  target.replaceChildren();
  const parts = text.split(/(^(`{3,})[^\n]*\n[\s\S]*?^\2[ \t]*$)/m);
  parts.forEach((part, index) => {
    if (index % 3 === 2 || !part) return;
    if (index % 3 === 1) {
      target.append(made("pre", "", part.replace(/^`{3,}[^\n]*\n/, "").replace(/\n?`{3,}[ \t]*$/, "")));
      target.lastChild.tabIndex = 0;
      return;
    }
    // Blank lines around code are its margins here.
    const prose = index && part.startsWith("\n") ? part.replace(/^\n+/, "") : part;
    for (const piece of prose.replace(/\n+$/, (end) => (index < parts.length - 1 ? "" : end)).split(/(\[\d+\])/)) {
      const citation = marks.get(piece.slice(1, -1));
      target.append(citation && piece.startsWith("[") ? markButton(citation, piece.slice(1, -1)) : piece);
    }
  });
}

function markButton(citation, label) {
  const button = made("button", "mark", label);
  button.type = "button";
  button.setAttribute("aria-expanded", "false");
  button.setAttribute("aria-controls", "source");
  if (label === String(citation.marker)) button.setAttribute("aria-label", `Source ${label}: ${citation.title}`);
  button.addEventListener("click", () => openSource(citation, button));
  return button;
}

function finish(view, turn) {
  const given = turn.given;
  written(view.text, given.answer, given.citations);
  if (given.reason) view.box.append(made("p", "note", given.degraded ? `Degraded: ${given.reason}` : given.reason));
  if (given.citations.length) {
    const list = made("ol", "sources");
    list.setAttribute("aria-label", "Sources");
    for (const each of given.citations) {
      const item = made("li");
      item.append(markButton(each, `[${each.marker}] ${each.title}`));
      list.append(item);
    }
    view.box.append(list);
  }
  const foot = made("p", "foot quiet");
  foot.append(made("span", "", `Release ${given.release}`));
  if (given.trace_url) {
    const link = made("a", "", "Trace");
    link.href = given.trace_url;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    foot.append(link);
  }
  view.box.append(foot, opinion(turn));
}

function announceAnswer(given) {
  announce(`Answer with ${given.citations.length} sources: ${given.answer}`);
}

// ---------------------------------------------------------------- a source beside it

function openSource(citation, button) {
  const again = state.opened === button;
  closeSource();
  if (again) return;
  state.opened = button;
  button.setAttribute("aria-expanded", "true");
  at("source-title").textContent = `[${citation.marker}] ${citation.title}`;
  at("source-quote").textContent = citation.quote;
  at("source-place").textContent = `Characters ${citation.start} to ${citation.end} of the cleaned document`;
  const safe = /^https?:\/\//i.test(citation.url ?? "");
  at("source-link").parentElement.hidden = !safe;
  if (safe) at("source-link").href = citation.url;
  at("source").hidden = false;
  at("source-title").focus();
}

function closeSource() {
  const button = state.opened;
  state.opened = null;
  at("source").hidden = true;
  if (!button) return;
  button.setAttribute("aria-expanded", "false");
  button.focus();
}

// ---------------------------------------------------------------- asking

const mode = () => document.querySelector("input[name=mode]:checked").value;

async function ask(question) {
  const asked = mode();
  at("hello")?.remove();
  showQuestion(asked, question);
  const view = answerBox();
  busy(new AbortController());
  scroll();
  try {
    const turn = { asked, question, given: await streamed(asked, question, view), said: {} };
    finish(view, turn);
    announceAnswer(turn.given);
    remember(turn);
  } catch (error) {
    const stopped = error.name === "AbortError";
    view.box.append(made("p", "note", stopped ? "Stopped." : trouble(error)));
    announce(stopped ? "Stopped." : trouble(error));
    if (!view.text.textContent) view.text.remove();
    at("question").value ||= question;
  } finally {
    view.box.removeAttribute("aria-busy");
    view.text.classList.remove("busy");
    busy(null);
    scroll();
  }
}

const trouble = (error) => (error instanceof TypeError ? "The service cannot be reached. Try again in a moment." : error.message);

async function streamed(asked, text, view) {
  const author = at("author").value || null;
  const [path, body] = asked === "ask"
    ? ["/v1/answer", { question: text, author, history: history(), stream: true }]
    : ["/v1/write", { topic: text, form: asked, author, stream: true }];
  const response = await call(path, body, state.running.signal);
  for await (const { name, data } of events(response)) {
    if (name === "delta") {
      view.text.append(data.text);
      scroll();
    }
    if (name === "answer") return data;
    if (name === "error") throw new Error(data.error.message);
  }
  throw new Error("The answer broke off.");
}

function showQuestion(asked, question) {
  const shown = asked === "ask" ? question : `Draft of ${asked === "post" ? "a post" : "an article"}: ${question}`;
  at("talk").append(made("article", "mine", shown));
}

// Drafts are no part of the conversation.
function history() {
  const turns = state.turns.filter((turn) => turn.asked === "ask").flatMap(({ question, given }) => [
    { role: "user", content: question }, { role: "assistant", content: given.answer.slice(0, 8000) },
  ]);
  return turns.slice(-MAX_TURNS);
}

// ---------------------------------------------------------------- what a reader thinks of an answer

const THUMBS = {
  up: ["Good answer", "M2 10h4v11H2zM8 21V10l4-8c2 0 3 1 3 3l-1 4h6c2 0 2 2 2 3l-2 7c0 1-1 2-2 2z"],
  down: ["Bad answer", "M2 14h4V3H2zM8 3v11l4 8c2 0 3-1 3-3l-1-4h6c2 0 2-2 2-3l-2-7c0-1-1-2-2-2z"],
};

function opinion(turn) {
  const box = made("div", "opinion");
  const acts = made("div", "thumbs");
  acts.setAttribute("role", "group");
  acts.setAttribute("aria-label", "What do you think of this answer?");
  const note = made("p", "quiet");
  note.hidden = true;
  const form = correction(turn, note);
  const thumbs = Object.keys(THUMBS).map((thumb) => thumbButton(thumb, async (button) => {
    if (!(await tell(turn, { thumb }, note, button))) return;
    for (const each of thumbs) each.setAttribute("aria-pressed", String(each === button));
  }));
  for (const each of thumbs) each.setAttribute("aria-pressed", String(turn.said.thumb === each.value));
  acts.append(...thumbs, form.opener);
  box.append(acts, form, note);
  return box;
}

function thumbButton(thumb, act) {
  const [label, path] = THUMBS[thumb];
  const button = made("button", "plain thumb");
  button.type = "button";
  button.value = thumb;
  button.setAttribute("aria-label", label);
  button.title = label;
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path);
  icon.append(line);
  button.append(icon);
  button.addEventListener("click", () => act(button));
  return button;
}

function correction(turn, note) {
  const form = made("form", "correction");
  form.hidden = true;
  form.id = `correction-${turn.given.answer_id}`;
  const label = made("label", "", "I would have written:");
  const text = made("textarea");
  text.id = `${form.id}-text`;
  text.rows = 6;
  text.maxLength = 20000;
  text.required = true;
  label.htmlFor = text.id;
  const send = made("button", "", "Send correction");
  const cancel = made("button", "plain", "Cancel");
  cancel.type = "button";
  const acts = made("div", "acts");
  acts.append(cancel, send);
  form.append(label, text, acts);
  form.opener = made("button", "plain", "I would have written…");
  form.opener.type = "button";
  form.opener.setAttribute("aria-controls", form.id);
  const show = (shown) => {
    form.hidden = !shown;
    form.opener.setAttribute("aria-expanded", String(shown));
    if (shown) text.value = turn.said.corrected_text ?? withoutMarks(turn.given);
    (shown ? text : form.opener).focus();
    if (!shown) return;
    note.hidden = true;
    form.scrollIntoView({ block: "nearest" });
  };
  form.opener.setAttribute("aria-expanded", "false");
  form.opener.addEventListener("click", () => show(form.hidden));
  cancel.addEventListener("click", () => show(false));
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    show(false);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await tell(turn, { corrected_text: text.value }, note, send)) show(false);
  });
  return form;
}

const withoutMarks = (given) => given.citations.reduce(
  (text, each) => text.replaceAll(` [${each.marker}]`, "").replaceAll(`[${each.marker}]`, ""), given.answer);

// Says whether it was kept; what was is shown again after a reload.
async function tell(turn, said, note, button) {
  // A button that is disabled loses the focus of who pressed it by keyboard.
  if (button.getAttribute("aria-disabled") === "true") return false;
  button.setAttribute("aria-disabled", "true");
  let kept = true;
  try {
    await call("/v1/feedback", { answer_id: turn.given.answer_id, author: turn.given.author, ...said });
    Object.assign(turn.said, said);
    save();
  } catch (error) {
    kept = false;
    note.textContent = `Not kept: ${trouble(error)}`;
  } finally {
    button.removeAttribute("aria-disabled");
  }
  if (kept) note.textContent = said.thumb ? "Thanks, that is noted." : "Thanks, your words are kept.";
  note.className = kept ? "quiet" : "note";
  note.hidden = false;
  announce(note.textContent);
  return kept;
}

// ---------------------------------------------------------------- the conversation, kept in the tab

function remember(turn) {
  state.turns = [...state.turns, turn].slice(-MAX_TURNS / 2);
  save();
}

function save() {
  try {
    sessionStorage.setItem("talk", JSON.stringify({ author: at("author").value, turns: state.turns }));
  } catch {
    sessionStorage.removeItem("talk"); // it is too much: a reload begins anew
  }
}

function restore() {
  const kept = JSON.parse(sessionStorage.getItem("talk") ?? "null");
  if (!kept?.turns.length || !state.authors.some((each) => each.author === kept.author)) return;
  at("author").value = kept.author;
  at("hello")?.remove();
  state.turns = kept.turns;
  for (const turn of state.turns) {
    showQuestion(turn.asked, turn.question);
    const view = answerBox();
    view.box.removeAttribute("aria-busy");
    view.text.classList.remove("busy");
    finish(view, turn);
  }
  scroll();
}

// ---------------------------------------------------------------- the page

function busy(controller) {
  state.running = controller;
  at("send").disabled = controller !== null;
  at("stop").hidden = controller === null;
}

function scroll() {
  at("talk").scrollTop = at("talk").scrollHeight;
}

function announce(text) {
  at("said").textContent = text;
}

function askForKey() {
  sessionStorage.removeItem("key");
  at("key-form").hidden = false;
  at("key").focus();
}

async function showAuthors() {
  try {
    state.authors = (await (await call("/v1/authors")).json()).authors;
  } catch (error) {
    at("release").textContent = trouble(error);
    return;
  }
  const chosen = at("author").value;
  at("author").replaceChildren(...state.authors.map((each) => {
    const option = made("option", "", each.author_name);
    option.value = each.author;
    return option;
  }));
  if (state.authors.some((each) => each.author === chosen)) at("author").value = chosen;
  if (!state.turns.length) restore();
  at("pick").hidden = state.authors.length < 2;
  showAuthor();
}

function showAuthor() {
  const author = state.authors.find((each) => each.author === at("author").value);
  at("name").textContent = author ? author.author_name : "LLM Twin";
  at("release").textContent = author ? `Release ${author.release}` : "No twin has been released yet.";
  document.title = author ? `${author.author_name} · LLM Twin` : "LLM Twin";
}

function beginAnew() {
  state.running?.abort();
  state.turns = [];
  save();
  closeSource();
  at("talk").replaceChildren();
  announce("New conversation");
  at("question").focus();
}

function showTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  const dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  at("theme").setAttribute("aria-pressed", String(dark));
  return dark;
}

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = at("question").value.trim();
  if (!question || state.running) return;
  at("question").value = "";
  ask(question);
});
at("question").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  at("form").requestSubmit();
});
for (const radio of document.querySelectorAll("input[name=mode]")) {
  radio.addEventListener("change", () => {
    const asking = mode() === "ask";
    at("question-label").textContent = asking ? "Question" : "Topic";
    at("question").placeholder = asking ? "Ask a question" : `A topic for ${mode() === "post" ? "a post" : "an article"}`;
  });
}
at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("key", at("key").value.trim());
  at("key").value = "";
  at("key-form").hidden = true;
  showAuthors();
  at("question").focus();
});
at("author").addEventListener("change", () => { beginAnew(); showAuthor(); });
at("stop").addEventListener("click", () => state.running?.abort());
at("fresh").addEventListener("click", beginAnew);
at("source-close").addEventListener("click", closeSource);
at("theme").addEventListener("click", () => {
  const theme = showTheme() ? "light" : "dark";
  localStorage.setItem("theme", theme);
  showTheme(theme);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (state.opened) closeSource();
  else state.running?.abort();
});
showTheme(localStorage.getItem("theme"));
showAuthors();
