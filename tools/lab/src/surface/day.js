const local = (at) => at?.slice(11, 16) ?? "–";
const first = data.samples[0], last = data.samples.at(-1);
const whole = data.samples.filter((s) => s.level != null);
main.append(el("h1", {}, `${data.root}: the expiry of ${data.settles?.slice(0, 10)} through the day`),
  el("p", { class: "note" }, `settles ${data.settles} · ${data.samples.length} samples, ${local(first.at)} to ${local(last.at)} UTC · times are UTC`));
const [lowest, highest] = whole.length ? span(whole.map((s) => s.level)) : [null, null];
const tiles = [
  ["forward, first", price(first.forward)], ["forward, last", price(last.forward)],
  ["at the money, first", percent(whole[0]?.level)], ["at the money, last", percent(whole.at(-1)?.level)],
  ["lowest to highest", lowest == null ? "–" : `${(100 * lowest).toFixed(1)} – ${percent(highest)}`],
  ["last one with", whole.length ? `${Math.round(whole.at(-1).seconds)} s left` : "–"],
];
main.append(el("div", { class: "tiles" }, ...tiles.map(([k, v]) =>
  el("div", { class: "tile" }, el("div", { class: "k" }, k), el("div", { class: "v" }, v)))));

/** Points with gaps: a line is broken where there is nothing. */
function broken(rows) {
  const pieces = [[]];
  for (const [x, y] of rows) y == null ? pieces.push([]) : pieces.at(-1).push([x, y]);
  return pieces.filter((piece) => piece.length);
}
const minutes = (at) => (Date.parse(at) - Date.parse(first.at)) / 60000;
const clock = (m) => local(new Date(Date.parse(first.at) + 60000 * m).toISOString());
const end = minutes(data.settles);

function timeline(height, y, labels, rows, ...inside) {
  const f = frame(1120, height, [0, end], y, { ...labels, columns: 0, left: 56 });
  const start = Date.parse(first.at), half = 30 * 60000;
  for (let at = Math.ceil(start / half) * half; at <= Date.parse(data.settles); at += half) {
    const m = (at - start) / 60000;
    f.svg.append(el("line", { x1: f.x(m), x2: f.x(m), y1: 8, y2: height - 20, stroke: css("grid") }));
    f.svg.append(el("text", { x: f.x(m), y: height - 4, "text-anchor": "middle" }, clock(m)));
  }
  for (const { of, colour, width = 1.5, dash = "" } of rows) {
    for (const piece of broken(data.samples.map((s) => [minutes(s.at), of(s)]))) {
      const points = piece.map(([x, v]) => [f.x(x), f.y(v)]);
      f.svg.append(el("path", { d: path(points), fill: "none", stroke: css(colour), "stroke-width": width, "stroke-dasharray": dash, "stroke-linejoin": "round" }));
      if (points.length === 1) f.svg.append(el("circle", { cx: points[0][0], cy: points[0][1], r: 1.5, fill: css(colour) }));
    }
  }
  inside.forEach((draw) => draw(f));
  return f.svg;
}
const legend = (...rows) => el("p", { class: "note" }, ...rows.flatMap(([colour, name]) =>
  [el("span", { style: `color: var(--${colour}); font-weight: 700` }, "— "), `${name}   `]));

