"use strict";
const $ = (id) => document.getElementById(id);
const query = $("query"), results = $("results"), viewer = $("viewer");
const page = 24, most = 200, reranked = 24;
let shown = [];      // results on the page
let image = null;    // image of the search: {like: id} or {file: File}, with its name and url
let top_ = page, running = null, timer = 0, serial = 0, total = 0, at = 0, viewed = 0, canRerank = false, canLocate = false;
const count = (n, what) => n.toLocaleString("en") + " " + what + (n === 1 ? "" : "s");
const duration = (ms) => (ms < 1000 ? Math.max(1, Math.round(ms)) + " ms" : (ms / 1000).toFixed(1) + " s");

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) name in made ? (made[name] = value) : made.setAttribute(name, value);
  made.append(...children);
  return made;
}
const number = (x) => x.toFixed(3).replace("-", "\u2212");
const scoreOf = (photo) => number(photo.score) + (photo.match === undefined ? "" : " \u00b7 " + Math.round(photo.match * 100) + "%");
const scoreInWords = (photo) => "Cosine " + number(photo.score) + (photo.match === undefined ? "" : ", match " + Math.round(photo.match * 100) + " %");

// The address names the search, so that it can be opened again and sent to others on this machine.
function write(push) {
  const address = new URLSearchParams();
  if (image && image.like) address.set("like", image.like);
  else if (!image && query.value.trim()) address.set("q", query.value.trim());
  if (!image && $("rerank").checked) address.set("rerank", "1");
  const url = "/" + (address.size ? "?" + address : "");
  if (url !== location.pathname + location.search) history[push ? "pushState" : "replaceState"](null, "", url);
}
function read() {
  const address = new URLSearchParams(location.search || location.hash.slice(1));
  query.value = address.get("q") || "";
  $("rerank").checked = address.has("rerank");
  const like = address.get("like");
  choose(like ? {like, name: "this photograph", url: "/api/thumbnail/" + like} : null);
  top_ = page;
  search();
}

function choose(chosen) {
  if (image && image.file) URL.revokeObjectURL(image.url);
  image = chosen;
  $("chosen").hidden = !image;
  if (image) {
    $("chosen-image").hidden = false;
    $("chosen-image").src = image.url;
    $("chosen-name").textContent = "like " + image.name;
    query.value = "";
  }
  query.placeholder = image ? "" : query.dataset.placeholder;
  $("rerank-label").hidden = !canRerank || Boolean(image);  // it compares a text with photographs
}

function fail(message) {
  $("error").textContent = message.charAt(0).toUpperCase() + message.slice(1);
  $("error").hidden = !message;
}

async function ask(url, options, tries) {
  const reply = await fetch(url, options);
  if (reply.status === 503 && tries > 0) {
    await new Promise((go) => setTimeout(go, 1000 * (reply.headers.get("Retry-After") || 1)));
    return ask(url, options, tries - 1);
  }
  const answer = await reply.json().catch(() => ({error: "The server gave no valid answer."}));
  if (!reply.ok) throw new Error(answer.error || "The server refused this.");
  return answer;
}

