// Plots: small ones as SVG, large ones by uPlot.
const WIDTH = 96;
const HEIGHT = 26;

// Both distributions in one small picture: the reference filled, the window as a line over it.
function spark(distribution) {
  const sides = [shares(distribution.reference), shares(distribution.current)];
  const bars = sides[0].length;
  const most = Math.max(...sides[0], ...sides[1], 1e-9);
  const x = (i) => ((i * WIDTH) / bars).toFixed(1);
  const y = (share) => (HEIGHT - 1 - (share / most) * (HEIGHT - 3)).toFixed(1);
  const stairs = (side) => side.map((share, i) => `L${x(i)} ${y(share)}L${x(i + 1)} ${y(share)}`).join("");
  const picture = (name, side, close) => svg("path", { class: name, d: `M0 ${y(close ? 0 : side[0])}${stairs(side)}${close ? `L${WIDTH} ${y(0)}Z` : ""}` });
  return svg(
    "svg",
    { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, "aria-hidden": "true" },
    picture("before", sides[0], true),
    picture("now", sides[1], false),
  );
}

const paint = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// A large plot in a figure of its own, as wide as its place. `options` are made anew when the colours change.
function plot(label, options) {
  const place = h("div", { class: "plot", role: "img", "aria-label": label });
  let chart = null;
  let data = null;
  const size = () => ({ width: Math.max(240, place.clientWidth), height: 190 });
  const draw = () => {
    chart?.destroy();
    chart = null;
    if (data && place.clientWidth > 0) chart = new uPlot({ ...size(), ...options() }, data, place);
  };
  new ResizeObserver(() => (chart ? chart.setSize(size()) : draw())).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  return {
    element: place,
    update(next) {
      data = next;
      if (chart) chart.setData(data);
      else draw();
    },
    label: (text) => attribute(place, "aria-label", text),
  };
}

