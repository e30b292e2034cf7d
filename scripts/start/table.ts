// A person's view of requests and where they went.
import { styleText } from "node:util";
import type { Taken } from "./requests.ts";

const WHY: Record<string, string> = {
  "-": "it carries no key",
  routed: "a route says so",
  baseline: "it carries a key that has no route here",
  invalid_key: "what it carries is not a key",
  missing_target: "its target is known to be missing",
  already_routed: "it has come through its target before",
};

export function table(taken: Taken[]): string {
  const rows = [["REQUEST", "WENT TO", "BECAUSE", "ACCESS LOG"], ...taken.map(row)];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((cells) => (cells[column] as string).length)));
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [styleText("bold", lines[0] as string), ...lines.slice(1)].join("\n");
}

function row(request: Taken): string[] {
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
  const { to, because } = fate(request);
  return [[request.path, ...headers].join("  "), to, because, request.decision];
}

function fate({ headers, status, body, decision }: Taken): { to: string; because: string } {
  if ("x-keyway-explain" in headers) return { to: "nowhere, explained", because: JSON.parse(body).why };
  const because = WHY[decision.split(" ")[0] as string] ?? "";
  if (status !== 200) return { to: `nowhere, ${status}`, because: `${because}, and its target is missing` };
  return { to: JSON.parse(body).service, because };
}
