"use strict";
const $ = (id) => document.getElementById(id);
const LONGEST = 1200; // numbers a curve keeps; then every second goes
const ROWS = 256; // rows of time that a line's diagram shows
const LINES = ["#1366c4", "#d55e00", "#2a8a57", "#9a4fb5", "#b08a00", "#c2396b", "#4b6a88", "#7a5a3a"];
const LINES_DARK = ["#6fb1ff", "#ff9a57", "#62cf96", "#cf97e6", "#e0bf4a", "#f08bb1", "#a4bfd8", "#c9a782"];
const dark = matchMedia("(prefers-color-scheme: dark)");

let socket, model = null, curve = null, earlier = null, last = null, playing = true, cursor = null;
let clock = { at: performance.now(), step: 0 };
let draws = { count: 0, of: 0, steps: [], numbers: [], end: "" };

const hex = (rgb) => "#" + rgb.toString(16).padStart(6, "0");
const brief = (x, digits = 4) => (Number.isFinite(x) ? String(+x.toPrecision(digits)) : String(x));
// As many digits as tell numbers apart that lie so far from one another.
const digitsFor = (low, high) => Math.min(15, Math.max(4, 3 + Math.ceil(Math.log10(Math.max(Math.abs(low), Math.abs(high), 1e-300) / Math.max(high - low, 1e-300)))));
const tell = (wish) => { if (socket && socket.readyState === 1) socket.send(JSON.stringify(wish)); };
function element(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in made && typeof value !== "string") made[name] = value; else made.setAttribute(name, value);
  }
  made.append(...inside);
  return made;
}
// What is wrong with the model's file stays until it is mended; what else is wrong until the next thing is done.
let broken = "";
function wrong(words) {
  const all = [broken, words].filter(Boolean).join("\n");
  $("alert").textContent = all;
  $("alert").hidden = !all;
}

function connect() {
  const here = location.pathname.endsWith("/") ? location.pathname : location.pathname + "/";
  socket = new WebSocket(`ws://${location.host}${here}socket`);
  socket.binaryType = "arraybuffer";
  socket.onmessage = (message) => (typeof message.data === "string" ? hear(JSON.parse(message.data)) : take(message.data));
  socket.onclose = () => {
    document.documentElement.dataset.state = "ended";
    if (!$("alert").textContent) wrong("The connection to `glauber view` has ended: start it again and open the address it prints.");
  };
}

function hear(said) {
  if (said.is === "model") describe(said);
  else if (said.is === "error") {
    const still = said.of !== "model" || !model ? "" : playing ? "\nThe model as it was before goes on running." : "\nThe model as it was before is still there.";
    if (still) { broken = said.words + still; wrong(""); } else wrong(said.words);
    if (said.of === "seed" && model) $("seed").value = model.seed;
    if (said.of === "parameter") showParameters();
    if (said.of === "option" && model) showOptions();
    if (said.of === "course" || said.of === "run") answered();
  } else if (said.is === "standing") stand(false);
  else if (said.is === "site") $("site").textContent = `site ${place(said.place)}: ${said.words.join(", ") || "nothing"}`;
  else if (said.is === "take-away") takeAway(said);
  else if (said.is === "courses") showCourses(said.courses);
  else if (said.is === "draws") { draws = { count: said.count, of: said.of, verdict: said.verdict, steps: [], numbers: [], end: "" }; sayDraws(); drawPlots(); }
  else if (said.is === "draws-row") { draws.steps.push(said.step); draws.numbers.push(said.numbers); sayDraws(); if (!playing) drawPlots(); }
  else if (said.is === "draws-end") { draws.end = said.words; sayDraws(); }
  else if (said.is === "end") wrong("`glauber view` was ended.");
}

function place(site) {
  const [, height, width] = model.extent;
  const x = site % width, y = Math.floor(site / width) % height, z = Math.floor(site / width / height);
  return model.extent[0] > 1 ? `(${z}, ${y}, ${x})` : height > 1 ? `(${y}, ${x})` : `${x}`;
}
let turned = false; // a slider was moved since the start of what is seen
function takeAway(said) {
  $("command").textContent = said.command;
  $("start").textContent = said.start;
  const words = model.observed
    ? "A run of the model with the present parameters, to the present step. It is not the one that is seen: this begins as the model says, what is seen begins with the observed state."
    : turned ? "From the start with the present parameters, to the present step. It is not the run that is seen: a slider was moved on the way. Restart to see the run of this command."
    : !last || last.step === 0 ? "The first step of what is seen, with the present parameters:"
    : "The same from the start with the present parameters, to the present step:";
  if ($("command-words").textContent !== words) $("command-words").textContent = words;
}

