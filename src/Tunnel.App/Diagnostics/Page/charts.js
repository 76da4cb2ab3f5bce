// One card a figure: its value now, and the last minutes drawn by hand as SVG. All charts share one cursor.

import * as units from "/units.js";

const span = 300_000;
const gap = 3500;
const labelRoom = 16;
const svg = (name, attributes = {}) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};

/** A round number at or above the value. */
function ceiling(value, base) {
  const unit = Math.pow(base, Math.floor(Math.log(value) / Math.log(base)));
  const power = Math.pow(10, Math.floor(Math.log10(value / unit)));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map(n => n * power * unit).find(n => n >= value * 0.999);
}

/** The sample nearest to a time, if there is one near. */
function nearest(samples, time) {
  let best = null;
  for (const sample of samples) {
    if (best === null || Math.abs(sample.unix_milliseconds - time) < Math.abs(best.unix_milliseconds - time)) best = sample;
  }
  return best !== null && Math.abs(best.unix_milliseconds - time) < gap ? best : null;
}

class Chart {
  constructor(figure, board) {
    this.figure = figure;
    this.board = board;
    this.card = document.createElement("article");
    this.card.className = figure.wide ? "card wide" : "card";
    const head = this.card.appendChild(document.createElement("div"));
    head.className = "head";
    const title = head.appendChild(document.createElement("h3"));
    title.textContent = figure.title;
    this.when = head.appendChild(document.createElement("span"));
    this.when.className = "when";
    this.values = this.card.appendChild(document.createElement("div"));
    this.values.className = "values";
    this.spans = figure.series.map((series, i) => this.addValue(series, i));
    this.plot = this.card.appendChild(svg("svg", { class: "plot", role: "img", tabindex: "0" }));
    this.top = this.plot.appendChild(svg("line", { class: "rule" }));
    this.middle = this.plot.appendChild(svg("line", { class: "rule" }));
    this.bottom = this.plot.appendChild(svg("line", { class: "rule" }));
    this.areas = figure.series.map((_, i) => this.plot.appendChild(svg("path", { class: `area${i}` })));
    this.lines = figure.series.map((_, i) => this.plot.appendChild(svg("path", { class: `line${i}` })));
    this.most = this.plot.appendChild(svg("text", { y: 10 }));
    this.left = this.plot.appendChild(svg("text"));
    this.right = this.plot.appendChild(svg("text", { "text-anchor": "end" }));
    this.left.textContent = "5 min ago";
    this.right.textContent = "now";
    this.cursor = this.plot.appendChild(svg("line", { class: "cursor", visibility: "hidden" }));
    this.listen();
  }

  addValue(series, index) {
    const value = this.values.appendChild(document.createElement("span"));
    value.className = index === 1 ? "value second" : "value";
    const number = value.appendChild(document.createElement("span"));
    const unit = value.appendChild(document.createElement("small"));
    if (series.name) value.appendChild(document.createElement("i")).textContent = series.name;
    return { number, unit };
  }

  listen() {
    this.plot.addEventListener("pointermove", e => this.board.point(this.timeAt(e.clientX)));
    this.plot.addEventListener("pointerleave", () => this.board.point(null));
    this.plot.addEventListener("blur", () => this.board.point(null));
    this.plot.addEventListener("keydown", e => {
      const step = { ArrowLeft: -1000, ArrowRight: 1000, PageUp: -30_000, PageDown: 30_000 }[e.key];
      if (e.key === "Escape") this.board.point(null);
      if (step === undefined) return;
      e.preventDefault();
      this.board.step(step);
    });
  }

  timeAt(x) {
    const box = this.plot.getBoundingClientRect();
    return this.board.now - span * (1 - Math.min(1, Math.max(0, (x - box.left) / box.width)));
  }

  draw(samples, now, at) {
    const width = this.plot.clientWidth, height = this.plot.clientHeight - labelRoom;
    if (width === 0) return;
    const readers = this.figure.series.map(s => s.read);
    const shown = samples.filter(s => s.unix_milliseconds >= now - span);
    const largest = Math.max(this.figure.least, ...shown.flatMap(s => readers.map(read => read(s) ?? 0)));
    const most = ceiling(largest, this.figure.base ?? 10);
    const x = time => width * (1 - (now - time) / span), y = value => height - (height - 1) * value / most;
    readers.forEach((read, i) => this.drawSeries(i, shown, read, x, y, height));
    this.drawFrame(width, height, most);
    this.show(at === null ? shown.at(-1) : nearest(shown, at), at, now, x, height);
  }