function levels() {
  const asks = whole.map((s) => s.ask ?? s.level), all = [...whole.flatMap((s) => [s.level, s.bid]), ...data.samples.flatMap((s) => s.wings.flat())].filter((v) => v != null);
  if (!all.length) return el("p", { class: "note" }, "no volatility in this run");
  const sorted = [...all, ...asks].sort((a, b) => a - b), top = sorted[Math.floor(0.99 * (sorted.length - 1))];
  const y = [Math.max(0, 0.92 * sorted[0]), Math.max(1.06 * top, 1.02 * highest)];
  const cut = (v) => v == null ? null : Math.min(v, y[1]);
  const band = (f) => {
    for (const piece of broken(data.samples.map((s, i) => [i, s.bid == null || s.ask == null ? null : 1]))) {
      const rows = piece.map(([i]) => data.samples[i]);
      const up = rows.map((s) => [f.x(minutes(s.at)), f.y(cut(s.ask))]), down = rows.map((s) => [f.x(minutes(s.at)), f.y(cut(s.bid))]);
      f.svg.append(el("path", { d: path([...up, ...down.reverse()]) + "Z", fill: css("fit"), opacity: 0.16 }));
    }
  };
  return timeline(360, y, { y: (v) => (100 * v).toFixed(0), rows: 7 }, [
    { of: (s) => cut(s.wings[1][0]), colour: "put", width: 1, dash: "2 3" }, { of: (s) => cut(s.wings[1][1]), colour: "call", width: 1, dash: "2 3" },
    { of: (s) => cut(s.wings[0][0]), colour: "put" }, { of: (s) => cut(s.wings[0][1]), colour: "call" },
    { of: (s) => s.level, colour: "fit", width: 2 },
  ], band);
}
section("Implied volatility", "Percent a year, time in seconds to settlement. At the money between the two strikes around the forward; shaded, what bids and asks leave open. A line ends where no firm quote has that delta.",
  levels(), legend(["fit", "at the money"], ["put", "put, 25 Δ (dotted 10 Δ)"], ["call", "call, 25 Δ (dotted 10 Δ)"]));

const [low, high] = span(data.samples.map((s) => s.forward)), room = 0.08 * (high - low || 1);
section("Forward", "From put-call parity over this expiry's strikes.",
  timeline(220, [low - room, high + room], { y: (v) => v.toFixed(2), rows: 5 }, [{ of: (s) => s.forward, colour: "fit", width: 1.5 }]));

/** One deviation of what is left, as a share of the forward: falls as the root of time. */
const deviation = (s) => s.level == null ? null : s.level * Math.sqrt(s.seconds / 31536000);
const most = Math.max(...data.samples.map((s) => deviation(s) ?? 0));
if (most > 0) section("One deviation to settlement", "The at-the-money volatility times the root of the time that is left, percent of the forward: what the option still says of the day. Dashed: the first sample's volatility kept.",
  timeline(220, [0, 1.06 * most], { y: (v) => (100 * v).toFixed(2), rows: 4 }, [
    { of: (s) => whole[0].level * Math.sqrt(s.seconds / 31536000), colour: "faint", width: 1, dash: "4 4" },
    { of: deviation, colour: "fit", width: 2 }]));

function smileAt(smile) {
  const width = 260, height = 150;
  const left = smile.seconds >= 5400 ? `${(smile.seconds / 3600).toFixed(1)} h` : smile.seconds >= 90 ? `${(smile.seconds / 60).toFixed(0)} min` : `${smile.seconds.toFixed(0)} s`;
  const cell = el("div", { class: "cell" }, el("b", {}, `${local(smile.at)} · ${left} left`), el("br"),
    el("span", {}, smile.level == null ? `${smile.points.length} points` : `${percent(smile.level)} at the money`));
  const dev = (smile.level ?? 0.3) * Math.sqrt(smile.seconds / 31536000);
  const shown = smile.points.filter(([k]) => Math.abs(k) < Math.max(6 * dev, 0.02));
  if (!shown.length) return cell;
  const [k0, k1] = span([...shown.map(([k]) => k), 0]), [v0, v1] = span(shown.map(([, v]) => v));
  const pad = (k1 - k0 || 0.01) * 0.05;
  const f = frame(width, height, [k0 - pad, k1 + pad], [v0 * 0.9, v1 * 1.05], { left: 34, rows: 3, columns: 3, x: (k) => percent(k, 1), y: (v) => (100 * v).toFixed(0) });
  f.svg.append(el("line", { x1: f.x(0), x2: f.x(0), y1: 8, y2: height - 20, stroke: css("line") }));
  f.svg.append(el("path", { d: path(shown.map(([k, v]) => [f.x(k), f.y(v)])), fill: "none", stroke: css("line"), "stroke-width": 1 }));
  for (const [k, v] of shown) f.svg.append(el("circle", { cx: f.x(k), cy: f.y(v), r: 2, fill: css(k < 0 ? "put" : "call") }));
  cell.append(f.svg);
  return cell;
}
section("Smiles", "Each time about half of the time is gone, and the last: implied volatility in percent over log-moneyness, strikes with a firm quote; puts left, calls right of the forward.",
  el("div", { class: "grid", style: "grid-template-columns: repeat(auto-fill, minmax(250px, 1fr))" }, ...data.smiles.map(smileAt)));
