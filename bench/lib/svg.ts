// The few SVG parts that the plots are made of. Coordinates are pixels from the top left.
export type Point = { x: number; y: number };

const FONT = "font-family=\"system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif\"";
export const INK = "#1f2933";
export const FAINT = "#64748b";
const GRID = "#e2e8f0";

const escaped = (text: string): string => text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);

export type TextStyle = {
  size?: number;
  anchor?: "start" | "middle" | "end";
  color?: string;
  weight?: number;
  turn?: boolean;
};

export function text({ x, y }: Point, content: string, style: TextStyle = {}): string {
  const { size = 12, anchor = "start", color = INK, weight = 400, turn = false } = style;
  const place = turn ? `transform="translate(${x} ${y}) rotate(-90)"` : `x="${x}" y="${y}"`;
  return `<text ${place} font-size="${size}" text-anchor="${anchor}" fill="${color}" font-weight="${weight}">${escaped(content)}</text>`;
}

export const line = (from: Point, to: Point, color = GRID, width = 1): string =>
  `<line x1="${from.x}" y1="${from.y}" x2="${to.x}" y2="${to.y}" stroke="${color}" stroke-width="${width}"/>`;

export const rect = ({ x, y }: Point, width: number, height: number, color: string): string =>
  `<rect x="${x}" y="${y}" width="${width.toFixed(1)}" height="${height}" rx="2" fill="${color}"/>`;

export const dot = ({ x, y }: Point, radius: number, color: string): string =>
  `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius}" fill="${color}"/>`;

export function path(points: Point[], color: string, width: number): string {
  const steps = points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  return `<polyline points="${steps}" fill="none" stroke="${color}" stroke-width="${width}" stroke-linejoin="round"/>`;
}

/** A picture on white, so that it reads on dark pages too; `title` is what screen readers say. */
export function picture(width: number, height: number, title: string, parts: string[]): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" ${FONT}>`;
  return [
    head,
    `<title>${escaped(title)}</title>`,
    rect({ x: 0, y: 0 }, width, height, "#ffffff"),
    ...parts,
    "</svg>\n",
  ].join("\n");
}