function describe(said) {
  const same = model && model.course === said.course;
  const anew = !model || JSON.stringify([model.name, model.looks, model.extent]) !== JSON.stringify([said.name, said.looks, said.extent]);
  const options = !model || JSON.stringify(model.options) !== JSON.stringify(said.options);
  const parameters = !model || JSON.stringify(model.parameters.map((p) => [p.name, p.low, p.high, p.unit])) !== JSON.stringify(said.parameters.map((p) => [p.name, p.low, p.high, p.unit]));
  const plots = !model || JSON.stringify(model.curves) !== JSON.stringify(said.curves);
  model = said;
  document.title = `${said.name} · glauber view`;
  $("name").textContent = said.name;
  $("about").textContent = [said.file, said.words.lattice, ...said.words.layers.map(([name, values]) => `${name}: ${values}`)].filter(Boolean).join(" · ");
  if (document.activeElement !== $("seed")) $("seed").value = said.seed;
  if (!same) { turned = false; last = null; }
  broken = said.broken ? said.broken + "\nThe model as it was before is the one that is shown." : "";
  wrong(said.lost.length ? `${said.lost.join(", ")}: no parameter any more, or none that can have the value it had; what there is stands at the model's own.` : "");
  stand(said.playing);
  if (anew) showLayers();
  $("slices").hidden = said.extent[0] === 1;
  $("slice").max = said.extent[0] - 1;
  $("slice").value = said.slice;
  saySlice();
  if (parameters) showParameters(); else said.parameters.forEach((p) => setParameter(p.name, p.value));
  if (options) showOptions();
  if (plots || !curve) earlier = null; else if (!same && curve.steps.length > 1) earlier = curve;
  curve = { steps: [], numbers: [], every: 1, seen: 0 };
  if (plots || !$("plots").childElementCount) showPlots();
  for (const layer of layers) if (layer.rows) layer.rows = 0;
  showWords();
  takeAway(said);
  setSpeed(said.speed);
  answered();
  clock = { at: performance.now(), step: 0 };
  document.documentElement.dataset.state = "ready";
  // In a frame (of a notebook) its owner is told that the page was reached, and nothing else.
  if (parent !== window) parent.postMessage("glauber view is there", "*");
}

function showWords() {
  const { notes, application, rule, program } = model.words;
  $("notes").replaceChildren(...notes.map((note) => element("li", {}, note)));
  $("facts").replaceChildren(...application.flatMap(([name, words]) => [element("dt", {}, name), element("dd", {}, words)]));
  const texts = [];
  if (rule) texts.push(element("details", { open: true }, element("summary", {}, "As it is written"), element("pre", { tabindex: "0" }, rule)));
  texts.push(element("details", { open: !rule }, element("summary", {}, "As it is understood"), element("pre", { tabindex: "0" }, program)));
  $("texts").replaceChildren(...texts);
}

// Layers

let layers = [], readAt = 0;
// What is at the site that was pointed at; again where the lattice has changed.
function readSite() {
  const [, height, width] = model.extent;
  if (!cursor || cursor.x >= width || cursor.y >= height) return;
  readAt = performance.now();
  tell({ do: "site", place: (+$("slice").value * height + cursor.y) * width + cursor.x });
}
function saySlice() {
  $("slice-words").textContent = `${$("slice").value} of ${model.extent[0]}`;
  $("slice").setAttribute("aria-valuetext", `plane ${$("slice-words").textContent}`);
}
function showLayers() {
  cursor = null;
  const [, height, width] = model.extent;
  layers = model.looks.map((look, number) => {
    const canvas = element("canvas", { role: "img", tabindex: "0", "aria-label": `layer ${look.name}` });
    canvas.width = width;
    canvas.height = height > 1 ? height : ROWS;
    canvas.style.aspectRatio = height > 1 ? `${width} / ${height}` : "2 / 1";
    if (height > 1 && height > 2 * width) canvas.style.maxHeight = "80vh";
    const caption = element("figcaption", {}, element("b", {}, look.name));
    let low, high;
    if (look.states) {
      look.labels.forEach((label, state) => {
        const swatch = element("span", { class: "swatch" });
        swatch.style.background = hex(look.colours[state]);
        if (look.labels.length <= 24) caption.append(element("span", { class: "key" }, swatch, label));
      });
      if (look.labels.length > 24) caption.append(element("span", {}, `${look.labels.length} states: point at a site to read its own`));
    } else {
      const scale = element("span", { class: "scale" });
      scale.style.background = `linear-gradient(90deg, ${[0, 64, 128, 192, 255].map((k) => hex(look.colours[k])).join(", ")})`;
      low = element("span", {}, "");
      high = element("span", {}, "");
      caption.append(element("span", { class: "key" }, low, scale, high));
    }
    if (height === 1) caption.append(element("span", {}, "time runs downwards"));
    const context = canvas.getContext("2d");
    const palette = new Uint32Array(256);
    look.colours.forEach((rgb, byte) => { palette[byte] = 0xff000000 | ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >> 16); });
    const image = context.createImageData(canvas.width, canvas.height);
    const layer = { look, canvas, context, image, pixels: new Uint32Array(image.data.buffer), palette, low, high, rows: height === 1 ? 0 : null };
    const ask = (x, y) => {
      cursor = { x: Math.min(width - 1, Math.max(0, x)), y: Math.min(height - 1, Math.max(0, y)) };
      readSite();
    };
    canvas.addEventListener("pointermove", (event) => {
      const box = canvas.getBoundingClientRect();
      ask(Math.floor(((event.clientX - box.left) / box.width) * width), height === 1 ? 0 : Math.floor(((event.clientY - box.top) / box.height) * height));
    });
    canvas.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!move) return;
      event.preventDefault();
      const from = cursor || { x: width >> 1, y: height >> 1 };
      ask(from.x + move[0], from.y + move[1]);
    });
    layer.figure = element("figure", {}, canvas, caption);
    layer.number = number;
    return layer;
  });
  $("layers").replaceChildren(...layers.map((layer) => layer.figure));
  $("layers").style.gridTemplateColumns = layers.length === 1 ? "minmax(0, 1fr)" : "";
}