async function search() {
  clearTimeout(timer);
  if (running) running.abort();
  const text = query.value.trim(), mine = ++serial;
  document.body.classList.toggle("start", !text && !image);
  if (!text && !image) {
    running = null;
    draw([]);
    drawCaptions([]);
    results.classList.remove("old");
    $("progress").hidden = true;
    $("status").textContent = total ? count(total, "photograph") : "";
    document.title = "Search photographs";
    return fail("");
  }
  running = new AbortController();
  const rerank = $("rerank").checked && !image;
  const address = new URLSearchParams({top: top_});
  if (image && image.like) address.set("like", image.like);
  else if (!image) address.set("q", text);
  if (rerank) address.set("rerank", reranked);
  const options = {signal: running.signal};
  if (image && image.file) Object.assign(options, {method: "POST", body: image.file});
  const slow = setTimeout(() => { $("progress").hidden = false; results.classList.add("old"); }, 250);
  try {
    const answer = await ask("/api/search?" + address, options, 3);
    if (mine !== serial) return;
    fail("");
    total = answer.images;
    draw(answer.results);
    drawCaptions(answer.captions || []);
    const what = image ? "like " + image.name : "for \u201c" + text + "\u201d";
    $("status").textContent = answer.results.length
      ? "Best " + answer.results.length.toLocaleString("en") + " of " + count(total, "photograph") + ", " + duration(answer.milliseconds)
      : "The index holds no other photograph";
    document.title = (image ? "Like " + image.name : text) + " \u2013 photographs";
    results.setAttribute("aria-label", "Photographs " + what + ", best first");
  } catch (error) {
    if (error.name === "AbortError" || mine !== serial) return;
    draw([]);
    drawCaptions([]);
    $("status").textContent = "";
    const message = image && image.file ? error.message.replace(/^the image(?=:)/, "\u201c" + image.name + "\u201d") : error.message;
    fail(error instanceof TypeError ? "The server does not answer. Is rc3 serve still running?" : message);
  } finally {
    clearTimeout(slow);
    if (mine === serial) {
      $("progress").hidden = true;
      results.classList.remove("old");
    }
  }
}
const soon = () => { clearTimeout(timer); top_ = page; timer = setTimeout(() => { write(false); search(); }, 180); };

// Tiles are kept by id: an image that stays does not flicker while one types.
const tiles = new Map();
function tile(photo) {
  const small = element("img", {src: "/api/thumbnail/" + photo.id, alt: "", loading: "lazy", decoding: "async"});
  const open = element("button", {type: "button", className: "open"}, small);
  small.onerror = () => open.classList.add("broken");
  const similar = element("button", {type: "button", className: "similar", tabIndex: -1}, "Similar");
  const score = element("span", {className: "score"});
  const made = element("li", {className: "tile"}, open, similar,
    element("div", {className: "info"}, element("span", {className: "name", title: photo.name}, photo.name.split("/").pop()), score));
  open.onclick = () => view(shown.findIndex((one) => one.id === photo.id));
  open.onfocus = () => move(shown.findIndex((one) => one.id === photo.id), false);
  similar.onclick = () => like(photo);
  similar.setAttribute("aria-label", "Find photographs similar to " + photo.name);
  return {made, open, score};
}
function draw(photos) {
  const old = new Map(tiles);
  tiles.clear();
  shown = photos;
  photos.forEach((photo, i) => {
    const one = old.get(photo.id) || tile(photo);
    tiles.set(photo.id, one);
    one.score.textContent = scoreOf(photo);
    one.score.title = scoreInWords(photo);
    one.open.setAttribute("aria-label", i + 1 + ": " + photo.name + ", " + scoreInWords(photo));
    one.open.tabIndex = i === 0 ? 0 : -1;
  });
  results.replaceChildren(...photos.map((photo) => tiles.get(photo.id).made));
  at = 0;
  $("more").hidden = photos.length < top_ || photos.length >= Math.min(total, most);
}

function drawCaptions(captions) {
  $("captions-list").replaceChildren(...captions.map((caption) => {
    const button = element("button", {type: "button", title: "Search this text"},
      element("span", {dir: "auto"}, caption.text), element("span", {className: "score", title: "Cosine " + number(caption.score)}, number(caption.score)));
    button.onclick = () => { choose(null); query.value = caption.text; top_ = page; write(true); search(); scrollTo({top: 0}); };
    return element("li", {}, button);
  }));
  $("captions").hidden = !captions.length;
}

// One tile is in the order of the Tab key; arrows move among the others.
function move(i, focus) {
  if (i < 0 || i >= shown.length) return;
  if (shown[at]) tiles.get(shown[at].id).open.tabIndex = -1;
  at = i;
  const {open} = tiles.get(shown[i].id);
  open.tabIndex = 0;
  if (focus) open.focus();
}
const columns = () => getComputedStyle(results).gridTemplateColumns.split(" ").length;

