// Line charts with two logarithmic axes, and horizontal bars.
import { dot, FAINT, INK, line, type Point, path, picture, rect, text } from "./svg.ts";

export type Series = { label: string; color: string; bold?: boolean; points: { keys: number; value: number }[] };
export type Panel = { title: string; series: Series[] };
export type Bar = { label: string; value: number; color: string };

const TICKS = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000].flatMap((power) => [power, 2 * power, 5 * power]);
const PANEL = { width: 330, height: 300, gap: 240, left: 78, top: 100 };
const LABEL_SPACE = 17;

const told = (value: number): string => Math.round(value).toLocaleString("en");

/** Pushes labels that would overlap apart, keeping their order. */
function spread(wanted: number[]): number[] {
  const order = wanted.map((y, index) => ({ y, index })).sort((a, b) => a.y - b.y);
  const placed: number[] = [];
  let above = Number.NEGATIVE_INFINITY;
  for (const { y, index } of order) {
    above = Math.max(y, above + LABEL_SPACE);
    placed[index] = above;
  }
  const overlap = above - (order.at(-1)?.y ?? above);
  return placed.map((y) => y - overlap / 2);
}

/** Panels side by side with the same axes; x is the number of keys, y is microseconds. */
export function lineChart(title: string, subtitle: string, axis: string, panels: Panel[]): string {
  const all = panels.flatMap(({ series }) => series.flatMap(({ points }) => points));
  const most = Math.max(...all.map(({ keys }) => keys));
  const values = all.map(({ value }) => value);
  const bottom = TICKS.findLast((tick) => tick <= Math.min(...values)) ?? Math.min(...values);
  const top = TICKS.find((tick) => tick >= Math.max(...values)) ?? Math.max(...values);
  const decades = Math.round(Math.log10(most));
  const up = (value: number) => PANEL.top + PANEL.height * (1 - Math.log(value / bottom) / Math.log(top / bottom));
  const parts = [
    text({ x: 24, y: 34 }, title, { size: 17, weight: 600 }),
    text({ x: 24, y: 55 }, subtitle, { color: FAINT }),
  ];
  panels.forEach((panel, index) => {
    const left = PANEL.left + index * (PANEL.width + PANEL.gap);
    const along = (keys: number) => left + (PANEL.width * Math.log10(keys)) / decades;
    const right = left + PANEL.width;
    const base = PANEL.top + PANEL.height;
    parts.push(text({ x: left, y: PANEL.top - 12 }, panel.title, { weight: 600, size: 13 }));
    for (const tick of TICKS.filter((tick) => tick >= bottom && tick <= top)) {
      parts.push(line({ x: left, y: up(tick) }, { x: right, y: up(tick) }));
      parts.push(text({ x: left - 8, y: up(tick) + 4 }, told(tick), { anchor: "end", color: FAINT }));
    }
    for (let decade = 0; decade <= decades; decade++) {
      const x = along(10 ** decade);
      parts.push(line({ x, y: base }, { x, y: base + 5 }, FAINT));
      parts.push(text({ x, y: base + 20 }, (10 ** decade).toLocaleString("en"), { anchor: "middle", color: FAINT }));
    }
    parts.push(line({ x: left, y: base }, { x: right, y: base }, FAINT));
    parts.push(text({ x: left + PANEL.width / 2, y: base + 42 }, "keys in the table", { anchor: "middle" }));
    parts.push(text({ x: left - 52, y: PANEL.top + PANEL.height / 2 }, axis, { anchor: "middle", turn: true }));
    parts.push(...panel.series.flatMap((series) => drawn(series, along, up)));
    const ends = panel.series.map(({ points }) => points.at(-1) as { keys: number; value: number });
    const places = spread(ends.map(({ value }) => up(value)));
    panel.series.forEach(({ label, color, bold }, at) => {
      const end = ends[at] as { keys: number; value: number };
      const y = places[at] as number;
      parts.push(line({ x: along(end.keys) + 7, y: up(end.value) }, { x: right + 12, y }, color, 0.6));
      parts.push(
        text({ x: right + 16, y: y + 4 }, `${label}, ${told(end.value)}`, { color, weight: bold ? 600 : 400 }),
      );
    });
  });
  const width = PANEL.left + panels.length * (PANEL.width + PANEL.gap) - 20;
  return picture(width, PANEL.top + PANEL.height + 62, title, parts);
}

function drawn(
  { points, color, bold }: Series,
  along: (keys: number) => number,
  up: (value: number) => number,
): string[] {
  const places: Point[] = points.map(({ keys, value }) => ({ x: along(keys), y: up(value) }));
  return [path(places, color, bold ? 3 : 1.8), ...places.map((place) => dot(place, bold ? 4.5 : 3.2, color))];
}

/** Horizontal bars from 0, with a line at `mark`. */
export function barChart(title: string, subtitle: string, bars: Bar[], mark: number): string {
  const [left, top, step, span] = [270, 84, 26, 430];
  const longest = Math.max(...bars.map(({ value }) => value));
  const scale = (value: number) => (value / longest) * span;
  const height = top + bars.length * step;
  const parts = [
    text({ x: 24, y: 34 }, title, { size: 17, weight: 600 }),
    text({ x: 24, y: 55 }, subtitle, { color: FAINT }),
    ...bars.flatMap(({ label, value, color }, index) => {
      const y = top + index * step;
      return [
        text({ x: left - 10, y: y + 14 }, label, { anchor: "end" }),
        rect({ x: left, y }, scale(value), 19, color),
        text({ x: left + span + 48, y: y + 14 }, value.toFixed(2), { anchor: "end", weight: 600 }),
      ];
    }),
    line({ x: left + scale(mark), y: top - 8 }, { x: left + scale(mark), y: height }, INK),
  ];
  return picture(left + span + 70, height + 20, title, parts);
}