// Frames

function take(buffer) {
  const view = new DataView(buffer);
  if (view.getUint8(0) === 2) {
    const layer = layers[view.getUint8(1)];
    return save(new Blob([buffer.slice(2)], { type: "image/gif" }), "gif", layers.length > 1 && layer ? layer.look.name : "");
  }
  if (!model) return tell({ do: "drawn" });
  const course = view.getUint32(4, true), step = view.getFloat64(8, true);
  const count = view.getUint32(16, true), planes = view.getUint32(20, true);
  let at = 24;
  const numbers = [];
  for (let k = 0; k < count; k++, at += 8) numbers.push(view.getFloat64(at, true));
  const ranges = [];
  for (let k = 0; k < planes; k++, at += 16) ranges.push([view.getFloat64(at, true), view.getFloat64(at + 8, true)]);
  if (course === model.course && planes === layers.length) {
    const [, height, width] = model.extent;
    for (const layer of layers) {
      const bytes = new Uint8Array(buffer, at, height * width);
      at += height * width;
      if (layer.rows === null) for (let k = 0; k < bytes.length; k++) layer.pixels[k] = layer.palette[bytes[k]];
      else {
        if (layer.rows === ROWS) { layer.pixels.copyWithin(0, width); layer.rows--; }
        else if (layer.rows === 0) layer.pixels.fill(0);
        const from = layer.rows++ * width;
        for (let k = 0; k < width; k++) layer.pixels[from + k] = layer.palette[bytes[k]];
      }
      layer.context.putImageData(layer.image, 0, 0);
      if (layer.low) {
        layer.low.textContent = brief(ranges[layer.number][0]);
        layer.high.textContent = brief(ranges[layer.number][1]);
      }
    }
    last = { step, numbers };
    keep(step, numbers);
    const now = performance.now();
    if (now - clock.at > 500) {
      if (playing) $("reached").textContent = `${brief(((step - clock.step) * 1000) / (now - clock.at))} steps a second`;
      clock = { at: now, step };
    }
    $("time").textContent = `step ${step.toLocaleString("en")}`;
    document.documentElement.dataset.step = step;
    drawPlots();
    if (now - readAt > (playing ? 250 : 0)) readSite();
  }
  tell({ do: "drawn" });
}

// Curves