function like(photo) {
  if (viewer.open) viewer.close();
  choose({like: photo.id, name: photo.name.split("/").pop(), url: "/api/thumbnail/" + photo.id});
  top_ = page;
  write(true);
  search();
  scrollTo({top: 0});
}
function useFile(file) {
  if (!file) return;
  if (!file.type.startsWith("image/")) return fail("\u201c" + file.name + "\u201d is no image.");
  choose({file, name: file.name || "the pasted image", url: URL.createObjectURL(file)});
  top_ = page;
  write(true);
  search();
}

function view(i) {
  if (i < 0 || i >= shown.length) return;
  viewed = i;
  move(i, false);
  const photo = shown[i];
  $("viewer-image").src = "/api/image/" + photo.id;
  $("viewer-image").alt = photo.name;
  $("viewer-name").textContent = photo.name;
  $("viewer-score").textContent = i + 1 + " of " + shown.length + " \u00b7 " + scoreInWords(photo);
  $("viewer-original").href = "/api/image/" + photo.id;
  $("previous").disabled = i === 0;
  $("next").disabled = i === shown.length - 1;
  $("viewer-words").hidden = !canLocate || Boolean(image);  // the words of a text
  locate();
  if (!viewer.open) viewer.showModal();
  else if (document.activeElement === document.body) $("viewer-similar").focus();  // a button that was disabled had it
}

// Parts of the photograph that are like a word stay bright. The server compares parts of a grid, drawn as an image of as many pixels.
let map = null, word = 0, locating = 0;
async function locate() {
  const mine = ++locating, on = $("viewer-words").getAttribute("aria-pressed") === "true" && !$("viewer-words").hidden;
  map = null;
  $("words-status").textContent = "";
  $("heat").hidden = true;
  if (!on || !viewer.open) return void ($("words").hidden = true);
  try {
    const found = await ask("/api/words?" + new URLSearchParams({q: query.value.trim(), id: shown[viewed].id}), {}, 3);
    if (mine !== locating || !found.words.length) return;
    map = found;
  } catch (error) {
    if (mine !== locating) return;
    $("words").hidden = true;
    $("words-status").textContent = error.message;
    return;
  }
  const highest = map.words.map((one) => Math.max(...one.scores));
  if (!map.words[word]) word = -1;
  if (word < 0) word = highest.indexOf(Math.max(...highest));
  const focused = $("words").contains(document.activeElement);
  $("words").replaceChildren(...map.words.map((one, i) => {
    const button = element("button", {type: "button", dir: "auto", title: "Cosine with the parts: " + number(Math.min(...one.scores)) + " to " + number(highest[i])}, one.text);
    button.onclick = () => { if (map) { word = i; paint(); } };
    return button;
  }));
  $("words").hidden = false;
  if (focused) $("words").children[word].focus();
  paint();
}
function paint() {
  const {columns: across, rows, words} = map, all = words.flatMap((one) => one.scores);
  const low = Math.min(...all), span = Math.max(...all) - low || 1, heat = $("heat");
  const small = element("canvas", {width: across, height: rows}), fine = 64;
  const context = small.getContext("2d"), pixels = context.createImageData(across, rows);
  words[word].scores.forEach((score, i) => { pixels.data[4 * i + 3] = 215 * (1 - (score - low) / span); });
  context.putImageData(pixels, 0, 0);
  heat.width = fine * across;
  heat.height = fine * rows;
  const large = heat.getContext("2d");
  large.imageSmoothingQuality = "high";
  large.drawImage(small, 0, 0, heat.width, heat.height);
  [...$("words").children].forEach((button, i) => button.setAttribute("aria-pressed", i === word));
  const best = words[word].scores.indexOf(Math.max(...words[word].scores));
  $("words-status").textContent = "\u201c" + words[word].text + "\u201d is most like row " + (Math.floor(best / across) + 1) + " of " + rows + ", column " + (best % across + 1) + " of " + across + ": cosine " + number(words[word].scores[best]);
  heat.hidden = false;
  place();
}
function place() {
  const large = $("viewer-image"), frame = large.parentElement;
  if ($("heat").hidden || !large.naturalWidth) return;
  const scale = Math.min(frame.clientWidth / large.naturalWidth, frame.clientHeight / large.naturalHeight);
  const width = large.naturalWidth * scale, height = large.naturalHeight * scale;
  Object.assign($("heat").style, {width: width + "px", height: height + "px", left: (frame.clientWidth - width) / 2 + "px", top: (frame.clientHeight - height) / 2 + "px"});
}

