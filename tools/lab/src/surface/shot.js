const ex = data.exposure;
main.append(el("h1", {}, `${data.root}: smiles and exposures`),
  el("p", { class: "note" }, `${data.at ?? ""} · ${data.expiries.length} expiries · spot (discounted forward) ${price(ex.spot)}`));
const tiles = [
  ["dealer gamma per 1 %", big(ex.dealer.gamma_per_percent)],
  ["flip", ex.flip ? `${price(ex.flip)} (${percent(ex.flip / ex.spot - 1, 2)})` : "none"],
  ["call wall", price(ex.call_wall)], ["put wall", price(ex.put_wall)],
  ["concentration", ex.concentration?.toFixed(3) ?? "–"],
  ["contracts open", big(ex.contracts)],
];
main.append(el("div", { class: "tiles" }, ...tiles.map(([k, v]) =>
  el("div", { class: "tile" }, el("div", { class: "k" }, k), el("div", { class: "v" }, v)))));

function smileOf(expiry) {
  const width = 208, height = 132, s = expiry.smile;
  const deviation = s ? s.level * Math.sqrt(s.years) : 0.02;
  const near = expiry.points.filter(([k]) => k > -7 * deviation && k < 4 * deviation);
  const shown = near.length ? near : expiry.points;
  const name = `${expiry.settles?.slice(0, 10)} · ${expiry.days.toFixed(expiry.days < 2 ? 2 : 0)} d`;
  const under = s ? `${percent(s.level)} · skew ${s.skew.toFixed(2)} · error ${expiry.rms.toFixed(1)} half-spreads` : `${shown.length} points: no smile`;
  const cell = el("div", { class: "cell" }, el("b", {}, name), el("br"), el("span", {}, under));
  if (!shown.length) return cell;
  const [k0, k1] = span(shown.map(([k]) => k)), [v0, v1] = span(shown.map(([, v]) => v));
  const pad = (k1 - k0 || 0.01) * 0.04;
  const f = frame(width, height, [k0 - pad, k1 + pad], [v0 * 0.9, v1 * 1.05],
    { left: 34, rows: 3, columns: 3, x: (k) => percent(k, k1 - k0 < 0.08 ? 1 : 0), y: (v) => (100 * v).toFixed(0) });
  f.svg.append(el("line", { x1: f.x(0), x2: f.x(0), y1: 8, y2: height - 20, stroke: css("line") }));
  for (const [k, v] of shown)
    f.svg.append(el("circle", { cx: f.x(k), cy: f.y(v), r: 1.5, fill: k < 0 ? css("put") : css("call"), opacity: 0.7 }));
  if (s) {
    const line = Array.from({ length: 90 }, (_, i) => k0 + (k1 - k0) * i / 89).map((k) => {
      const w = s.a + s.b * (s.rho * (k - s.m) + Math.hypot(k - s.m, s.sigma));
      return [f.x(k), f.y(Math.sqrt(w / s.years))];
    });
    f.svg.append(el("path", { d: path(line), fill: "none", stroke: css("fit"), "stroke-width": 1.5 }));
  }
  cell.append(f.svg);
  return cell;
}
section("Smiles", "Implied volatility in percent over log-moneyness ln(K/F): puts left, calls right of the forward; the line is the fitted SVI. Nearest expiry first.",
  el("div", { class: "grid" }, ...data.expiries.map(smileOf)));