function keep(step, numbers) {
  const end = curve.steps.length - 1;
  if (end >= 0 && curve.steps[end] === step) { curve.numbers[end] = numbers; return; }
  if (curve.seen++ % curve.every) return;
  curve.steps.push(step);
  curve.numbers.push(numbers);
  if (curve.steps.length > LONGEST) {
    curve.steps = curve.steps.filter((_, k) => k % 2 === 0);
    curve.numbers = curve.numbers.filter((_, k) => k % 2 === 0);
    curve.every *= 2;
  }
}
let plots = [];
function colourOf(group, k) {
  const own = group.colours[k];
  const usual = (dark.matches ? LINES_DARK : LINES)[k % LINES.length];
  if (own === null || own === undefined) return usual;
  // A state's own colour is taken unless it can hardly be told from the ground.
  const [r, g, b] = [own >> 16, (own >> 8) & 255, own & 255];
  const light = (0.299 * r + 0.587 * g + 0.114 * b) / 255;
  return (dark.matches ? light < 0.25 : light > 0.85) ? "#8a929b" : hex(own);
}
function showPlots() {
  let from = 0;
  plots = model.curves.map((group) => {
    const canvas = element("canvas", { role: "img", "aria-label": `curve of ${group.title}` });
    const keys = element("div", { class: "keys" });
    const values = group.names.map((name, k) => {
      const value = element("span", { class: "value" }, "");
      const swatch = element("span", { class: "swatch" });
      swatch.style.background = colourOf(group, k);
      if (group.names.length <= 12) keys.append(element("span", { class: "key" }, swatch, group.names.length > 1 ? name : "", value));
      return value;
    });
    if (model.observed) keys.append(element("span", {}, `points: observed, mean of ${model.observed.of}`));
    const plot = { group, canvas, values, from };
    from += group.names.length;
    plot.box = element("div", { class: "plot" }, element("h3", {}, group.title), canvas, keys);
    return plot;
  });
  $("plots").replaceChildren(...plots.map((plot) => plot.box));
}
let drawing = false;
function drawPlots() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => { drawing = false; plots.forEach(drawPlot); });
}
function drawPlot({ group, canvas, values, from }) {
  const box = canvas.getBoundingClientRect(), scale = devicePixelRatio || 1;
  if (!box.width) return;
  canvas.width = Math.round(box.width * scale);
  canvas.height = Math.round(box.height * scale);
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  const style = getComputedStyle(document.body);
  const width = box.width, height = box.height, left = 52, bottom = 20, top = 6, right = 8;
  const both = [earlier, curve].filter((c) => c && c.steps.length);
  const seen = model.observed;
  let lowest = Infinity, highest = -Infinity, farthest = 1;
  for (const c of seen ? [seen, ...both] : both) farthest = Math.max(farthest, c.steps[c.steps.length - 1]);
  // Draws are shown as far as the rest reaches; while that is nowhere yet, as far as they do.
  const reach = farthest > 1 || !draws.steps.length ? farthest : draws.steps[draws.steps.length - 1];
  farthest = Math.max(farthest, reach);
  const behind = draws.steps.findIndex((step) => step > reach);
  const rows = behind < 0 ? draws.steps.length : behind + 1;
  for (let n = 0; n < rows; n++) for (const row of draws.numbers[n]) for (let k = 0; k < group.names.length; k++) {
    const y = row[from + k];
    if (y !== null) { lowest = Math.min(lowest, y); highest = Math.max(highest, y); }
  }
  for (const c of seen ? [seen, ...both] : both) {
    for (const row of c.numbers) for (let k = 0; k < group.names.length; k++) {
      const y = row[from + k];
      if (Number.isFinite(y)) { lowest = Math.min(lowest, y); highest = Math.max(highest, y); }
    }
  }
  if (lowest > highest) { lowest = 0; highest = 1; }
  if (lowest > 0 && lowest < 0.5 * highest) lowest = 0;
  if (highest - lowest < 1e-12 * Math.max(1, Math.abs(highest))) { highest += 0.5; lowest -= lowest === 0 ? 0 : 0.5; }
  const x = (step) => left + ((width - left - right) * step) / farthest;
  const y = (value) => height - bottom - ((height - top - bottom) * (value - lowest)) / (highest - lowest);
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = style.getPropertyValue("color");
  context.strokeStyle = "#8886";
  context.lineWidth = 1;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const share of [0, 0.5, 1]) {
    const value = lowest + share * (highest - lowest);
    context.beginPath(); context.moveTo(left, y(value)); context.lineTo(width - right, y(value)); context.stroke();
    context.fillText(brief(value, digitsFor(lowest, highest)), left - 5, y(value), left - 7);
  }
  context.textBaseline = "alphabetic";
  context.textAlign = "left";
  context.fillText("0", left, height - 5);
  context.textAlign = "right";
  context.fillText(`step ${farthest.toLocaleString("en")}`, width - right, height - 5);
  if (rows > 1) {
    context.save();
    context.beginPath(); context.rect(left, 0, width - left - right, height); context.clip();
    context.globalAlpha = 0.28;
    context.lineWidth = 0.8;
    for (let k = 0; k < group.names.length; k++) {
      context.strokeStyle = colourOf(group, k);
      for (let d = 0; d < draws.count; d++) {
        context.beginPath();
        for (let n = 0; n < rows; n++) {
          const value = draws.numbers[n][d][from + k];
          if (value !== null) context.lineTo(x(draws.steps[n]), y(value));
        }
        context.stroke();
      }
    }
    context.restore();
  }
  for (const c of both) {
    context.globalAlpha = c === curve ? 1 : 0.3;
    context.lineWidth = c === curve ? 1.8 : 1.2;
    for (let k = 0; k < group.names.length; k++) {
      context.strokeStyle = colourOf(group, k);
      context.beginPath();
      let down = false;
      c.steps.forEach((step, n) => {
        const value = c.numbers[n][from + k];
        if (!Number.isFinite(value)) { down = false; return; }
        if (down) context.lineTo(x(step), y(value)); else context.moveTo(x(step), y(value));
        down = true;
      });
      context.stroke();
    }
    context.globalAlpha = 1;
  }
  if (seen) {
    // What was observed is drawn as points.
    for (let k = 0; k < group.names.length; k++) {
      context.fillStyle = colourOf(group, k);
      seen.steps.forEach((step, n) => {
        const value = seen.numbers[n][from + k];
        if (!Number.isFinite(value)) return;
        context.beginPath();
        context.arc(x(step), y(value), 2.6, 0, 2 * Math.PI);
        context.fill();
      });
    }
  }
  if (last) values.forEach((value, k) => { value.textContent = brief(last.numbers[from + k]); });
}