query.dataset.placeholder = query.placeholder;
if (matchMedia("(max-width: 640px)").matches) query.dataset.placeholder = query.placeholder = "Search in any language";
query.oninput = () => { if (image && query.value) choose(null); soon(); };
$("form").onsubmit = (event) => { event.preventDefault(); if (query.value.trim()) { write(true); search(); } };
$("rerank").onchange = () => { write(false); search(); };
$("choose").onclick = $("drop-zone").onclick = () => $("file").click();
$("file").onchange = () => { useFile($("file").files[0]); $("file").value = ""; };
$("chosen-clear").onclick = () => { choose(null); write(true); search(); query.focus(); };
$("more").onclick = async () => { const next = shown.length; top_ = Math.min(most, top_ + 2 * page); await search(); move(next, true); };
$("examples").onclick = (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  query.value = button.textContent;
  write(true);
  search();
  query.focus();
};
$("previous").onclick = () => view(viewed - 1);
$("next").onclick = () => view(viewed + 1);
$("viewer-close").onclick = () => viewer.close();
$("viewer-similar").onclick = () => like(shown[viewed]);
viewer.onclick = (event) => { if (event.target === viewer) viewer.close(); };
viewer.onclose = () => { $("viewer-image").removeAttribute("src"); locate(); move(viewed, true); };
$("viewer-words").onclick = () => {
  const pressed = $("viewer-words").getAttribute("aria-pressed") !== "true";
  $("viewer-words").setAttribute("aria-pressed", pressed);
  word = -1;
  locate();
};
$("viewer-image").onload = place;
$("chosen-image").onerror = () => { $("chosen-image").hidden = true; };
new ResizeObserver(place).observe($("viewer-image").parentElement);
viewer.onkeydown = (event) => {
  if (event.key === "ArrowLeft") view(viewed - 1);
  else if (event.key === "ArrowRight") view(viewed + 1);
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "s" && (viewer.open || event.target.className === "open") && shown[at]) { event.preventDefault(); return like(shown[viewer.open ? viewed : at]); }
  if (viewer.open) return;
  if (event.target === query) {
    if (event.key === "ArrowDown" && shown.length) { event.preventDefault(); move(0, true); }
    if (event.key === "Escape" && (query.value || image)) { event.preventDefault(); query.value = ""; choose(null); write(false); search(); }
    return;
  }
  if (event.key === "/") { event.preventDefault(); query.focus(); query.select(); }
  if (event.target.className !== "open") return;
  const step = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns(), Home: -at, End: shown.length - 1 - at}[event.key];
  if (step === undefined) return;
  event.preventDefault();
  if (event.key === "ArrowUp" && at + step < 0) query.focus();
  else move(at + step, true);
});
addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
  if (file) { event.preventDefault(); useFile(file); }
});
let depth = 0;
const holdsFile = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
addEventListener("dragenter", (event) => { if (holdsFile(event)) { depth++; $("drop").hidden = false; } });
addEventListener("dragleave", (event) => { if (holdsFile(event) && --depth <= 0) { depth = 0; $("drop").hidden = true; } });
addEventListener("dragover", (event) => { if (holdsFile(event)) event.preventDefault(); });
addEventListener("drop", (event) => {
  if (!holdsFile(event)) return;
  event.preventDefault();
  depth = 0;
  $("drop").hidden = true;
  useFile(event.dataTransfer.files[0]);
});
addEventListener("popstate", read);

fetch("/healthz").then((reply) => reply.json()).then((health) => {
  total = health.images;
  canRerank = health.rerank;
  canLocate = health.words;
  $("and-captions").hidden = !health.captions;
  $("rerank-label").hidden = !canRerank || Boolean(image);
  if (document.body.classList.contains("start")) $("status").textContent = count(total, "photograph");
}).catch(() => {});
read();
if (document.body.classList.contains("start") && matchMedia("(hover: hover)").matches) query.focus();
