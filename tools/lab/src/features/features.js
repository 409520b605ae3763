const two = (n) => String(n).padStart(2, "0");
const clock = (s) => `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}`;
const date = (d) => `${Math.floor(d / 10000)}-${two(Math.floor(d / 100) % 100)}-${two(d % 100)}`;
const days = data.days.length ? data.days : [{ date: 0, first: 0, last: 1, before: 0 }], lastDay = days.at(-1), end = lastDay.before + lastDay.last - lastDay.first;
const one = days.length === 1;
const owner = (name) => name.slice(0, name.indexOf(".")), bare = (name) => name.slice(name.indexOf(".") + 1);
const moved = data.panels.filter((p) => p.lines.some((line) => line));
main.append(el("h1", {}, "Features through the session"),
  el("p", { class: "note" }, `${data.rows} rows of ${data.columns} columns, ${date(days[0].date)} ${clock(days[0].first)} to ${one ? "" : date(lastDay.date) + " "}${clock(lastDay.last)} by the exchange's clock · schema ${data.schema}`),
  el("p", { class: "note" }, `Made from ${data.inputs}. Each panel: the column's name, its unit, its lines; the clock of the exchange below, sessions alone. Lines run through the least and the greatest value of each stretch; where a few values dwarf all others the panel is cut and says so. What never moved or was never known is listed below its family.`));

/** Places and labels below a panel: hours of one day, or the days themselves. */
function places() {
  if (!one) {
    const every = Math.ceil(days.length / 5);
    return days.map((d, i) => [d.before, i % every ? "" : date(d.date).slice(5), true]);
  }
  const { first, last } = days[0], hour = last - first > 5 * 3600 ? 7200 : 3600, out = [];
  for (let at = Math.ceil(first / hour) * hour; at <= last; at += hour) out.push([at - first, clock(at), false]);
  return out;
}
const marks = places();
const short = (v) => {
  const size = Math.abs(v);
  if (v === 0) return "0";
  if (size >= 1e9) return (v / 1e9).toPrecision(2) + "G";
  if (size >= 1e6) return (v / 1e6).toPrecision(2) + "M";
  if (size >= 1e4) return (v / 1e3).toPrecision(3) + "k";
  return size < 1e-3 ? v.toExponential(0) : String(+v.toPrecision(3));
};
const colours = ["#2a78d6", "#1b8a5a", "#d9822b", "#c4423a", "#7d4fc4", "#0e9aa7", "#b0448f", "#8a7a1c"];

function breaks(line) {
  const pieces = [[]];
  for (const point of line) point == null ? pieces.push([]) : pieces.at(-1).push(point);
  return pieces.filter((piece) => piece.length);
}

/** What is left of a name without the statistic: the window, the place. */
function labels(panel) {
  const rest = panel.names.map((name) => bare(name).split("_"));
  const stat = panel.stat.split("_").length, tails = rest.map((parts) => parts.slice(stat));
  const common = tails.length > 1 && tails.every((t) => t.length > 1 && t.at(-1) === tails[0].at(-1));
  const title = panel.names.length === 1 ? bare(panel.names[0]) : panel.stat + (common ? " … " + tails[0].at(-1) : "");
  return { title, lines: tails.map((t) => (common ? t.slice(0, -1) : t).join("_")) };
}

function draw(panel) {
  const values = panel.lines.flatMap((line) => line ?? []).filter((p) => p).map((p) => p[1]).sort((a, b) => a - b);
  const at = (share) => values[Math.round(share * (values.length - 1))];
  let [low, high] = [values[0], values.at(-1)], cut = "";
  const [some, most] = [at(0.01), at(0.99)];
  if (most > some && high - low > 8 * (most - some)) {
    cut = `cut; all: ${short(low)} to ${short(high)}`;
    [low, high] = [Math.max(low, some - (most - some)), Math.min(high, most + (most - some))];
  }
  const room = 0.06 * (high - low || Math.abs(high) || 1);
  const { title, lines } = labels(panel), width = 268, height = 138;
  const f = frame(width, height, [0, end || 1], [low - room, high + room], { left: 42, rows: 3, columns: 0, y: short });
  for (const [place, text, day] of marks) {
    if (day || text) f.svg.append(el("line", { x1: f.x(place), x2: f.x(place), y1: 8, y2: height - 20, stroke: css(day ? "line" : "grid") }));
    f.svg.append(el("text", { x: f.x(place) + (day ? 2 : 0), y: height - 6, "text-anchor": day ? "start" : "middle" }, text));
  }
  const bounded = (v) => Math.min(Math.max(v, low - room), high + room);
  panel.lines.forEach((line, i) => {
    for (const piece of breaks(line ?? [])) {
      const points = piece.map(([x, v]) => [f.x(x), f.y(bounded(v))]);
      if (points.length === 1) f.svg.append(el("circle", { cx: points[0][0], cy: points[0][1], r: 1.2, fill: colours[i] }));
      else f.svg.append(el("path", { d: path(points), fill: "none", stroke: colours[i], "stroke-width": 1, "stroke-linejoin": "round" }));
    }
  });
  const key = panel.names.length === 1 ? [] : lines.flatMap((text, i) => panel.lines[i] ? [el("span", { style: `color:${colours[i]};font-weight:600` }, text + " ")] : []);
  const cell = el("div", { class: "cell", title: `${panel.formula}` }, el("b", {}, title), " ", el("span", {}, `[${panel.unit}] `), ...key);
  if (cut) cell.append(el("span", {}, ` ${cut}`));
  cell.append(f.svg);
  return cell;
}

for (const of of [...new Set(moved.map((p) => owner(p.names[0])))]) {
  const mine = data.panels.filter((p) => owner(p.names[0]) === of);
  for (const family of [...new Set(mine.map((p) => p.family))]) {
    const panels = mine.filter((p) => p.family === family), shown = panels.filter((p) => p.lines.some((line) => line));
    const silent = panels.flatMap((p) => p.names.map((name, i) => [bare(name), p.told[i]])).filter(([, told]) => told);
    const still = silent.filter(([, told]) => told !== "never known").map(([name, told]) => `${name} = ${told}`);
    const never = silent.filter(([, told]) => told === "never known").map(([name]) => name);
    section(`${of}: ${family}`, `${panels.flatMap((p) => p.names).length} columns in ${shown.length} panels`,
      el("div", { class: "grid", style: "grid-template-columns: repeat(4, minmax(0, 1fr))" }, ...shown.map(draw)),
      ...[["never moved", still], ["never known", never]].filter(([, names]) => names.length).map(([title, names]) =>
        el("details", {}, el("summary", { class: "note" }, `${names.length} ${title}`), el("p", { class: "note" }, names.join(", ")))));
  }
}