  drawSeries(i, samples, read, x, y, height) {
    let line = "", area = "", from = null, last = null;
    for (const sample of samples) {
      const value = read(sample), time = sample.unix_milliseconds;
      const breaks = last !== null && time - last > gap;
      if ((value === null || breaks) && from !== null) {
        area += `L${x(last).toFixed(1)},${height}L${x(from).toFixed(1)},${height}Z`;
        from = null;
      }
      if (value === null) continue;
      const point = `${x(time).toFixed(1)},${y(value).toFixed(1)}`;
      // A sample alone is a dot.
      line += from === null ? `M${point}h0.01` : "L" + point;
      area += (from === null ? "M" : "L") + point;
      from ??= time;
      last = time;
    }
    if (from !== null) area += `L${x(last).toFixed(1)},${height}L${x(from).toFixed(1)},${height}Z`;
    this.lines[i].setAttribute("d", line);
    this.areas[i].setAttribute("d", area);
  }

  drawFrame(width, height, most) {
    for (const [rule, at] of [[this.top, 0.5], [this.middle, height / 2], [this.bottom, height]]) {
      for (const [key, value] of [["x1", 0], ["x2", width], ["y1", at], ["y2", at]]) rule.setAttribute(key, value);
    }
    this.most.textContent = units.text(this.figure.format(most));
    this.left.setAttribute("y", height + 12);
    this.right.setAttribute("y", height + 12);
    this.right.setAttribute("x", width);
  }

  show(sample, at, now, x, height) {
    this.figure.series.forEach((series, i) => {
      const value = sample ? series.read(sample) : null;
      const [number, unit] = value === null ? units.none : this.figure.format(value);
      this.spans[i].number.textContent = number;
      this.spans[i].unit.textContent = unit;
    });
    const isPast = at !== null;
    this.when.textContent = isPast ? `${Math.max(0, Math.round((now - at) / 1000))} s ago` : this.figure.note ?? "";
    this.cursor.setAttribute("visibility", isPast ? "visible" : "hidden");
    for (const [key, value] of isPast ? [["x1", x(at)], ["x2", x(at)], ["y1", 0], ["y2", height]] : []) this.cursor.setAttribute(key, value);
    const words = this.figure.series.map((s, i) => `${s.name ?? ""} ${this.spans[i].number.textContent} ${this.spans[i].unit.textContent}`.trim());
    this.plot.setAttribute("aria-label", `${this.figure.title}: ${words.join(", ")}${isPast ? ", " + this.when.textContent : ""}`);
  }
}

/** All charts, the samples behind them, and the cursor. */
export class Board {
  constructor(place, figures) {
    this.samples = [];
    this.at = null;
    this.now = Date.now();
    this.charts = figures.map(figure => new Chart(figure, this));
    for (const chart of this.charts) place.appendChild(chart.card);
    new ResizeObserver(() => this.draw()).observe(place);
  }

  /** The last minutes of a process; what another process did before stays to the left of it. */
  replace(samples) {
    const first = samples[0]?.unix_milliseconds ?? Date.now();
    this.samples = [...this.samples.filter(s => s.unix_milliseconds < first), ...samples];
    this.draw();
  }

  add(sample) {
    if (this.samples.at(-1)?.unix_milliseconds >= sample.unix_milliseconds) return;
    this.samples.push(sample);
    while (this.samples[0].unix_milliseconds < sample.unix_milliseconds - span - gap) this.samples.shift();
    this.now = sample.unix_milliseconds;
    this.draw();
  }

  point(time) {
    this.at = time;
    this.draw();
  }

  step(by) {
    const to = (this.at ?? this.now) + by;
    this.point(to >= this.now ? null : Math.max(to, this.now - span));
  }

  draw() {
    this.now = Math.max(this.now, this.samples.at(-1)?.unix_milliseconds ?? 0);
    for (const chart of this.charts) chart.draw(this.samples, this.now, this.at);
  }
}