function sayDraws() {
  const there = draws.count > 0, end = draws.steps.length;
  $("draws-words").hidden = !there;
  if (!there) return;
  const far = end ? `, to step ${draws.steps[end - 1].toLocaleString("en")} so far` : ", not simulated yet";
  const words = `Thin curves behind: ${draws.count} of ${draws.of.toLocaleString("en")} draws of the posterior, each with random numbers of its own`;
  // Said anew only where it is another thing: a reader reads this aloud.
  const text = [words, draws.verdict, draws.end].filter(Boolean).join(". ") + ".";
  if ($("draws-words").textContent !== text) $("draws-words").textContent = text;
  $("draws-words").title = far.slice(2);
  document.documentElement.dataset.draws = end ? draws.steps[end - 1] : -1;
}

// The course of a fit

const MOST_SMALL = 8; // parameters whose course is drawn
let courses = [], asked = false, wanted = null, coursePlots = [];
function showCourses(given) {
  courses = given;
  $("fit-box").hidden = !courses.length;
  if (!courses.length) return;
  $("fit-which").replaceChildren(...courses.map((c, k) => element("option", { value: String(k) }, c.name)));
  $("fit-which-box").hidden = courses.length < 2;
  chooseCourse(0);
}
function chooseCourse(which) {
  const course = courses[which];
  $("fit-which").value = String(which);
  $("fit-row").max = String(course.steps.length - 1);
  $("fit-row").value = "0";
  const known = course.names.map((name, k) => ({ name, k })).filter(({ name }) => model.parameters.some((p) => p.name === name));
  const drawn = [{ name: "loss", k: -1 }, ...known.slice(0, MOST_SMALL)];
  coursePlots = drawn.map(({ name, k }) => {
    const canvas = element("canvas", { role: "img", "aria-label": k < 0 ? "loss by step of the fit" : `${name} by step of the fit` });
    canvas.style.height = k < 0 ? "110px" : "64px";
    const ys = k < 0 ? course.losses : course.values.map((row) => row[k]);
    const all = ys.filter((value) => value !== null);
    const log = k < 0 && all.length > 1 && all.every((value) => value > 0) && Math.max(...all) > 30 * Math.min(...all);
    const value = element("span", {}, "");
    return { canvas, ys, log, value, box: element("div", {}, element("h3", {}, name + (log ? ", logarithmic " : " "), value), canvas) };
  });
  $("fit-plots").replaceChildren(...coursePlots.map((plot) => plot.box));
  sayCourse();
}
const courseNow = () => courses[+$("fit-which").value];
function sayCourse() {
  const course = courseNow(), row = +$("fit-row").value, end = course.steps[course.steps.length - 1];
  const left = course.of > course.steps.length ? `; ${course.steps.length.toLocaleString("en")} of ${course.of.toLocaleString("en")} recorded steps can be chosen` : "";
  const words = `step ${course.steps[row].toLocaleString("en")} of ${end.toLocaleString("en")}, loss ${course.losses[row] === null ? "none" : brief(course.losses[row])}`;
  $("fit-words").textContent = `${words}${left}`;
  $("fit-row").setAttribute("aria-valuetext", words);
  drawCourse();
}
function drawCourse() {
  if (!courses.length) return;
  const course = courseNow(), row = +$("fit-row").value, ink = getComputedStyle(document.body).getPropertyValue("color");
  for (const { canvas, ys, log, value } of coursePlots) {
    const box = canvas.getBoundingClientRect(), scale = devicePixelRatio || 1;
    value.textContent = ys[row] === null ? "" : brief(ys[row]);
    if (!box.width) continue;
    canvas.width = Math.round(box.width * scale);
    canvas.height = Math.round(box.height * scale);
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    const shown = (v) => (log ? Math.log(v) : v);
    const all = ys.filter((v) => v !== null).map(shown);
    let low = Math.min(...all), high = Math.max(...all);
    if (!all.length) { low = 0; high = 1; }
    if (high - low < 1e-12 * Math.max(1, Math.abs(high))) { high += 0.5; low -= 0.5; }
    const left = 52, right = 8, top = 5, bottom = 5, last = Math.max(1, course.steps[course.steps.length - 1]);
    const x = (step) => left + ((box.width - left - right) * step) / last;
    const y = (v) => box.height - bottom - ((box.height - top - bottom) * (shown(v) - low)) / (high - low);
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = ink;
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.strokeStyle = "#8886";
    for (const v of [low, high]) {
      const real = log ? Math.exp(v) : v;
      context.beginPath(); context.moveTo(left, y(real)); context.lineTo(box.width - right, y(real)); context.stroke();
      context.fillText(brief(real, log ? 4 : digitsFor(low, high)), left - 5, Math.min(box.height - 6, Math.max(6, y(real))));
    }
    context.strokeStyle = (dark.matches ? LINES_DARK : LINES)[0];
    context.lineWidth = 1.4;
    context.beginPath();
    let down = false;
    ys.forEach((v, n) => {
      if (v === null) { down = false; return; }
      if (down) context.lineTo(x(course.steps[n]), y(v)); else context.moveTo(x(course.steps[n]), y(v));
      down = true;
    });
    context.stroke();
    // The marker: a line, and a point where there is a number.
    context.strokeStyle = context.fillStyle = (dark.matches ? LINES_DARK : LINES)[1];
    context.beginPath(); context.moveTo(x(course.steps[row]), 0); context.lineTo(x(course.steps[row]), box.height); context.stroke();
    if (ys[row] !== null) { context.beginPath(); context.arc(x(course.steps[row]), y(ys[row]), 3.5, 0, 2 * Math.PI); context.fill(); }
  }
}
// One wish is under way at a time; of those that come meanwhile the last is taken.
function takeFromCourse() {
  sayCourse();
  wanted = { do: "course", fit: +$("fit-which").value, row: +$("fit-row").value };
  if (!asked) sendWanted();
}
function sendWanted() { asked = true; tell(wanted); wanted = null; }
function answered() { asked = false; if (wanted) sendWanted(); }
$("fit-which").addEventListener("change", () => { chooseCourse(+$("fit-which").value); takeFromCourse(); });
$("fit-row").addEventListener("input", takeFromCourse);
const moveInCourse = (by) => () => { $("fit-row").value = String(+$("fit-row").value + by); takeFromCourse(); };
$("fit-back").onclick = moveInCourse(-1);
$("fit-on").onclick = moveInCourse(1);