function termOf() {
  const rows = data.term;
  if (rows.length < 2) return el("p", { class: "note" }, "fewer than two smiles");
  const days = (d) => Math.log10(d), [x0, x1] = span(rows.map((r) => days(r.days)));
  const values = rows.flatMap((r) => [r.level, r.to_next]).filter((v) => v != null);
  const [v0, v1] = span(values);
  const f = frame(540, 260, [x0 - 0.05, x1 + 0.05], [v0 * 0.95, v1 * 1.03],
    { x: (v) => `${Math.round(10 ** v)} d`, y: (v) => (100 * v).toFixed(1) });
  const steps = rows.slice(0, -1).flatMap((r, i) => r.to_next == null ? [] :
    [[f.x(days(r.days)), f.y(r.to_next)], [f.x(days(rows[i + 1].days)), f.y(r.to_next)]]);
  f.svg.append(el("path", { d: path(steps), fill: "none", stroke: css("faint"), "stroke-width": 1 }));
  f.svg.append(el("path", { d: path(rows.map((r) => [f.x(days(r.days)), f.y(r.level)])), fill: "none", stroke: css("fit"), "stroke-width": 2 }));
  for (const r of rows) f.svg.append(el("circle", { cx: f.x(days(r.days)), cy: f.y(r.level), r: 2.5, fill: css("fit") }));
  return f.svg;
}
function curveOf() {
  const [x0, x1] = span(ex.curve.map(([s]) => s)), [y0, y1] = span(ex.curve.map(([, g]) => g));
  const f = frame(540, 260, [x0, x1], [Math.min(y0, 0), Math.max(y1, 0)], { left: 58, y: big, x: (v) => v.toFixed(0) });
  f.svg.append(el("line", { x1: f.x(x0), x2: f.x(x1), y1: f.y(0), y2: f.y(0), stroke: css("faint") }));
  f.svg.append(el("path", { d: path(ex.curve.map(([s, g]) => [f.x(s), f.y(g)])), fill: "none", stroke: css("fit"), "stroke-width": 2 }));
  for (const [at, name] of [[ex.spot, "spot"], [ex.flip, "flip"]]) if (at) {
    f.svg.append(el("line", { x1: f.x(at), x2: f.x(at), y1: 8, y2: 240, stroke: css("faint"), "stroke-dasharray": "3 3" }));
    f.svg.append(el("text", { x: f.x(at) + (name === "spot" ? 4 : -4), y: 18, "text-anchor": name === "spot" ? "start" : "end" }, name));
  }
  return f.svg;
}
main.append(el("div", { class: "two" },
  el("section", {}, el("h2", {}, "Term structure"), el("p", { class: "note" }, "Volatility at the forward by expiry, percent; thin: what is left for the time between two expiries."), termOf()),
  el("section", {}, el("h2", {}, "Dealer gamma if spot moved"), el("p", { class: "note" }, "Calls less puts, currency per 1 %, strikes' volatilities held. It changes sign at the flip."), curveOf())));

function profileOf() {
  const rows = ex.strikes.filter(([k]) => k > ex.spot * 0.93 && k < ex.spot * 1.06);
  if (!rows.length) return el("p", { class: "note" }, "nothing is open near the money");
  const [x0, x1] = span(rows.map(([k]) => k));
  const calls = Math.max(...rows.map((r) => r[3])), puts = Math.max(...rows.map((r) => r[4]));
  const f = frame(1120, 320, [x0 - 5, x1 + 5], [-puts * 1.05, calls * 1.05], { left: 64, columns: 14, rows: 6, y: big, x: (v) => v.toFixed(0) });
  const width = Math.max(1, (f.x(x1) - f.x(x0)) / rows.length * 0.7);
  for (const [strike, , , call, put] of rows) for (const [value, colour] of [[call, "call"], [-put, "put"]]) {
    const top = Math.min(f.y(0), f.y(value)), high = Math.abs(f.y(value) - f.y(0));
    f.svg.append(el("rect", { x: f.x(strike) - width / 2, y: top, width, height: high, fill: css(colour), opacity: 0.85 }));
  }
  f.svg.append(el("line", { x1: f.x(x0 - 5), x2: f.x(x1 + 5), y1: f.y(0), y2: f.y(0), stroke: css("faint") }));
  for (const [at, name] of [[ex.spot, "spot"], [ex.flip, "flip"]]) if (at) {
    f.svg.append(el("line", { x1: f.x(at), x2: f.x(at), y1: 8, y2: 300, stroke: css("ink"), "stroke-dasharray": "3 3", opacity: 0.6 }));
    f.svg.append(el("text", { x: f.x(at) + (name === "spot" ? 4 : -4), y: 18, "text-anchor": name === "spot" ? "start" : "end" }, name));
  }
  return f.svg;
}
section("Gamma by strike", "Γ·S²·0.01 times open contracts and multiplier, all expiries: calls up, puts down (dealers long calls, short puts).", profileOf());

const columns = [["settles", (e) => e.settles?.slice(0, 16).replace("T", " ")], ["days", (e) => e.days.toFixed(2)],
  ["forward", (e) => price(e.forward)], ["± parity", (e) => e.spread?.toFixed(2) ?? "–"], ["rate", (e) => percent(e.rate, 2)],
  ["points", (e) => e.fitted], ["error", (e) => e.fitted ? e.rms.toFixed(2) : "–"], ["min g", (e) => e.fitted ? e.butterfly.toFixed(3) : "–"],
  ["level", (e) => percent(e.smile?.level, 2)], ["skew", (e) => e.smile?.skew.toFixed(3) ?? "–"],
  ["RR 25Δ", (e) => percent(e.smile?.rr25, 2)], ["BF 25Δ", (e) => percent(e.smile?.bf25, 2)],
  ["max pain", (e) => price(e.max_pain)], ["dealer Γ/1 %", (e) => big(e.gamma)]];
const body = data.expiries.map((e) => el("tr", {}, ...columns.map(([, show]) => el("td", {}, String(show(e) ?? "–")))));
section("Expiries", "Error in half-spreads of the quotes; min g below zero would be butterfly arbitrage; skew is dσ/dk at the forward.",
  el("div", { class: "scroll" }, el("table", {}, el("tr", {}, ...columns.map(([name]) => el("th", {}, name))), ...body)));