function axes(horizontal, vertical) {
  const axis = { stroke: paint("soft"), grid: { stroke: paint("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  return [
    { ...axis, size: 30, grid: { show: false }, ...horizontal },
    { ...axis, size: 52, values: (_, ticks) => ticks.map(vertical) },
  ];
}

const legend = { live: false };
const line = (label, name, more = {}) => ({ label, stroke: paint(name), width: 2, points: { show: false }, ...more });
const tick = (value) => String(Number(value.toPrecision(6)));
const asPercent = (share) => `${Number((100 * share).toPrecision(3))} %`;

// Bars over the reference's bins: what lies beyond the outer edges is in bars as wide as their neighbours.
function histogram() {
  const stepped = uPlot.paths.stepped({ align: 1 });
  const chart = plot("", () => ({
    legend,
    cursor: { show: false },
    scales: { x: { time: false }, y: { range: (_, __, most) => [0, most * 1.08 || 1] } },
    axes: axes({ values: (_, ticks) => ticks.map(tick) }, asPercent),
    series: [
      {},
      line("reference", "before", { fill: paint("before-fill"), paths: stepped }),
      line("window", "now", { paths: stepped }),
    ],
  }));
  return {
    element: chart.element,
    update({ edges, reference, current }) {
      const [first, last] = [edges[0], edges[edges.length - 1]];
      const width = edges.length > 1 ? (last - first) / (edges.length - 1) : Math.abs(first) || 1;
      const ends = (side) => [...shares(side), shares(side).at(-1)];
      chart.label(`Histogram of reference and window in ${reference.length} bins`);
      chart.update([[first - width, ...edges, last + width], ends(reference), ends(current)]);
    },
  };
}

// Both distribution functions at the edges of the bins, and the place where they are farthest apart.
function cumulative() {
  let gap = null;
  const mark = (chart) => {
    if (!gap) return;
    const [x, top, bottom] = [chart.valToPos(gap.at, "x", true), chart.valToPos(gap.high, "y", true), chart.valToPos(gap.low, "y", true)];
    chart.ctx.save();
    chart.ctx.strokeStyle = paint("bad");
    chart.ctx.lineWidth = 2 * devicePixelRatio;
    chart.ctx.beginPath();
    chart.ctx.moveTo(x, top);
    chart.ctx.lineTo(x, bottom);
    chart.ctx.stroke();
    chart.ctx.restore();
  };
  const chart = plot("", () => ({
    legend,
    cursor: { show: false },
    scales: { x: { time: false }, y: { range: [0, 1] } },
    axes: axes({ values: (_, ticks) => ticks.map(tick) }, asPercent),
    series: [{}, line("reference", "before"), line("window", "now")],
    hooks: { draw: [mark] },
  }));
  const sums = (side) => {
    let sum = 0;
    return shares(side).slice(0, -1).map((share) => (sum += share));
  };
  return {
    element: chart.element,
    update({ edges, reference, current }) {
      const [before, now] = [sums(reference), sums(current)];
      const at = before.reduce((best, share, i) => (Math.abs(share - now[i]) > Math.abs(before[best] - now[best]) ? i : best), 0);
      gap = { at: edges[at], low: Math.min(before[at], now[at]), high: Math.max(before[at], now[at]) };
      const apart = gap.high - gap.low;
      chart.label(`Distribution functions; farthest apart at ${tick(gap.at)}: ${asPercent(before[at])} of the reference and ${asPercent(now[at])} of the window lie below`);
      chart.update([edges, before, now]);
      return `The functions are farthest apart at ${tick(gap.at)}, by ${apart.toFixed(3)} (of the bins drawn here).`;
    },
  };
}

// Hours and minutes in UTC; seconds too where the ticks are less than a minute apart.
const clock = (_, ticks, __, ___, step) => ticks.map((seconds) => new Date(seconds * 1000).toISOString().slice(11, step < 60 ? 19 : 16));
const overTime = () => axes({ values: clock, space: 70 }, tick);

// The score of a column over time, with its threshold and its noise.
function scores() {
  const chart = plot("Score, threshold and noise over time", () => ({
    legend,
    cursor: { show: false },
    scales: { y: { range: (_, __, most) => [0, most * 1.15 || 1] } },
    axes: overTime(),
    series: [
      {},
      line("score", "now"),
      line("threshold", "bad", { dash: [6, 4], width: 1.5 }),
      line("noise", "soft", { dash: [2, 3], width: 1.5 }),
    ],
  }));
  return { element: chart.element, update: (history) => chart.update([history.at, history.score, history.threshold, history.noise]) };
}

// F1 with its band, the estimate, and the reference's F1; of a regression the mean absolute error.
function quality() {
  const chart = plot("Quality over time", () => ({
    legend,
    cursor: { show: false },
    scales: { y: { range: (_, least, most) => [Math.max(0, least - 0.15 * (most - least) - 0.01), most + 0.15 * (most - least) + 0.01] } },
    axes: overTime(),
    series: [
      {},
      line("measured", "now"),
      line("±2 standard errors", "now-fill", { width: 0 }),
      line("", "now-fill", { width: 0 }),
      line("estimated", "good", { dash: [6, 4] }),
      line("reference", "before", { width: 1.5 }),
    ],
    bands: [{ series: [2, 3], fill: paint("now-fill") }],
  }));
  return {
    element: chart.element,
    update(history, reference) {
      const off = (sign) => history.measured.map((value, i) => (isNumber(value) && isNumber(history.error[i]) ? value + sign * 2 * history.error[i] : null));
      chart.update([history.at, history.measured, off(1), off(-1), history.estimated, history.at.map(() => reference ?? null)]);
    },
  };
}

// Categories: a line each, long names cut, both shares as bars.
function categories() {
  const element = h("ul", { class: "bars" });
  return {
    element,
    update({ categories: names, reference, current }) {
      const [before, now] = [shares(reference), shares(current)];
      const most = Math.max(...before, ...now, 1e-9);
      const bar = (side, share) => {
        const part = h("span", { class: side });
        part.style.width = `${((100 * share) / most).toFixed(1)}%`;
        return part;
      };
      element.replaceChildren(
        ...names.map((name, i) =>
          h("li", {}, h("span", { class: "name" }, named(name)), h("span", { class: "pair" }, bar("before", before[i]), bar("now", now[i])), h("span", { class: "n" }, `${asPercent(before[i])} → ${asPercent(now[i])}`)),
        ),
      );
    },
  };
}