// Parameters and options

const sliders = new Map();
function range(p) {
  // An interval without end gets a slider around the value; the field beside it takes any.
  const size = Math.max(1, Math.abs(p.value) * 4);
  return [p.low ?? (p.high === null ? -size : p.high - size), p.high ?? (p.low === null ? size : p.low + size)];
}
function showParameters() {
  sliders.clear();
  $("parameters").replaceChildren(...model.parameters.map((p) => {
    let [low, high] = range(p);
    // Where most of a wide interval is far from the value, the slider shows the part around it.
    const wide = high - low > 20 * Math.max(Math.abs(p.value - low), 1e-9) && p.value > low;
    if (wide) high = low + 8 * (p.value - low);
    const slider = element("input", { type: "range", id: `p-${p.name}`, min: String(low), max: String(high), step: "any", "aria-label": p.name });
    const field = element("input", { inputmode: "decimal", autocomplete: "off", "aria-label": `${p.name}, as a number` });
    const words = `${p.low ?? "−∞"} to ${p.high ?? "∞"}`;
    slider.addEventListener("input", () => choose(p, rounded(slider)));
    field.addEventListener("change", () => {
      const value = Number(field.value.replace(",", "."));
      // 1,000 is a thousand to some and one to others.
      const unclear = /^[-+]?\d{1,3}(,\d{3})+$/.test(field.value.trim());
      if (field.value.trim() === "" || !Number.isFinite(value) || unclear) {
        wrong(`${p.name}: “${field.value}” is ${unclear ? "a thousand to some and one to others: write it without the comma" : "no number"}`);
        field.value = String(now(p));
      } else choose(p, value);
    });
    sliders.set(p.name, { slider, field });
    const label = element("label", { for: `p-${p.name}` }, p.name, " ", element("small", {}, p.unit ? `${words}, ${p.unit}` : words));
    return element("div", { class: "parameter" }, label, slider, field);
  }));
  if (!model.parameters.length) $("parameters").textContent = "This model has none.";
  model.parameters.forEach((p) => setParameter(p.name, p.value));
}
// A slider's value in as many digits as a thousandth of its length has.
function rounded(slider) {
  const low = +slider.min, high = +slider.max, part = 10 ** Math.floor(Math.log10((high - low) / 1000));
  const value = +(Math.round(+slider.value / part) * part).toPrecision(12);
  return Math.min(high, Math.max(low, value));
}
function now(p) { return model.parameters.find((k) => k.name === p.name).value; }
function setParameter(name, value) {
  const known = model.parameters.find((p) => p.name === name), made = sliders.get(name);
  if (!known || !made) return;
  known.value = value;
  if (value > +made.slider.max) made.slider.max = String(value);
  made.slider.value = String(value);
  if (document.activeElement !== made.field) made.field.value = String(value);
}
function choose(p, value) {
  if ((p.low !== null && value < p.low) || (p.high !== null && value > p.high)) {
    wrong(`${p.name} lies between ${p.low ?? "−∞"} and ${p.high ?? "∞"}: ${value} is none of these`);
    sliders.get(p.name).field.value = String(now(p));
    return setParameter(p.name, now(p));
  }
  wrong("");
  turned ||= Boolean(last && last.step > 0);
  if (courses.length && !$("fit-words").textContent.includes("moved")) $("fit-words").textContent += "; a slider was moved since";
  tell({ do: "set", name: p.name, value });
  setParameter(p.name, value);
  sliders.get(p.name).field.value = String(value);
}
function showOptions() {
  $("options-box").hidden = !model.options.length;
  $("options").replaceChildren(...model.options.map((o) => {
    const id = `o-${o.name}`;
    const send = (value) => tell({ do: "option", name: o.name, value });
    let input;
    if (o.kind === "flag") {
      input = element("input", { type: "checkbox", id });
      input.checked = o.value;
      input.addEventListener("change", () => send(input.checked));
    } else if (o.kind === "words") {
      input = element("select", { id }, ...o.words.map((word) => element("option", { value: word }, word)));
      input.value = o.value;
      input.addEventListener("change", () => send(input.value));
    } else {
      const steps = o.kind === "whole" ? "1" : "any", ends = { min: String(o.low), max: String(o.high) };
      input = element("input", { type: "number", id, ...ends, step: steps });
      input.value = String(o.value);
      input.addEventListener("change", () => { if (input.value !== "") send(+input.value); });
      // The slider shows the part of a wide interval that is around the value.
      const far = o.high - o.low > 20 * Math.max(o.value - o.low, 4) ? o.low + 8 * Math.max(o.value - o.low, 4) : o.high;
      const slider = element("input", { type: "range", "aria-label": o.name, min: ends.min, max: String(far), step: steps });
      slider.value = String(o.value);
      slider.addEventListener("input", () => { input.value = o.kind === "whole" ? slider.value : String(rounded(slider)); });
      // The model is made anew when it is let go.
      slider.addEventListener("change", () => send(+input.value));
      const words = `${o.low} to ${o.high}${o.unit ? `, ${o.unit}` : ""}`;
      return element("div", { class: "parameter" }, element("label", { for: id }, o.name, " ", element("small", {}, words)), slider, input);
    }
    return element("div", { class: "parameter one" }, element("label", { for: id }, o.name), input);
  }));
}

// Controls

function stand(runs) {
  playing = runs;
  $("play").textContent = runs ? "Pause" : "Play";
  $("play").setAttribute("aria-pressed", String(runs));
  if (!runs) $("reached").textContent = "";
  // What changes thirty times a second is not read aloud.
  $("site").setAttribute("aria-live", runs ? "off" : "polite");
}
function play() { stand(!playing); clock = { at: performance.now(), step: last ? last.step : 0 }; tell({ do: playing ? "play" : "pause" }); }
function step() { stand(false); tell({ do: "step" }); }
function restart() {
  const seed = $("seed").value.trim();
  if (!/^[\d.eE+_]{1,24}$/.test(seed)) {
    $("seed").value = model.seed;
    return wrong("a seed is a whole number from 0 to 18446744073709551615");
  }
  $("seed").blur();
  tell({ do: "restart", seed });
}
// 0…100 of the slider: from one step in two seconds to a thousand a second, the end as fast as can be.
const speedOf = (position) => (position >= 100 ? 0 : +(0.5 * Math.pow(2000, position / 99)).toPrecision(2));
function setSpeed(speed) {
  $("speed").value = speed === 0 ? 100 : Math.round((99 * Math.log(speed / 0.5)) / Math.log(2000));
  saySpeed(speed);
}
function saySpeed(speed) {
  $("speed-words").textContent = speed === 0 ? "as fast as can be" : `${speed} steps/s`;
  $("speed").setAttribute("aria-valuetext", $("speed-words").textContent);
}
$("play").onclick = play;
$("step").onclick = step;
$("restart").onclick = restart;
$("seed").addEventListener("keydown", (event) => { if (event.key === "Enter") restart(); });
$("speed").addEventListener("input", () => { const speed = speedOf(+$("speed").value); saySpeed(speed); tell({ do: "speed", steps: speed }); });
$("slice").addEventListener("input", () => { saySlice(); tell({ do: "slice", plane: +$("slice").value }); });
$("curves-form").addEventListener("submit", (event) => {
  event.preventDefault();
  // Summaries have commas of their own: they are parted by semicolons.
  tell({ do: "curves", of: $("curves-of").value.split(";").map((text) => text.trim()).filter(Boolean) });
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  // Where one types or chooses, keys are the field's own; on what can be pressed only the space bar is.
  if (event.target.matches("input:not([type=range]):not([type=checkbox]), select, textarea")) return;
  if (event.key === " ") { if (event.target.matches("input[type=checkbox], button, summary, pre")) return; event.preventDefault(); play(); } else if (event.key === ".") step(); else if (event.key === "r" || event.key === "R") restart();
});
dark.addEventListener("change", () => { showPlots(); drawPlots(); drawCourse(); });
addEventListener("resize", () => { drawPlots(); drawCourse(); });

// Take away

function save(blob, ending, layer = "") {
  const name = [model ? model.name : "glauber", layer].filter(Boolean).join("-").replace(/[^\w.-]+/g, "-");
  const link = element("a", { href: URL.createObjectURL(blob), download: `${name}-step-${last ? last.step : 0}.${ending}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
$("png").onclick = () => {
  if (!layers.length) return;
  const times = Math.max(1, Math.ceil(480 / Math.max(...layers.map((l) => l.canvas.width))));
  // Of a line, the rows that there are.
  const gap = 8, key = 18, all = layers.map((l) => [l.canvas.width * times, (l.rows === null ? l.canvas.height : Math.max(1, l.rows)) * times]);
  const sheet = element("canvas");
  sheet.width = all.reduce((sum, [w]) => sum + w + gap, -gap);
  const keys = layers.map((l, k) => keysOf(l, all[k][0]));
  const picture = Math.max(...all.map(([, h]) => h));
  sheet.height = picture + key * Math.max(...keys.map((rows) => rows.length)) + gap;
  const context = sheet.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.font = KEY_FONT;
  context.textBaseline = "middle";
  let x = 0;
  layers.forEach((l, k) => {
    const [w, h] = all[k];
    context.drawImage(l.canvas, 0, 0, l.canvas.width, h / times, x, 0, w, h);
    keys[k].forEach((row, line) => row.forEach(({ at, swatch, words }) => {
      const y = picture + key * (line + 0.5) + gap / 2;
      if (swatch) { context.fillStyle = swatch; context.fillRect(x + at, y - 6, 12, 12); context.strokeStyle = "#888888"; context.strokeRect(x + at + 0.5, y - 5.5, 11, 11); }
      context.fillStyle = "#20242a";
      context.fillText(words, x + at + (swatch ? 16 : 0), y);
    }));
    x += w + gap;
  });
  sheet.toBlob((blob) => save(blob, "png"));
};
const KEY_FONT = "12px system-ui, sans-serif";
// What stands below a layer's picture: its name, its states in their colours or its range; in rows as wide as it is.
function keysOf(layer, width) {
  const pen = element("canvas").getContext("2d");
  pen.font = KEY_FONT;
  const { look } = layer, parts = [{ words: look.name }];
  if (!look.states) parts.push({ words: `from ${layer.low.textContent}`, swatch: hex(look.colours[0]) }, { words: `to ${layer.high.textContent}`, swatch: hex(look.colours[255]) });
  else if (look.labels.length <= 24) look.labels.forEach((words, state) => parts.push({ words, swatch: hex(look.colours[state]) }));
  const rows = [[]];
  let at = 0;
  for (const part of parts) {
    const wide = pen.measureText(part.words).width + (part.swatch ? 16 : 0) + 12;
    if (at && at + wide > width) { rows.push([]); at = 0; }
    rows[rows.length - 1].push({ ...part, at });
    at += wide;
  }
  return rows;
}
$("gif").onclick = () => layers.forEach((_, layer) => tell({ do: "film", layer }));
$("csv").onclick = () => {
  const names = model.curves.flatMap((group) => group.names.map((name) => (group.names.length > 1 ? `${group.title}: ${name}` : name)));
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = curve.steps.map((s, k) => [s, ...curve.numbers[k]].join(","));
  save(new Blob([["step", ...names].map(quoted).join(",") + "\n" + rows.join("\n") + "\n"], { type: "text/csv" }), "csv");
};
async function copy(from, button) {
  const words = button.textContent;
  try { await navigator.clipboard.writeText($(from).textContent); button.textContent = "Copied"; } catch { getSelection().selectAllChildren($(from)); button.textContent = "Selected: copy it now"; }
  setTimeout(() => { button.textContent = words; }, 1500);
}
$("copy-command").onclick = () => copy("command", $("copy-command"));
$("copy-start").onclick = () => copy("start", $("copy-start"));

connect();
